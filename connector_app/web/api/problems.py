"""Errors of the interface: one shape (RFC 9457), stable codes, both languages."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum

from flask import Response, request

from connector_app.web.api.typed import Fault, told, write
from core.findings import Text

MEDIA = "application/problem+json"


class Code(StrEnum):
    """What went wrong; programs branch on this."""

    INVALID_REQUEST = "invalid-request"
    INVALID_CURSOR = "invalid-cursor"
    UNAUTHORIZED = "unauthorized"
    READ_ONLY = "read-only-token"
    NOT_FOUND = "not-found"
    NO_FILE = "no-such-file"
    METHOD = "method-not-allowed"
    NOTHING_TO_RETRY = "nothing-to-retry"
    NOTHING_TO_CLOSE = "nothing-to-close"
    NOTHING_TO_ISSUE = "nothing-to-issue"
    HOOK_OFF = "hook-is-off"
    TOO_MANY_HOOKS = "too-many-hooks"
    IN_PROGRESS = "request-in-progress"
    TOO_LARGE = "too-large"
    MEDIA_TYPE = "unsupported-media-type"
    KEY_REUSED = "idempotency-key-reused"
    ADDRESS = "forbidden-address"
    REFUSED = "document-refused"
    TOO_MANY = "too-many-requests"
    INTERNAL = "internal-error"
    DAMAGED = "damaged-file"
    DATABASE = "database-unavailable"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code means.

    Attributes:
        status: HTTP. title: in English, never changes. text: for people.
    """

    status: int
    title: str
    text: Text


