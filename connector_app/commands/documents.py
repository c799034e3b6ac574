"""``documents``: what there is, one document's whole life, and another try."""

from __future__ import annotations

from pathlib import Path

import click

from connector_app.commands.app import App, BadInput, Failure, pass_app
from connector_app.commands.bilingual import Group, option
from connector_app.commands.expired import expired_documents
from connector_app.commands.files import FILE_OR_DASH, is_dash, write_whole
from connector_app.commands.session_upo import session_upo, signer_line
from connector_app.commands.tables import (
    Choice,
    amount,
    count,
    document_json,
    load,
    print_documents,
    print_hints,
    reason,
    state_name,
)
from connector_app.commands.upload import upload
from connector_app.commands.why import why
from connector_app.documents import actions, files
from connector_app.documents.actions import NotPossible
from connector_app.documents.obstacles import NOT_BY_ITSELF
from connector_app.documents.wording import ActionName
from connector_app.keeping import damage
from connector_app.keeping.reading import ArchiveDamaged, upo_of, xml_of
from connector_app.pictures import picture
from connector_app.pipeline import life
from connector_app.pipeline.claims import NotLinkable
from connector_app.pipeline.publish import verification_link
from connector_app.pipeline.services import Services, load_text
from connector_app.recovery.linking import link_by_hand
from connector_app.store.models import Document, DocumentState
from connector_app.store.proofs import UpoCertificate
from core.calendar import WARSAW
from core.findings import Text
from core.invoices.corrections.proof import ProofSheet

_ID = click.IntRange(1, 2**63 - 1)
_PAGE = 50


@click.group(cls=Group, pl="Dokumenty: lista, szczegóły, ponowienie.")
def documents() -> None:
    """Documents: list, show, retry."""


documents.add_command(session_upo)


@documents.command(
    name="list",
    pl="""Pokazuje najnowsze dokumenty, od najstarszego do najnowszego.

    Starsze: --before ID albo --limit 0 (wszystkie). Z --json bez --limit: wszystkie.""",
)
@option(
    "--state",
    type=click.Choice([one.value for one in DocumentState]),
    default=None,
    pl="Tylko w tym stanie.",
    en="Only in this state.",
)
@option(
    "--limit",
    type=click.IntRange(0, 1_000_000),
    default=None,
    show_default=str(_PAGE),
    pl="Ile najnowszych; 0 to wszystkie.",
    en="How many of the newest; 0 means all.",
)
@option(
    "--before",
    type=_ID,
    default=None,
    metavar="ID",
    pl="Tylko starsze od tego dokumentu.",
    en="Only older than this document.",
)
@option("--json", "as_json", is_flag=True, pl="Lista jako JSON.", en="The list as JSON.")
@pass_app
def list_documents(app: App, state: str | None, limit: int | None, before: int | None, as_json: bool) -> None:
    """List the newest documents, oldest first.

    Older ones: --before ID, or --limit 0 for all. With --json and without --limit: all.
    """
    services = app.open()
    wanted = (None if as_json else _PAGE) if limit is None else limit or None
    choice = Choice(state=state, before=before, newest=wanted)
    rows = load(services, choice)
    if as_json:
        app.json([document_json(row, app.language) for row in rows])
        return
    if not rows:
        app.say(Text("Nie ma takich dokumentów.", "There are no such documents."))
        if state is None and before is None:
            app.say(
                Text(
                    "→ Zamówienia pobiera ksef-connector store sync.",
                    "→ ksef-connector store sync takes in orders.",
                )
            )
        return
    print_documents(app, rows)
    older = count(services, choice) - len(rows)
    if older > 0:
        app.say(
            Text(
                f"\nStarszych: {older}; następna strona: --before {rows[0].id}",
                f"\nOlder ones: {older}; next page: --before {rows[0].id}",
            )
        )


