"""The OpenAPI document, made from the registered operations and their types."""

from __future__ import annotations

from functools import cache
from typing import Any

from connector_app.store.types import LARGEST_ID
from connector_app.web.api import problems
from connector_app.web.api.operation import OPERATIONS, PREFIX, Operation
from connector_app.web.api.problems import MEANINGS, Code, Problem
from connector_app.web.api.replies import HEADER, PATTERN
from connector_app.web.api.typed import Schema, schema_of, slot_schema, slots
from core.findings import Text

VERSION = "1.0.0"
TAGS = {
    "documents": Text("Faktury i korekty.", "Invoices and corrections."),
    "orders": Text("Zamówienia ze sklepów.", "Orders of the shops."),
    "events": Text("Historia dokumentów do odpytywania.", "The documents' life, for polling."),
    "hooks": Text("Powiadomienia wychodzące.", "Messages that go out by themselves."),
    "seller": Text("Sprzedawca i jego sklepy.", "The seller and its shops."),
}
ABOUT = Text(
    "REST API łącznika sklepów z KSeF. Token należy do jednego sprzedawcy i widzi tylko jego dane.",
    "REST interface of the KSeF shop connector. A token belongs to one seller and sees its data only.",
)
_REPEAT = Text(
    "Powtórzone zapytanie z tym samym kluczem dostaje tę samą odpowiedź (24 godziny).",
    "A repeated request with the same key gets the same answer (24 hours).",
)
_ID = {"type": "integer", "minimum": 1, "maximum": LARGEST_ID}


@cache
def document(language: str = "en") -> dict[str, Any]:
    """The whole document.

    Args:
        language: of descriptions, ``pl`` or ``en``.
    """
    named: dict[str, Schema] = {}
    paths: dict[str, Any] = {}
    for one in OPERATIONS:
        place = paths.setdefault(f"{PREFIX}{one.path}", {})
        place[one.method.lower()] = _operation(one, named, language)
    schema_of(Problem, named, language)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "KSeF Shop Connector",
            "version": VERSION,
            "description": ABOUT.in_language(language),
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "tags": [{"name": name, "description": says.in_language(language)} for name, says in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(named.items())),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(one: Operation, named: dict[str, Schema], language: str) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": one.name,
        "tags": [one.tag],
        "summary": one.says.in_language(language),
        "parameters": _parameters(one, named, language),
        "responses": _responses(one, named, language),
    }
    if one.body is bytes:
        described["requestBody"] = {
            "required": True,
            "content": {one.takes: {"schema": {"type": "string", "contentMediaType": one.takes}}},
        }
    elif one.body is not None:
        described["requestBody"] = {
            "required": True,
            "content": {one.takes: {"schema": schema_of(one.body, named, language)}},
        }
    return described


def _parameters(one: Operation, named: dict[str, Schema], language: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": dict(_ID)} for name in one.ids
    ]
    for slot in slots(one.query) if one.query else ():
        schema = slot_schema(slot, named, language)
        about = schema.pop("description", "")
        # in an address a parameter is left out, never null
        inner = schema.pop("anyOf")[0] if "anyOf" in schema else {}
        found.append(
            {
                "name": slot.name,
                "in": "query",
                "required": slot.needed,
                "description": about,
                "schema": inner | schema,
            }
        )
    if one.takes_key:
        found.append(
            {
                "name": HEADER,
                "in": "header",
                "required": False,
                "description": _REPEAT.in_language(language),
                "schema": {"type": "string", "pattern": PATTERN},
            }
        )
    return found


def _responses(one: Operation, named: dict[str, Schema], language: str) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "OK"}
    if isinstance(one.answer, str):
        success["content"] = {one.answer: {}}
    elif one.answer is not None:
        success["content"] = {"application/json": {"schema": schema_of(one.answer, named, language)}}
    found: dict[str, Any] = {str(one.status): success}
    by_status: dict[int, list[Code]] = {}
    for code in one.problems():
        by_status.setdefault(MEANINGS[code].status, []).append(code)
    for status, codes in sorted(by_status.items()):
        found[str(status)] = {
            "description": ", ".join(codes),
            "content": {problems.MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    return found
