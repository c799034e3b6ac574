"""Generated calls of every operation that the sandbox serves, and its answers against the contract.

For each operation schemathesis makes a few requests that satisfy the contract and a few that break it. The
server must never fail (5xx), and answer with a status, media type, headers and body that the contract
documents for that very operation; a request whose path or body breaks the contract must not succeed. The
examples come from a seed fixed by the test's own text, so that two runs make the same calls.

Not covered: whether a right request is accepted (references, hashes and signatures are more than a schema can
say; the other tests of this folder cover that), and values of path parameters with a slash, which no address
of the contract can carry.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.parameters import ParameterLocation
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from sandbox.ksef import KsefSandbox, SandboxState, Settings
from sandbox.ksef.operation import ACCESS, OPERATION, REFRESH, Operation
from sandbox.ksef.operations import API
from tests.sandbox_ksef.conftest import Client, bearer, with_keys
from tests.sandbox_ksef.contract import Contract, ContractSession
from tests.sandbox_ksef.material import Credential

_EXAMPLES = 4
_ANSWER = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def schema(official_ksef: Path) -> BaseSchema:
    """The official contract as schemathesis reads it."""
    return schemathesis.openapi.from_path(official_ksef / "open-api.json")


@pytest.fixture(scope="module")
def tokens(key_file: Path, contract: Contract, owner: Credential) -> Iterator[tuple[str, dict[str, str]]]:
    """Address of a sandbox whose clock stands still, and one token of each kind."""
    moment = datetime.now(UTC)
    state = with_keys(
        SandboxState.open(settings=Settings(processing_seconds=0), clock=lambda: moment), key_file
    )
    with KsefSandbox(state=state) as running, ContractSession(contract, running.api_url) as http:
        client = Client(running, http, owner)
        operation = bearer(client.start()["authenticationToken"])
        refresh = client.sign_in()
        yield running.api_url, {"access": client.access, "operation": operation, "refresh": refresh}
    state.close()


def token_for(operation: Operation, tokens: dict[str, str]) -> str | None:
    """The token that an operation takes."""
    for kinds, name in ((ACCESS, "access"), (OPERATION, "operation"), (REFRESH, "refresh")):
        if operation.tokens & kinds:
            return tokens[name]
    return None


def takes_something(described: APIOperation[Any, Any, Any, Any]) -> bool:
    """Whether there is anything in a call that could be wrong."""
    return any((described.path_parameters, described.query, described.headers, described.body))


def is_wrong(case: Case[Any]) -> bool:
    """Whether a call breaks the contract in its path or its body.

    Unknown parameters of the query and unknown headers are no mistake: the contract does not forbid them.
    """
    return case.meta is not None and any(
        case.meta.is_negative_at(place) for place in (ParameterLocation.PATH, ParameterLocation.BODY)
    )


def check_examples(
    described: APIOperation[Any, Any, Any, Any], mode: GenerationMode, address: str, headers: dict[str, str]
) -> None:
    """Make a few calls of one operation and compare each answer with the contract."""

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
        if any("/" in str(value) for value in (case.path_parameters or {}).values()):
            return
        answer = case.call(base_url=address, headers=headers, timeout=20)
        case.validate_response(
            answer, checks=[*_ANSWER, negative_data_rejection] if is_wrong(case) else _ANSWER
        )

    call()


@pytest.mark.parametrize("operation", API, ids=lambda operation: f"{operation.method} {operation.path}")
def test_generated_calls(
    schema: BaseSchema, tokens: tuple[str, dict[str, str]], operation: Operation
) -> None:
    """Whatever is sent to an operation, its answer is one that the contract documents."""
    address, kinds = tokens
    token = token_for(operation, kinds)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    described = schema[operation.path][operation.method]
    check_examples(described, GenerationMode.POSITIVE, address, headers)
    if takes_something(described):
        check_examples(described, GenerationMode.NEGATIVE, address, headers)
