"""Why an order cannot become an invoice by itself: reasons in words.

Principle 2: nothing is guessed. Each reason is a :class:`~core.findings.Finding` whose sentence a shop
owner understands and whose hint names the setting or the field that would decide it.
"""

from __future__ import annotations

from decimal import Decimal

from core.findings import Finding, Severity, Text

CURRENCY_WITHOUT_RATE = "currency-without-rate"
"""Code of the reason that an invoice lacks an exchange rate."""


class NeedsAttention(Exception):
    """An order that a person must decide.

    Attributes:
        reasons: every reason found, not only the first.
    """

    def __init__(self, reasons: list[Finding]) -> None:
        super().__init__("; ".join(reason.message.en for reason in reasons))
        self.reasons = tuple(reasons)


def _reason(code: str, path: str, message: Text, hint: Text, source: str = "") -> Finding:
    return Finding(code, Severity.ERROR, path, message, hint, source)


def broken_nip(value: str, source: str) -> Finding:
    """The buyer typed a tax number whose check digit is wrong."""
    return _reason(
        "buyer-tax-id-invalid",
        f"buyer.tax_ids ({source})",
        Text(
            f"Numer NIP nabywcy „{value}” (pole: {source}) jest błędny: cyfra kontrolna się nie zgadza.",
            f'The buyer\'s tax number "{value}" (field: {source}) is wrong: its check digit does not match.',
        ),
        Text(
            "Zapytaj kupującego o NIP i popraw go w zamówieniu albo wystaw dokument jak dla konsumenta.",
            "Ask the buyer for the number and correct it in the order, or issue it as to a consumer.",
        ),
        "art. 106e ust. 1 pkt 5 VAT act",
    )


def contradicting_tax_ids(first: str, second: str, source: str) -> Finding:
    """Two fields of the order hold two different right numbers."""
    return _reason(
        "buyer-tax-ids-differ",
        f"buyer.tax_ids ({source})",
        Text(
            f"Zamówienie zawiera dwa różne numery podatkowe nabywcy: {first} i {second} (pole: {source}).",
            f"The order holds two different tax numbers: {first} and {second} (field: {source}).",
        ),
        Text(
            "Zostaw w zamówieniu jeden numer albo wskaż właściwe pole w ustawieniach sklepu.",
            "Leave one number in the order, or choose the right field in the store's settings.",
        ),
    )


def company_without_nip(company: str) -> Finding:
    """A company name stands in the order, but no tax number."""
    return _reason(
        "buyer-company-without-tax-id",
        "buyer.tax_ids",
        Text(
            f"Nabywcą jest firma („{company}”), ale w zamówieniu nie ma numeru NIP.",
            f'The buyer is a company ("{company}"), but the order has no tax number.',
        ),
        Text(
            "Uzupełnij NIP w zamówieniu. Jeśli takich nabywców traktujesz jak konsumentów, "
            "zmień ustawienie company_without_nip.",
            "Add the number to the order. If you treat such buyers as consumers, change the setting "
            "company_without_nip.",
        ),
    )


def buyer_data_missing(what: Text, path: str) -> Finding:
    """A part of the buyer's name or address that the law asks for is empty."""
    return _reason(
        "buyer-data-missing",
        path,
        Text(f"W danych nabywcy brakuje: {what.pl}.", f"The buyer's data lack: {what.en}."),
        Text(
            "Uzupełnij dane rozliczeniowe w zamówieniu w sklepie.",
            "Complete the billing data of the order in the shop.",
        ),
        "art. 106e ust. 1 pkt 3 VAT act",
    )


def unknown_treatment(name: str, rate: Decimal | None, key: str, path: str, *, is_goods: bool) -> Finding:
    """The shop does not tell how a line is taxed, or tells what the buyer contradicts."""
    shown = "brak stawki" if rate is None else f"stawka {rate.normalize():f}%"
    shown_en = "no rate" if rate is None else f"rate {rate.normalize():f} %"
    if rate:
        hint = Text(
            "Popraw stawkę w sklepie: w Polsce obowiązują 23%, 8% i 5%.",
            "Correct the rate in the shop: Poland's rates are 23 %, 8 % and 5 %.",
        )
    elif is_goods:
        hint = Text(
            f'Dopisz w ustawieniach sprzedawcy, co to znaczy: [tax_classes] "{key}" = "0 KR", "zw", "np I" '
            'albo "oo"; dla firm z UE i eksportu: [treatments] eu_goods, export.',
            f'Say in the seller\'s settings what it means: [tax_classes] "{key}" = "0 KR", "zw", "np I" or '
            '"oo"; for EU businesses and exports: [treatments] eu_goods, export.',
        )
    else:
        hint = Text(
            "Dostawa i opłaty mają stawkę towarów: ustaw je w sklepie jako opodatkowane.",
            "Delivery and fees share the rate of the goods: make them taxable in the shop.",
        )
    return _reason(
        "tax-treatment-unknown",
        path,
        Text(
            f"Pozycja „{name}” ({shown}, klasa podatkowa „{key}”): nie wiadomo, jak ją opodatkować "
            "(0%, zwolnienie, poza VAT i odwrotne obciążenie wyglądają w sklepie tak samo).",
            f'Line "{name}" ({shown_en}, tax class "{key}"): its tax treatment is unknown (0 %, exempt, '
            "outside VAT and reverse charge look the same in the shop).",
        ),
        hint,
        "P_12 (TStawkaPodatku), art. 29a ust. 6 VAT act",
    )


