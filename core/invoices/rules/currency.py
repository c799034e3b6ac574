"""Foreign currencies: tax in PLN and exchange rates."""

from __future__ import annotations

from core.invoices.model import InvoiceKind, RateRow
from core.invoices.rules.rule import SUM_TOLERANCE, Subject, error, info, warning
from core.money import GROSZ, grosz

TAX_MISSING = error(
    "tax-in-pln-missing",
    "art. 106e ust. 11 VAT act, P_14_xW",
    "Faktura w walucie {currency}: brak podatku w złotych ({row}).",
    "Invoice in {currency}: its tax in PLN is missing ({row}).",
    "Przelicz podatek średnim kursem NBP.",
    "Convert the tax by the NBP's mid rate.",
)
TAX_NEEDLESS = warning(
    "tax-in-pln-needless",
    "P_14_xW",
    "Faktura jest w złotych, więc pola P_14_xW są zbędne.",
    "The invoice is in PLN, so the P_14_xW fields are needless.",
    "Usuń podatek w złotych.",
    "Remove the tax in PLN.",
)
TAX_DIFFERS = error(
    "tax-in-pln-differs",
    "art. 31a and art. 106e ust. 11 VAT act",
    "{row}: podatek w złotych {stated}, a z kursu {rate} wynika {counted}.",
    "{row}: the tax in PLN is {stated}, the rate {rate} gives {counted}.",
    "Przelicz podatek ponownie.",
    "Convert the tax again.",
)
RATE_MISSING = info(
    "exchange-rate-missing",
    "KursWaluty, KursWalutyZ",
    "Podatek przeliczono na złote, ale faktura nie podaje kursu.",
    "The tax was converted into PLN, but the invoice does not state the rate.",
)
RATE_IN_PLN = warning(
    "exchange-rate-in-pln",
    "KursWaluty, KursWalutyZ, KursWalutyZW, KursWalutyZK",
    "Faktura jest w złotych, a podaje kurs waluty.",
    "The invoice is in PLN, but states an exchange rate.",
    "Usuń kurs waluty.",
    "Remove the exchange rate.",
)
RATE_SIGN = error(
    "exchange-rate-not-positive",
    "KursWaluty, KursWalutyZ, KursWalutyZW, KursUmowny",
    "Kurs waluty {rate} nie jest większy od zera.",
    "The exchange rate {rate} is not above zero.",
    "Popraw kurs.",
    "Correct the rate.",
)
ADVANCE_RATE = warning(
    "advance-rate-outside-advance",
    "art. 106b ust. 1 pkt 4 VAT act, KursWalutyZ",
    "Pole KursWalutyZ służy fakturom zaliczkowym; na tej fakturze kurs podaje się przy pozycjach.",
    "KursWalutyZ is for advance invoices; this invoice states the rate on its lines.",
    "Przenieś kurs do pozycji.",
    "Move the rate to the lines.",
)
AGREED_PARTLY = error(
    "agreed-rate-incomplete",
    "KursUmowny, WalutaUmowna",
    "Kurs umowny i waluta umowna występują tylko razem.",
    "An agreed rate and its currency stand only together.",
    "Podaj oba albo żadne.",
    "State both or neither.",
)
AGREED_SAME = warning(
    "agreed-currency-is-invoice-currency",
    "WalutaUmowna, KodWaluty",
    "Waluta umowna {currency} jest taka sama jak waluta faktury.",
    "The agreed currency {currency} is the invoice's own.",
    "Usuń walutę umowną i kurs.",
    "Remove the agreed currency and rate.",
)

_ADVANCES = (InvoiceKind.ADVANCE, InvoiceKind.ADVANCE_CORRECTION)
_MAY_RECEIVE = (*_ADVANCES, InvoiceKind.SETTLEMENT, InvoiceKind.SETTLEMENT_CORRECTION)


