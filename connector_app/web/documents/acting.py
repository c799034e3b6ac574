"""Doing something with documents: each in a transaction of its own, with who did it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from connector_app.documents import actions
from connector_app.documents.actions import NotPossible
from connector_app.documents.wording import ActionName
from connector_app.store.lanes import of_document
from connector_app.store.models import Document
from connector_app.web import access
from connector_app.web.access import Right
from connector_app.web.here import here
from core.findings import Text

_NOT_ALLOWED = Text("Nie masz do tego uprawnień u tego sprzedawcy.", "You may not do this for its seller.")


@dataclass(slots=True)
class Plan:
    """What would happen to some documents.

    Attributes:
        done: documents that the action can be done with. skipped: the others, by the reason.
    """

    done: list[Document] = field(default_factory=list)
    skipped: dict[Text, list[Document]] = field(default_factory=dict)

    @property
    def skips(self) -> int:
        """How many are left out."""
        return sum(len(rows) for rows in self.skipped.values())


def plan(name: ActionName, ids: Sequence[int]) -> Plan:
    """What an action would do to some documents; those that the person may not see are no part of it."""
    found = Plan()
    with here().services.database() as session:
        seen = set(access.rights(session))
        for row in actions.load(session, list(ids)):
            if row.seller_id not in seen:
                continue
            why = None if access.may(session, row.seller_id, Right.OPERATE) else _NOT_ALLOWED
            why = why or actions.can(row, name).why_not
            if why is None:
                found.done.append(row)
            else:
                found.skipped.setdefault(why, []).append(row)
    return found


def act(name: ActionName, document_id: int, recovered_id: int = 0) -> None:
    """Do something with one document, and wake its seller's work.

    Args:
        name: what.
        document_id: a document; 404 and 403 as everywhere.
        recovered_id: for ``link``, the recovered invoice.

    Raises:
        NotPossible: it cannot be done now; nothing was changed.
    """
    here().wake(_act(name, document_id, recovered_id))


def _act(name: ActionName, document_id: int, recovered_id: int = 0) -> int:
    """Without waking anybody; the seller's id."""
    services = here().services
    with services.database.begin(of_document(document_id)) as session:
        row = access.the_document(session, document_id, Right.OPERATE)
        seller_id, before = row.seller_id, row.state
        touched = actions.perform(row, name, services.clock(), recovered_id=recovered_id)
        details = {"before": before} | ({"recovered": recovered_id} if recovered_id else {})
        access.audit(session, f"document.{name}", f"document:{document_id}", seller_id, details)
    for one in touched:
        services.watch(one)
    return seller_id


def act_on_many(name: ActionName, ids: Sequence[int]) -> tuple[int, int]:
    """Do something with many documents; what changed since it was planned is left out.

    Returns:
        How many it was done with, and how many were left out.
    """
    done, sellers = 0, set()
    ready = [row.id for row in plan(name, ids).done]
    for document_id in sorted(ready):
        try:
            sellers.add(_act(name, document_id))
            done += 1
        except NotPossible:
            continue
    for seller_id in sorted(sellers):
        here().wake(seller_id)
    return done, len(set(ids)) - done
