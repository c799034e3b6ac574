"""What every command shares: settings, language, opening the installation, and speaking to a person."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import click
from cryptography.x509 import Certificate
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from connector_app.commands.files import read_whole, reason_of
from connector_app.keeping.restore import finish
from connector_app.ksef_access import Connections
from connector_app.ksef_budget import StoredBudget
from connector_app.ksef_notices import NoticeBook
from connector_app.measures import Measures
from connector_app.nbp import NbpRates, RateCache
from connector_app.nbp.cache import FILE_NAME as RATES_FILE
from connector_app.pipeline.services import Services
from connector_app.registers import open_registers
from connector_app.running import keys
from connector_app.settings import BadSetting, Settings
from connector_app.store.database import Sessions, open_database
from connector_app.store.models import Document
from connector_app.upo_trust import load_trusted
from connector_app.vault import Vault
from core.findings import Text
from core.invoices.exchange import Rates
from core.ksef.calls import utc_now

ATTENTION = 2
"""Exit code: a person has to decide, or the input cannot be used; nothing was sent."""


_FILE_WIDTH = 160
"""Columns where the output is no terminal."""
_WIDEST = 1000


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    return Console(
        stderr=stderr, highlight=False, soft_wrap=True, width=None if stream.isatty() else _FILE_WIDTH
    )


@dataclass(slots=True)
class App:
    """The running command line.

    Attributes:
        settings: where the installation lives.
        language: ``pl`` or ``en``.
        out: answers. err: everything that is no answer.
    """

    settings: Settings
    language: str = "pl"
    out: Console = field(default_factory=lambda: _console(stderr=False))
    err: Console = field(default_factory=lambda: _console(stderr=True))

    def say(self, text: Text) -> None:
        """Print a sentence in the screen language."""
        self.out.print(text.in_language(self.language), markup=False)

    def tell(self, text: Text) -> None:
        """Print a sentence that is no answer, to the error stream."""
        self.err.print(text.in_language(self.language), markup=False)

    def text(self, pl: str, en: str) -> str:
        """One of two sentences by the screen language."""
        return en if self.language == "en" else pl

    def open(self, watch: Callable[[Document], None] = lambda _document: None) -> Services:
        """Open the installation: its database (migrated when needed) and its vault.

        Args:
            watch: told after each committed change of a document.
        """
        try:
            self.settings.prepare()
            finish(self.settings.home)
        except OSError as error:
            raise self.no_home(reason_of(error)) from None
        if not self.settings.is_scaled:
            vault = self._vault()
        try:
            database = open_database(self.settings.database)
        except OSError as error:
            why = reason_of(error)
            raise Failure(
                self.text(
                    f"Bazy danych nie można otworzyć: {why.pl}.", f"The database cannot be opened: {why.en}."
                ),
                "KSEF_CONNECTOR_HOME, DATABASE_URL",
            ) from None
        if self.settings.is_scaled:
            vault = self._vault_of_all(database)
        return self.services(database, vault, watch)

    def services(
        self,
        database: Sessions,
        vault: Vault,
        watch: Callable[[Document], None] = lambda _document: None,
    ) -> Services:
        """The outside world over a database that is open; it is given back when the command ends.

        Args:
            database: of the installation.
            vault: of the installation.
            watch: see :meth:`open`.
        """
        context = click.get_current_context(silent=True)
        if context is not None:
            context.call_on_close(database.kw["bind"].dispose)
        measures = Measures()
        return Services(
            database=database,
            measures=measures,
            vault=vault,
            schema_dir=self.settings.schema_dir,
            watch=watch,
            rates=self._rates(),
            work_dir=self.settings.home / "work",
            connections=Connections(
                lambda one: StoredBudget(database, one.api_url, utc_now),
                make_notices=lambda one: NoticeBook(database, one.api_url, utc_now),
                measures=measures,
            ),
            tokens_end=self.settings.tokens_end,
            upo_trust=self._upo_trust(),
            public_url=self.settings.public_url,
            backup_passphrase=self.settings.backup_passphrase,
            registers=open_registers(self.settings.vat_list_url, self.settings.vies_url, database, utc_now),
        )

    def _vault(self) -> Vault:
        try:
            return Vault.open(self.settings.key_file)
        except OSError as error:
            raise self.no_home(reason_of(error)) from None
        except ValueError:
            raise Failure(
                self.text(
                    f"{self.settings.key_file} nie jest plikiem klucza tej instalacji.",
                    f"{self.settings.key_file} is not a key file of this installation.",
                ),
                self.text("Przywróć go z kopii zapasowej.", "Restore it from the backup."),
            ) from None

    def _vault_of_all(self, database: Sessions) -> Vault:
        """The vault with the key that all machines of a scaled installation have.

        Raises:
            BadInput: this machine has none, or another.
        """
        key_file = self.settings.key_file
        if not key_file.exists() and keys.is_known(database):
            raise BadInput(
                self.text(
                    f"Na tym komputerze nie ma klucza tej instalacji ({key_file}).",
                    f"This machine does not have the installation's key ({key_file}).",
                ),
                keys.WHAT_TO_DO.in_language(self.language),
            )
        vault = self._vault()
        if not keys.fits(database, vault):
            raise BadInput(
                self.text(
                    f"{key_file} to nie jest klucz tej instalacji: inne komputery mają inny.",
                    f"{key_file} is not this installation's key: other machines have another.",
                ),
                keys.WHAT_TO_DO.in_language(self.language),
            )
        return vault

    def _upo_trust(self) -> tuple[Certificate, ...]:
        """The certificates that may sign UPOs; none unless an operator names some."""
        try:
            return load_trusted(self.settings.upo_certificates)
        except BadSetting as error:
            raise BadInput(error.text.in_language(self.language)) from None

    def _rates(self) -> Rates | None:
        """Exchange rates of the NBP, kept in the installation's folder."""
        if self.settings.nbp_url == "off":
            return None
        return NbpRates(self.settings.nbp_url, RateCache(self.settings.home / RATES_FILE))

    def no_home(self, why: Text) -> Failure:
        """The failure of an installation's folder that cannot be used."""
        home = self.settings.home
        return Failure(
            self.text(
                f"Folderu instalacji {home} nie można użyć: {why.pl}.",
                f"The installation's folder {home} cannot be used: {why.en}.",
            ),
            self.text(
                "Ustaw KSEF_CONNECTOR_HOME na folder, w którym wolno pisać.",
                "Set KSEF_CONNECTOR_HOME to a folder that may be written to.",
            ),
        )

    def read(self, path: Path) -> bytes:
        """The bytes of an input file (or of standard input for ``-``).

        Raises:
            BadInput: it cannot be read.
        """
        try:
            return read_whole(path)
        except OSError as error:
            raise BadInput(f"{path}: {reason_of(error).in_language(self.language)}.") from None

    def read_text(self, path: Path) -> str:
        """The text of a UTF-8 file.

        Raises:
            BadInput: it cannot be read, or is no text.
        """
        try:
            return self.read(path).decode("utf-8-sig")
        except UnicodeDecodeError:
            raise BadInput(
                self.text(f"{path} nie jest plikiem tekstowym UTF-8.", f"{path} is not a UTF-8 text file.")
            ) from None

    def table(self, table: Table) -> None:
        """Print a table in its natural width: a narrower terminal wraps whole lines, never numbers."""
        wide = self.out.options.update(max_width=_WIDEST)
        width = self.out.width
        self.out.width = max(width, Measurement.get(self.out, wide, table).maximum)
        self.out.print(table)
        self.out.width = width

    def json(self, value: object) -> None:
        """Print a value for scripts."""
        click.echo(json.dumps(value, ensure_ascii=False, indent=2))


pass_app = click.make_pass_decorator(App)


class Failure(click.ClickException):
    """A failure with a hint, shown without a traceback.

    Args:
        message: what went wrong.
        hint: what to do about it.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def show(self, file: object = None) -> None:  # noqa: ARG002  the base class passes a stream
        """Print the message and the hint to the error stream."""
        click.echo(f"✗ {self.message}", err=True)
        if self.hint:
            click.echo(f"  → {self.hint}", err=True)


class BadInput(Failure):
    """Input that cannot be used; nothing was done with it."""

    exit_code = ATTENTION
