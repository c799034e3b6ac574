"""Where a saved form leads: settings pages serve the guided setup too, marked by ``?setup=1``."""

from __future__ import annotations

from typing import Any

from flask import current_app, request, url_for


def in_setup() -> bool:
    """Whether this page is a step of the guided setup now."""
    return request.args.get("setup") == "1" and "setup.page" in current_app.view_functions


def kept_setup() -> dict[str, Any]:
    """What an address has to carry so that the page stays a step of the setup."""
    return {"setup": "1"} if in_setup() else {}


def after_save(default: str, nip: str) -> str:
    """The address to go on to after a form was saved.

    Args:
        default: outside the setup.
        nip: of the seller that is set up.
    """
    return url_for("setup.page", nip=nip) if in_setup() else default
