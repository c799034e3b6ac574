"""Every address of the application, with the parameters of one seller or the other filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from flask import Flask
from werkzeug.routing import Rule
from werkzeug.routing.converters import AnyConverter

from tests.web.two_sellers import Side, Two

CHANGING = {"POST", "PUT", "PATCH", "DELETE"}

TABLES = {
    "document_id": "documents",
    "order_id": "orders",
    "job_id": "jobs",
    "user_id": "users",
    "session_id": "web_sessions",
    "invitation_id": "invitations",
    "token_id": "api_tokens",
    "hook_id": "hooks",
    "delivery_id": "hook_deliveries",
    "message_id": "hook_deliveries",
    "proposal_id": "buyer_proposals",
    "certificate_id": "certificates",
    "batch_id": "batches",
    "store_id": "stores",
    "seller_id": "sellers",
    "mail_id": "mails",
    "event_id": "events",
    "alert_id": "alerts",
}
"""Whose ids an address may hold: the parameter's name and its table."""

NEUTRAL: dict[str, tuple[str, ...]] = {
    "kind": ("xml", "pdf"),
    "form": ("csv", "zip"),
    "month": ("2026-11",),
    "platform": ("woocommerce",),
    "language": ("pl",),
    "step": ("company",),
    "page": ("company",),
    "purpose": ("invoice",),
    "register": ("vat-list",),
    "state": ("ready",),
    "name": ("company",),
    "action": ("retry",),
    "decision": ("issue",),
    "filename": ("app.css",),
    "token": ("no-such-token",),
    "key": ("no-such-key",),
    "seq": ("1",),
}
"""Parameters that name nothing of a seller, with values to try; secrets of links are never guessed right."""

_BY_ENDPOINT: dict[tuple[str, str], tuple[str, ...]] = {("switch", "code"): ("en",)}
"""Where a parameter means something else than elsewhere."""


@dataclass(frozen=True)
class Address:
    """One address of the application.

    Attributes:
        rule: of the application. path: with parameters filled in. foreign: names of those that are the other
            seller's.
    """

    rule: Rule
    path: str
    foreign: frozenset[str]

    @property
    def endpoint(self) -> str:
        """The name of its view."""
        return str(self.rule.endpoint)

    def __str__(self) -> str:
        return f"{self.endpoint} {self.path}"


def rules(app: Flask, methods: set[str]) -> list[Rule]:
    """The application's rules that answer one of some methods."""
    return [one for one in app.url_map.iter_rules() if methods & (one.methods or set())]


def addresses(two: Two, methods: set[str], *, foreign: bool | None) -> Iterator[Address]:
    """All addresses with all mixtures of own and foreign parameters.

    Args:
        two: both sellers.
        methods: of HTTP; an address that answers one of them is given.
        foreign: only those with at least one parameter of the other seller, or (``False``) with none;
            ``None``: both.
    """
    for rule in rules(two.pages.app, methods):
        names = sorted(rule.arguments)
        for chosen in product(*[_choices(rule, name, two) for name in names]):
            values = {name: value for name, (value, _) in zip(names, chosen, strict=True)}
            others = frozenset(
                name for name, (_, is_foreign) in zip(names, chosen, strict=True) if is_foreign
            )
            if foreign is None or bool(others) is foreign:
                yield Address(rule, _path(rule, values), others)


def keys(side: Side) -> dict[str, str]:
    """What addresses and forms may hold of a seller, by the parameter's name."""
    found = {name: str(side.ids[table]) for name, table in TABLES.items()}
    return found | {"nip": side.nip, "code": side.code}


def _choices(rule: Rule, name: str, two: Two) -> list[tuple[str, bool]]:
    """Values of a parameter, each with whether it is the other seller's."""
    fixed = _BY_ENDPOINT.get((str(rule.endpoint), name))
    own, other = keys(two.own), keys(two.other)
    if fixed is None and name in own:
        return [(own[name], False), (other[name], True)]
    converter = rule._converters.get(name)
    if fixed is None and isinstance(converter, AnyConverter):
        fixed = tuple(sorted(converter.items))[:2]
    if fixed is None:
        fixed = NEUTRAL.get(name)
    assert fixed is not None, (
        f"{rule.rule} ({rule.endpoint}): nobody said what <{name}> names. Add its table to TABLES in "
        "tests/web/routes.py if it is something of a seller, else a value to NEUTRAL."
    )
    return [(one, False) for one in fixed]


def _path(rule: Rule, values: Mapping[str, Any]) -> str:
    return re.sub(r"<(?:[^:<>]*(?:\([^)]*\))?:)?([^<>]+)>", lambda one: str(values[one[1]]), rule.rule)
