"""What is known of a seller's way into KSeF, without asking KSeF."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.credentials import CredentialInfo, CredentialKind, credential_info, tokens_of
from connector_app.ksef_access import environment_of
from connector_app.pipeline.services import Services, load_text
from connector_app.store.desk import Job, JobState
from connector_app.store.models import Certificate, CertificateStage, Seller
from connector_app.vault import VaultLocked
from core.findings import Text
from core.ksef import environments
from core.ksef.certificates import CertificateKind
from core.ksef.permissions import NAMES, SEND, Permissions
from core.signing.keys import KeyMaterialError

CHECK = "ksef-check"
"""Kind of the job that really signs in."""
ENROLMENT = "ksef-enrolment"
"""Kind of the job that asks KSeF for certificates."""
LISTING = "ksef-certificates"
"""Kind of the job that reads KSeF's list of certificates."""

KINDS = {
    CredentialKind.CERTIFICATE: Text(
        "certyfikat i klucz w tym programie", "certificate and key in this program"
    ),
    CredentialKind.TOKEN: Text("token KSeF", "KSeF token"),
    CredentialKind.OUTSIDE: Text("podpis poza programem", "signature outside the program"),
}
LOCKED = Text(
    "Zapisanego klucza nie da się odszyfrować: plik secret.key jest inny niż dawniej. Przywróć go z kopii "
    "zapasowej albo podaj certyfikat jeszcze raz.",
    "The stored key cannot be decrypted: secret.key is another file than it was. Restore it from the backup, "
    "or give the certificate again.",
)
State = tuple[bool | None, Text]
"""Done (true), to do (none) or a problem (false), with a sentence."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a seller signs in.

    Attributes:
        info: what may be shown of its credential; None when it cannot be read.
        until: until when it is signed in; None when it is not.
        trouble: why its credential cannot be read.
    """

    info: CredentialInfo | None
    until: datetime | None
    trouble: Text | None = None


def environment_name(seller: Seller) -> Text:
    """A seller's environment for people."""
    found = environment_of(seller)
    if found in {environments.TEST, environments.DEMO, environments.PRODUCTION}:
        return _NAMES[found.name]
    return Text("piaskownica (sztuczny KSeF)", "sandbox (a made-up KSeF)")


_NAMES = {
    "TEST": Text("TEST (testy Ministerstwa)", "TEST (the Ministry's tests)"),
    "DEMO": Text("DEMO (przedprodukcyjne)", "DEMO (pre-production)"),
    "PRODUCTION": Text("PRODUKCJA", "PRODUCTION"),
}


def way(services: Services, seller: Seller) -> Way:
    """How a seller signs in, and until when it is signed in."""
    try:
        info = credential_info(services.vault, seller)
        tokens = tokens_of(services.vault, seller.tokens)
    except VaultLocked:
        return Way(None, None, LOCKED)
    except KeyMaterialError as error:
        return Way(None, None, Text(str(error), str(error)))
    until = tokens.refresh_valid_until if tokens else None
    return Way(info, until if until and until > services.clock() else None)


def last_job(session: Session, seller: Seller, kind: str) -> Job | None:
    """The newest job of a kind for a seller."""
    return session.scalar(
        select(Job).where(Job.kind == kind, Job.seller_id == seller.id).order_by(Job.id.desc()).limit(1)
    )


def sign_in_state(services: Services, session: Session, seller: Seller) -> State:
    """Whether a seller's sign-in was really made and lets it issue."""
    found = way(services, seller)
    if found.trouble is not None:
        return False, found.trouble
    check = last_job(session, seller, CHECK)
    if check is not None and check.state == JobState.RUNNING:
        return None, Text("Sprawdzanie trwa.", "The check is under way.")
    if check is not None and check.state == JobState.FAILED and found.until is None and check.says:
        return False, load_text(check.says)
    if found.until is None:
        has = found.info is not None and found.info.kind is not CredentialKind.OUTSIDE
        return None, (
            Text("Dane są zapisane; sprawdź logowanie.", "The credential is kept; check the sign-in.")
            if has
            else Text(
                "Program nie ma jeszcze czym się zalogować.", "The program has nothing to sign in with yet."
            )
        )
    lacks = (check.result or {}).get("lacks", []) if check is not None else []
    if SEND in lacks:
        return False, Text(
            "Zalogowano, ale brakuje uprawnienia do wystawiania faktur.",
            "Signed in, but the permission to issue invoices is missing.",
        )
    return True, Text("Logowanie działa.", "The sign-in works.")


def certificate_state(services: Services, session: Session, seller: Seller) -> State:
    """Whether a seller has the certificates that it needs."""
    now = services.clock()
    kinds = {row.kind for row in held(session, seller) if row.valid_until is None or row.valid_until > now}
    found = way(services, seller)
    signs = CertificateKind.AUTHENTICATION in kinds or (
        found.info is not None and found.info.kind is CredentialKind.CERTIFICATE
    )
    offline = CertificateKind.OFFLINE in kinds
    if signs and offline:
        return True, Text("Do logowania i do trybu offline.", "For signing in and for offline modes.")
    if signs:
        return None, Text(
            "Brakuje certyfikatu trybu offline: bez niego faktury czekają, gdy KSeF nie działa.",
            "The certificate for offline modes is missing: without it invoices wait while KSeF is down.",
        )
    return None, Text(
        "Uzyskaj certyfikat do logowania, aby nie podpisywać co tydzień.",
        "Get a certificate for signing in, not to sign every week.",
    )


def held(session: Session, seller: Seller) -> list[Certificate]:
    """A seller's certificates whose keys are here and that work in its environment, newest first."""
    rows = session.scalars(
        select(Certificate)
        .where(Certificate.seller_id == seller.id, Certificate.stage == CertificateStage.ISSUED)
        .order_by(Certificate.id.desc())
    )
    return [row for row in rows if row.environment == seller.environment]


def permissions_json(found: Permissions) -> dict[str, Any]:
    """What whoever signed in may do, for a job's result."""
    return {
        "owner": bool(found.owner),
        "held": [{"name": name, **_words(name)} for name in sorted(found.held)],
        "lacks": sorted(name for name in NAMES if name in _NEEDED and name not in found.held),
        "missing": [{"pl": text.pl, "en": text.en} for text in found.missing],
    }


_NEEDED = {SEND, "InvoiceRead", "CollectiveIdentifierManage"}


def _words(name: str) -> dict[str, str]:
    said = NAMES.get(name, Text("", ""))
    return {"pl": said.pl, "en": said.en}
