"""``backup``: one file with everything an installation must not lose, made while it works."""

from __future__ import annotations

from pathlib import Path

import click

from connector_app.commands.app import App, BadInput, Failure, pass_app
from connector_app.commands.bilingual import Command, option
from connector_app.commands.files import FILE
from connector_app.commands.passphrase import passphrase_of
from connector_app.commands.rows_bar import rows_bar
from connector_app.keeping.backup import Made, Wanted, as_json, free_at, size_of
from connector_app.keeping.package import SUFFIX
from connector_app.keeping.places import BackupFailed, keep_newest
from connector_app.keeping.schedule import make
from core.findings import Text

_MEGABYTE = 1_000_000


@click.command(
    cls=Command,
    pl="""Robi kopię zapasową instalacji do jednego pliku, bez zatrzymywania programu.

    Klucz secret.key wchodzi tylko do kopii zaszyfrowanej (albo z --with-key): bez niego dokumenty z kopii da
    się odczytać, ale hasła, certyfikaty i klucze sklepów nie. Zob. docs/backup.pl.md.""",
)
@option(
    "--to",
    type=FILE,
    default=None,
    metavar="FOLDER|FILE",
    pl=f"Folder albo plik {SUFFIX}; bez tej opcji folder backups w instalacji.",
    en=f"A folder or a {SUFFIX} file; without it the folder backups of the installation.",
)
@option("--encrypt", is_flag=True, pl="Zaszyfruj hasłem.", en="Encrypt with a passphrase.")
@option(
    "--passphrase-file",
    type=FILE,
    default=None,
    metavar="FILE",
    pl="Hasło w pierwszym wierszu pliku; bez tego zmienna KSEF_CONNECTOR_BACKUP_PASSPHRASE albo pytanie.",
    en="Passphrase in the file's first line; else KSEF_CONNECTOR_BACKUP_PASSPHRASE, else it is asked for.",
)
@option(
    "--with-key",
    is_flag=True,
    pl="Włącz klucz secret.key także do niezaszyfrowanej kopii.",
    en="Put secret.key into a backup that is not encrypted, too.",
)
@option(
    "--keep",
    type=click.IntRange(1, 1000),
    default=None,
    metavar="N",
    pl="Zostaw N najnowszych kopii tej instalacji w folderze, starsze usuń.",
    en="Keep the N newest backups of this installation in the folder, delete older ones.",
)
@option("--json", "as_json_", is_flag=True, pl="Wynik jako JSON.", en="The result as JSON.")
@pass_app
def backup(
    app: App,
    to: Path | None,
    encrypt: bool,
    passphrase_file: Path | None,
    with_key: bool,
    keep: int | None,
    as_json_: bool,
) -> None:
    """Back an installation up into one file, without stopping the program.

    The key secret.key is put into an encrypted backup only (or with --with-key): without it the documents of
    a backup can be read, but passwords, certificates and keys of shops cannot. See docs/backup.md.
    """
    target = to or app.settings.home / "backups"
    is_file = target.suffix == SUFFIX and not target.is_dir()
    if keep is not None and is_file:
        raise BadInput(app.text("--keep wymaga folderu.", "--keep needs a folder."))
    encrypt = encrypt or passphrase_file is not None or bool(app.settings.backup_passphrase)
    passphrase = passphrase_of(app, passphrase_file, new=True) if encrypt else None
    services = app.open()
    size, free = size_of(services) / _MEGABYTE, free_at(target) / _MEGABYTE
    app.err.print(
        app.text(
            f"Baza: {size:.1f} MB (kopia jest mniejsza); wolne miejsce: {free:.0f} MB.",
            f"Database: {size:.1f} MB (the backup is smaller); free space: {free:.0f} MB.",
        ),
        markup=False,
    )
    try:
        with rows_bar(app, app.text("Kopia zapasowa", "Backup")) as progress:
            made = make(services, Wanted(target, passphrase, with_key), progress)
    except BackupFailed as error:
        raise Failure(error.text.in_language(app.language)) from None
    gone = keep_newest(target, services.vault, keep) if keep is not None else []
    if as_json_:
        app.json(as_json(made) | {"deleted": [str(one) for one in gone]})
        return
    _print(app, made, len(gone))


def _print(app: App, made: Made, deleted: int) -> None:
    app.say(
        Text(
            f"✓ {made.path}: {made.size / _MEGABYTE:.1f} MB, dokumentów: {made.documents}, "
            f"{made.seconds:.1f} s; plik odczytano i sprawdzono.",
            f"✓ {made.path}: {made.size / _MEGABYTE:.1f} MB, documents: {made.documents}, "
            f"{made.seconds:.1f} s; the file was read back and checked.",
        )
    )
    if deleted:
        app.say(Text(f"Usunięte starsze kopie: {deleted}.", f"Older backups deleted: {deleted}."))
    if made.damaged:
        app.say(
            Text(
                f"! Uszkodzone dokumenty: {len(made.damaged)} → ksef-connector verify-archive --repair",
                f"! Damaged documents: {len(made.damaged)} → ksef-connector verify-archive --repair",
            )
        )
    if not made.with_key:
        app.say(
            Text(
                "→ W kopii nie ma secret.key: trzymaj go osobno. Bez niego dokumenty da się odczytać, ale "
                "certyfikaty, hasła i klucze sklepów trzeba będzie podać na nowo.",
                "→ The backup has no secret.key: keep it elsewhere. Without it the documents can be read, "
                "but certificates, passwords and keys of shops have to be given again.",
            )
        )
    elif made.with_key and not made.encrypted:
        app.say(
            Text(
                "! Ta kopia jest otwarta i ma klucz: kto ją przeczyta, może wystawiać faktury za Ciebie.",
                "! This backup is open and has the key: whoever reads it can issue invoices in your name.",
            )
        )
