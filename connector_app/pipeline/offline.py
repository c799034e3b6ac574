"""Offline: in an announced outage of KSeF documents are issued all the same, by the store's policy.

Such a document is frozen like any other, with its mode, its deadline and both QR codes, and goes to KSeF
with ``offlineMode`` true once that is possible (see :mod:`connector_app.pipeline.submit`). Whatever cannot be
issued offline waits with a sentence that says why.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session, joinedload, object_session

from connector_app import offline_certificates, outages
from connector_app.ksef_access import environment_of, hash_text
from connector_app.pipeline import holds, life
from connector_app.pipeline.services import Services
from connector_app.policies import StorePolicy
from connector_app.store.lanes import of_document
from connector_app.store.models import Document, DocumentState, Seller, ShopOrder
from core.calendar import warsaw_day
from core.findings import Text
from core.ksef.latarnia import Outage
from core.ksef.offline import Course, OfflineMode, OfflinePolicy, choose
from core.ksef.verification import certificate_link
from core.signing.keys import KeyMaterial

_LOOK_AGAIN = timedelta(minutes=5)
"""How long a document waits before it is decided anew; a change on the board wakes it at once."""

_NO_CERTIFICATE = Text(
    "Do wystawienia w trybie offline brakuje certyfikatu KSeF typu Offline.",
    "Issuing offline needs a KSeF certificate of the kind Offline, and there is none.",
)
_HOW_TO_DECIDE = Text(
    "Wystawienie offline: ksef-connector documents offline {0}.",
    "To issue it offline: ksef-connector documents offline {0}.",
)


class NothingToIssue(Exception):
    """A document that cannot be issued offline: it is issued already, or not due."""


@dataclass(frozen=True, slots=True)
class OfflinePlan:
    """How a document is issued offline.

    Attributes:
        mode: see :class:`core.ksef.offline.OfflineMode`.
        rule: why, for the life line.
        qr_url: base of the verification links.
        events: what the board announced.
        outage: in which it is issued; None for offline24.
        signer: an Offline certificate with its key; None only for a technical correction.
    """

    mode: OfflineMode
    rule: Text
    qr_url: str
    events: tuple[Outage, ...]
    outage: Outage | None
    signer: KeyMaterial | None = field(repr=False)

    def apply(self, document: Document, now: datetime) -> Text:
        """Write mode, deadline and code II into a document whose bytes were just frozen.

        Args:
            document: with ``xml_sha256`` and ``issued_on``, inside the transaction that freezes it.
            now: aware UTC.

        Returns:
            What the life line says.
        """
        if document.offline_mode is None:
            document.offline_mode = self.mode.value
            document.issued_at = now
            document.outage_event = self.outage.event_id if self.outage else None
        document.certificate_link = None
        if self.signer is not None:
            digest = hash_text(document.xml_sha256 or "")
            document.certificate_link = certificate_link(
                self.qr_url, document.seller.nip, digest, self.signer
            )
        counted = outages.deadline_of(document, self.events)
        document.send_by = counted.day if counted else None
        told = counted.rule if counted else Text("", "")
        return Text(f"{self.rule.pl} {told.pl}".strip(), f"{self.rule.en} {told.en}".strip())


def plan(services: Services, document_id: int) -> OfflinePlan | Text | None:
    """Decide whether a document that is ready is issued offline now.

    Args:
        services: the outside world.
        document_id: the document.

    Returns:
        How to issue it offline; or why it waits; None when it goes online as ever.

    Raises:
        VaultLocked: the Offline certificate cannot be decrypted.
    """
    now = services.clock()
    with services.database() as session:
        document = session.get_one(
            Document, document_id, options=[joinedload(Document.order).joinedload(ShopOrder.store)]
        )
        if document.state != DocumentState.READY or document.xml_sha256 is not None:
            return None
        seller = document.seller
        announced = outages.of_seller(session, seller)
        policy = StorePolicy.from_json(document.order.store.policy)
        signer = offline_certificates.find(session, services.vault, seller, now)
    made = OfflinePlan(
        OfflineMode(document.offline_mode or OfflineMode.OFFLINE24),
        _TECHNICAL if document.offline_mode else _BY_PERSON,
        environment_of(seller).qr_url,
        announced.events,
        None,
        signer,
    )
    if document.offline_mode is not None:
        return made  # KSeF refused it: the technical correction keeps mode, day and deadline
    asked = document.offline_asked
    choice = choose(announced.in_force, now, OfflinePolicy.AUTOMATIC if asked else policy.offline)
    if choice.course is Course.WAIT or (choice.course is Course.ONLINE and not asked):
        return None
    if choice.course is Course.ASK:
        return _with_decision(choice.rule, document) if choice.mode in _DECIDABLE else choice.rule
    if signer is None:
        return Text(f"{choice.rule.pl} {_NO_CERTIFICATE.pl}", f"{choice.rule.en} {_NO_CERTIFICATE.en}")
    if choice.mode is not None:
        made = replace(made, mode=choice.mode, rule=choice.rule, outage=choice.outage)
    return made


_DECIDABLE = (OfflineMode.MAINTENANCE, OfflineMode.EMERGENCY)
_BY_PERSON = Text("Tryb offline24 na prośbę człowieka.", "Offline24, because a person asked.")
_TECHNICAL = Text(
    "Korekta techniczna dokumentu offline, którego KSeF nie przyjął.",
    "Technical correction of the offline document that KSeF refused.",
)


def _with_decision(rule: Text, document: Document) -> Text:
    how = Text(_HOW_TO_DECIDE.pl.format(document.id), _HOW_TO_DECIDE.en.format(document.id))
    return Text(f"{rule.pl} {how.pl}", f"{rule.en} {how.en}")


def may_apply(session: Session, seller: Seller, now: datetime) -> bool:
    """Whether anything of a seller could be issued offline now: a cheap look before the documents."""
    announced = outages.of_seller(session, seller)
    return any(one.is_active(now) for one in announced.in_force)


def wait(services: Services, document_id: int, why: Text) -> None:
    """Let a document wait for KSeF, a person or a certificate, without counting a failure against it."""
    holds.put_off(services, of_document(document_id), Document.id == document_id, why, _LOOK_AGAIN)


def ask_for(document: Document, now: datetime) -> None:
    """A person asks to issue a document offline; it is done in the next pass.

    Args:
        document: stored, inside a transaction.
        now: aware UTC.

    Raises:
        NothingToIssue: it is not ready.
    """
    if document.state != DocumentState.READY or document.xml_sha256 is not None:
        raise NothingToIssue(f"document {document.id} is not ready")
    document.offline_asked = True
    document.attempts, document.next_attempt_at, document.waiting_for = 0, None, None
    life.note(
        document,
        Text(
            "Człowiek polecił wystawić dokument w trybie offline.",
            "A person asked to issue the document offline.",
        ),
        now,
    )


def mark_late(document: Document, now: datetime) -> Text | None:
    """Declare offline24 for a document that was issued online and goes out after its day, by policy.

    Without this KSeF marks it as offline by itself (principle 8), and nobody counts its deadline.

    Args:
        document: issued, inside the transaction that precedes its sending.
        now: aware UTC.

    Returns:
        What the life line says; None when nothing changes.
    """
    day = document.issued_on
    if document.offline_mode is not None or day is None or warsaw_day(now) <= day:
        return None
    if StorePolicy.from_json(document.order.store.policy).offline is not OfflinePolicy.AUTOMATIC:
        return None
    session = object_session(document)
    assert session is not None, "a document is changed inside a transaction"
    document.offline_mode = OfflineMode.OFFLINE24.value
    counted = outages.deadline_of(document, outages.of_seller(session, document.seller).events)
    document.send_by = counted.day if counted else None
    told = counted.rule if counted else Text("", "")
    return Text(
        f"Nie udało się wysłać w dniu wystawienia ({day}). {told.pl}".strip(),
        f"It could not be sent on its day of issue ({day}). {told.en}".strip(),
    )
