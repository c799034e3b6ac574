"""``restore``: an installation comes back from a backup, whole or not at all."""

from __future__ import annotations

import sys
from dataclasses import replace as changed
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import select

from connector_app.commands.app import ATTENTION, App, BadInput, Failure, pass_app
from connector_app.commands.bilingual import Command, option
from connector_app.commands.files import FILE, reason_of
from connector_app.commands.passphrase import passphrase_of
from connector_app.commands.rows_bar import rows_bar
from connector_app.keeping.reopening import Contents, examine
from connector_app.keeping.restore import NotRestored, Restored, Target
from connector_app.keeping.restore import restore as bring_back
from connector_app.keeping.sealing import Unopenable, is_sealed
from connector_app.plain_words import ksef_words
from connector_app.recovery.proofs import find_sessions
from connector_app.recovery.run import Watch, recover
from connector_app.store.models import Seller
from core.calendar import WARSAW
from core.findings import Text
from core.ksef.errors import KsefError


@click.command(
    cls=Command,
    pl="""Odtwarza instalację z kopii zapasowej; sprawdza ją w całości, zanim czegokolwiek dotknie.

    Kopia nie zna faktur wystawionych po jej zrobieniu, dlatego po odtworzeniu nic nie zostanie wystawione,
    dopóki polecenie recover (albo --recover tutaj) nie zapyta KSeF. Przeglądarki i tokeny programów zostają
    unieważnione. Zob. docs/backup.pl.md.""",
)
@click.argument("file", type=FILE, metavar="FILE")
@option(
    "--into",
    type=FILE,
    default=None,
    metavar="HOME",
    pl="Folder instalacji; bez tej opcji KSEF_CONNECTOR_HOME.",
    en="The installation's folder; without it KSEF_CONNECTOR_HOME.",
)
@option(
    "--to",
    "url",
    default=None,
    metavar="URL",
    pl="Adres bazy danych, np. PostgreSQL; bez tej opcji DATABASE_URL albo SQLite w folderze.",
    en="Address of the database, such as PostgreSQL; without it DATABASE_URL, or SQLite in the folder.",
)
@option(
    "--replace",
    is_flag=True,
    pl="Zastąp instalację, która tam jest; zostanie odłożona na bok.",
    en="Replace the installation that is there; it is put aside.",
)
@option(
    "--keep-tokens",
    is_flag=True,
    pl="Nie unieważniaj tokenów programów (API).",
    en="Leave tokens of programs (API) valid.",
)
@option(
    "--recover",
    "with_recover",
    is_flag=True,
    pl="Od razu dopytaj KSeF o wszystkich sprzedawców.",
    en="Ask KSeF for all sellers at once.",
)
@option("--check", "only_check", is_flag=True, pl="Tylko sprawdź kopię.", en="Only check the backup.")
@option(
    "--passphrase-file",
    type=FILE,
    default=None,
    metavar="FILE",
    pl="Hasło kopii w pierwszym wierszu pliku.",
    en="Passphrase of the backup in the file's first line.",
)
@pass_app
def restore(
    app: App,
    file: Path,
    into: Path | None,
    url: str | None,
    replace: bool,
    keep_tokens: bool,
    with_recover: bool,
    only_check: bool,
    passphrase_file: Path | None,
) -> None:
    """Bring an installation back from a backup; all of it is checked before anything is touched.

    A backup does not know what was issued after it was made, so nothing is issued after a restore until
    recover (or --recover here) has asked KSeF. Browsers are signed out and tokens of programs are revoked.
    See docs/backup.md.
    """
    contents = _examined(app, file, passphrase_file)
    _say_contents(app, contents)
    if only_check:
        return
    home = into or app.settings.home
    where = url if url is not None else "" if into else app.settings.database_url
    target = Target(home, where, None if into else app.settings.key_file)
    try:
        with rows_bar(app, app.text("Odtwarzanie", "Restoring")) as progress:
            made = bring_back(
                contents,
                target,
                datetime.now(UTC),
                replace=replace,
                keep_tokens=keep_tokens,
                progress=progress,
            )
    except NotRestored as error:
        raise Failure(error.text.in_language(app.language), error.hint.in_language(app.language)) from None
    except Unopenable as error:
        raise BadInput(error.text.in_language(app.language)) from None
    _say_result(app, contents, made)
    if with_recover:
        sys.exit(_recover_all(app, target, made))
    _say_next(app, made)


