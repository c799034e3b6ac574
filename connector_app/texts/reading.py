"""A merchant's file of texts, and the texts in force of a store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector_app.texts.defaults import own_texts
from connector_app.texts.templates import SLOTS, Occasion, Slot, faults
from core.findings import Text

LANGUAGES = ("pl", "en")


class BadTexts(ValueError):
    """A file of texts that cannot be used.

    Attributes:
        faults: one sentence per fault, each naming its entry.
    """

    def __init__(self, found: list[Text]) -> None:
        super().__init__("\n".join(one.en for one in found))
        self.faults = tuple(found)


def parse(values: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Check a file of texts.

    Args:
        values: the TOML file: ``[reader.occasion]`` with ``pl`` and ``en``; each may be left out.

    Returns:
        Slot name to language to template, ready to be stored.

    Raises:
        BadTexts: with every fault.
    """
    found: list[Text] = []
    kept: dict[str, dict[str, str]] = {}
    slots = {slot.name: slot for slot in SLOTS}
    for name, entries in _tables(values, found):
        slot = slots.get(name)
        if slot is None:
            found.append(_unknown_slot(name))
            continue
        for language, template in entries.items():
            where = f"[{name}] {language}"
            if language not in LANGUAGES or not isinstance(template, str):
                found.append(
                    Text(
                        f"{where}: tu stoją tylko teksty pl i en",
                        f"{where}: only the texts pl and en stand here",
                    )
                )
                continue
            text = template.replace("\r\n", "\n")
            wrong = faults(slot, text)
            found += [Text(f"{where}: {one.pl}", f"{where}: {one.en}") for one in wrong]
            kept.setdefault(name, {})[language] = text
    if found:
        raise BadTexts(found)
    return kept


def _tables(values: Mapping[str, Any], found: list[Text]) -> list[tuple[str, Mapping[str, Any]]]:
    tables = []
    for reader, occasions in values.items():
        if not isinstance(occasions, Mapping):
            found.append(Text(f"{reader}: to musi być tabela", f"{reader}: must be a table"))
            continue
        for occasion, entries in occasions.items():
            name = f"{reader}.{occasion}"
            if isinstance(entries, Mapping):
                tables.append((name, entries))
            else:
                found.append(Text(f"{name}: to musi być tabela", f"{name}: must be a table"))
    return tables


def _unknown_slot(name: str) -> Text:
    if name.endswith(f".{Occasion.REJECTED.value}"):
        return Text(
            f"[{name}]: o odrzuceniu dowiaduje się tylko sprzedawca, nigdy nabywca",
            f"[{name}]: only the merchant is told of a rejection, never a buyer",
        )
    known = ", ".join(slot.name for slot in SLOTS)
    return Text(f"[{name}]: nie ma takiego tekstu; są: {known}", f"[{name}]: unknown; there are: {known}")


def effective(stored: Mapping[str, Any] | None, slot: Slot, language: str) -> str:
    """The template in force: the merchant's own, else the program's.

    Args:
        stored: the store's texts as :func:`parse` gave them.
        slot: which text.
        language: ``pl`` or ``en``.
    """
    language = "en" if language == "en" else "pl"
    own = (stored or {}).get(slot.name, {}).get(language)
    return str(own if own is not None else own_texts()[slot.reader.value][slot.occasion.value][language])
