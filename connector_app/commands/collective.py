"""``collective``: one transfer title for the payment of several invoices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import click
from rich.table import Table
from sqlalchemy import select

from connector_app.commands.app import App, BadInput, Failure, pass_app
from connector_app.commands.bilingual import Group, option
from connector_app.commands.find_seller import find_seller, named_seller_option
from connector_app.commands.tables import amount
from connector_app.ksef_access import SellerAccess
from connector_app.pipeline.services import Services
from connector_app.store.models import Document, Seller
from core.calendar import WARSAW
from core.findings import Text
from core.ksef import collective as identifiers
from core.ksef import number
from core.ksef.collective import Identifier, IdentifierError, PaidInvoice
from core.ksef.errors import KsefError, KsefUnavailable

_JSON = option("--json", "as_json", is_flag=True, pl="Wynik jako JSON.", en="The result as JSON.")
_SPAN = timedelta(days=100)
_DAYS = click.IntRange(1, _SPAN.days)


@click.group(cls=Group, pl="Identyfikatory zbiorcze: jeden tytuł przelewu za kilka faktur.")
def collective() -> None:
    """Collective identifiers: one transfer title for several invoices."""


@collective.command(
    pl="""Tworzy identyfikator zbiorczy dla faktur (2 do 500) i pokazuje go jako tytuł przelewu.

    Faktury wskazuje numer KSeF albo numer dokumentu (ID) tej instalacji; kwoty bierze się z dokumentów.""",
)
@click.argument("invoices", nargs=-1, required=True, metavar="KSEF_NUMBER|ID...")
@named_seller_option
@_JSON
@pass_app
def create(app: App, invoices: tuple[str, ...], nip: str, as_json: bool) -> None:
    """Make a collective identifier for invoices (2 to 500) and show it as the transfer title.

    An invoice is named by its KSeF number or by the number of the document (ID) here; amounts come from
    the documents.
    """
    services = app.open()
    seller = _seller(app, services, nip)
    paid = [_paid(app, services, seller, one) for one in invoices]
    if not identifiers.FEWEST_INVOICES <= len(paid) <= identifiers.MOST_INVOICES:
        raise BadInput(
            app.text(
                f"Identyfikator obejmuje od {identifiers.FEWEST_INVOICES} do {identifiers.MOST_INVOICES} "
                "faktur; za jedną fakturę tytułem przelewu jest jej numer KSeF.",
                f"An identifier stands for {identifiers.FEWEST_INVOICES} to {identifiers.MOST_INVOICES} "
                "invoices; for a single one the transfer title is its KSeF number.",
            )
        )
    access = services.access(seller)
    try:
        made = access.call(lambda token: identifiers.create(access.client, token, paid))
    except KsefError as error:
        raise _failure(app, error) from None
    if as_json:
        app.json({"identifier": made, "invoices": [one.ksef_number for one in paid]})
        return
    app.say(Text(f"Tytuł przelewu: {made}", f"Transfer title: {made}"))


@collective.command(name="list", pl="Pokazuje identyfikatory zbiorcze z ostatnich dni, najnowsze najpierw.")
@named_seller_option
@option(
    "--days",
    type=_DAYS,
    default=_SPAN.days,
    show_default=True,
    pl="Z ilu ostatnich dni.",
    en="Of how many days back.",
)
@_JSON
@pass_app
def list_identifiers(app: App, nip: str, days: int, as_json: bool) -> None:
    """List the collective identifiers of the last days, newest first."""
    services = app.open()
    access = services.access(_seller(app, services, nip))
    until = services.clock() + timedelta(minutes=1)
    try:
        found = list(identifiers.query(access.client, access.call, until - timedelta(days=days), until))
    except KsefError as error:
        raise _failure(app, error) from None
    _show(app, found, as_json=as_json)


@collective.command(
    pl="Pokazuje faktury identyfikatora zbiorczego albo, po numerze KSeF, identyfikatory faktury.",
)
@click.argument("name", metavar="IDENTIFIER|KSEF_NUMBER")
@named_seller_option
@_JSON
@pass_app
def show(app: App, name: str, nip: str, as_json: bool) -> None:
    """Show the invoices of a collective identifier or, by KSeF number, an invoice's identifiers."""
    services = app.open()
    access = services.access(_seller(app, services, nip))
    try:
        if "-IZ" not in name:
            _show(app, _of_invoice(app, access, name), as_json=as_json)
            return
        wanted = identifiers.parse(name)
        paid = list(identifiers.invoices_of(access.client, access.call, [wanted]))
    except IdentifierError:
        raise BadInput(
            app.text(f"{name} nie jest identyfikatorem zbiorczym.", f"{name} is no collective identifier.")
        ) from None
    except KsefError as error:
        raise _failure(app, error) from None
    _show_invoices(app, paid, as_json=as_json)


