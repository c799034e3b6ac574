"""One call of the API as its operation sees it, and strict readers of its parameters and body.

Operations are plain functions from a :class:`Call` to an :class:`Answer`; only :mod:`sandbox.ksef.app`
knows the web framework.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import BinaryIO

from sandbox.ksef.bearer import Principal
from sandbox.ksef.errors import BadRequest, Json, Unauthorized
from sandbox.ksef.state import SandboxState


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation answers.

    Attributes:
        body: JSON-ready values, bytes of XML, the path of a file to stream, or None for an empty answer.
        status: HTTP status.
        headers: headers to add.
    """

    body: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Attributes:
        state: the sandbox's state.
        path: parameters of the path by their names in the contract.
        query: parameters of the query: name -> all values.
        headers: headers, names in lower case.
        body: bytes of the request's body.
        client: IP address of the caller.
        origin: address of the server without path, e.g. ``http://127.0.0.1:8090``.
        signed_in: who calls, None for operations without a bearer token.
        forced_status: status that a planned fault forces on what the call starts.
        location: path of the address that was called.
        stream: the request's body for operations that read it in pieces; ``body`` is empty then.
    """

    state: SandboxState
    path: Mapping[str, str]
    query: Mapping[str, list[str]]
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    client: str
    origin: str
    signed_in: Principal | None = None
    forced_status: int | None = None
    location: str = ""
    stream: BinaryIO | None = field(default=None, repr=False)

    @property
    def principal(self) -> Principal:
        """Who calls.

        Raises:
            Unauthorized: the operation was reached without a token.
        """
        if self.signed_in is None:
            raise Unauthorized
        return self.signed_in

    def json(self) -> Body:
        """The body as a JSON object.

        Raises:
            BadRequest: 21001, it is no JSON object in UTF-8.
        """
        content_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type != "application/json":
            raise BadRequest(21001, f"Oczekiwano application/json, otrzymano {content_type or 'brak typu'}.")
        try:
            value: object = json.loads(self.body.decode("utf-8"))
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            raise BadRequest(21001, f"Treść nie jest poprawnym JSON: {error}") from None
        if not isinstance(value, dict):
            raise BadRequest(21001, "Oczekiwano obiektu JSON.")
        return Body(value)

    def reference(self, name: str) -> str:
        """A reference number of the path.

        Raises:
            BadRequest: 21405, it does not have 36 characters (ReferenceNumber of the contract).
        """
        value = self.path[name]
        if len(value) != 36:
            raise BadRequest(21405, f"{name}: numer referencyjny ma 36 znaków.")
        return value

    def page_size(self, *, largest: int, smallest: int = 10, default: int = 10) -> int:
        """The ``pageSize`` parameter inside its bounds.

        Raises:
            BadRequest: 21405.
        """
        return self.whole("pageSize", smallest=smallest, largest=largest, default=default)

    def whole(self, name: str, *, smallest: int, largest: int, default: int) -> int:
        """A whole number of the query inside its bounds.

        Raises:
            BadRequest: 21405.
        """
        raw = self.query.get(name, [str(default)])[-1]
        if not raw.isdecimal() or not smallest <= int(raw) <= largest:
            raise BadRequest(21405, f"{name}: oczekiwano liczby od {smallest} do {largest}.")
        return int(raw)

    def moment(self, name: str) -> datetime | None:
        """A date-time of the query, aware in UTC; None when absent.

        Raises:
            BadRequest: 21405.
        """
        values = self.query.get(name)
        return None if not values else parse_moment(values[-1], name)

    def choices(self, name: str, allowed: frozenset[str]) -> list[str]:
        """All values of a query parameter, each one of the allowed.

        Raises:
            BadRequest: 21405.
        """
        values = self.query.get(name, [])
        for value in values:
            if value not in allowed:
                raise BadRequest(21405, f"{name}: wartość {value!r} nie jest dozwolona.")
        return values

    def offset(self) -> int:
        """Where the page starts, from the header ``x-continuation-token``; 0 without it.

        Raises:
            BadRequest: 21418.
        """
        token = self.headers.get("x-continuation-token")
        if not token:
            return 0
        try:
            value = json.loads(base64.b64decode(token, validate=True))
            offset = value["offset"]
        except (ValueError, KeyError, TypeError):
            raise BadRequest(21418) from None
        if not isinstance(offset, int) or offset < 0:
            raise BadRequest(21418)
        return offset


def continuation(offset: int) -> str:
    """The continuation token of the page that starts at an offset."""
    return base64.b64encode(json.dumps({"offset": offset}).encode()).decode()


def parse_moment(text: str, name: str) -> datetime:
    """Read a date-time of ISO 8601; without an offset it is taken as UTC.

    Raises:
        BadRequest: 21405 naming the field.
    """
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise BadRequest(21405, f"{name}: {text!r} nie jest datą ISO 8601.") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Body:
    """A JSON object whose members are read strictly; unknown members are ignored as KSeF does.

    Attributes:
        values: the object.
        prefix: where it stands in the whole body, for messages.
    """

    values: Json
    prefix: str = ""

    def _fail(self, name: str, problem: str) -> BadRequest:
        return BadRequest(21405, f"{self.prefix}{name}: {problem}")

    def text(
        self, name: str, *, shortest: int = 0, longest: int | None = None, required: bool = True
    ) -> str | None:
        """A text member; None only when it is optional and absent or null.

        Raises:
            BadRequest: 21405.
        """
        value = self.values.get(name)
        if value is None:
            if required:
                raise self._fail(name, "pole jest wymagane.")
            return None
        if not isinstance(value, str):
            raise self._fail(name, "oczekiwano tekstu.")
        if len(value) < shortest or (longest is not None and len(value) > longest):
            raise self._fail(name, f"długość spoza zakresu {shortest}-{longest}.")
        return value

    def required_text(self, name: str, *, shortest: int = 0, longest: int | None = None) -> str:
        """A text member that must be there.

        Raises:
            BadRequest: 21405.
        """
        return self.text(name, shortest=shortest, longest=longest) or ""

    def base64(self, name: str, *, length: int | None = None) -> bytes:
        """Bytes of a Base64 member.

        Args:
            name: member.
            length: number of bytes it must have.

        Raises:
            BadRequest: 21405.
        """
        try:
            value = base64.b64decode(self.required_text(name), validate=True)
        except binascii.Error:
            raise self._fail(name, "oczekiwano Base64.") from None
        if length is not None and len(value) != length:
            raise self._fail(name, f"oczekiwano {length} bajtów, otrzymano {len(value)}.")
        return value

    def sha256(self, name: str, *, required: bool = True) -> str | None:
        """A SHA-256 in Base64, as text (Sha256HashBase64 of the contract).

        Raises:
            BadRequest: 21405.
        """
        if self.values.get(name) is None and not required:
            return None
        self.base64(name, length=32)
        return self.text(name, shortest=44, longest=44)

    def whole(self, name: str, *, smallest: int, largest: int | None = None) -> int:
        """A whole number member inside its bounds.

        Raises:
            BadRequest: 21405.
        """
        value = self.values.get(name)
        if value is None:
            raise self._fail(name, "pole jest wymagane.")
        if not isinstance(value, int) or isinstance(value, bool) or value < smallest:
            raise self._fail(name, f"oczekiwano liczby całkowitej nie mniejszej niż {smallest}.")
        if largest is not None and value > largest:
            raise self._fail(name, f"oczekiwano liczby całkowitej nie większej niż {largest}.")
        return value

    def one_of(self, name: str, allowed: Collection[str]) -> str | None:
        """An optional text member out of a closed list; None when absent or null.

        Raises:
            BadRequest: 21405.
        """
        value = self.text(name, required=False)
        if value is not None and value not in allowed:
            raise self._fail(name, f"wartość {value!r} nie jest dozwolona.")
        return value

    def flag(self, name: str) -> bool:
        """A true-or-false member, false when absent.

        Raises:
            BadRequest: 21405.
        """
        value = self.values.get(name, False)
        if value is None:
            return False
        if not isinstance(value, bool):
            raise self._fail(name, "oczekiwano true albo false.")
        return value

    def amount(self, name: str) -> Decimal | None:
        """An optional number member as an exact number; None when absent or null.

        Raises:
            BadRequest: 21405.
        """
        value = self.values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._fail(name, "oczekiwano liczby.")
        return Decimal(str(value))

    def texts(self, name: str, *, required: bool = True) -> list[str]:
        """A list of texts.

        Raises:
            BadRequest: 21405.
        """
        value = self.values.get(name)
        if value is None and not required:
            return []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._fail(name, "oczekiwano listy tekstów.")
        return [str(item) for item in value]

    def object(self, name: str, *, required: bool = True) -> Body | None:
        """A member that is an object itself.

        Raises:
            BadRequest: 21405.
        """
        value = self.values.get(name)
        if value is None:
            if required:
                raise self._fail(name, "pole jest wymagane.")
            return None
        if not isinstance(value, dict):
            raise self._fail(name, "oczekiwano obiektu.")
        return Body(value, f"{self.prefix}{name}.")

    def objects(self, name: str) -> list[Body]:
        """A member that is a list of objects with at least one.

        Raises:
            BadRequest: 21405.
        """
        value = self.values.get(name)
        if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
            raise self._fail(name, "oczekiwano niepustej listy obiektów.")
        return [Body(item, f"{self.prefix}{name}[{index}].") for index, item in enumerate(value)]

    def required_object(self, name: str) -> Body:
        """A member that is an object and must be there.

        Raises:
            BadRequest: 21405.
        """
        return self.object(name) or Body({}, f"{self.prefix}{name}.")
