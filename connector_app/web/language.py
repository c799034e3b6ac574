"""The screen language of a request: the person's choice, else the browser's, else Polish."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Flask, g, has_request_context, redirect, request, session
from flask_babel import Babel
from flask_babel.speaklater import LazyString
from flask_login import current_user
from werkzeug.wrappers import Response

from connector_app.store.people import User
from connector_app.web.here import here
from connector_app.web.safety import safe_next
from core.findings import Text

LANGUAGES = {"pl": "Polski", "en": "English"}
_CHOICE = "language"


def language() -> str:
    """``pl`` or ``en``, for this request."""
    if not has_request_context():
        return "pl"
    if "language" not in g:
        g.language = _find()
    return str(g.language)


def remember(code: str) -> None:
    """Keep a language for this browser's next pages."""
    session[_CHOICE] = code


def _find() -> str:
    chosen = request.args.get("lang") or session.get(_CHOICE)
    if chosen in LANGUAGES:
        return str(chosen)
    if current_user and current_user.is_authenticated:
        return str(current_user.language)
    return request.accept_languages.best_match(list(LANGUAGES), "pl")


def t(pl: str, en: str) -> str:
    """One of two texts, by the language of the request."""
    return en if language() == "en" else pl


def lazy(pl: str, en: str) -> Any:
    """A text that is chosen when it is shown, for labels of forms."""
    return LazyString(t, pl, en)


def say(text: Text | Mapping[str, str] | str | None) -> str:
    """A stored sentence in the language of the request.

    Args:
        text: a :class:`Text`, its JSON values, or the JSON text of
            :func:`~connector_app.pipeline.services.dump_text`.
    """
    if not text:
        return ""
    if isinstance(text, Text):
        return text.in_language(language())
    values = json.loads(text) if isinstance(text, str) else text
    return str(values.get(language()) or values.get("pl") or "")


def add_language(app: Flask) -> None:
    """Formats by the language, and the switch."""
    Babel(app, locale_selector=language, default_timezone="Europe/Warsaw", default_locale="pl")
    app.jinja_env.globals.update(t=t, language=language, LANGUAGES=LANGUAGES)
    app.jinja_env.filters["say"] = say

    @app.post("/language/<code>")
    def switch(code: str) -> Response:
        if code in LANGUAGES:
            remember(code)
            if current_user.is_authenticated:
                with here().services.database.begin() as database:
                    database.get_one(User, current_user.id).language = code
        return redirect(safe_next(request.form.get("next")))
