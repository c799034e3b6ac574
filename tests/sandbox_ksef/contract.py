"""Every HTTP exchange compared with the official contract of KSeF API 2.0 (open-api.json).

``Contract.load(official_ksef)`` reads the contract once per process. ``ContractSession`` is a
:class:`requests.Session` for tests of the server; ``ContractAdapter`` is mounted on any other session, so
that a client under test is watched as it is: ``session.mount(sandbox.api_url, ContractAdapter(contract))``.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import requests
from openapi_core import Config, OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse
from requests.adapters import HTTPAdapter

BASE_PATH = "/v2"
_OFFICIAL = "https://api-test.ksef.mf.gov.pl"


class ContractViolation(AssertionError):
    """An exchange that the contract does not allow; the message shows the call and every violation."""


@dataclass(slots=True)
class Contract:
    """The official contract, and a log of what was compared with it.

    Attributes:
        openapi: the contract.
        seen: (method, path of the call, HTTP status) of each exchange.
    """

    openapi: OpenAPI
    seen: list[tuple[str, str, int]] = field(default_factory=list)

    @classmethod
    def load(cls, folder: Path) -> Contract:
        """The contract of a folder with open-api.json, with an empty log."""
        return cls(_read(folder / "open-api.json"))

    def check(self, response: requests.Response, *, with_request: bool = True) -> None:
        """Compare one exchange with the contract.

        Args:
            response: the answer, which carries its request.
            with_request: whether the request must satisfy the contract too; False for calls that a test
                makes wrong on purpose.

        Raises:
            ContractViolation: undocumented operation, status or media type, or values that do not fit.
        """
        request = _Request(response.request)
        answer = RequestsOpenAPIResponse(response)
        errors: list[str] = []
        if with_request:
            errors += _texts(self.openapi.iter_request_errors(request))
        errors += _texts(self.openapi.iter_response_errors(request, answer))
        self.seen.append((request.method.upper(), request.path, response.status_code))
        if errors:
            raise ContractViolation(
                f"{request.method.upper()} {request.path} -> {response.status_code}\n"
                + "\n".join(errors)
                + f"\nanswer: {response.text[:800]}"
            )


class ContractAdapter(HTTPAdapter):
    """Sends as usual and compares every exchange below ``/v2`` with the contract.

    Args:
        contract: the official contract.
        undocumented: HTTP statuses to let pass, e.g. 500 and 503 that a test asked for.
    """

    def __init__(self, contract: Contract, *, undocumented: frozenset[int] = frozenset()) -> None:
        super().__init__()
        self._contract = contract
        self._undocumented = undocumented

    def send(self, request: requests.PreparedRequest, *args: object, **named: object) -> requests.Response:
        """Send one request, read the whole answer, compare both."""
        response = super().send(request, *args, **named)  # type: ignore[arg-type]
        if urlsplit(str(request.url)).path.startswith(BASE_PATH):
            _ = response.content
            if response.status_code not in self._undocumented:
                self._contract.check(response)
        return response


class ContractSession(requests.Session):
    """A session of one server whose every exchange satisfies the contract.

    Args:
        contract: the official contract.
        api_url: base address of the API, ending in ``/v2``.
    """

    def __init__(self, contract: Contract, api_url: str) -> None:
        super().__init__()
        self.contract = contract
        self.api_url = api_url
        self.trust_env = False

    def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: object = None,
        xml: bytes | None = None,
        headers: dict[str, str] | None = None,
        query: dict[str, str | int | list[str]] | None = None,
        valid: bool = True,
    ) -> requests.Response:
        """Call one operation.

        Args:
            method: HTTP method.
            path: path below the base address.
            token: bearer token.
            body: values to send as JSON.
            xml: bytes to send as application/xml.
            headers: further headers.
            query: parameters of the query.
            valid: whether the request is meant to satisfy the contract.
        """
        sent = dict(headers or {})
        data = xml
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if xml is not None:
            sent["Content-Type"] = "application/xml"
        if body is not None:
            sent["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        response = self.request(
            method, f"{self.api_url}{path}", headers=sent, data=data, params=query, timeout=20
        )
        self.contract.check(response, with_request=valid)
        return response


class _Request(RequestsOpenAPIRequest):
    """A request to any server, seen as a request to the server that the contract names."""

    @property
    def host_url(self) -> str:
        return _OFFICIAL


def _text(content: bytes, **_parameters: str) -> str:
    return content.decode()


def _json(content: bytes, **_parameters: str) -> object:
    value: object = json.loads(content)
    return value


@functools.cache
def _read(path: Path) -> OpenAPI:
    config = Config(
        # the contract describes XML bodies as plain strings
        extra_media_type_deserializers={"application/xml": _text, "application/problem+json": _json},
        additional_properties_default_policy="forbid",
    )
    return OpenAPI.from_file_path(str(path), config=config)


def _texts(errors: Iterator[Exception]) -> list[str]:
    found = []
    for error in errors:
        cause = getattr(error, "__cause__", None)
        details = [
            f"{'/'.join(str(step) for step in entry.absolute_path)}: {entry.message}"
            for entry in getattr(cause, "schema_errors", ())
        ]
        found.append(f"{type(error).__name__}: {str(error)[:400]} {'; '.join(details)[:800]}")
    return found
