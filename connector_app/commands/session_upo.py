"""``documents session-upo``: the collective UPO of a session, written out."""

from __future__ import annotations

from pathlib import Path

import click
from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from connector_app.commands.app import App, BadInput, Failure, pass_app
from connector_app.commands.bilingual import Command, option
from connector_app.commands.files import FILE_OR_DASH, is_dash, write_whole
from connector_app.keeping.reading import page_of
from connector_app.pipeline.services import load_text
from connector_app.store.proofs import SessionUpo, SessionUpoPage, UpoCertificate


@click.command(
    "session-upo",
    cls=Command,
    pl="""Zapisuje zbiorcze UPO sesji: jeden plik na każde 10 000 dokumentów.

    REF to numer referencyjny sesji; podaje go documents show. Program pobiera zbiorcze UPO sam, gdy sesja się
    skończy. Tu nie pyta KSeF.""",
)
@click.argument("reference", metavar="REF")
@option(
    "--output",
    "-o",
    type=FILE_OR_DASH,
    required=True,
    pl="Plik; - to wyjście standardowe.",
    en="File; - is standard output.",
)
@option(
    "--page",
    type=click.IntRange(1),
    default=None,
    pl="Która strona, gdy jest ich kilka.",
    en="Which page, when there are several.",
)
@pass_app
def session_upo(app: App, reference: str, output: Path, page: int | None) -> None:
    """Write the collective UPO of a session: one file for each 10 000 documents.

    REF is the session's reference number; documents show tells it. The program fetches the collective UPO by
    itself once the session has ended. KSeF is not asked here.
    """
    services = app.open()
    with services.database() as session:
        row = session.scalars(select(SessionUpo).where(SessionUpo.reference == reference)).first()
        if row is None:
            raise BadInput(
                app.text(
                    f"Nie ma sesji {reference} z przyjętym dokumentem.",
                    f"There is no session {reference} with an accepted document.",
                ),
                "ksef-connector documents show ID",
            )
        found = _page(app, session, row, page)
        signer = session.get(UpoCertificate, found.certificate) if found.certificate else None
    write_whole(output, page_of(found))
    if not is_dash(output):
        app.err.print(f"✓ {output}", markup=False)
    app.err.print(signer_line(app, signer), markup=False)


def signer_line(app: App, signer: UpoCertificate | None) -> str:
    """Who signed a UPO, in a line."""
    if signer is None:
        return app.text("Podpis UPO: nie sprawdzono.", "Signature of the UPO: not checked.")
    return app.text(
        f"Podpis UPO: nienaruszony, certyfikat {signer.subject} (SHA-256 {signer.fingerprint}).",
        f"Signature of the UPO: holds, certificate {signer.subject} (SHA-256 {signer.fingerprint}).",
    )


def _page(app: App, session: Session, row: SessionUpo, number: int | None) -> SessionUpoPage:
    """The page that is asked for, with its bytes.

    Raises:
        Failure: it is not there (yet).
        BadInput: there are several and none was named, or there is no such page.
    """
    pages = list(
        session.scalars(
            select(SessionUpoPage)
            .where(
                SessionUpoPage.seller_id == row.seller_id,
                SessionUpoPage.session_reference == row.reference,
            )
            .options(undefer(SessionUpoPage.content))
            .order_by(SessionUpoPage.page)
        )
    )
    if not pages or (row.ended_at is None and number is None):
        why = load_text(row.waits_for).in_language(app.language) if row.waits_for else ""
        waits = app.text(
            "Program pobierze je po zakończeniu sesji: ksef-connector store sync albo serve.",
            "The program fetches it after the session's end: ksef-connector store sync, or serve.",
        )
        raise Failure(
            app.text("Zbiorczego UPO sesji jeszcze nie ma.", "The session's UPO is not there yet.")
            if row.ended_at is None
            else app.text("Sesja nie ma zbiorczego UPO.", "The session has no collective UPO."),
            f"{why} {waits if row.ended_at is None else ''}".strip(),
        )
    chosen = [one for one in pages if one.page == (number or 1)]
    if (number is None and len(pages) > 1) or not chosen:
        raise BadInput(
            app.text(f"To UPO ma stron: {len(pages)}.", f"This UPO has {len(pages)} pages."), "--page N"
        )
    return chosen[0]
