"""What is asked about a tax class, and what a confirmed mapping changes in a seller's profile."""

from __future__ import annotations

from decimal import Decimal as D

from adapters.contract import TaxClass, TaxRate
from adapters.shopify.mapping.taxes import TAX_CLASSES
from connector_app.profiles import parse
from connector_app.tax_mapping.mapping import Row, Said, Standing, applied, needs_law, rows
from core.findings import Text
from core.invoices.model import VatCategory

PROFILE = {"seller": {"nip": "5265877635", "name": "Sklep", "address": {"line1": "ul. Przykładowa 1"}}}


def tax_class(key: str, *rates: tuple[str, str]) -> TaxClass:
    return TaxClass(key, Text(key, key), tuple(TaxRate(D(rate), country) for rate, country in rates))


def by_key(found: list[Row]) -> dict[str, Row]:
    return {row.key: row for row in found}


def test_positive_rates_speak_for_themselves() -> None:
    """Poland's are shown as they will stand on the invoice; other countries' propose nothing."""
    found = by_key(
        rows([tax_class("standard", ("23", "PL"), ("19", "DE")), tax_class("books", ("5", ""))], {}, {})
    )
    assert found["standard"].standing is Standing.SPEAKS
    assert found["standard"].proposed == (VatCategory.R23,)
    assert found["books"].proposed == (VatCategory.R5,)


def test_what_comes_without_tax_is_asked_about_and_never_chosen() -> None:
    """No rate, a zero rate at home, and whatever orders had without tax; a zero rate abroad is not."""
    found = by_key(
        rows(
            [
                tax_class("none-in-shop"),
                tax_class("zero", ("0", "PL")),
                tax_class("standard", ("23", "PL"), ("0", "US")),
                tax_class("reduced", ("8", "PL")),
            ],
            {"none": 3, "reduced": 1},
            {},
        )
    )
    standing = {key: row.standing for key, row in found.items()}
    assert standing == {
        "none-in-shop": Standing.UNDECIDED,
        "zero": Standing.UNDECIDED,
        "standard": Standing.SPEAKS,
        "reduced": Standing.UNDECIDED,
        "none": Standing.UNDECIDED,
    }
    assert all(row.chosen is None for row in found.values())
    assert found["none-in-shop"].lacks_rates
    assert not found["zero"].lacks_rates
    assert next(iter(found)) == "none"


def test_shopifys_classes_do_not_lack_rates() -> None:
    """Shopify has no rates of classes at all, so nothing is missing in the shop."""
    assert not any(row.lacks_rates for row in rows(TAX_CLASSES, {}, {}))


def test_keys_of_other_stores_stay_visible() -> None:
    """What was decided is shown even when this shop does not know the key."""
    found = by_key(rows([], {}, {"elsewhere": VatCategory.EXEMPT}))
    assert found["elsewhere"].standing is Standing.DECIDED


def test_applied() -> None:
    """The profile is valid afterwards, the values that were given are not changed, empty tables go."""
    before = PROFILE | {"tax_classes": {"a": "zw"}, "invoices": {"exemption_law": "art. 43"}}
    after = applied(before, Said({"a": None, "b": VatCategory.EXEMPT}, " art. 113 ", VatCategory.ZERO_WDT))
    assert parse(after).policy.tax_classes == {"b": VatCategory.EXEMPT}
    assert parse(after).policy.eu_goods is VatCategory.ZERO_WDT
    assert after["invoices"] == {"exemption_law": "art. 113"}
    assert before["tax_classes"] == {"a": "zw"}
    assert needs_law(after)
    bare = applied(after, Said({"b": None}))
    assert bare == PROFILE
    assert not needs_law(bare)
