"""Changing one text of a store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector_app.texts.reading import LANGUAGES, effective
from connector_app.texts.templates import Slot, faults
from core.findings import Text


def slot_faults(slot: Slot, templates: Mapping[str, str]) -> dict[str, list[Text]]:
    """What is wrong with the templates of a slot, by language; languages without faults are left out."""
    found = {one: faults(slot, tidy(templates[one])) for one in LANGUAGES}
    return {language: wrong for language, wrong in found.items() if wrong}


def with_templates(
    stored: Mapping[str, Any] | None, slot: Slot, templates: Mapping[str, str]
) -> dict[str, Any] | None:
    """A store's texts with other templates of one slot.

    Args:
        stored: the store's own texts.
        slot: which text.
        templates: by language, without faults; what says the same as the program's text is not kept.

    Returns:
        What to store; ``None`` when nothing of the store's own is left.
    """
    own = {
        language: tidy(template)
        for language, template in templates.items()
        if tidy(template).strip("\n") != effective(None, slot, language).strip("\n")
    }
    return _without(stored, slot) | {slot.name: own} if own else without_slot(stored, slot)


def without_slot(stored: Mapping[str, Any] | None, slot: Slot) -> dict[str, Any] | None:
    """A store's texts with the program's own in one slot; ``None`` when nothing else is left."""
    return _without(stored, slot) or None


def _without(stored: Mapping[str, Any] | None, slot: Slot) -> dict[str, Any]:
    return {name: values for name, values in (stored or {}).items() if name != slot.name}


def tidy(template: str) -> str:
    """A template as a browser sends it, with plain line ends and nothing invisible around."""
    return template.replace("\r\n", "\n").strip("\n")
