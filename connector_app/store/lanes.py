"""Whose lane a writing transaction belongs to, where only something of the seller's is known.

To be given to :meth:`connector_app.store.sessions.Sessions.begin`, which looks it up when it begins.
Documents, stores and what belongs to them never change their seller.
"""

from __future__ import annotations

from sqlalchemy import select

from connector_app.store.machines import Hook, HookDelivery
from connector_app.store.models import Batch, Document, Mail, Store
from connector_app.store.sessions import Lane


def of_document(document_id: int) -> Lane:
    """The lane of a document's seller."""
    return select(Document.seller_id).where(Document.id == document_id)


def of_store(store_id: int) -> Lane:
    """The lane of a store's seller."""
    return select(Store.seller_id).where(Store.id == store_id)


def of_batch(batch_id: int) -> Lane:
    """The lane of a batch's seller."""
    return select(Batch.seller_id).where(Batch.id == batch_id)


def of_mail(mail_id: int) -> Lane:
    """The lane of the seller whose document an e-mail is about."""
    return select(Document.seller_id).join(Mail, Mail.document_id == Document.id).where(Mail.id == mail_id)


def of_hook(hook_id: int) -> Lane:
    """The lane of a hook's seller."""
    return select(Hook.seller_id).where(Hook.id == hook_id)


def of_delivery(delivery_id: int) -> Lane:
    """The lane of the seller whose hook a message is for."""
    return select(Hook.seller_id).join(HookDelivery).where(HookDelivery.id == delivery_id)
