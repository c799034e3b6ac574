"""The pages about texts name everything that a merchant's file may say, and their example is accepted."""

from __future__ import annotations

import re
import tomllib

import pytest

from connector_app.store.models import MailState
from connector_app.texts import parse
from connector_app.texts.templates import SLOTS
from tests.conftest import ROOT


@pytest.mark.parametrize("page", ["texts.md", "texts.pl.md"])
def test_the_page_is_complete_and_its_example_works(page: str) -> None:
    """Readers, occasions with their markers, placeholders, states of an e-mail."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    for slot in SLOTS:
        assert f"`{slot.reader.value}`" in text
        row = next(line for line in text.splitlines() if line.startswith(f"| `{slot.occasion.value}` |"))
        assert not slot.marker or f"`{{{slot.marker}}}`" in row
        assert all(f"`{{{name}}}`" in text for name in slot.placeholders)
    assert all(f"| `{state.value}` |" in text for state in MailState)
    (example,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert set(parse(tomllib.loads(example))) == {"buyer.accepted", "mail_subject.accepted"}
