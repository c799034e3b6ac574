"""The shop's tax rules groups and what they charge in which country.

Reading them needs the permissions ``tax_rule_groups`` and ``tax_rules``, which orders do not need.
"""

from __future__ import annotations

from collections import defaultdict

from adapters.contract import TaxClass, TaxRate
from adapters.prestashop.client import PrestaClient
from adapters.prestashop.mapping.resource import Resource
from core.findings import Text

PERMISSIONS = ("tax_rule_groups", "tax_rules")
"""Collections that the key may view only if the merchant ticked them."""


def tax_classes(client: PrestaClient) -> tuple[TaxClass, ...]:
    """Read the groups that are in use, each with the rates of its rules.

    Raises:
        ShopError: the shop cannot be read now, or the key may not.
    """
    groups = _all(client, "tax_rule_groups")
    taxes = {row.id: row for row in _all(client, "taxes")}
    countries = {row.id: row.text("iso_code").upper() for row in _all(client, "countries")}
    rates: dict[str, list[TaxRate]] = defaultdict(list)
    for rule in _all(client, "tax_rules"):
        tax = taxes.get(rule.reference("id_tax"))
        if tax is None:
            continue
        found = TaxRate(
            tax.percentage("rate"), countries.get(rule.reference("id_country"), ""), tax.text("name")
        )
        known = rates[rule.reference("id_tax_rules_group")]
        if found not in known:
            known.append(found)
    return tuple(
        TaxClass(group.id, Text(group.text("name"), group.text("name")), tuple(rates.get(group.id, ())))
        for group in groups
        if not group.flag("deleted")
    )


def _all(client: PrestaClient, collection: str) -> tuple[Resource, ...]:
    return client.get(collection, {"display": "full"}).resources()
