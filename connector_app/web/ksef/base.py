"""What this feature's pages share."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, url_for

from connector_app.web.flow import in_setup

ksef = Blueprint("ksef", __name__, template_folder="templates")


def onward(endpoint: str, **values: Any) -> str:
    """An address of this feature that stays in the guided setup."""
    return url_for(endpoint, **(values | {"setup": 1} if in_setup() else values))