MEANINGS = {
    Code.INVALID_REQUEST: Meaning(
        400,
        "Invalid request",
        Text(
            "Parametry albo treść zapytania są nieprawidłowe; zobacz errors.",
            "Parameters or the body are wrong; see errors.",
        ),
    ),
    Code.INVALID_CURSOR: Meaning(
        400,
        "Invalid cursor",
        Text(
            "Kursor pochodzi z innego zapytania albo jest uszkodzony. Zacznij od pierwszej strony.",
            "The cursor belongs to another query or is damaged. Begin with the first page.",
        ),
    ),
    Code.UNAUTHORIZED: Meaning(
        401,
        "Unauthorized",
        Text(
            "Podaj ważny token w nagłówku Authorization: Bearer. Token tworzy właściciel w ustawieniach.",
            "Give a valid token in the header Authorization: Bearer. Owners make tokens in the settings.",
        ),
    ),
    Code.READ_ONLY: Meaning(
        403,
        "Read-only token",
        Text("Ten token służy tylko do odczytu.", "This token is for reading only."),
    ),
    Code.NOT_FOUND: Meaning(404, "Not found", Text("Tego tu nie ma.", "There is no such thing here.")),
    Code.NO_FILE: Meaning(
        404,
        "No such file",
        Text(
            "Dokument nie ma jeszcze tego pliku.",
            "The document does not have this file yet.",
        ),
    ),
    Code.METHOD: Meaning(
        405,
        "Method not allowed",
        Text("Tego adresu używa się inną metodą.", "This address takes another method."),
    ),
    Code.NOTHING_TO_RETRY: Meaning(
        409,
        "Nothing to retry",
        Text(
            "W tym stanie nie ma czego ponowić albo ta zmiana wymaga ręcznej korekty.",
            "There is nothing to retry in this state, or the change needs a correction by hand.",
        ),
    ),
    Code.NOTHING_TO_CLOSE: Meaning(
        409,
        "Nothing to close",
        Text(
            "Zamyka się tylko korektę, która wymaga decyzji albo którą KSeF odrzucił.",
            "Only a correction that needs a person or was refused by KSeF can be closed.",
        ),
    ),
    Code.NOTHING_TO_ISSUE: Meaning(
        409,
        "Nothing to issue",
        Text(
            "Dokument nie czeka na wystawienie.",
            "The document does not wait to be issued.",
        ),
    ),
    Code.HOOK_OFF: Meaning(
        409, "Hook is off", Text("Ten webhook jest wyłączony.", "This hook is switched off.")
    ),
    Code.TOO_MANY_HOOKS: Meaning(
        409,
        "Too many hooks",
        Text("Sprzedawca ma już najwięcej webhooków.", "The seller has the most hooks already."),
    ),
    Code.IN_PROGRESS: Meaning(
        409,
        "Request in progress",
        Text(
            "Zapytanie z tym Idempotency-Key jest w toku. Powtórz za chwilę.",
            "A request with this Idempotency-Key is at work. Repeat in a moment.",
        ),
    ),
    Code.TOO_LARGE: Meaning(413, "Too large", Text("To jest za duże.", "This is too large.")),
    Code.MEDIA_TYPE: Meaning(
        415,
        "Unsupported media type",
        Text("Treść ma niewłaściwy Content-Type.", "The body has the wrong Content-Type."),
    ),
    Code.KEY_REUSED: Meaning(
        422,
        "Idempotency-Key reused",
        Text(
            "Z tym Idempotency-Key przyszło już inne zapytanie.",
            "Another request came with this Idempotency-Key before.",
        ),
    ),
    Code.ADDRESS: Meaning(
        422,
        "Forbidden address",
        Text("Pod ten adres nic nie zostanie wysłane.", "Nothing is sent to this address."),
    ),
    Code.REFUSED: Meaning(
        422,
        "Document refused",
        Text("Tego dokumentu nie można przyjąć; zobacz errors.", "The document cannot be taken; see errors."),
    ),
    Code.TOO_MANY: Meaning(
        429,
        "Too many requests",
        Text("Za dużo zapytań. Odczekaj (Retry-After).", "Too many requests. Wait (Retry-After)."),
    ),
    Code.INTERNAL: Meaning(
        500,
        "Internal error",
        Text("Błąd programu; szczegóły są w dzienniku.", "The program failed; its log has details."),
    ),
    Code.DAMAGED: Meaning(
        500,
        "Damaged file",
        Text(
            "Plik różni się od swojego skrótu. Przywróć bazę z kopii zapasowej albo pobierz plik z KSeF "
            "(verify-archive --repair).",
            "The file differs from its hash. Restore the database from a backup, or fetch the file from KSeF "
            "(verify-archive --repair).",
        ),
    ),
    Code.DATABASE: Meaning(
        503,
        "Database unavailable",
        Text("Baza danych jest niedostępna.", "The database cannot be used."),
    ),
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one value."""

    field: str = told("Nazwa pola albo parametru.", "Name of the field or parameter.")
    message: Text = told("W obu językach.", "In both languages.")


@dataclass(frozen=True, slots=True)
class Problem:
    """An error (RFC 9457)."""

    type: str = told("Adres opisu błędu.", "Address of the error's description.")
    title: str = told("Nazwa, niezmienna.", "Its name, which never changes.")
    status: int = told("Status HTTP.", "HTTP status.")
    code: Code = told("Stały kod, do użycia w programie.", "Stable code, for programs.")
    detail: str = told("Opis w języku Accept-Language.", "Description in the language of Accept-Language.")
    message: Text = told("Opis w obu językach.", "Description in both languages.")
    errors: list[FieldError] = told("Co jest nie tak z polami.", "What is wrong with fields.")


class Refusal(Exception):
    """An operation that is answered with a problem.

    Attributes:
        code: see :class:`Code`. faults: of fields. text: instead of the code's own words.
    """

    def __init__(self, code: Code, faults: list[Fault] | None = None, text: Text | None = None) -> None:
        super().__init__(code.value)
        self.code, self.faults, self.text = code, faults or [], text


def answer(code: Code, faults: list[Fault] | None = None, text: Text | None = None) -> Response:
    """The answer of a problem."""
    meaning = MEANINGS[code]
    said = text or meaning.text
    language = request.accept_languages.best_match(["pl", "en"], "pl")
    problem = Problem(
        type=f"/api/v1/docs#{code.value}",
        title=meaning.title,
        status=meaning.status,
        code=code,
        detail=said.in_language(language or "pl"),
        message=said,
        errors=[FieldError(one.field, one.message) for one in faults or []],
    )
    body = json.dumps(write(problem), ensure_ascii=False)
    made = Response(body, status=meaning.status, content_type=MEDIA)
    if meaning.status == 401:
        made.headers["WWW-Authenticate"] = 'Bearer realm="KSeF Shop Connector"'
    return made


BY_STATUS = {
    400: Code.INVALID_REQUEST,
    404: Code.NOT_FOUND,
    405: Code.METHOD,
    413: Code.TOO_LARGE,
    415: Code.MEDIA_TYPE,
    429: Code.TOO_MANY,
    500: Code.INTERNAL,
}
"""Codes of errors that the framework finds."""
