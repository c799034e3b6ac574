"""Damaged files fetched again from KSeF, which keeps an invoice's bytes for ten years.

What comes is taken only when it is what was stored: the XML by its hash, the UPO because it proves that hash
and its signature holds. A UPO can be had as long as KSeF shows its session to the seller's credential.
"""

from __future__ import annotations

from sqlalchemy.orm import Session, object_session, undefer

from connector_app.keeping import damage
from connector_app.keeping.reading import Part, digest
from connector_app.keeping.verify import Fault
from connector_app.ksef_access import SellerAccess, hash_text
from connector_app.pipeline import life
from connector_app.pipeline.services import Services
from connector_app.pipeline.signers import keep_signer
from connector_app.pipeline.submit import DAMAGED
from connector_app.store.models import Document, DocumentState, Seller
from connector_app.store.proofs import SessionUpo, SessionUpoPage
from core.findings import SaidError, Text
from core.ksef import invoices, upo
from core.ksef.errors import KsefRefused, ProofMismatch
from core.ksef.upo_signature import check_signature

_FETCHED = Text(
    "Uszkodzony plik XML zastąpiono tym samym plikiem pobranym z KSeF (skrót się zgadza).",
    "The damaged XML was replaced by the same file fetched from KSeF (its hash agrees).",
)
_PROVEN = Text(
    "Uszkodzone UPO zastąpiono pobranym ponownie z KSeF.",
    "The damaged UPO was replaced by one fetched again from KSeF.",
)


class NotRepairable(SaidError):
    """A file that KSeF cannot give back.

    Attributes:
        text: why, for a person.
    """


def repair(services: Services, fault: Fault, access: SellerAccess) -> None:
    """Make one damaged file good.

    Args:
        services: the installation.
        fault: what was found, see :mod:`connector_app.keeping.verify`.
        access: the sign-in of the fault's seller.

    Raises:
        NotRepairable: KSeF has no such file, or gives another one.
        KsefError: KSeF does not answer, or does not let us in.
    """
    if fault.part is Part.ROW:
        raise NotRepairable(_RESTORE)
    if fault.part is Part.SESSION_UPO:
        _fetch_page_again(services, fault)
        return
    with services.database() as session:
        row = session.get_one(Document, fault.document_id)
    if row.ksef_number is None:
        raise NotRepairable(
            Text(
                f"Dokumentu {row.id} nie ma w KSeF, więc jest tylko w kopii zapasowej.",
                f"Document {row.id} is not in KSeF, so that only a backup has it.",
            )
        )
    if fault.part is Part.XML:
        _repair_xml(services, row, row.ksef_number, access)
    else:
        _repair_upo(services, row, row.ksef_number, access)


def _repair_xml(services: Services, row: Document, ksef_number: str, access: SellerAccess) -> None:
    found = access.call(lambda token: invoices.fetch(access.client, token, ksef_number)).content
    if digest(found) != row.xml_sha256:
        raise NotRepairable(
            Text(
                f"KSeF ma pod numerem {ksef_number} inny plik niż wystawiony: skrót się nie zgadza.",
                f"KSeF has another file under {ksef_number} than was issued: its hash differs.",
            )
        )

    def put(changed: Document) -> None:
        changed.xml = found
        life.note(changed, _FETCHED, services.clock())
        if changed.state == DocumentState.ATTENTION and _asks_only_for_this(changed):
            life.again(changed, services.clock())

    _put(services, row, Part.XML, put)


def _asks_only_for_this(row: Document) -> bool:
    return {one.get("code") for one in row.attention or []} == {DAMAGED.code}


def _repair_upo(services: Services, row: Document, ksef_number: str, access: SellerAccess) -> None:
    reference = row.session_reference
    if reference is None:
        raise NotRepairable(
            Text(
                f"Nie wiadomo, z której sesji jest dokument {row.id}: KSeF nie poda UPO.",
                f"It is not known from which session document {row.id} is: KSeF gives no UPO.",
            )
        )
    try:
        proof = access.call(lambda token: upo.fetch_by_number(access.client, token, reference, ksef_number))
        signature = check_signature(proof, services.upo_trust)
        upo.check_upo(upo.parse_upo(proof), hash_text(row.xml_sha256 or ""), ksef_number)
    except (ProofMismatch, KsefRefused) as error:
        why = Text(f"KSeF nie daje UPO: {error}", f"KSeF does not give the UPO: {error}")
        raise NotRepairable(why) from error

    def put(changed: Document) -> None:
        changed.upo, changed.upo_sha256 = proof, digest(proof)
        changed.upo_certificate = keep_signer(changed, signature, services.clock())
        life.note(changed, _PROVEN, services.clock())

    _put(services, row, Part.UPO, put)


def _put(services: Services, row: Document, part: Part, change: life.Change) -> None:
    def apply(changed: Document) -> None:
        change(changed)
        damage.healed(_session_of(changed), row.seller_id, part, document_id=row.id)

    life.change(services, row.id, apply)


def _fetch_page_again(services: Services, fault: Fault) -> None:
    """Let the ordinary work fetch a session's UPO anew; it checks what comes."""
    reference, _, number = fault.reference.rpartition("/")
    with services.database.begin() as session:
        page = session.get(
            SessionUpoPage,
            (fault.seller_id, reference, int(number)),
            options=[undefer(SessionUpoPage.content)],
        )
        expected = session.get(SessionUpo, (fault.seller_id, reference))
        if page is None or expected is None:
            raise NotRepairable(_RESTORE)
        expected.ended_at = expected.next_at = None
        expected.attempts = 0
        # another reference: what is stored is not taken for the page that KSeF names
        page.reference = ""


def _session_of(row: Document) -> Session:
    session = object_session(row)
    assert session is not None, "a document is changed inside a transaction"
    return session


def access_of(services: Services, seller_id: int) -> SellerAccess:
    """The sign-in of a seller, for :func:`repair`."""
    with services.database() as session:
        return services.access(session.get_one(Seller, seller_id))


_RESTORE = Text(
    "Tego KSeF nie odda: przywróć bazę z kopii zapasowej (ksef-connector restore).",
    "KSeF does not give this back: restore the database from a backup (ksef-connector restore).",
)
