"""Where a Polish shop keeps the buyer's tax number.

The invoice address has two fields for it, ``vat_number`` and ``dni``; tables of modules are not in the
webservice. Buyers also write it into texts meant for something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from adapters.prestashop.mapping.resource import Resource
from adapters.values import nip_in_text
from core.orders import TaxIdCandidate

_PESEL = re.compile(r"[0-9]{11}", re.ASCII)
_TEXTS = ("company", "address1", "address2", "other")


def find_tax_ids(
    address: Resource, customer: Resource | None, chosen: Sequence[str] = ()
) -> tuple[TaxIdCandidate, ...]:
    """Every text that may be the buyer's tax number, the most trusted first.

    Args:
        address: the invoice address.
        customer: the account, when it is known.
        chosen: fields of the address that the merchant named.
    """
    found: dict[str, TaxIdCandidate] = {}
    for candidate in _candidates(address, customer, chosen):
        if candidate.value:
            found.setdefault(candidate.source, candidate)
    return tuple(found.values())


def _candidates(
    address: Resource, customer: Resource | None, chosen: Sequence[str]
) -> Iterator[TaxIdCandidate]:
    for name in chosen:
        yield TaxIdCandidate(address.text(name), f"address {name}")
    yield TaxIdCandidate(address.text("vat_number"), "address vat_number")
    dni = address.text("dni")
    # an identity number of a person is no mistyped tax number
    yield TaxIdCandidate(dni, "address dni", free_text=_PESEL.fullmatch(dni) is not None)
    for name in _TEXTS:
        yield TaxIdCandidate(nip_in_text(address.text(name)), f"address {name}", free_text=True)
    if customer is not None:
        # the shop's field for the French business number; Polish themes call it NIP
        yield TaxIdCandidate(customer.text("siret"), "customer siret", free_text=True)
        yield TaxIdCandidate(nip_in_text(customer.text("company")), "customer company", free_text=True)
