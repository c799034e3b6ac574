"""Recorded answers of a PrestaShop 9.1 shop that ship with the sandbox, and what was not recorded."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from sandbox.prestashop.entities import Entity, Text, read_entities

ORDERS = ("o1", "o2", "o3", "o4")
"""Names of the recorded orders."""

Data = dict[str, list[Entity]]

_SHARED = {
    "addresses": ("address_invoice",),
    "carriers": ("carrier",),
    "countries": ("country_pl",),
    "currencies": ("currency",),
    "customers": ("customer",),
    "order_states": ("order_states",),
    "order_payments": ("order_payments_ref",),
    "taxes": ("taxes",),
    "tax_rules": ("tax_rules",),
    "order_carriers": ("order_carriers_o1",),
    "order_invoices": ("order_invoices_o1",),
}
_OWN = {
    "orders": "order",
    "order_details": "order_details",
    "order_cart_rules": "order_cart_rules",
    "order_histories": "order_histories",
}
_WITH_SLIPS = ("o1", "o2", "o4")
_SETTINGS = {
    "PS_TIMEZONE": "Europe/Warsaw",
    "PS_TAX": "1",
    "PS_TAX_ADDRESS_TYPE": "id_address_delivery",
    "PS_ROUND_TYPE": "2",
    "PS_PRICE_ROUND_MODE": "2",
    "PS_INVOICE": "1",
    "PS_WEBSERVICE": "1",
}
_TAX_GROUPS = (
    "PL Standard Rate (23%)",
    "PL Reduced Rate (8%)",
    "PL Reduced Rate (5%)",
    "PL Exempted Rate (0%)",
)
"""Names by which the shop's Polish localisation makes them; they were not recorded."""
INVOICE_STATE = 15
"""Id of the order state "Faktura w KSeF", which the shop of the recordings does not have."""


def recorded(name: str) -> list[Entity]:
    """The entities of one recorded answer, parsed anew."""
    return read_entities((files("sandbox.prestashop.data") / f"{name}.xml").read_bytes())


@cache
def known_fields() -> Mapping[str, tuple[str, ...]]:
    """Names of fields by collection, as recorded."""
    samples = {
        "customer_threads": "post_customer_thread",
        "customer_messages": "post_customer_message",
        "messages": "post_message",
        "order_slip": "order_slip_o1",
        **{name: found[0] for name, found in _SHARED.items()},
        **{name: f"{found}_o1" for name, found in _OWN.items()},
    }
    found = {name: tuple(recorded(sample)[0].fields) for name, sample in samples.items()}
    groups = tuple(_tax_group(1, "").fields)
    return found | {"configurations": tuple(_setting(1, ("", "")).fields), "tax_rule_groups": groups}


def shared_data() -> Data:
    """Everything of the recorded shop but its orders."""
    data = {name: [one for sample in found for one in recorded(sample)] for name, found in _SHARED.items()}
    data["order_payments"], data["order_carriers"], data["order_invoices"] = [], [], []
    data["addresses"].append(_delivery(data["addresses"][0]))
    data["languages"] = [_language(1, "en"), _language(2, "pl")]
    data["tax_rule_groups"] = [_tax_group(*one) for one in enumerate(_TAX_GROUPS, 1)]
    data["configurations"] = [_setting(*one) for one in enumerate(_SETTINGS.items(), 1)]
    data["order_states"].append(_invoice_state(data["order_states"][0]))
    return data


def demo_data(*, slips: bool = True) -> Data:
    """Fresh copies of the recorded shop.

    Args:
        slips: with the credit slips that were made after the orders.
    """
    data = shared_data()
    for name, sample in _OWN.items():
        data[name] = [one for order in ORDERS for one in recorded(f"{sample}_{order}")]
    for name in ("order_payments", "order_carriers", "order_invoices"):
        data[name] = [one for sample in _SHARED[name] for one in recorded(sample)]
    data["order_slip"] = (
        [one for order in _WITH_SLIPS for one in recorded(f"order_slip_{order}")] if slips else []
    )
    return data


def _delivery(invoice: Entity) -> Entity:
    """The delivery address was not recorded: another name at another place."""
    changes = {
        "id": "10",
        "company": "",
        "lastname": "Odbiorca",
        "firstname": "Ewa",
        "vat_number": "",
        "address1": "ul. Krzywa 3",
        "postcode": "30-002",
        "city": "Kraków",
        "phone": "",
    }
    return Entity({**invoice.fields, **changes}, copy.deepcopy(invoice.rows))


def _language(key: int, code: str) -> Entity:
    return Entity({"id": str(key), "name": code, "iso_code": code, "active": "1"})


def _tax_group(key: int, name: str) -> Entity:
    fields: dict[str, Text] = {"id": str(key), "name": name, "active": "1", "deleted": "0"}
    return Entity(fields | dict.fromkeys(("date_add", "date_upd"), "2026-11-24 04:00:00"))


def _setting(key: int, entry: tuple[str, str]) -> Entity:
    name, value = entry
    return Entity({"id": str(key), "value": value, "name": name, "id_shop_group": "", "id_shop": ""})


def _invoice_state(template: Entity) -> Entity:
    """A state as a merchant makes it for the e-mail about the invoice: paid as before, nothing else."""
    texts = {"name": "Faktura w KSeF", "template": "faktura_ksef"}
    names = {key: dict.fromkeys(("1", "2"), text) for key, text in texts.items()}
    return Entity({**template.fields, "id": str(INVOICE_STATE), "pdf_invoice": "0", "paid": "0", **names})
