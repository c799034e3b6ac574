"""``auth``: sign in by a signature made outside the program, see and end sign-ins."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click
from rich.table import Table

from connector_app.commands.app import App, BadInput, pass_app
from connector_app.commands.bilingual import Group, option
from connector_app.commands.files import FILE, FILE_OR_DASH, is_dash, reason_of, write_whole
from connector_app.commands.find_seller import seller_option
from connector_app.commands.ksef import (
    SUBJECTS,
    Desk,
    address_option,
    allowed_ips,
    iso,
    json_option,
    local,
    open_desk,
    subject_option,
)
from connector_app.credentials import CredentialInfo, CredentialKind, credential_info, tokens_of
from connector_app.ksef_access import environment_of
from connector_app.ksef_notices import noticed
from connector_app.renewals import due
from core.findings import Finding, Text
from core.ksef import auth as ksef_auth
from core.ksef import sign_ins
from core.ksef.outside import SignedRequestError, check_signed, unsigned_request

_TRUSTED_PROFILE = "https://www.gov.pl/web/gov/podpisz-dokument-elektronicznie-wykorzystaj-podpis-zaufany"
_KINDS = {
    CredentialKind.CERTIFICATE: Text("certyfikat", "certificate"),
    CredentialKind.TOKEN: Text("token KSeF", "KSeF token"),
    CredentialKind.OUTSIDE: Text("podpis poza programem", "signature outside the program"),
}


@click.group(cls=Group, pl="Logowanie do KSeF: podpis poza programem, stan, zakończenie.")
def auth() -> None:
    """Signing in to KSeF: a signature outside the program, state, ending it."""


@auth.command(
    pl="""Zapisuje plik logowania do podpisania poza programem.

    Podpisz go w ciągu 10 minut Profilem Zaufanym albo podpisem kwalifikowanym (XAdES) i oddaj poleceniem
    auth submit.""",
)
@seller_option
@option(
    "--output",
    "-o",
    type=FILE_OR_DASH,
    required=True,
    pl="Plik do podpisania; - to wyjście standardowe.",
    en="File to sign; - is standard output.",
)
@option(
    "--version",
    "version",
    type=click.Choice(["2.1", "2.0"]),
    default="2.1",
    show_default=True,
    pl="Wersja struktury AuthTokenRequest.",
    en="Version of the AuthTokenRequest schema.",
)
@subject_option
@address_option
@pass_app
def request(
    app: App,
    nip: str | None,
    output: Path,
    version: Literal["2.0", "2.1"],
    subject_type: str,
    addresses: tuple[str, ...],
) -> None:
    """Write a sign-in file to be signed outside the program.

    Sign it within 10 minutes with Profil Zaufany or a qualified signature (XAdES) and hand it in with auth
    submit.
    """
    allowed = allowed_ips(app, addresses)
    desk = open_desk(app, nip)
    made = unsigned_request(
        desk.access.client,
        desk.seller.nip,
        subject_type=SUBJECTS[subject_type],
        allowed_ips=allowed,
        version=version,
    )
    try:
        write_whole(output, made.xml)
    except OSError as error:
        raise BadInput(f"{output}: {reason_of(error).in_language(app.language)}.") from None
    console = app.err if is_dash(output) else app.out
    until = local(made.sign_until)
    for line in (
        Text(f"✓ Plik do podpisania: {output}", f"✓ File to sign: {output}"),
        Text(
            f"  Podpisz i oddaj go do {until} czasu polskiego (10 minut).",
            f"  Sign it and hand it in until {until} Polish time (10 minutes).",
        ),
        Text(f"  Profil Zaufany: {_TRUSTED_PROFILE}", f"  Profil Zaufany: {_TRUSTED_PROFILE}"),
        Text(
            "  Podpis lub pieczęć kwalifikowana: program dostawcy, format XAdES, podpis otaczany.",
            "  Qualified signature or seal: the provider's program, format XAdES, enveloped.",
        ),
        Text(
            f"→ ksef-connector auth submit PLIK.xml --seller {desk.seller.nip}",
            f"→ ksef-connector auth submit SIGNED.xml --seller {desk.seller.nip}",
        ),
    ):
        console.print(line.in_language(app.language), markup=False)


@auth.command(
    pl="""Loguje podpisanym plikiem z polecenia auth request.

    Tokeny dostępu są przechowywane zaszyfrowane; program wysyła faktury do końca ważności logowania (najwyżej
    7 dni).""",
)
@click.argument("signed", type=FILE, metavar="SIGNED.xml")
@seller_option
@pass_app
def submit(app: App, signed: Path, nip: str | None) -> None:
    """Sign in with the signed file of auth request.

    The access tokens are kept encrypted; the program sends invoices until the sign-in ends (7 days at most).
    """
    data = app.read(signed)
    desk = open_desk(app, nip)
    try:
        check_signed(data, desk.seller.nip)
    except SignedRequestError as error:
        raise BadInput(f"{signed}: {error.text.in_language(app.language)}") from None
    tokens = ksef_auth.sign_in_with_signed_request(desk.access.client, data)
    desk.access.sign_in.keep(tokens)
    until = local(tokens.refresh_valid_until)
    app.say(
        Text(
            f"✓ Sprzedawca {desk.seller.nip} jest zalogowany do {until}.",
            f"✓ Seller {desk.seller.nip} is signed in until {until}.",
        )
    )
    app.say(
        Text(
            "→ Aby nie podpisywać co tydzień: ksef-connector certificates enroll --kind authentication --use",
            "→ Not to sign every week: ksef-connector certificates enroll --kind authentication --use",
        )
    )


@auth.command(
    pl="""Pokazuje, czym loguje się sprzedawca i do kiedy, oraz ostrzeżenia KSeF. Nie pyta KSeF.

    Ostrzeżenia KSeF (X-System-Warning) z ostatnich 30 dni i zegar, który różni się od zegara KSeF, pochodzą z
    wcześniejszej pracy programu."""
)
@seller_option
@json_option
@pass_app
def status(app: App, nip: str | None, as_json: bool) -> None:
    """Show what a seller signs in with and until when, and KSeF's warnings. KSeF is not asked.

    Warnings of KSeF (X-System-Warning) of the last 30 days and a clock that differs from KSeF's come from the
    program's earlier work.
    """
    desk = open_desk(app, nip)
    info = credential_info(desk.services.vault, desk.seller)
    tokens = tokens_of(desk.services.vault, desk.seller.tokens)
    now = desk.services.clock()
    until = tokens.refresh_valid_until if tokens and tokens.refresh_valid_until > now else None
    found = due(desk.services, desk.seller.nip)
    environment = environment_of(desk.seller)
    with desk.services.database() as session:
        said = noticed(session, now, environment.api_url)
    if as_json:
        app.json(
            {
                "nip": desk.seller.nip,
                "environment": environment.name,
                "signs_in_with": info.kind.value,
                "certificate": info.serial_number or None,
                "certificate_valid_until": iso(info.valid_until),
                "signed_in_until": iso(until),
                "notices": [finding.as_json() for finding in found],
                **said.as_json(),
            }
        )
        return
    print_credential(app, info)
    signed_in = local(until) or app.text("nie", "no")
    app.say(Text(f"Zalogowany do: {signed_in}", f"Signed in until: {signed_in}"))
    print_notices(app, [*said.findings(), *found])


def print_credential(app: App, info: CredentialInfo) -> None:
    """How a seller signs in, in one or two lines."""
    kind = _KINDS[info.kind]
    app.say(Text(f"Logowanie: {kind.pl}", f"Signs in with: {kind.en}"))
    if info.kind is CredentialKind.CERTIFICATE:
        number, until = info.serial_number, local(info.valid_until)
        app.say(Text(f"Certyfikat {number}, ważny do {until}", f"Certificate {number}, valid until {until}"))


def print_notices(app: App, found: Sequence[Finding]) -> None:
    """What ends soon, each with what to do."""
    for finding in found:
        app.out.print(f"! {finding.message.in_language(app.language)}", markup=False)
        app.out.print(f"  → {finding.hint.in_language(app.language)}", markup=False)


@auth.command(pl="Pokazuje logowania, które działają teraz w KSeF.")
@seller_option
@json_option
@pass_app
def sessions(app: App, nip: str | None, as_json: bool) -> None:
    """List the sign-ins that are in force at KSeF now."""
    entries = _entries(open_desk(app, nip))
    if as_json:
        app.json(
            [
                {
                    "reference": one.reference,
                    "started": iso(one.started),
                    "method": one.method,
                    "status": one.status.code,
                    "valid_until": iso(one.refresh_valid_until),
                    "current": one.is_current,
                }
                for one in entries
            ]
        )
        return
    table = Table(box=None, pad_edge=False)
    titles = (("Numer", "Reference"), ("Od", "Since"), ("Do", "Until"), ("Sposób", "Method"), ("", ""))
    for title in titles:
        table.add_column(app.text(*title), overflow="fold")
    for one in entries:
        mark = app.text("to logowanie", "this sign-in") if one.is_current else ""
        table.add_row(one.reference, local(one.started), local(one.refresh_valid_until), one.method, mark)
    app.table(table)


@auth.command(
    pl="""Kończy logowanie w KSeF: jedno po numerze albo (--current) to, którego używa program.

    Wydane już tokeny dostępu działają jeszcze kilka minut, do własnego końca.""",
)
@click.argument("reference", required=False, metavar="[REF]")
@option(
    "--current",
    is_flag=True,
    pl="Logowanie, którego używa program dla tego sprzedawcy.",
    en="The sign-in that the program uses for this seller.",
)
@seller_option
@pass_app
def revoke(app: App, reference: str | None, current: bool, nip: str | None) -> None:
    """End a sign-in at KSeF: one by its reference, or (--current) the one that the program uses.

    Access tokens that were given already work some minutes more, to their own end.
    """
    if bool(reference) == current:
        raise BadInput(
            app.text("Podaj numer logowania albo --current.", "Give a sign-in's reference or --current."),
            "ksef-connector auth sessions",
        )
    desk = open_desk(app, nip)
    client = desk.access.client
    if reference is None:
        desk.access.call(lambda access: sign_ins.revoke_current(client, access))
    else:
        known = {one.reference: one.is_current for one in _entries(desk)}
        if reference not in known:
            raise BadInput(
                app.text(f"Nie ma czynnego logowania {reference}.", f"No sign-in {reference} is in force."),
                "ksef-connector auth sessions",
            )
        desk.access.call(lambda access: sign_ins.revoke(client, access, reference))
        current = known[reference]
    if current:
        desk.access.sign_in.forget()
    app.say(Text("✓ Logowanie zakończone.", "✓ The sign-in is ended."))


def _entries(desk: Desk) -> list[sign_ins.SignInEntry]:
    return desk.access.call(lambda access: list(sign_ins.listing(desk.access.client, access)))
