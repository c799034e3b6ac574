"""Who may do what: keys of the webservice, and what each may do with each collection."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sandbox.prestashop.entities import NODES

ALL_METHODS: Final = frozenset({"GET", "PUT", "POST", "PATCH", "DELETE", "HEAD"})
EVERYTHING: Final[Mapping[str, frozenset[str]]] = dict.fromkeys(NODES, ALL_METHODS)
READ_ONLY: Final[Mapping[str, frozenset[str]]] = dict.fromkeys(NODES, frozenset({"GET", "HEAD"}))


class RefusedError(Exception):
    """An answer with the webservice's errors.

    Attributes:
        status: HTTP status.
        errors: codes and messages; empty for an answer in plain text.
    """

    def __init__(self, status: int, *errors: tuple[int, str]) -> None:
        super().__init__(status, errors)
        self.status = status
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets requests in.

    Attributes:
        keys: key to what it may do, by collection.
        drops_header: the host's PHP never gets the Authorization header.
    """

    keys: Mapping[str, Mapping[str, frozenset[str]]] = field(repr=False)
    drops_header: bool = False

    def admit(self, authorization: str, ws_key: str) -> Mapping[str, frozenset[str]]:
        """What a request's key may do.

        Args:
            authorization: the header, empty when absent.
            ws_key: of the query, empty when absent.

        Raises:
            RefusedError: no key, or one that is not active.
        """
        key = ws_key or ("" if self.drops_header else _user_of(authorization))
        if not key:
            raise RefusedError(401)
        found = self.keys.get(key)
        if not found:
            raise RefusedError(
                401,
                (20, "Authentification key is not active"),
                (21, "No permission for this authentication key"),
            )
        return found


def check(permissions: Mapping[str, frozenset[str]], collection: str, method: str) -> None:
    """Let a method through.

    Raises:
        RefusedError: the collection does not exist, or the key may not do this with it.
    """
    if collection not in NODES:
        names = ", ".join(f'"{one}"' for one in NODES)
        message = f'Resource of type "{collection}" does not exists. Did you mean: "taxes"?'
        raise RefusedError(400, (27, f"{message} The full list is: {names}"))
    if collection not in permissions:
        raise RefusedError(
            401, (26, f'Resource of type "{collection}" is not allowed with this authentication key')
        )
    if method not in permissions[collection]:
        message = f"Method {method} is not allowed for the resource {collection} with this authentication key"
        raise RefusedError(405, (25, message))


def _user_of(authorization: str) -> str:
    """The user of Basic authentication; the shop does not look at the password."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(rest, validate=True).decode().partition(":")[0]
    except (binascii.Error, ValueError):
        return ""
