"""Help and usage errors in the screen language, Polish by default.

click speaks English only. Commands and options made here carry their Polish text beside the English one
(``pl``), and the few sentences of click's own that a person can meet are translated below.
"""

from __future__ import annotations

import copy
import inspect
import os
import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

LANGUAGES = ("pl", "en")
LANGUAGE_VARIABLE = "KSEF_CONNECTOR_LANG"

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])

_HEADINGS = {"Options": "Opcje", "Commands": "Polecenia"}
_HELP_OF_CLICK = {
    "Show this message and exit.": "Pokaż tę pomoc i zakończ.",
    "Show the version and exit.": "Pokaż wersję i zakończ.",
}
_REMARKS = (("[default: ", "[domyślnie: "), ("required]", "wymagane]"), ("; default: ", "; domyślnie: "))
_SENTENCES = tuple(
    (re.compile(pattern, re.DOTALL), text)
    for pattern, text in (
        (r"Invalid value for (.+?): (.+)", r"Nieprawidłowa wartość dla \1: \2"),
        (r"Missing argument (.+?)\.(.*)", r"Brakuje argumentu \1.\2"),
        (r"Missing option (.+?)\.(.*)", r"Brakuje opcji \1.\2"),
        (r"Missing command\.", "Brakuje polecenia."),
        (r"No such option (.+?)\.(.*)", r"Nie ma opcji \1.\2"),
        (r"No such command (.+?)\.(.*)", r"Nie ma polecenia \1.\2"),
        (r"Option (.+?) requires an argument\.", r"Opcja \1 wymaga wartości."),
        (r"Option (.+?) does not take a value\.", r"Opcja \1 nie przyjmuje wartości."),
        (r"Got unexpected extra arguments? \((.+)\)", r"Nieoczekiwane argumenty: \1"),
    )
)
_DETAILS = tuple(
    (re.compile(pattern), text)
    for pattern, text in (
        (r"(\S+) is not one of (.+)\.$", r"\1 nie jest jednym z: \2."),
        (r"(\S+) is not (\'[^\']*\')\.$", r"\1 to nie \2."),
        (r"(\S+) is not a valid (?:integer|integer range)\.", r"\1 nie jest liczbą całkowitą."),
        (r"(\S+) is not a valid float(?: range)?\.", r"\1 nie jest liczbą."),
        (r"(\S+) is not in the range (.+)\.", r"\1 nie mieści się w przedziale \2."),
        (r"(\S+) does not match the formats? (.+)\.", r"\1 nie ma postaci RRRR-MM-DD."),
        (r"Choose from:", "Do wyboru:"),
        (r"Did you mean (.+)\?", r"Może chodziło o \1?"),
        (r"\(Did you mean one of: (.+)\?\)", r"Może chodziło o jedno z: \1?"),
    )
)


def screen_language(context: click.Context | None = None) -> str:
    """The language in force: ``--lang`` as far as it was read, else the variable, else Polish.

    Args:
        context: of the running command; ``None`` before there is one.
    """
    chosen = context.find_root().params.get("lang") if context else None
    language = chosen or os.environ.get(LANGUAGE_VARIABLE, "pl")
    return language if language in LANGUAGES else "pl"


def usage_text(message: str, language: str) -> str:
    """A usage error of click in the screen language; an unknown sentence stays as it is."""
    if language == "en":
        return message
    for pattern, text in _SENTENCES:
        match = pattern.fullmatch(message)
        if match:
            message = match.expand(text)
            break
    for pattern, text in _DETAILS:
        if pattern.search(message):
            message = pattern.sub(text, message)
            if not text.startswith(("Do wyboru", "Może")):
                break
    return message


class Option(click.Option):
    """An option with help in both languages.

    Args:
        pl: the help in Polish.
    """

    def __init__(self, *names: Any, pl: str = "", **attributes: Any) -> None:
        super().__init__(*names, **attributes)
        self.pl = pl

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Names and help of the option in the screen language."""
        if screen_language(ctx) == "en":
            return super().get_help_record(ctx)
        twin = copy.copy(self)
        twin.help = self.pl or self.help
        record = click.Option.get_help_record(twin, ctx)
        if record is None:
            return None
        names, text = record
        for english, polish in _REMARKS:
            text = text.replace(english, polish)
        return names, text


class Command(click.Command):
    """A command with help in both languages.

    Args:
        pl: the help in Polish; the English one is the function's docstring.
    """

    def __init__(self, *arguments: Any, pl: str = "", **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.pl = pl

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the usage line."""
        _write_usage(self, ctx, formatter)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the command does."""
        _write_text(self.pl, self.help, ctx, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options."""
        _write_options(self, ctx, formatter)


class Group(click.Group):
    """A group of commands with help in both languages.

    Args:
        pl: the help in Polish.
    """

    command_class = Command

    def __init__(self, *arguments: Any, pl: str = "", **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.pl = pl

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the usage line."""
        _write_usage(self, ctx, formatter)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the group is for."""
        _write_text(self.pl, self.help, ctx, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options and the commands."""
        _write_options(self, ctx, formatter)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with the first sentence of each."""
        rows = []
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                polish = screen_language(ctx) != "en"
                text = (getattr(command, "pl", "") if polish else "") or command.help or ""
                rows.append((name, inspect.cleandoc(text).partition("\n\n")[0].replace("\n", " ")))
        if rows:
            with formatter.section(_heading("Commands", ctx)):
                formatter.write_dl(rows)


def option(*names: str, pl: str, en: str, **attributes: Any) -> Callable[[_Decorated], _Decorated]:
    """An option of a command, with its help in both languages; the rest goes to click."""
    return click.option(*names, cls=Option, pl=pl, help=en, **attributes)


def _heading(name: str, ctx: click.Context) -> str:
    return name if screen_language(ctx) == "en" else _HEADINGS[name]


def _write_usage(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    pieces = " ".join(command.collect_usage_pieces(ctx))
    if screen_language(ctx) == "en":
        formatter.write_usage(ctx.command_path, pieces)
        return
    pieces = pieces.replace("[OPTIONS]", "[OPCJE]").replace("COMMAND [ARGS]", "POLECENIE [ARGUMENTY]")
    formatter.write_usage(ctx.command_path, pieces, prefix="Użycie: ")


def _write_text(pl: str, en: str | None, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    text = inspect.cleandoc((en if screen_language(ctx) == "en" else pl or en) or "")
    if text:
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(text)


def _write_options(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    records = [
        record
        for parameter in command.get_params(ctx)
        if not isinstance(parameter, click.Argument) and (record := parameter.get_help_record(ctx))
    ]
    if screen_language(ctx) != "en":
        records = [(names, _HELP_OF_CLICK.get(text, text)) for names, text in records]
    if records:
        with formatter.section(_heading("Options", ctx)):
            formatter.write_dl(records)