def oss_sale(name: str, rate: Decimal, path: str) -> Finding:
    """A consumer in another EU country was charged that country's tax."""
    shown = f"{rate.normalize():f}"
    return _reason(
        "oss-sale",
        path,
        Text(
            f"Pozycja „{name}” ma stawkę {shown}% innego kraju UE (sprzedaż OSS), która nie podlega "
            "obowiązkowi KSeF.",
            f'Line "{name}" has the rate {shown} % of another EU country (OSS sale), which is outside the '
            "duty to use KSeF.",
        ),
        Text(
            "Jeśli chcesz wystawiać takie faktury w KSeF, ustaw [treatments] oss = true.",
            "If you want to issue such invoices in KSeF, set [treatments] oss = true.",
        ),
        "art. 106ga ust. 2 VAT act, P_12_XII",
    )


def two_margin_schemes() -> Finding:
    """Lines of different margin schemes cannot share an invoice: PMarzy names one."""
    return _reason(
        "margin-schemes-differ",
        "lines",
        Text(
            "Zamówienie łączy różne procedury marży, a faktura może wskazać tylko jedną.",
            "The order mixes margin schemes, and an invoice can name only one.",
        ),
        Text("Podziel zamówienie na dwa.", "Split the order in two."),
        "PMarzy",
    )


def exemption_basis_missing(name: str) -> Finding:
    """A line is exempt, but the merchant never said by which law."""
    return _reason(
        "exemption-basis-missing",
        "lines",
        Text(
            f"Pozycja „{name}” jest zwolniona z VAT, ale nie podano podstawy zwolnienia.",
            f'Line "{name}" is exempt from VAT, but no legal basis is given.',
        ),
        Text(
            "Dopisz w ustawieniach sprzedawcy exemption_law, np. „art. 113 ust. 1 ustawy”.",
            'Add exemption_law to the seller\'s settings, e.g. "art. 113 ust. 1 ustawy".',
        ),
        "art. 106e ust. 1 pkt 19 VAT act, P_19A",
    )


def line_tax_differs(name: str, tax: Decimal, expected: Decimal, path: str) -> Finding:
    """A line's tax is not what its rate gives."""
    return _reason(
        "line-tax-differs",
        path,
        Text(
            f"Pozycja „{name}”: sklep naliczył {tax} podatku, a ze stawki wynika {expected}.",
            f'Line "{name}": the shop charged {tax} of tax, its rate gives {expected}.',
        ),
        Text(
            "Sprawdź pozycję w zamówieniu; przelicz podatki w sklepie i zapisz zamówienie.",
            "Look at the line in the order; recalculate taxes in the shop and save the order.",
        ),
    )


def sums_differ(charged: Decimal, counted: Decimal, currency: str) -> Finding:
    """Lines, fees, delivery and discounts do not add up to the order's total."""
    return _reason(
        "sums-differ",
        "total",
        Text(
            f"Suma zamówienia to {charged} {currency}, a jego pozycje dają {counted} {currency}.",
            f"The order's total is {charged} {currency}, but its lines add up to {counted} {currency}.",
        ),
        Text(
            "Sprawdź w sklepie ręczne zmiany kwot, karty podarunkowe i opłaty dodane przez wtyczki.",
            "Look in the shop for amounts changed by hand, gift cards and fees added by plugins.",
        ),
        "P_15",
    )


def rate_tax_differs(code: str, charged: Decimal, counted: Decimal) -> Finding:
    """The shop's tax for one rate is not explained by its lines."""
    return _reason(
        "rate-tax-differs",
        "rate_totals",
        Text(
            f"Stawka {code}%: sklep naliczył {charged} podatku, a z pozycji wynika {counted}.",
            f"Rate {code} %: the shop charged {charged} of tax, its lines give {counted}.",
        ),
        Text(
            "Przelicz podatki w zamówieniu i zapisz je ponownie.",
            "Recalculate the order's taxes and save it again.",
        ),
        "art. 106e ust. 7 and 10 VAT act",
    )


