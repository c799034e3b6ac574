"""Peppol service providers: a small invented list.

Source: GET /peppol/query of open-api.json.
"""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.ksef.call import Answer, Call


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider.

    Attributes:
        identifier: PeppolId of the contract.
        name: invented name.
        created: when it was registered, ISO 8601 with an offset.
    """

    identifier: str
    name: str
    created: str


PROVIDERS: tuple[Provider, ...] = (
    Provider("PPL000003", "Przykładowy Operator Peppol Trzeci", "2026-03-02T09:00:00+00:00"),
    Provider("PPL000001", "Przykładowy Operator Peppol Pierwszy", "2026-02-02T09:00:00+00:00"),
    Provider("PPL000002", "Przykładowy Operator Peppol Drugi", "2026-02-02T09:00:00+00:00"),
)
"""Latest first, then by identifier."""


def query(call: Call) -> Answer:
    """GET /peppol/query."""
    size, page = call.page_size(largest=100), call.page_offset()
    return Answer(
        {
            "peppolProviders": [
                {"id": provider.identifier, "name": provider.name, "dateCreated": provider.created}
                for provider in PROVIDERS[page * size : (page + 1) * size]
            ],
            "hasMore": len(PROVIDERS) > (page + 1) * size,
        }
    )
