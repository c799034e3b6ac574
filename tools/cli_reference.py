"""Write docs/cli.md and docs/cli.pl.md from the program itself: ``python -m tools.cli_reference``.

A test compares the files with what this makes, so the reference cannot say anything that is not so.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import click

from connector_app.commands.root import root

DOCS = Path(__file__).resolve().parent.parent / "docs"

_HEAD = {
    "en": """# Commands

Made by `make docs` from the program's own help; a test keeps it true. Polski: [cli.pl.md](cli.pl.md).

An installation lives in `KSEF_CONNECTOR_HOME` (default: the user's data folder, on Linux
`~/.local/share/ksef-connector`). Answers are Polish; `--lang en` before the command or
`KSEF_CONNECTOR_LANG=en` makes them English. Answers go to standard output, everything else to the error
stream; `--json` gives answers for scripts.

| exit code | meaning |
| --- | --- |
| 0 | done |
| 1 | it could not be done: network, files, something is broken or unfinished |
| 2 | the input cannot be used, or a person has to decide; nothing was sent |
| 130 | interrupted (Ctrl-C); nothing is lost |

| variable | meaning |
| --- | --- |
| `KSEF_CONNECTOR_HOME` | folder of the installation |
| `KSEF_CONNECTOR_LANG` | `pl` or `en` |
| `KSEF_CONNECTOR_DEBUG` | any value: show the traceback of an error of the program itself |
| `KSEF_CONNECTOR_TOKENS_END` | last day on which KSeF tokens sign in, if the law changes |
| `KSEF_CONNECTOR_PUBLIC_URL` | https address of this program for shops and buyers, see `serve --public-url` |
| `KSEF_CONNECTOR_PROXIES` | how many reverse proxies stand before it, see [security.md](security.md) |
| `KSEF_CONNECTOR_HSTS` | `1`: tell browsers to come by https only |
| `KSEF_CONNECTOR_METRICS_TOKEN` | bearer token of `/metrics`; without one it is for this machine only |
| `KSEF_CONNECTOR_LOG` | log of `serve`: `text` or `json`, see [monitoring.md](monitoring.md) |
| `KSEF_CONNECTOR_LOG_LEVEL` | its least level: `debug`, `info`, `warning`, `error` |
| `KSEF_CONNECTOR_PRIVATE_ADDRESSES` | `1`: shops and hooks named in the browser may be in the local network |
| `KSEF_SCHEMA_DIR` | folder with the Ministry's XSD files, to check with those instead of the program's own |
| `KSEF_UPO_CERTIFICATES` | certificates (file or folder) that may sign UPOs; without it any may |
| `DATABASE_URL` | another database than SQLite in the installation's folder (not tried beyond SQLite yet) |
""",
    "pl": """# Polecenia

Powstaje przez `make docs` z pomocy samego programu; test pilnuje zgodności. English: [cli.md](cli.md).

Instalacja leży w `KSEF_CONNECTOR_HOME` (bez tej zmiennej: w folderze danych użytkownika, w Linuksie
`~/.local/share/ksef-connector`). Odpowiedzi są po polsku; `--lang en` przed poleceniem albo
`KSEF_CONNECTOR_LANG=en` zmienia je na angielskie. Odpowiedzi idą na wyjście standardowe, reszta na wyjście
błędów; `--json` daje odpowiedzi dla skryptów.

| kod wyjścia | znaczenie |
| --- | --- |
| 0 | zrobione |
| 1 | nie dało się: sieć, pliki, coś nie działa albo nie jest skończone |
| 2 | danych nie da się użyć albo decyzja należy do człowieka; niczego nie wysłano |
| 130 | przerwano (Ctrl-C); nic nie zginęło |

| zmienna | znaczenie |
| --- | --- |
| `KSEF_CONNECTOR_HOME` | folder instalacji |
| `KSEF_CONNECTOR_LANG` | `pl` albo `en` |
| `KSEF_CONNECTOR_DEBUG` | dowolna wartość: pokaż szczegóły błędu samego programu |
| `KSEF_CONNECTOR_TOKENS_END` | ostatni dzień logowania tokenem KSeF, gdyby zmieniło się prawo |
| `KSEF_CONNECTOR_PUBLIC_URL` | adres https tego programu dla sklepów i nabywców, zob. `serve --public-url` |
| `KSEF_CONNECTOR_PROXIES` | liczba odwrotnych proxy przed aplikacją, zob. [security.pl.md](security.pl.md) |
| `KSEF_CONNECTOR_HSTS` | `1`: każ przeglądarkom przychodzić tylko przez https |
| `KSEF_CONNECTOR_METRICS_TOKEN` | token adresu `/metrics`; bez niego odpowiada on tylko temu komputerowi |
| `KSEF_CONNECTOR_LOG` | dziennik `serve`: `text` albo `json`, zob. [monitoring.pl.md](monitoring.pl.md) |
| `KSEF_CONNECTOR_LOG_LEVEL` | jego najniższy poziom: `debug`, `info`, `warning`, `error` |
| `KSEF_CONNECTOR_PRIVATE_ADDRESSES` | `1`: sklepy i powiadomienia mogą mieć adresy w sieci lokalnej |
| `KSEF_SCHEMA_DIR` | folder z plikami XSD Ministerstwa, aby sprawdzać nimi zamiast schematami programu |
| `KSEF_UPO_CERTIFICATES` | certyfikaty (plik lub folder), którymi wolno podpisać UPO; bez tego każdym |
| `DATABASE_URL` | inna baza niż SQLite w folderze instalacji (poza SQLite jeszcze nie sprawdzana) |
""",
}
_COLUMNS = {"en": "| option or argument | meaning |", "pl": "| opcja lub argument | znaczenie |"}
_WORDS = {"en": ("default", "required"), "pl": ("domyślnie", "wymagane")}


def reference(language: str) -> str:
    """The whole document.

    Args:
        language: ``pl`` or ``en``.
    """
    parts = [_HEAD[language]]
    for path, command in _leaves(root, ()):
        text = getattr(command, "pl", "") if language == "pl" else ""
        parts.append(f"### `ksef-connector {' '.join(path)}`\n")
        parts.append(inspect.cleandoc(text or command.help or "") + "\n")
        rows = [_row(parameter, command, language) for parameter in command.params]
        if rows:
            parts.append("\n".join([_COLUMNS[language], "| --- | --- |", *rows]) + "\n")
    return "\n".join(parts)


def _leaves(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        if found is not None:
            yield from _leaves(found, (*path, name))


def _row(parameter: click.Parameter, command: click.Command, language: str) -> str:
    context = click.Context(command)
    if not isinstance(parameter, click.Option):
        return f"| `{parameter.make_metavar(context)}` | |"
    default, required = _WORDS[language]
    names = ", ".join(f"`{name}`" for name in sorted(parameter.opts, key=len, reverse=True))
    value = "" if parameter.is_flag else f" `{parameter.make_metavar(context)}`".replace("|", "\\|")
    help_text = (getattr(parameter, "pl", "") if language == "pl" else "") or parameter.help or ""
    shown = parameter.show_default
    if parameter.required:
        help_text += f" ({required})"
    elif isinstance(shown, str):
        help_text += f" ({default}: {shown})"
    elif shown:
        help_text += f" ({default}: {parameter.default})"
    return f"| {names}{value} | {help_text.strip()} |"


def main() -> None:
    """Write both files."""
    DOCS.joinpath("cli.md").write_text(reference("en"), "utf-8")
    DOCS.joinpath("cli.pl.md").write_text(reference("pl"), "utf-8")


if __name__ == "__main__":
    main()
