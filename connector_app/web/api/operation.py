"""Operations: a function, its address and its types in one place; routes and documentation follow from it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from connector_app.pipeline.services import Services
from connector_app.web.api.problems import Code
from core.findings import Text

PREFIX = "/api/v1"
Method = Literal["GET", "POST", "PATCH", "DELETE"]
View = TypeVar("View", bound=Callable[..., Any])
_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
        services: the installation. token_id, name: of the token. seller_id: the only seller it sees.
        writes: whether it may change anything.
    """

    services: Services
    token_id: int
    name: str
    seller_id: int
    writes: bool


@dataclass(frozen=True, slots=True)
class File:
    """A file as an answer.

    Attributes:
        data: its bytes. media: its type. name: to save it under.
    """

    data: bytes
    media: str
    name: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked for.

    Attributes:
        method, path: where; ids of the path in braces. tag: its group. says: what it does.
        view: called with the :class:`Caller`, ids of the path and, when there are, ``query`` and ``body``.
        query, body: dataclasses of what it takes; a body of ``bytes`` is a file of type ``takes``.
        answer: dataclass of what it gives; a file's media type instead; ``None``: nothing.
        status: of success. writes: needs a token that may write. codes: problems of its own.
    """

    method: Method
    path: str
    tag: str
    says: Text
    view: Callable[..., Any]
    query: type | None
    body: type | None
    takes: str
    answer: type | str | None
    status: int
    writes: bool
    codes: tuple[Code, ...]

    @property
    def name(self) -> str:
        """Its id in the documentation and as an endpoint."""
        return self.view.__name__

    @property
    def ids(self) -> list[str]:
        """Names of the ids in its path."""
        return _PLACE.findall(self.path)

    @property
    def rule(self) -> str:
        """Its path as Flask writes it; ids are read by ourselves, so that a wrong one is a problem too."""
        return _PLACE.sub(r"<\1>", self.path)

    @property
    def takes_key(self) -> bool:
        """Whether ``Idempotency-Key`` means anything."""
        return self.method == "POST"

    def problems(self) -> list[Code]:
        """Every problem that it may answer with."""
        found = {Code.UNAUTHORIZED, Code.INVALID_REQUEST, Code.TOO_MANY, Code.INTERNAL, Code.DATABASE}
        found |= set(self.codes)
        if self.ids:
            found.add(Code.NOT_FOUND)
        if self.writes:
            found.add(Code.READ_ONLY)
        if self.body is not None:
            found |= {Code.MEDIA_TYPE, Code.TOO_LARGE}
        if self.takes_key:
            found |= {Code.IN_PROGRESS, Code.KEY_REUSED}
        return [one for one in Code if one in found]


OPERATIONS: list[Operation] = []
"""Every operation, in the order of the documentation."""


def operation(
    method: Method,
    path: str,
    says: Text,
    *,
    tag: str,
    query: type | None = None,
    body: type | None = None,
    takes: str = "application/json",
    answer: type | str | None = None,
    status: int = 200,
    writes: bool = False,
    codes: tuple[Code, ...] = (),
) -> Callable[[View], View]:
    """Register a function as an operation; see :class:`Operation`."""

    def add(view: View) -> View:
        OPERATIONS.append(
            Operation(method, path, tag, says, view, query, body, takes, answer, status, writes, codes)
        )
        return view

    return add
