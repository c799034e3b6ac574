"""The OpenAPI document says what the application does: no route is missing, no answer is another."""

from __future__ import annotations

import re
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from openapi_spec_validator import validate
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from connector_app.web.api.openapi import document
from connector_app.web.api.operation import OPERATIONS
from tests.web.api.conftest import Machine
from tests.web.site import Site

_EXAMPLES = 12
_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
_KEYS = [(one.method, f"/api/v1{one.path}") for one in OPERATIONS]


@pytest.mark.parametrize("language", ["pl", "en"])
def test_the_document_is_valid_openapi(pages: Site, language: str) -> None:
    found = pages.browser().client.get(f"/api/v1/openapi.json?lang={language}").get_json()
    validate(found)
    assert found["openapi"] == "3.1.0"


def test_every_route_is_documented_and_every_documented_route_is_there(pages: Site) -> None:
    routes = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in pages.app.url_map.iter_rules()
        if rule.rule.startswith("/api/") and rule.endpoint not in {"api.docs", "api.openapi_json"}
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    documented = {
        (method.upper(), path) for path, methods in document()["paths"].items() for method in methods
    }
    assert routes == documented
    assert len(documented) > 20


def test_everything_that_is_described_is_described_in_both_languages() -> None:
    """Sentences differ, and nothing else does."""

    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: shape(one) for name, one in value.items() if name not in {"description", "summary"}}
        return [shape(one) for one in value] if isinstance(value, list) else value

    pl, en = document("pl"), document("en")
    assert shape(pl) == shape(en)
    for path, methods in en["paths"].items():
        for method, one in methods.items():
            assert one["summary"] != pl["paths"][path][method]["summary"]


def test_the_page_shows_every_operation_and_every_problem(pages: Site) -> None:
    for language in ("pl", "en"):
        page = pages.browser().get(f"/api/v1/docs?lang={language}")
        for one in OPERATIONS:
            assert f'id="{one.name}"' in page
        assert 'id="read-only-token"' in page
        assert len(page) < 150_000


@pytest.fixture(scope="module")
def schema(pages: Site) -> BaseSchema:
    """The generated document over the application itself."""
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json?lang=en", pages.app)


@pytest.mark.parametrize(("method", "path"), _KEYS)
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_generated_calls(
    schema: BaseSchema, machine: Machine, method: str, path: str, mode: GenerationMode
) -> None:
    """Whatever is sent, the answer is a documented one; wrong values never succeed."""
    described: APIOperation[Any, Any, Any, Any] = schema[path][method]
    takes = any((described.path_parameters, described.query, described.body))
    if mode is GenerationMode.NEGATIVE and not takes:
        return

    @settings(
        max_examples=_EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=described.as_strategy(generation_mode=mode))
    def call(case: Case[Any]) -> None:
        if any(
            str(value) in {"", ".", ".."} or "/" in str(value)
            for value in (case.path_parameters or {}).values()
        ):
            return  # such a value makes another address
        answer = case.call(headers={"Authorization": f"Bearer {machine.token}"})
        checks = [*_CHECKS, negative_data_rejection] if mode is GenerationMode.NEGATIVE else _CHECKS
        case.validate_response(answer, checks=checks)

    call()
