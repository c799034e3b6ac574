"""The installation's public address, from an option or from the settings."""

from __future__ import annotations

from connector_app.commands.app import App, BadInput
from connector_app.settings import BadSetting, public_address


def public_address_of(app: App, given: str | None) -> str:
    """The address in force, without a trailing slash; empty when there is none.

    Args:
        app: settings and language.
        given: the option ``--public-url``.

    Raises:
        BadInput: it is no https address.
    """
    try:
        return public_address("--public-url", given) if given else app.settings.public_url
    except BadSetting as error:
        raise BadInput(error.text.in_language(app.language)) from None
