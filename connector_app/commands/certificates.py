"""``certificates``: KSeF certificates for signing in and for offline modes."""

from __future__ import annotations

from typing import Literal

import click
from rich.table import Table
from sqlalchemy import select

from connector_app import certificates as ours
from connector_app.commands.app import App, BadInput, Failure, pass_app
from connector_app.commands.auth import print_notices
from connector_app.commands.bilingual import Group, option
from connector_app.commands.find_seller import find_seller, seller_option
from connector_app.commands.ksef import Desk, iso, json_option, local, open_desk
from connector_app.credentials import CredentialKind, credential_info
from connector_app.renewals import due
from connector_app.store.models import Certificate, CertificateStage
from core.calendar import warsaw_day
from core.findings import Severity, Text
from core.ksef import certificates as ksef
from core.ksef.certificates import NAME_PATTERN, CertificateKind, CertificateState, RevocationReason

_KINDS = {one.value.lower(): one for one in CertificateKind}
_REASONS = {
    "unspecified": RevocationReason.UNSPECIFIED,
    "superseded": RevocationReason.SUPERSEDED,
    "key-compromise": RevocationReason.KEY_COMPROMISE,
}
_STATES = {
    CertificateState.ACTIVE: Text("czynny", "active"),
    CertificateState.BLOCKED: Text("zablokowany", "blocked"),
    CertificateState.REVOKED: Text("unieważniony", "revoked"),
    CertificateState.EXPIRED: Text("wygasł", "expired"),
}
_PURPOSES = {
    CertificateKind.AUTHENTICATION: Text("logowanie", "signing in"),
    CertificateKind.OFFLINE: Text("tryb offline", "offline modes"),
}
_ENDED = frozenset({CertificateState.BLOCKED, CertificateState.REVOKED})
"""A blocked certificate is one whose revocation is under way."""
_YES = frozenset({"t", "tak", "y", "yes"})


@click.group(cls=Group, pl="Certyfikaty KSeF: uzyskaj, pokaż, użyj, unieważnij.")
def certificates() -> None:
    """KSeF certificates: get, list, use, revoke."""


@certificates.command(pl="Pokazuje, ile wniosków i certyfikatów jeszcze przysługuje.")
@seller_option
@json_option
@pass_app
def limits(app: App, nip: str | None, as_json: bool) -> None:
    """Show how many requests and certificates are left."""
    desk = open_desk(app, nip)
    found = desk.access.call(lambda access: ksef.limits(desk.access.client, access))
    if as_json:
        app.json(
            {
                "can_request": found.can_request,
                "requests": {"limit": found.enrollments.limit, "left": found.enrollments.remaining},
                "certificates": {"limit": found.certificates.limit, "left": found.certificates.remaining},
            }
        )
        return
    requests, held = found.enrollments, found.certificates
    app.say(
        Text(
            f"Wnioski: zostało {requests.remaining} z {requests.limit}",
            f"Requests: {requests.remaining} of {requests.limit} left",
        )
    )
    app.say(
        Text(
            f"Certyfikaty: zostało {held.remaining} z {held.limit}",
            f"Certificates: {held.remaining} of {held.limit} left",
        )
    )
    if not found.can_request:
        app.say(
            Text(
                "Teraz nie można złożyć wniosku: wyczerpano limit albo zalogowano tokenem.",
                "No request is possible now: a limit is reached, or the sign-in was made with a token.",
            )
        )


