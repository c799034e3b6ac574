"""The interface put together: every operation, its document and its page for people."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, render_template, url_for

from connector_app.web.api import documents, events, hooks, orders, uploads
from connector_app.web.api.openapi import ABOUT, TAGS, document
from connector_app.web.api.operation import OPERATIONS, PREFIX, Operation
from connector_app.web.api.problems import MEANINGS
from connector_app.web.api.serving import blueprint
from connector_app.web.api.typed import NO_CONTROLS, Schema
from connector_app.web.language import language

_GROUPS = (documents, events, hooks, orders, uploads)
"""Modules whose operations are registered when they are loaded."""

api = blueprint()


@api.get("/openapi.json")
def openapi_json() -> Response:
    """The OpenAPI document; it tells nothing of the installation, so it needs no token."""
    return jsonify(document(language()))


@api.get("/docs")
def docs() -> str:
    """The document as a page."""
    whole = document(language())
    groups = [
        {
            "name": tag,
            "says": says,
            "operations": [_shown(one, whole) for one in OPERATIONS if one.tag == tag],
        }
        for tag, says in TAGS.items()
    ]
    return render_template(
        "api/docs.html",
        about=ABOUT,
        groups=groups,
        schemas={name: _rows(one) for name, one in whole["components"]["schemas"].items()},
        problems=MEANINGS,
        prefix=PREFIX,
        document_url=url_for("api.openapi_json"),
    )


def _shown(one: Operation, whole: dict[str, Any]) -> dict[str, Any]:
    described = whole["paths"][f"{PREFIX}{one.path}"][one.method.lower()]
    body = described.get("requestBody", {}).get("content", {})
    answers = [
        {
            "status": status,
            "says": said["description"],
            "types": [
                _type(found.get("schema", {})) or media for media, found in said.get("content", {}).items()
            ],
        }
        for status, said in described["responses"].items()
    ]
    return {
        "name": one.name,
        "method": one.method,
        "path": one.path,
        "says": described["summary"],
        "writes": one.writes,
        "parameters": [
            {**given, "type": _type(given["schema"]), "rules": _rules(given["schema"])}
            for given in described["parameters"]
        ],
        "body": next(((media, _type(found["schema"])) for media, found in body.items()), None),
        "answers": answers,
    }


def _rows(schema: Schema) -> dict[str, Any]:
    needed = schema.get("required", [])
    return {
        "about": schema.get("description", ""),
        "enum": schema.get("enum", []),
        "rows": [
            {
                "name": name,
                "type": _type(one),
                "rules": _rules(one),
                "needed": name in needed,
                "about": one.get("description", ""),
            }
            for name, one in schema.get("properties", {}).items()
        ],
    }


def _type(schema: Schema) -> str:
    """A type in a few letters, such as ``[DocumentItem]`` or ``string (date) | null``."""
    if "anyOf" in schema:
        return " | ".join(_type(one) for one in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[1]
    if schema.get("type") == "array":
        return f"[{_type(schema['items'])}]"
    shown = str(schema.get("type", ""))
    return f"{shown} ({schema['format']})" if "format" in schema else shown


def _rules(schema: Schema) -> str:
    inner = schema["anyOf"][0] if "anyOf" in schema else schema
    named = {
        "minimum": "≥",
        "maximum": "≤",
        "maxLength": "≤ znaków",
        "minItems": "≥ elementów",
        "pattern": "",
        "default": "=",
    }
    if language() == "en":
        named |= {"maxLength": "≤ characters", "minItems": "≥ items"}
    found = []
    for key, sign in named.items():
        value = inner.get(key, schema.get(key))
        # what only keeps nonsense out is for programs, in the document itself
        if value is None or value == NO_CONTROLS or (key == "maximum" and value > 10**9):
            continue
        mark, _, unit = sign.partition(" ")
        found.append(f"{mark} {value} {unit}".strip())
    return ", ".join(found)