def check_currency(subject: Subject) -> None:
    """Rates and tax in PLN."""
    invoice = subject.invoice
    if invoice.currency == "PLN":
        _in_pln(subject)
    else:
        _tax_in_pln(subject)
    rate = invoice.advance_exchange_rate
    if rate is not None and invoice.kind not in _MAY_RECEIVE:
        subject.report(ADVANCE_RATE, "Faktura/Fa/KursWalutyZ")
    if invoice.terms is not None:
        _agreed(subject)
    if rate is not None and rate <= 0:
        subject.report(RATE_SIGN, "Faktura/Fa/KursWalutyZ", rate=rate)
    for index, part in enumerate(invoice.advance_parts, 1):
        if part.exchange_rate is not None and part.exchange_rate <= 0:
            path = f"Faktura/Fa/ZaliczkaCzesciowa[{index}]/KursWalutyZW"
            subject.report(RATE_SIGN, path, rate=part.exchange_rate)
    if subject.exchange_rates:
        for index, line in enumerate(invoice.lines, 1):
            if line.exchange_rate is not None and line.exchange_rate <= 0:
                path = f"Faktura/Fa/FaWiersz[{index}]/KursWaluty"
                subject.report(RATE_SIGN, path, rate=line.exchange_rate)


def _in_pln(subject: Subject) -> None:
    invoice = subject.invoice
    for rate in invoice.rates:
        if rate.vat_pln is not None:
            subject.report(TAX_NEEDLESS, f"Faktura/Fa/{_in_pln_name(rate.row)}")
    correction = invoice.correction
    if invoice.advance_exchange_rate is not None:
        subject.report(RATE_IN_PLN, "Faktura/Fa/KursWalutyZ")
    if correction is not None and correction.exchange_rate_before is not None:
        subject.report(RATE_IN_PLN, "Faktura/Fa/KursWalutyZK")
    for index, part in enumerate(invoice.advance_parts, 1):
        if part.exchange_rate is not None:
            subject.report(RATE_IN_PLN, f"Faktura/Fa/ZaliczkaCzesciowa[{index}]/KursWalutyZW")
    if subject.exchange_rates:
        index = next(i for i, line in enumerate(invoice.lines, 1) if line.exchange_rate is not None)
        subject.report(RATE_IN_PLN, f"Faktura/Fa/FaWiersz[{index}]/KursWaluty")


def _tax_in_pln(subject: Subject) -> None:
    invoice = subject.invoice
    exchange = subject.exchange_rate if subject.exchange_rates == 1 else None
    if exchange is None and not subject.exchange_rates:
        exchange = invoice.advance_exchange_rate
    is_converted = False
    for rate in invoice.rates:
        if not rate.vat or rate.row is RateRow.OSS:
            continue
        path = f"Faktura/Fa/{_in_pln_name(rate.row)}"
        if rate.vat_pln is None:
            subject.report(TAX_MISSING, path, currency=invoice.currency, row=rate.row.value)
            continue
        is_converted = True
        if exchange is None or exchange <= 0:
            continue
        counted = grosz(rate.vat * exchange)
        # line by line at most half a grosz of rounding each
        if abs(counted - rate.vat_pln) > max(SUM_TOLERANCE, GROSZ * len(invoice.lines)):
            subject.report(
                TAX_DIFFERS, path, row=rate.row.value, stated=rate.vat_pln, rate=exchange, counted=counted
            )
    has_rate = subject.exchange_rates or invoice.advance_exchange_rate is not None
    if is_converted and not has_rate and not any(part.exchange_rate for part in invoice.advance_parts):
        subject.report(RATE_MISSING, "Faktura/Fa/FaWiersz[1]/KursWaluty")


def _in_pln_name(row: RateRow) -> str:
    return f"{row.value.replace('P_13', 'P_14')}W"


def _agreed(subject: Subject) -> None:
    terms = subject.invoice.terms
    assert terms is not None
    path = "Faktura/Fa/WarunkiTransakcji"
    if (terms.agreed_rate is None) != (not terms.agreed_currency):
        subject.report(AGREED_PARTLY, f"{path}/KursUmowny")
    if terms.agreed_currency and terms.agreed_currency == subject.invoice.currency:
        subject.report(AGREED_SAME, f"{path}/WalutaUmowna", currency=terms.agreed_currency)
    if terms.agreed_rate is not None and terms.agreed_rate <= 0:
        subject.report(RATE_SIGN, f"{path}/KursUmowny", rate=terms.agreed_rate)
