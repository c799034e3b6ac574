"""What ends soon: certificates, KSeF tokens, sign-ins made outside. Told 60, 30 and 7 days ahead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.credentials import CredentialKind, credential_info, tokens_of
from connector_app.pipeline.services import Services
from connector_app.store.models import Certificate, CertificateStage, Seller
from connector_app.vault import Vault, VaultLocked
from core.calendar import warsaw_day
from core.findings import Finding, Severity, Text
from core.ksef.certificates import CertificateKind
from core.law import TOKENS_END
from core.signing.keys import KeyMaterialError

STAGES = (7, 30, 60)
"""Days ahead on which an end is told, the most urgent first."""
_SIGN_AGAIN_DAYS = 2
"""Days before the end of a sign-in made outside on which it becomes urgent."""


class HeldKind(StrEnum):
    """What a seller holds that ends some day."""

    CERTIFICATE = "certificate"
    """Signs in."""
    OFFLINE = "offline"
    """Signs QR code II."""
    TOKEN = "token"  # noqa: S105  the name of a kind, no secret
    SIGN_IN = "sign-in"
    """Made outside the program; there is nothing else to sign in with."""


@dataclass(frozen=True, slots=True)
class Held:
    """One thing that ends.

    Attributes:
        seller: NIP.
        kind: what it is.
        until: its end; None for a token (the law ends it) and for a sign-in that was never made.
        name: serial number of a certificate; empty for others.
    """

    seller: str
    kind: HeldKind
    until: datetime | None = None
    name: str = ""


def notices(held: Iterable[Held], day: date, tokens_end: date = TOKENS_END.day) -> list[Finding]:
    """What to tell on a day about ends that are near or over, the nearest first.

    Args:
        held: what sellers hold.
        day: Warsaw day of today.
        tokens_end: last day on which KSeF tokens sign in, by the law in force.

    Returns:
        Findings with code ``<kind>-ends-60``, ``-30``, ``-7`` or ``<kind>-ended``; a warning, and an error
        from seven days ahead.
    """
    found = []
    for one in held:
        end = tokens_end if one.kind is HeldKind.TOKEN else one.until and warsaw_day(one.until)
        days = (end - day).days if end else -1
        if one.kind is HeldKind.SIGN_IN:
            found.append((days, _sign_in(one, end, days)))
        elif days <= STAGES[-1]:
            stage = next(stage for stage in STAGES if days <= stage)
            found.append((days, _ending(one, end or day, days, stage)))
    return [finding for _, finding in sorted(found, key=lambda pair: pair[0])]


def _ending(one: Held, end: date, days: int, stage: int) -> Finding:
    over = days < 0
    what, hint = _WORDS[one.kind]
    named = Text(f"{what.pl} {one.name}".strip(), f"{what.en} {one.name}".strip())
    verb = _OVER[one.kind] if over else _NEAR[one.kind]
    when = _when(end, days)
    basis = Text("", "")
    if one.kind is HeldKind.TOKEN:
        basis = Text(f" Podstawa: {TOKENS_END.basis}.", f" Basis: {TOKENS_END.basis}.")
    return Finding(
        code=f"{one.kind}-ended" if over else f"{one.kind}-ends-{stage}",
        severity=Severity.ERROR if days <= STAGES[0] else Severity.WARNING,
        path=one.seller,
        message=Text(
            f"Sprzedawca {one.seller}: {named.pl} {verb.pl} {when.pl}.{basis.pl}",
            f"Seller {one.seller}: {named.en} {verb.en} {when.en}.{basis.en}",
        ),
        hint=hint,
    )


def _sign_in(one: Held, end: date | None, days: int) -> Finding:
    hint = Text(
        "Zaloguj się podpisem: ksef-connector auth request. Aby robić to rzadziej niż co tydzień, uzyskaj "
        "certyfikat: ksef-connector certificates enroll.",
        "Sign in by a signature: ksef-connector auth request. To need it less than once a week, get a "
        "certificate: ksef-connector certificates enroll.",
    )
    if end is None or days < 0:
        message = Text(
            f"Sprzedawca {one.seller} nie jest zalogowany do KSeF; faktury czekają na podpis.",
            f"Seller {one.seller} is not signed in to KSeF; invoices wait for a signature.",
        )
        return Finding("sign-in-ended", Severity.ERROR, one.seller, message, hint)
    when = _when(end, days)
    message = Text(
        f"Sprzedawca {one.seller}: logowanie podpisem kończy się {when.pl}.",
        f"Seller {one.seller}: the sign-in by signature ends {when.en}.",
    )
    severity = Severity.ERROR if days <= _SIGN_AGAIN_DAYS else Severity.WARNING
    return Finding("sign-in-ends-7", severity, one.seller, message, hint)


_RENEW = Text(
    "Uzyskaj następny: ksef-connector certificates enroll --kind authentication --use.",
    "Get the next one: ksef-connector certificates enroll --kind authentication --use.",
)
_WORDS = {
    HeldKind.CERTIFICATE: (Text("certyfikat do logowania", "the certificate for signing in"), _RENEW),
    HeldKind.OFFLINE: (
        Text("certyfikat trybu offline", "the certificate for offline modes"),
        Text(
            "Uzyskaj następny: ksef-connector certificates enroll --kind offline.",
            "Get the next one: ksef-connector certificates enroll --kind offline.",
        ),
    ),
    HeldKind.TOKEN: (
        Text("tokeny KSeF", "KSeF tokens"),
        Text(
            "Przejdź na certyfikat: zaloguj się podpisem (ksef-connector auth request), potem "
            "ksef-connector certificates enroll --kind authentication --use.",
            "Move to a certificate: sign in by a signature (ksef-connector auth request), then "
            "ksef-connector certificates enroll --kind authentication --use.",
        ),
    ),
}
_NEAR = {
    HeldKind.CERTIFICATE: Text("wygasa", "ends"),
    HeldKind.OFFLINE: Text("wygasa", "ends"),
    HeldKind.TOKEN: Text("przestają logować po", "sign in for the last time on"),
}
_OVER = {
    HeldKind.CERTIFICATE: Text("wygasł", "ended"),
    HeldKind.OFFLINE: Text("wygasł", "ended"),
    HeldKind.TOKEN: Text("nie logują już od końca dnia", "have not signed in since the end of"),
}


def _when(end: date, days: int) -> Text:
    if days < 0:
        return Text(f"{end}", f"{end}")
    if days == 0:
        return Text(f"{end} (dzisiaj)", f"{end} (today)")
    if days == 1:
        return Text(f"{end} (jutro)", f"{end} (tomorrow)")
    return Text(f"{end} (za {days} dni)", f"{end} (in {days} days)")


def held_by(session: Session, vault: Vault, seller: Seller) -> list[Held]:
    """What a seller holds that ends some day.

    Raises:
        VaultLocked: its credential cannot be decrypted.
        KeyMaterialError: its stored certificate is damaged.
    """
    info = credential_info(vault, seller)
    if info.kind is CredentialKind.CERTIFICATE:
        found = [Held(seller.nip, HeldKind.CERTIFICATE, info.valid_until, info.serial_number)]
    elif info.kind is CredentialKind.TOKEN:
        found = [Held(seller.nip, HeldKind.TOKEN)]
    else:
        tokens = tokens_of(vault, seller.tokens)
        found = [Held(seller.nip, HeldKind.SIGN_IN, tokens.refresh_valid_until if tokens else None)]
    rows = session.scalars(
        select(Certificate)
        .where(
            Certificate.seller_id == seller.id,
            Certificate.kind == CertificateKind.OFFLINE,
            Certificate.stage == CertificateStage.ISSUED,
        )
        .order_by(Certificate.valid_until)
    )
    last = [row for row in rows if row.environment == seller.environment][-1:]
    found += [Held(seller.nip, HeldKind.OFFLINE, row.valid_until, row.serial_number or "") for row in last]
    return found


def due(services: Services, only: str | None = None) -> list[Finding]:
    """What to tell today about all sellers of an installation, or about one.

    Args:
        services: the installation.
        only: NIP.

    Raises:
        SQLAlchemyError: the database cannot be used.
    """
    held: list[Held] = []
    with services.database() as session:
        for seller in session.scalars(select(Seller).order_by(Seller.id)):
            if only not in {None, seller.nip}:
                continue
            try:
                held += held_by(session, services.vault, seller)
            except (VaultLocked, KeyMaterialError):
                continue  # the seller's lane says so
    return notices(held, warsaw_day(services.clock()), services.tokens_end)