@documents.command(pl="Pokazuje numery, powody i życie jednego dokumentu; zapisuje jego pliki.")
@click.argument("document_id", type=_ID, metavar="ID")
@option(
    "--xml",
    type=FILE_OR_DASH,
    default=None,
    pl="Zapisz XML (- to wyjście).",
    en="Write the XML (- is standard output).",
)
@option("--pdf", type=FILE_OR_DASH, default=None, pl="Zapisz wizualizację PDF.", en="Write the PDF picture.")
@option("--upo", type=FILE_OR_DASH, default=None, pl="Zapisz UPO.", en="Write the UPO.")
@option("--json", "as_json", is_flag=True, pl="Dokument jako JSON.", en="The document as JSON.")
@pass_app
def show(
    app: App, document_id: int, xml: Path | None, pdf: Path | None, upo: Path | None, as_json: bool
) -> None:
    """Show one document's numbers, reasons and life, and write its files."""
    services = app.open()
    row = fetch(app, services, document_id)
    piped = sum(is_dash(path) for path in (xml, pdf, upo))
    if piped + as_json > 1:
        raise BadInput(app.text("Na wyjście może iść jedna rzecz.", "Standard output takes one thing."))
    if as_json:
        app.json(document_json(row, app.language) | {"proof": row.refund_proof, "events": _events_json(row)})
    elif not piped:
        _print(app, row)
        if row.upo_sha256 is not None:
            with services.database() as session:
                signer = session.get(UpoCertificate, row.upo_certificate or "")
            app.out.print(signer_line(app, signer), markup=False)
    for path, read in (
        (xml, xml_of),
        (pdf, lambda one: picture(one, app.language) if xml_of(one) else None),
        (upo, upo_of),
    ):
        if path is not None:
            _write(app, row, path, read(row) or None)


def _write(app: App, row: Document, path: Path, data: bytes | None) -> None:
    if data is None:
        state = DocumentState(row.state)
        raise Failure(
            app.text(
                f"{path}: dokument w stanie „{state_name(state, 'pl')}” tego nie ma.",
                f'{path}: a document that is "{state_name(state, "en")}" has none.',
            )
        )
    write_whole(path, data)
    if not is_dash(path):
        app.err.print(f"✓ {path}", markup=False)


def _events_json(row: Document) -> list[dict[str, str]]:
    return [
        {"at": event.at.isoformat(), "state": event.state, "pl": said.pl, "en": said.en}
        for event in row.events
        for said in (load_text(event.text),)
    ]


def fetch(app: App, services: Services, document_id: int) -> Document:
    """One document with its files; the stored bytes are compared with their hash."""
    with services.database() as session:
        row = files.load(session, document_id)
        if row is None:
            raise BadInput(
                app.text(f"Nie ma dokumentu {document_id}.", f"There is no document {document_id}."),
                "ksef-connector documents list",
            )
        _ = row.seller, row.order.store, row.events, row.publications, row.mails
    try:
        xml_of(row)
    except ArchiveDamaged as error:
        damage.note(services, error)
        raise
    return row