def _of_invoice(app: App, access: SellerAccess, text: str) -> list[Identifier]:
    try:
        number.parse(text)
    except number.KsefNumberError:
        raise BadInput(app.text(f"{text} nie jest numerem KSeF.", f"{text} is no KSeF number.")) from None
    return list(identifiers.of_invoice(access.client, access.call, text))


def _seller(app: App, services: Services, nip: str) -> Seller:
    with services.database() as session:
        return find_seller(app, session, nip)


def _paid(app: App, services: Services, seller: Seller, text: str) -> PaidInvoice:
    """An invoice named by its KSeF number or its id here, with what is known of it here."""
    is_id = text.isascii() and text.isdecimal() and len(text) < 19
    by = Document.id == int(text) if is_id else Document.ksef_number == text
    with services.database() as session:
        row = session.scalar(select(Document).where(by, Document.seller_id == seller.id))
    if row is not None and row.ksef_number is not None:
        if row.total is not None and row.total > 0:
            return PaidInvoice(row.ksef_number, row.total, row.currency or "", row.number or "")
        return PaidInvoice(row.ksef_number, description=row.number or "")
    try:
        return PaidInvoice(number.parse(text).value)
    except number.KsefNumberError:
        raise BadInput(
            app.text(
                f"{text} nie jest numerem KSeF ani dokumentem, który go ma.",
                f"{text} is neither a KSeF number nor a document that has one.",
            ),
            "ksef-connector documents list",
        ) from None


def _show(app: App, found: Sequence[Identifier], *, as_json: bool) -> None:
    if as_json:
        app.json(
            [
                {
                    "identifier": one.number,
                    "created_at": one.created_at.astimezone(UTC).isoformat(),
                    "invoices": one.invoice_count,
                    "own": one.is_own,
                }
                for one in found
            ]
        )
        return
    if not found:
        app.say(Text("Nie ma identyfikatorów zbiorczych.", "There are no collective identifiers."))
        return
    table = Table(box=None, pad_edge=False)
    for pl, en in (("Identyfikator", "Identifier"), ("Utworzono", "Created"), ("Faktur", "Invoices")):
        table.add_column(app.text(pl, en), overflow="fold")
    for one in found:
        table.add_row(
            one.number, _day(one.created_at), "" if one.invoice_count is None else str(one.invoice_count)
        )
    app.table(table)


def _show_invoices(app: App, paid: Sequence[PaidInvoice], *, as_json: bool) -> None:
    if as_json:
        app.json(
            [
                {
                    "ksef_number": one.ksef_number,
                    "amount": None if one.amount is None else f"{one.amount:.2f}",
                    "currency": one.currency or None,
                    "description": one.description,
                    "hidden": one.is_hidden,
                }
                for one in paid
            ]
        )
        return
    if not paid:
        app.say(Text("KSeF nie zna takiego identyfikatora.", "KSeF does not know such an identifier."))
        return
    table = Table(box=None, pad_edge=False)
    for pl, en in (("Numer KSeF", "KSeF number"), ("Kwota", "Amount"), ("Opis", "Description")):
        table.add_column(app.text(pl, en), overflow="fold")
    for one in paid:
        table.add_row(one.ksef_number, amount(one.amount, one.currency), one.description)
    app.table(table)


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(WARSAW):%Y-%m-%d %H:%M}"


def _failure(app: App, error: KsefError) -> Failure:
    hint = error.hint.in_language(app.language)
    if isinstance(error, KsefUnavailable) and error.outcome_ambiguous:
        hint = app.text(
            "Identyfikator mógł powstać mimo to: ksef-connector collective list",
            "The identifier may have been made all the same: ksef-connector collective list",
        )
    return Failure(f"KSeF: {error}", hint)