def discount_exceeds_lines(name: str) -> Finding:
    """An order-level discount is larger than what it is taken off."""
    return _reason(
        "discount-exceeds-lines",
        "discounts",
        Text(
            f"Rabat „{name}” jest większy niż pozycje z tą samą stawką VAT.",
            f'Discount "{name}" is larger than the lines of the same VAT rate.',
        ),
        Text("Podziel rabat w zamówieniu na stawki VAT.", "Split the discount by VAT rate in the order."),
    )


def currency_without_rate(currency: str) -> Finding:
    """No exchange rate is known for an invoice in a foreign currency."""
    return _reason(
        CURRENCY_WITHOUT_RATE,
        "currency",
        Text(
            f"Zamówienie jest w walucie {currency}, a kurs do przeliczenia podatku na złote nie jest znany.",
            f"The order is in {currency} and no exchange rate is known to state its tax in PLN.",
        ),
        Text(
            f"Dopisz w ustawieniach sprzedawcy [exchange_rates.{currency}] średni kurs NBP z ostatniego dnia "
            "roboczego przed obowiązkiem podatkowym.",
            f"Add to the seller's settings [exchange_rates.{currency}] the NBP mid rate of the last working "
            "day before the tax point.",
        ),
        "art. 31a and art. 106e ust. 11 VAT act, P_14_xW",
    )


def bad_quantity(name: str, quantity: Decimal, path: str) -> Finding:
    """A sold line without a positive quantity or with a negative amount."""
    return _reason(
        "line-not-a-sale",
        path,
        Text(
            f"Pozycja „{name}” ma ilość {quantity} lub ujemną kwotę, więc nie jest sprzedażą.",
            f'Line "{name}" has quantity {quantity} or a negative amount, so it is no sale.',
        ),
        Text("Usuń ją z zamówienia albo zamień na rabat.", "Remove it from the order or make it a discount."),
    )


def voucher_sold(name: str, path: str) -> Finding:
    """A multi-purpose voucher stands among the lines."""
    return _reason(
        "voucher-sold",
        path,
        Text(
            f"Pozycja „{name}” to bon: jego sprzedaż może być poza VAT, więc decyduje człowiek.",
            f'Line "{name}" is a voucher: its sale may be outside VAT, so a person decides.',
        ),
        Text("Wystaw dokument ręcznie.", "Issue the document by hand."),
        "art. 8b VAT act",
    )


def nothing_sold() -> Finding:
    """No line with an amount is left."""
    return _reason(
        "nothing-sold",
        "lines",
        Text(
            "Zamówienie nie zawiera żadnej płatnej pozycji.",
            "The order has no line that anything was charged for.",
        ),
        Text("Takiego zamówienia się nie fakturuje.", "Such an order is not invoiced."),
    )


def out_of_range(what: str, value: str, path: str) -> Finding:
    """An amount or quantity that no field of the schema can hold."""
    return _reason(
        "amount-out-of-range",
        path,
        Text(
            f"Wartość {value} ({what}) nie mieści się na fakturze.",
            f"The value {value} ({what}) does not fit on an invoice.",
        ),
        Text("Popraw kwoty w zamówieniu.", "Correct the amounts in the order."),
        "TKwotowy, TKwotowy2, TIlosci",
    )


def too_many_lines(count: int) -> Finding:
    """More lines than the schema takes."""
    return _reason(
        "too-many-lines",
        "lines",
        Text(
            f"Zamówienie ma {count} pozycji, a faktura mieści 10 000.",
            f"The order has {count} lines, an invoice takes 10 000.",
        ),
        Text("Podziel zamówienie.", "Split the order."),
        "FaWiersz (maxOccurs 10000)",
    )


def own_nip(nip: str) -> Finding:
    """The buyer's NIP is the seller's."""
    return _reason(
        "buyer-is-seller",
        "buyer.tax_ids",
        Text(f"NIP nabywcy {nip} jest NIP-em sprzedawcy.", f"The buyer's NIP {nip} is the seller's own."),
        Text("Popraw NIP w zamówieniu.", "Correct the NIP in the order."),
    )


def refunded_before_invoice(amount: Decimal, currency: str) -> Finding:
    """Money was given back before the invoice was issued."""
    return _reason(
        "refunded-before-invoice",
        "refunds",
        Text(
            f"Przed wystawieniem faktury zwrócono już {amount} {currency}.",
            f"{amount} {currency} was given back before the invoice was issued.",
        ),
        Text(
            "Zdecyduj, czy fakturować całe zamówienie, czy to, co z niego zostało.",
            "Decide whether to invoice the whole order or what is left of it.",
        ),
    )