def _examined(app: App, file: Path, passphrase_file: Path | None) -> Contents:
    try:
        with file.open("rb") as opened:
            sealed = is_sealed(opened)
        passphrase = passphrase_of(app, passphrase_file, new=False) if sealed else None
        with rows_bar(app, app.text("Sprawdzanie kopii", "Checking the backup")) as progress:
            return examine(file, passphrase, progress)
    except OSError as error:
        raise BadInput(f"{file}: {reason_of(error).in_language(app.language)}.") from None
    except Unopenable as error:
        raise BadInput(
            error.text.in_language(app.language), app.text("Niczego nie zmieniono.", "Nothing was changed.")
        ) from None


def _say_contents(app: App, contents: Contents) -> None:
    moment = contents.made_at.astimezone(WARSAW)
    app.say(
        Text(
            f"Kopia z {moment:%d.%m.%Y %H:%M}: dokumentów {contents.documents}, wierszy "
            f"{sum(contents.rows.values())}, układ {contents.form}; cała i nienaruszona.",
            f"Backup of {moment:%Y-%m-%d %H:%M}: {contents.documents} documents, "
            f"{sum(contents.rows.values())} rows, form {contents.form}; whole and unchanged.",
        )
    )
    if contents.damaged:
        app.say(
            Text(
                f"! Już w chwili kopii uszkodzonych dokumentów było: {len(contents.damaged)}.",
                f"! Documents that were damaged when the backup was made: {len(contents.damaged)}.",
            )
        )


def _say_result(app: App, contents: Contents, made: Restored) -> None:
    app.say(Text("✓ Odtworzono i sprawdzono.", "✓ Restored and checked."))
    old = str(made.aside) if made.aside else made.schema
    if old:
        app.say(Text(f"Poprzednia instalacja: {old}", f"The installation before: {old}"))
    app.say(
        Text(
            f"Ludzie muszą zalogować się ponownie; unieważnione tokeny programów: {made.filled.tokens}. "
            "Hasła są takie, jak w chwili kopii.",
            f"People have to sign in again; tokens of programs revoked: {made.filled.tokens}. Passwords are "
            "as they were when the backup was made.",
        )
    )
    if made.filled.mails:
        app.say(
            Text(
                "E-maile do nabywców, o których nie wiadomo, czy wyszły (nie są powtarzane): "
                f"{made.filled.mails}.",
                f"E-mails to buyers that may have gone out (they are not repeated): {made.filled.mails}.",
            )
        )
    if "files/secret.key" not in contents.files:
        app.say(
            Text(
                "! W kopii nie było secret.key: przywróć go do folderu instalacji. Bez niego certyfikaty, "
                "hasła i klucze sklepów trzeba podać na nowo.",
                "! The backup had no secret.key: put it back into the installation's folder. Without it "
                "certificates, passwords and keys of shops have to be given again.",
            )
        )


def _say_next(app: App, made: Restored) -> None:
    if made.filled.sellers:
        app.say(
            Text(
                "Nic nie zostanie wystawione, dopóki KSeF nie powie, co wystawiono po kopii:",
                "Nothing is issued until KSeF has said what was issued after the backup:",
            )
        )
    for nip, since in made.filled.sellers:
        app.out.print(f"→ ksef-connector recover --seller {nip} --since {since}", markup=False)


def _recover_all(app: App, target: Target, made: Restored) -> int:
    """Finish for all sellers; gives the exit code."""
    app.settings = changed(
        app.settings, home=target.home, database_url=target.url, secret_key_file=target.key_file
    )
    services, code = app.open(), 0
    for nip, since in made.filled.sellers:
        with services.database() as session:
            seller_id = session.scalars(select(Seller.id).where(Seller.nip == nip)).one()
        try:
            report = recover(services, seller_id, since)
            find_sessions(services, seller_id, report, Watch())
        except Exception as error:
            code = ATTENTION
            _say_failed(app, nip, error)
            app.out.print(f"→ ksef-connector recover --seller {nip} --since {since}", markup=False)
            continue
        app.say(
            Text(
                f"✓ {nip}: w KSeF {report.found} dokumentów od {since}.",
                f"✓ {nip}: KSeF has {report.found} documents since {since}.",
            )
        )
    return code


def _say_failed(app: App, nip: str, error: Exception) -> None:
    from connector_app.commands.failures import explain  # noqa: PLC0415  needed in trouble only

    if isinstance(error, KsefError):
        said = ksef_words(error).in_language(app.language)
    else:
        failure = explain(error, app.language)
        if failure is None:
            raise error
        said = failure.message
    app.out.print(f"✗ {nip}: {said}", markup=False)
