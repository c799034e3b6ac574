"""The root of the command line: language, commands loaded when asked for, and failures in words.

Exit codes: 0 done; 1 it could not be done (network, files, something is broken); 2 the input cannot be used
or a person has to decide; 130 interrupted.
"""

from __future__ import annotations

import errno
import importlib
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Any

import click

from connector_app.commands.bilingual import LANGUAGES, Group, option, screen_language, usage_text
from connector_app.interrupts import INTERRUPTED, quiet_while_loading
from core.findings import Text

_COMMANDS: Mapping[str, str] = {
    "demo": "connector_app.commands.demo",
    "serve": "connector_app.commands.serve",
    "worker": "connector_app.commands.worker",
    "beat": "connector_app.commands.beat",
    "seller": "connector_app.commands.seller",
    "auth": "connector_app.commands.auth",
    "certificates": "connector_app.commands.certificates",
    "tokens": "connector_app.commands.tokens",
    "permissions": "connector_app.commands.permissions",
    "store": "connector_app.commands.store",
    "mail": "connector_app.commands.mail",
    "alerts": "connector_app.commands.alerts",
    "people": "connector_app.commands.people",
    "documents": "connector_app.commands.documents",
    "collective": "connector_app.commands.collective",
    "backup": "connector_app.commands.backup",
    "restore": "connector_app.commands.restore",
    "verify-archive": "connector_app.commands.verify_archive",
    "recover": "connector_app.commands.recover",
    "check": "connector_app.commands.check",
    "export": "connector_app.commands.export",
    "migrate-store": "connector_app.commands.migrate_store",
    "invoice": "connector_app.commands.invoice",
    "sandbox": "connector_app.commands.sandbox",
}
PROGRAM = "ksef-connector"
DEBUG_VARIABLE = "KSEF_CONNECTOR_DEBUG"
"""Any value shows the traceback of an error of the program itself."""


class Root(Group):
    """The program: loads a command when it is asked for, and never shows a traceback for bad input."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  the base class passes it
        """Names in the order in which a new user needs them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load a command."""
        if cmd_name not in _COMMANDS:
            return None
        with quiet_while_loading():
            module = importlib.import_module(_COMMANDS[cmd_name])
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def main(  # type: ignore[override]  # the base class overloads on standalone_mode, which has one use here
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        **extra: Any,
    ) -> None:
        """Run, and exit with the command's code."""
        extra["standalone_mode"] = False
        words = list(sys.argv[1:] if args is None else args)
        language = _language_in(words)
        code = 1
        try:
            code = super().main(words, prog_name or PROGRAM, **extra) or 0
            sys.stdout.flush()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        except click.Abort:
            code = INTERRUPTED
            click.echo(_INTERRUPTED.in_language(language), err=True)
        except click.ClickException as error:
            _show(error, language)
            code = error.exit_code
        except Exception as error:  # every other error is shown in words
            code = _fail(error, language)
        sys.exit(_flush(code))


_INTERRUPTED = Text(
    "Przerwano. Nic nie zginęło; polecenie można uruchomić jeszcze raz.",
    "Interrupted. Nothing is lost; the command can be run again.",
)


def _language_in(words: Sequence[str]) -> str:
    """The language that a command line asks for, before and even if it cannot be parsed."""
    for word, following in pairwise([*words, ""]):
        if word.startswith("--lang="):
            return word.removeprefix("--lang=")
        if word == "--lang":
            return following
        if not word.startswith("-"):
            break
    return screen_language()


def _flush(code: int) -> int:
    """Write out what is left; a reader that is gone (a closed pipe) is no error worth a word."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            with suppress(OSError, ValueError):
                # the interpreter flushes once more at its end, which must not complain
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            code = code or 1
    return code


def _show(error: click.ClickException, language: str) -> None:
    if not isinstance(error, click.UsageError):
        error.show()
        return
    context = error.ctx
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return
    message = error.format_message()
    if isinstance(error, click.exceptions.NoSuchCommand) and context is not None and context.parent is None:
        # click looks for similar names among loaded commands only
        message = click.exceptions.NoSuchCommand(error.command_name, None, _COMMANDS).format_message()
    if context is not None:
        click.echo(context.get_usage(), err=True)
    click.echo(f"✗ {usage_text(message, language)}", err=True)
    click.echo(f"  → {context.command_path if context else PROGRAM} --help", err=True)


def _fail(error: Exception, language: str) -> int:
    """Show an error that no command explained; returns the exit code."""
    from connector_app.commands.failures import explain  # noqa: PLC0415  needed in trouble only

    if isinstance(error, OSError) and error.errno == errno.EPIPE:
        return 1
    failure = explain(error, language)
    if failure is not None:
        failure.show()
        return failure.exit_code
    if os.environ.get(DEBUG_VARIABLE):
        traceback.print_exception(error)
    kind = type(error).__name__
    said = Text(
        f"✗ Błąd programu ({kind}). Dokumenty są bezpieczne: każdy krok zapisano w całości albo wcale.\n"
        f"  → Uruchom jeszcze raz z {DEBUG_VARIABLE}=1 i zgłoś to, co się pokaże.",
        f"✗ An error of the program ({kind}). Documents are safe: each step is stored whole or not at all.\n"
        f"  → Run it again with {DEBUG_VARIABLE}=1 and report what it shows.",
    )
    click.echo(said.in_language(language), err=True)
    return 1


@click.group(
    PROGRAM,
    cls=Root,
    pl="""Łączy sklep internetowy z KSeF: opłacone zamówienie staje się fakturą, a jej numer wraca do sklepu.

    Instalacja leży w folderze KSEF_CONNECTOR_HOME (bez tej zmiennej: w folderze danych użytkownika).
    Na początek: ksef-connector demo.""",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="ksef-shop-connector", message="%(version)s")
@option(
    "--lang",
    type=click.Choice(LANGUAGES),
    default=screen_language,
    is_eager=True,
    show_default="pl",
    pl="Język odpowiedzi; także zmienna KSEF_CONNECTOR_LANG.",
    en="Language of answers; also KSEF_CONNECTOR_LANG.",
)
@click.pass_context
def root(context: click.Context, lang: str) -> None:
    """Connects an online shop to KSeF: a paid order becomes an invoice, its number comes back.

    An installation lives in KSEF_CONNECTOR_HOME (without it: in the user's data folder).
    To begin: ksef-connector demo.
    """
    from connector_app.commands.app import App, BadInput  # noqa: PLC0415  help needs no database
    from connector_app.settings import BadSetting, Settings  # noqa: PLC0415

    try:
        context.obj = App(Settings.from_environment(), lang)
    except BadSetting as error:
        raise BadInput(error.text.in_language(lang)) from None