@certificates.command(
    pl="""Uzyskuje certyfikat KSeF.

    Klucz powstaje na tym komputerze i jest przechowywany zaszyfrowany; KSeF dostaje tylko wniosek. Przerwany
    wniosek to samo polecenie dokończy. Trzeba być zalogowanym podpisem, pieczęcią lub certyfikatem, nie
    tokenem.""",
)
@seller_option
@option(
    "--kind",
    type=click.Choice(list(_KINDS)),
    required=True,
    pl="authentication do logowania, offline do kodów QR w trybach offline.",
    en="authentication for signing in, offline for QR codes of offline modes.",
)
@option(
    "--name",
    default=None,
    pl="Nazwa certyfikatu w KSeF (5 do 100 znaków); bez niej rodzaj i dzień.",
    en="The certificate's name at KSeF (5 to 100 characters); without it, kind and day.",
)
@option(
    "--key",
    "key_kind",
    type=click.Choice(["ec", "rsa"]),
    default="ec",
    show_default=True,
    pl="Klucz: ec (P-256, zalecany) lub rsa (2048 bitów).",
    en="Key: ec (P-256, recommended) or rsa (2048 bits).",
)
@option(
    "--use",
    "at_once",
    is_flag=True,
    pl="Bez pytania loguj odtąd tym certyfikatem.",
    en="Sign in with this certificate from now on, without asking.",
)
@pass_app
def enroll(
    app: App,
    nip: str | None,
    kind: str,
    name: str | None,
    key_kind: Literal["ec", "rsa"],
    at_once: bool,
) -> None:
    """Get a KSeF certificate.

    The key is made on this computer and kept encrypted; KSeF gets a request only. A request that was cut
    short is finished by the same command. One has to be signed in by a signature, seal or certificate, not by
    a token.
    """
    wanted = _KINDS[kind]
    if at_once and wanted is CertificateKind.OFFLINE:
        raise BadInput(
            app.text(
                "Certyfikat trybu offline nie służy do logowania; pomiń --use.",
                "A certificate for offline modes does not sign in; leave --use out.",
            )
        )
    desk = open_desk(app, nip)
    name = name or f"ksef-connector {kind} {warsaw_day(desk.services.clock())}"
    if not NAME_PATTERN.fullmatch(name):
        raise BadInput(
            app.text(
                "Nazwa certyfikatu ma 5 do 100 liter, cyfr, spacji, _ lub -.",
                "A certificate's name has 5 to 100 letters, digits, spaces, _ or -.",
            )
        )

    def say(text: Text) -> None:
        app.err.print(f"… {text.in_language(app.language)}", markup=False)

    row = ours.Enroller(desk.services, desk.seller, desk.access, say).enroll(wanted, name, key_kind)
    until = local(row.valid_until)
    app.say(
        Text(
            f"✓ Certyfikat {row.serial_number}, ważny do {until}",
            f"✓ Certificate {row.serial_number}, valid until {until}",
        )
    )
    if wanted is not CertificateKind.AUTHENTICATION:
        return
    if at_once or _agrees(app):
        _use(app, desk, row)
    else:
        app.say(
            Text(
                f"→ Aby logować nim: ksef-connector certificates use {row.serial_number}",
                f"→ To sign in with it: ksef-connector certificates use {row.serial_number}",
            )
        )


def _agrees(app: App) -> bool:
    """Whether the person wants the new certificate to sign in; nobody there means no."""
    question = app.text("Logować odtąd tym certyfikatem? [t/N]", "Sign in with it from now on? [y/N]")
    try:
        answer: str = click.prompt(question, default="n", show_default=False, err=True)
    except click.Abort:
        return False
    return answer.strip().lower() in _YES


def _use(app: App, desk: Desk, row: Certificate) -> None:
    before = credential_info(desk.services.vault, desk.seller)
    ours.use(desk.services, desk.seller, desk.access, row)
    app.say(
        Text(
            f"✓ Sprzedawca {desk.seller.nip} loguje się tym certyfikatem.",
            f"✓ Seller {desk.seller.nip} signs in with this certificate.",
        )
    )
    if before.kind is CredentialKind.TOKEN:
        app.say(
            Text(
                "→ Tokena nie trzeba już trzymać: ksef-connector tokens list i tokens revoke.",
                "→ The token is needed no more: ksef-connector tokens list and tokens revoke.",
            )
        )


@certificates.command(name="use", pl="Loguje sprzedawcę odtąd certyfikatem, który uzyskał ten program.")
@click.argument("serial_number", metavar="SERIAL")
@seller_option
@pass_app
def use_certificate(app: App, serial_number: str, nip: str | None) -> None:
    """Sign a seller in from now on with a certificate that this program got."""
    desk = open_desk(app, nip)
    with desk.services.database() as session:
        rows = ours.find(session, desk.seller, CertificateKind.AUTHENTICATION, CertificateStage.ISSUED)
    row = next((one for one in rows if one.serial_number == serial_number.upper()), None)
    if row is None:
        known = ", ".join(one.serial_number or "" for one in rows)
        raise BadInput(
            app.text(
                f"Nie ma tu certyfikatu do logowania {serial_number}.",
                f"There is no certificate {serial_number} for signing in here.",
            ),
            app.text(f"Są: {known}", f"There are: {known}")
            if known
            else "ksef-connector certificates enroll",
        )
    _use(app, desk, row)