def _print(app: App, row: Document) -> None:
    facts = [
        ("Zamówienie", "Order", f"{row.order.number} ({row.order.store.code})"),
        ("Stan", "State", state_name(DocumentState(row.state), app.language)),
        ("Rodzaj", "Kind", row.kind),
        ("Nabywca", "Buyer", row.buyer_name or ""),
        ("Brutto", "Gross", amount(row.total, row.currency)),
        ("Numer faktury", "Invoice number", row.number or ""),
        ("Data wystawienia", "Issued on", row.issued_on.isoformat() if row.issued_on else ""),
        ("Tryb", "Mode", row.offline_mode or ""),
        ("Przesłać do", "Send by", row.send_by.isoformat() if row.send_by and not row.ksef_number else ""),
        ("Numer KSeF", "KSeF number", row.ksef_number or ""),
        ("Sesja KSeF", "KSeF session", row.session_reference or ""),
        ("SHA-256", "SHA-256", row.xml_sha256 or ""),
        ("Weryfikacja", "Verify", verification_link(row) if row.xml_sha256 else ""),
        ("Certyfikat wystawcy", "Issuer's certificate", row.certificate_link or ""),
        ("Powód", "Reason", reason(row, app.language)),
    ]
    for pl, en, value in facts:
        if value:
            app.out.print(f"{app.text(pl, en)}: {value}", markup=False)
    print_hints(app, row)
    if row.refund_proof is not None:
        app.out.print(ProofSheet.from_json(row.refund_proof).as_text(app.language), markup=False)
    for publication in row.publications:
        app.out.print(f"{publication.channel}: {publication.remote_id or publication.failure}", markup=False)
    for letter in row.mails:
        app.out.print(
            f"e-mail {letter.occasion}: {letter.state} {letter.failure or ''}".rstrip(), markup=False
        )
    for event in row.events:
        text = load_text(event.text).in_language(app.language)
        moment = event.at.astimezone(WARSAW)
        app.out.print(f"{moment:%Y-%m-%d %H:%M:%S}  {event.state:<9}  {text}", markup=False)


def _perform(services: Services, document_id: int, name: ActionName) -> None:
    """Do something with a document, in a transaction of its own."""
    now = services.clock()
    life.change(services, document_id, lambda one: _drop_result(actions.perform(one, name, now)))


def _drop_result(_touched: list[Document]) -> None:
    """What a change gives back is of no use here."""


@documents.command(
    name="offline",
    pl="""Każe wystawić dokument w trybie offline, mimo że ustawienia sklepu każą czekać.

    Gdy nie ogłoszono niedostępności KSeF, jest to tryb offline24. Potrzebny jest certyfikat typu Offline
    (seller offline-certificate). Pracę wykona najbliższe store sync albo działające serve.""",
)
@click.argument("document_id", type=_ID, metavar="ID")
@pass_app
def issue_offline(app: App, document_id: int) -> None:
    """Ask to issue a document offline although the store's settings say to wait.

    While no outage of KSeF is announced this is offline24. A certificate of the kind Offline is needed
    (seller offline-certificate). The next store sync, or a running serve, does the work.
    """
    services = app.open()
    row = fetch(app, services, document_id)
    try:
        _perform(services, document_id, ActionName.ISSUE_OFFLINE)
    except NotPossible:
        state = DocumentState(row.state)
        raise Failure(
            app.text(
                f"Dokumentu w stanie „{state_name(state, 'pl')}” nie wystawia się teraz.",
                f'A document that is "{state_name(state, "en")}" is not issued now.',
            ),
            f"ksef-connector documents show {document_id}",
        ) from None
    app.say(
        Text(
            f"✓ Dokument {document_id} zostanie wystawiony offline.",
            f"✓ Document {document_id} will be issued offline.",
        )
    )
    app.say(Text("→ ksef-connector store sync", "→ ksef-connector store sync"))


