"""Help: every command and option explains itself in both languages, and docs/cli.md says the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import click
import pytest

from connector_app.commands.bilingual import Option, usage_text
from connector_app.commands.root import root
from connector_app.renewals import Held, HeldKind, notices
from core.ksef.errors import SignInNeeded
from core.ksef.explanations import CodeKind, explain, known_codes
from tests.cli.conftest import Run
from tests.conftest import ROOT
from tools.cli_reference import reference


def _commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    yield " ".join(path), command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from _commands(found, (*path, name))


COMMANDS = dict(_commands(root))


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_and_option_has_help(path: str) -> None:
    """No command and no option comes without a sentence; those of this program in Polish too."""
    command = COMMANDS[path]
    assert command.help
    assert getattr(command, "pl", "")
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.name != "version":
            assert parameter.help, f"{path} {parameter.opts}"
        if isinstance(parameter, Option):
            assert parameter.pl, f"{path} {parameter.opts}"


@pytest.mark.parametrize("path", COMMANDS)
@pytest.mark.parametrize(("lang", "word"), [("pl", "Użycie:"), ("en", "Usage:")])
def test_help_is_shown_in_both_languages(run: Run, path: str, lang: str, word: str) -> None:
    """--help works on every command, in Polish and in English."""
    result = run(*path.split(), "--help", lang=lang)
    assert result.exit_code == 0
    assert result.output.startswith(word)
    assert ("Opcje:" in result.output) == (lang == "pl")


@pytest.mark.parametrize(("name", "language"), [("cli.md", "en"), ("cli.pl.md", "pl")])
def test_the_reference_is_what_the_program_says(name: str, language: str) -> None:
    """docs/cli.md and docs/cli.pl.md are what ``make docs`` makes of the program as it is."""
    assert (ROOT / "docs" / name).read_text("utf-8") == reference(language), "run: make docs"


def test_documents_name_existing_commands_only() -> None:
    """Every `ksef-connector ...` in README and docs starts an existing command with existing options."""
    files = [*ROOT.glob("README*.md"), *(ROOT / "docs").glob("*.md")]
    seen = 0
    for file in files:
        for line in _calls(file):
            words = line.split()
            path = next((" ".join(words[:n]) for n in (3, 2, 1) if " ".join(words[:n]) in COMMANDS), None)
            assert path, f"{file.name}: {line}"
            options = {name for one in COMMANDS[path].params for name in one.opts}
            used = {word.split("=")[0] for word in words if word.startswith("--")}
            assert used <= options | {"--help"}, f"{file.name}: {line}"
            seen += 1
    assert seen > 20


def test_hints_name_existing_commands_only() -> None:
    """Every command that an explanation of KSeF's codes or of an ending leads to exists."""
    hints = [explain(code, kind).action for kind in CodeKind for code in known_codes(kind)]
    hints += [SignInNeeded("x").hint]
    day = date(2026, 12, 31)
    hints += [one.hint for kind in HeldKind for one in notices([Held("5265877635", kind)], day)]
    words = [text for hint in hints for text in (hint.pl, hint.en)]
    named = {found for text in words for found in re.findall(r"ksef-connector ([a-z]+ [a-z]+)", text)}
    assert len(named) >= 5
    assert named <= COMMANDS.keys()


def _calls(file: Path) -> list[str]:
    text = file.read_text("utf-8").replace("\\\n", " ")
    return re.findall(
        r"ksef-connector(?: --lang en)? ((?:[a-z][a-z-]* )*[a-z][a-z-]*(?: [^`\n|]*)?)", _code(text)
    )


def _code(text: str) -> str:
    blocks = re.findall(r"^```.*?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return "\n".join(
        [*blocks, *re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))]
    )


@pytest.mark.parametrize(
    "file", [*ROOT.glob("README*.md"), *(ROOT / "docs").glob("*.md")], ids=lambda one: one.name
)
def test_links_in_documents_lead_somewhere(file: Path) -> None:
    """Each relative link and picture of a document exists."""
    for target in re.findall(r"\]\(([^)#]+)", file.read_text("utf-8")):
        if not target.startswith("http"):
            assert (file.parent / target).exists(), target


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["dokumenty"], "Nie ma polecenia 'dokumenty'. Może chodziło o 'documents'?"),
        (["documents", "lst"], "Nie ma polecenia 'lst'. Może chodziło o 'list'?"),
        (["documents", "list", "--limt", "3"], "Nie ma opcji '--limt'. Może chodziło o '--limit'?"),
        (
            ["documents", "list", "--limit", "x"],
            "Nieprawidłowa wartość dla '--limit': 'x' nie jest liczbą całkowitą.",
        ),
        (["documents", "list", "--limit", "-1"], "-1 nie mieści się w przedziale 0<=x<=1000000."),
        (["documents", "list", "--limit"], "Opcja '--limit' wymaga wartości."),
        (["documents", "list", "--state", "x"], "'x' nie jest jednym z: 'waiting', 'ready'"),
        (["documents", "show"], "Brakuje argumentu 'ID'."),
        (["documents", "show", "9" * 30], "nie mieści się w przedziale"),
        (["store", "add", "s"], "Brakuje opcji '--seller'."),
        (["demo", "more"], "Nieoczekiwane argumenty: more"),
        (["documents", "list", "--json=1"], "Opcja '--json' nie przyjmuje wartości."),
    ],
)
def test_usage_errors_are_polish_and_point_to_help(run: Run, words: list[str], sentence: str) -> None:
    """A wrong word gives one Polish sentence, the way to the help, and exit code 2."""
    result = run(*words)
    assert result.exit_code == 2
    assert sentence in result.output
    assert "--help" in result.output


def test_usage_errors_stay_english_on_request(run: Run) -> None:
    """With --lang en the sentence is click's own."""
    result = run("documents", "list", "--limit", "x", lang="en")
    assert result.exit_code == 2
    assert "Invalid value for '--limit': 'x' is not a valid integer range." in result.output


def test_an_unknown_sentence_is_passed_through() -> None:
    """What the table does not know is shown as it came, not lost."""
    assert usage_text("Something new.", "pl") == "Something new."


def test_version_and_bare_call(run: Run) -> None:
    """--version prints the number alone; without a command the way to the help and exit code 2."""
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", run("--version").output)
    bare = run()
    assert bare.exit_code == 2
    assert bare.output.endswith("✗ Brakuje polecenia.\n  → ksef-connector --help\n")
