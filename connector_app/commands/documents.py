"""``documents``: what there is, one document's whole life, and another try."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import click
from sqlalchemy.orm import undefer

from connector_app import ksef_access
from connector_app.commands.app import App, BadInput, Failure, pass_app
from connector_app.commands.files import write_whole
from connector_app.commands.tables import amount, load, print_documents, reason, state_name
from connector_app.pipeline import life
from connector_app.pipeline.publish import verification_link
from connector_app.pipeline.services import Services, load_text
from connector_app.store.models import Document, DocumentState
from core.calendar import WARSAW
from core.findings import Text

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def documents() -> None:
    """Documents: list, show, retry."""


@documents.command(name="list")
@click.option("--state", type=click.Choice(list(DocumentState)), default=None)
@click.option("--json", "as_json", is_flag=True, help="The list as JSON.")
@pass_app
def list_documents(app: App, state: str | None, as_json: bool) -> None:
    """List documents, oldest first."""
    services = app.open()
    rows = load(services, state=state)
    if not as_json:
        print_documents(app, rows)
        return
    click.echo(json.dumps([_as_json(row, app.language) for row in rows], ensure_ascii=False, indent=2))


def _as_json(row: Document, language: str) -> dict[str, object]:
    return {
        "id": row.id,
        "order": row.order.number,
        "order_id": row.order.remote_id,
        "purpose": row.purpose,
        "kind": row.kind,
        "state": row.state,
        "buyer": row.buyer_name,
        "total": None if row.total is None else f"{row.total:.2f}",
        "currency": row.currency,
        "invoice_number": row.number,
        "issued_on": row.issued_on.isoformat() if row.issued_on else None,
        "ksef_number": row.ksef_number,
        "accepted_at": row.accepted_at.isoformat() if row.accepted_at else None,
        "sha256": row.xml_sha256,
        "attention": row.attention,
        "reason": reason(row, language),
        "publications": {one.channel: one.remote_id for one in row.publications if one.done_at},
    }


@documents.command()
@click.argument("document_id", type=int, metavar="ID")
@click.option("--xml", "xml_file", type=_FILE, default=None, help="Write the XML to a file.")
@click.option("--pdf", "pdf_file", type=_FILE, default=None, help="Write the picture to a file.")
@click.option("--upo", "upo_file", type=_FILE, default=None, help="Write the UPO to a file.")
@pass_app
def show(
    app: App, document_id: int, xml_file: Path | None, pdf_file: Path | None, upo_file: Path | None
) -> None:
    """Show one document's numbers, reasons and life, and write its files."""
    services = app.open()
    row = fetch(app, services, document_id)
    _print(app, row)
    for path, data in (
        (xml_file, row.xml),
        (pdf_file, picture(row, app.language) if pdf_file and row.xml else None),
        (upo_file, row.upo),
    ):
        if path is None:
            continue
        if data is None:
            raise Failure(app.text(f"{path}: dokument tego nie ma.", f"{path}: the document has none."))
        write_whole(path, data)
        app.err.print(f"✓ {path}", markup=False)


def fetch(app: App, services: Services, document_id: int) -> Document:
    """One document with its files; the stored bytes are compared with their hash."""
    with services.database() as session:
        row = session.get(Document, document_id, options=[undefer(Document.xml), undefer(Document.upo)])
        if row is None:
            raise BadInput(
                app.text(f"Nie ma dokumentu {document_id}.", f"There is no document {document_id}."),
                "ksef-connector documents list",
            )
        _ = row.seller, row.order.store, row.events, row.publications
    if row.xml is not None and hashlib.sha256(row.xml).hexdigest() != row.xml_sha256:
        raise Failure(
            app.text(
                f"Plik XML dokumentu {document_id} różni się od swojego skrótu.",
                f"The XML of document {document_id} differs from its hash.",
            ),
            app.text("Przywróć bazę z kopii zapasowej.", "Restore the database from a backup."),
        )
    return row


def picture(row: Document, language: str) -> bytes:
    """The PDF of an issued document, drawn from its stored bytes."""
    from core.visual.renderer import Renderer  # noqa: PLC0415  loads fonts

    return Renderer().render(
        row.xml or b"",
        qr_base_url=ksef_access.environment_of(row.seller).qr_url,
        ksef_number=row.ksef_number,
        language="en" if language == "en" else "pl",
    )


def _print(app: App, row: Document) -> None:
    facts = [
        ("Zamówienie", "Order", f"{row.order.number} ({row.order.store.code})"),
        ("Stan", "State", state_name(DocumentState(row.state), app.language)),
        ("Rodzaj", "Kind", row.kind),
        ("Nabywca", "Buyer", row.buyer_name or ""),
        ("Brutto", "Gross", amount(row.total, row.currency)),
        ("Numer faktury", "Invoice number", row.number or ""),
        ("Data wystawienia", "Issued on", row.issued_on.isoformat() if row.issued_on else ""),
        ("Numer KSeF", "KSeF number", row.ksef_number or ""),
        ("SHA-256", "SHA-256", row.xml_sha256 or ""),
        ("Weryfikacja", "Verify", verification_link(row) if row.xml_sha256 else ""),
        ("Powód", "Reason", reason(row, app.language)),
    ]
    for pl, en, value in facts:
        if value:
            app.out.print(f"{app.text(pl, en)}: {value}", markup=False)
    for finding in row.attention or []:
        hint = finding["hint"].get(app.language, "")
        if hint:
            app.out.print(f"→ {hint}", markup=False)
    for publication in row.publications:
        app.out.print(f"{publication.channel}: {publication.remote_id or publication.failure}", markup=False)
    for event in row.events:
        text = load_text(event.text).in_language(app.language)
        moment = event.at.astimezone(WARSAW)
        app.out.print(f"{moment:%Y-%m-%d %H:%M:%S}  {event.state:<9}  {text}", markup=False)


@documents.command()
@click.argument("document_id", type=int, metavar="ID")
@pass_app
def retry(app: App, document_id: int) -> None:
    """Try a document again: at once when it waits, anew from its order when it needs a person.

    The next ``store sync`` or the running ``serve`` does the work.
    """
    services = app.open()
    row = fetch(app, services, document_id)
    state = DocumentState(row.state)
    if row.purpose != "invoice":
        raise Failure(
            app.text(
                "Korekty nie powstają jeszcze same; nie ma czego ponowić.",
                "Corrections are not made by themselves yet; there is nothing to retry.",
            )
        )
    if state in {DocumentState.PUBLISHED, DocumentState.CANCELLED, DocumentState.WAITING}:
        raise Failure(
            app.text(
                f"Dokument jest w stanie „{state_name(state, 'pl')}”; nie ma czego ponowić.",
                f'The document is "{state_name(state, "en")}"; there is nothing to retry.',
            )
        )
    life.change(services, document_id, lambda one: life.again(one, services.clock()))
    app.say(
        Text(f"✓ Dokument {document_id} zostanie ponowiony.", f"✓ Document {document_id} is tried again.")
    )