@documents.command(
    pl="""Ponawia dokument: od razu, gdy czeka; od nowa z zamówienia, gdy wymagał decyzji.

    Pracę wykona najbliższe store sync albo działające serve.""",
)
@click.argument("document_id", type=_ID, metavar="ID")
@pass_app
def retry(app: App, document_id: int) -> None:
    """Try a document again: at once when it waits, anew from its order when it needs a person.

    The next ``store sync`` or the running ``serve`` does the work.
    """
    services = app.open()
    row = fetch(app, services, document_id)
    state = DocumentState(row.state)
    if life.is_idle(row):
        raise Failure(
            app.text(
                f"Dokument jest w stanie „{state_name(state, 'pl')}”; nie ma czego ponowić.",
                f'The document is "{state_name(state, "en")}"; there is nothing to retry.',
            ),
            f"ksef-connector documents show {document_id}",
        )
    try:
        life.change(services, document_id, lambda one: _drop_result(actions.retry(one, services.clock())))
    except NotPossible as error:
        if error.text is not NOT_BY_ITSELF:
            raise Failure(error.text.in_language(app.language)) from None
        raise Failure(
            app.text(
                "Tej zmiany łącznik nie skoryguje sam: nie zgaduje, co się zmieniło.",
                "The connector does not correct this change by itself: it does not guess what changed.",
            ),
            app.text(
                "Wystaw korektę ręcznie, a potem: ksef-connector documents close",
                "Issue the correction by hand, then: ksef-connector documents close",
            )
            + f" {document_id}",
        ) from None
    app.say(
        Text(f"✓ Dokument {document_id} zostanie ponowiony.", f"✓ Document {document_id} is tried again.")
    )
    app.say(Text("→ ksef-connector store sync", "→ ksef-connector store sync"))


@documents.command(
    pl="""Zamyka korektę, która wymaga decyzji lub którą KSeF odrzucił: skorygowano gdzie indziej albo zbędna.

    Faktury tak się nie zamyka: jej zamówienie mogłoby zostać zafakturowane dwa razy.""",
)
@click.argument("document_id", type=_ID, metavar="ID")
@pass_app
def close(app: App, document_id: int) -> None:
    """Close a correction that needs a person or was refused: corrected elsewhere, or not needed.

    Invoices are not closed this way: their order could be invoiced twice.
    """
    services = app.open()
    row = fetch(app, services, document_id)
    try:
        _perform(services, document_id, ActionName.CLOSE)
    except NotPossible:
        raise Failure(
            app.text(
                f"Dokumentu w stanie „{state_name(DocumentState(row.state), 'pl')}” nie da się zamknąć: "
                "zamyka się tylko korektę, która wymaga decyzji albo którą KSeF odrzucił.",
                f'A document that is "{state_name(DocumentState(row.state), "en")}" cannot be closed: only a '
                "correction that needs a person or was refused by KSeF can be.",
            ),
            f"ksef-connector documents show {document_id}",
        ) from None
    app.say(Text(f"✓ Dokument {document_id} zamknięto.", f"✓ Document {document_id} is closed."))


@documents.command(
    pl="""Łączy fakturę odzyskaną z KSeF z zamówieniem, którego dokument czeka na decyzję.

    ODZYSKANA to faktura, która wróciła przez recover; ID to dokument zamówienia. Nowa faktura nie powstanie,
    a numer KSeF wróci do sklepu.""",
)
@click.argument("recovered_id", type=_ID, metavar="RECOVERED")
@click.argument("document_id", type=_ID, metavar="ID")
@pass_app
def link(app: App, recovered_id: int, document_id: int) -> None:
    """Link an invoice recovered from KSeF with an order whose document needs a person.

    RECOVERED is an invoice that came back by recover; ID is the order's document. No other invoice is issued,
    and the KSeF number goes back to the shop.
    """
    services = app.open()
    fetch(app, services, recovered_id)
    order_id = fetch(app, services, document_id).order_id
    try:
        link_by_hand(services, recovered_id, order_id)
    except NotLinkable:
        raise Failure(
            app.text(
                f"Nie da się połączyć: {recovered_id} musi być odzyskaną fakturą bez zamówienia, a dokument "
                f"{document_id} nie może mieć jeszcze numeru.",
                f"They cannot be linked: {recovered_id} has to be a recovered invoice without an order, and "
                f"document {document_id} must not have a number yet.",
            ),
            f"ksef-connector documents show {recovered_id}",
        ) from None
    app.say(
        Text(
            f"✓ Faktura {recovered_id} należy teraz do zamówienia.",
            f"✓ Invoice {recovered_id} belongs to the order now.",
        )
    )


documents.add_command(why)
documents.add_command(expired_documents)
documents.add_command(upload)