@certificates.command(name="list", pl="Pokazuje certyfikaty w KSeF i te, których klucze ma ten program.")
@seller_option
@json_option
@pass_app
def list_certificates(app: App, nip: str | None, as_json: bool) -> None:
    """List the certificates at KSeF, and those whose keys this program has."""
    desk = open_desk(app, nip)
    entries = desk.access.call(lambda access: list(ksef.listing(desk.access.client, access)))
    ours.mark_revoked(
        desk.services,
        desk.seller,
        {one.serial_number for one in entries if one.state in _ENDED},
    )
    with desk.services.database() as session:
        rows = session.scalars(select(Certificate).where(Certificate.seller_id == desk.seller.id))
        mine = {row.serial_number for row in rows if row.environment == desk.seller.environment}
    used = credential_info(desk.services.vault, desk.seller).serial_number
    if as_json:
        app.json(
            [
                {
                    "serial_number": one.serial_number,
                    "kind": one.kind.value,
                    "name": one.name,
                    "state": one.state.value,
                    "valid_from": iso(one.valid_from),
                    "valid_until": iso(one.valid_until),
                    "key_here": one.serial_number in mine | {used},
                    "used": one.serial_number == used,
                }
                for one in entries
            ]
        )
        return
    table = Table(box=None, pad_edge=False)
    titles = (
        ("Numer", "Serial number"),
        ("Do czego", "For"),
        ("Nazwa", "Name"),
        ("Stan", "State"),
        ("Ważny do", "Valid until"),
        ("", ""),
    )
    for title in titles:
        table.add_column(app.text(*title), overflow="fold")
    for one in entries:
        mark = app.text("klucz tutaj", "key here") if one.serial_number in mine else ""
        if one.serial_number == used:
            mark = app.text("loguje sprzedawcę", "signs the seller in")
        table.add_row(
            one.serial_number,
            _PURPOSES[one.kind].in_language(app.language),
            one.name,
            _STATES[one.state].in_language(app.language),
            local(one.valid_until),
            mark,
        )
    app.table(table)


@certificates.command(pl="Unieważnia certyfikat na zawsze.")
@click.argument("serial_number", metavar="SERIAL")
@seller_option
@option(
    "--reason",
    type=click.Choice(list(_REASONS)),
    default="unspecified",
    show_default=True,
    pl="Powód: nieokreślony, zastąpiony innym, klucz mógł wyciec.",
    en="Reason: not stated, replaced by another, the key may have leaked.",
)
@option(
    "--force",
    is_flag=True,
    pl="Także ten, którym loguje się sprzedawca.",
    en="Also the one that the seller signs in with.",
)
@pass_app
def revoke(app: App, serial_number: str, nip: str | None, reason: str, force: bool) -> None:
    """Revoke a certificate for good."""
    desk = open_desk(app, nip)
    number = serial_number.upper()
    if credential_info(desk.services.vault, desk.seller).serial_number == number and not force:
        raise Failure(
            app.text(
                "Tym certyfikatem loguje się sprzedawca: bez niego program nic nie wyśle.",
                "The seller signs in with this certificate: without it the program sends nothing.",
            ),
            app.text(
                "Najpierw uzyskaj następny (certificates enroll --use) albo dodaj --force.",
                "Get the next one first (certificates enroll --use), or add --force.",
            ),
        )
    ours.revoke(desk.services, desk.seller, desk.access, number, _REASONS[reason])
    app.say(Text(f"✓ Certyfikat {number} jest unieważniony.", f"✓ Certificate {number} is revoked."))


@certificates.command(
    pl="""Pokazuje, co niedługo się kończy: certyfikaty, tokeny, logowania podpisem. Nie pyta KSeF.

    Kod wyjścia 2, gdy coś kończy się w ciągu 7 dni albo już się skończyło.""",
)
@seller_option
@json_option
@click.pass_context
def renewals(context: click.Context, nip: str | None, as_json: bool) -> None:
    """Show what ends soon: certificates, tokens, sign-ins by signature. KSeF is not asked.

    Exit code 2 when something ends within 7 days or has ended.
    """
    app: App = context.obj
    services = app.open()
    only = None
    if nip is not None:
        with services.database() as session:
            only = find_seller(app, session, nip).nip
    found = due(services, only)
    if as_json:
        app.json([finding.as_json() for finding in found])
    elif not found:
        app.say(Text("Nic nie kończy się w ciągu 60 dni.", "Nothing ends within 60 days."))
    else:
        print_notices(app, found)
    if any(finding.severity is Severity.ERROR for finding in found):
        context.exit(2)
