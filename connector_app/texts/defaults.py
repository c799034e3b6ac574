"""The program's own texts, in Polish and English: ``defaults.toml``, checked like a merchant's file."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def own_texts() -> dict[str, Any]:
    """Reader to occasion to language to template, as the file has them."""
    return tomllib.loads(files("connector_app.texts").joinpath("defaults.toml").read_text("utf-8"))
