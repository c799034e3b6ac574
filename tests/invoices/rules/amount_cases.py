"""Defects of lines, the VAT table, rates, annotations, currency and kinds."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal as D

from core.invoices.model import (
    AdvancePart,
    AdvanceReference,
    Annotations,
    CorrectedInvoice,
    Description,
    Extra,
    Invoice,
    MarginScheme,
    PreviousBuyer,
    PreviousSeller,
    RateRow,
    RateSummary,
    TaxId,
    TransactionTerms,
    VatCategory,
)
from core.orders import PaymentForm
from tests.invoices.rules.bases import (
    BUYER,
    CONSUMER,
    CORRECTION,
    HOME,
    KSEF_NUMBER,
    ORDER,
    SELLER,
    SELLER_NIP,
    THIRD_NIP,
    advance,
    advance_correction,
    annex_15,
    by_line,
    correction,
    euro,
    exempt,
    export,
    gross,
    line,
    margin,
    of_buyer,
    of_correction,
    of_line,
    of_notes,
    of_payment,
    of_rate,
    order_line,
    oss,
    reverse,
    services,
    settlement,
    simplified,
    supply,
    untaxed,
    valid,
)
from tests.invoices.rules.cases import Case

_ROW = "Faktura/Fa/FaWiersz"
_NOTES = "Faktura/Fa/Adnotacje"
_BROKEN = f"{KSEF_NUMBER[:-2]}00"
_FIRST = CORRECTION.originals[0]


def _negative() -> Invoice:
    """Two lines whose sum is right, one of them below zero."""
    lines = (line(1, "160.00", quantity="4"), line(2, "-10.00", quantity="-1"), valid().lines[2])
    return valid(lines=lines)


def _terms(**values: object) -> Invoice:
    return valid(terms=TransactionTerms(**values))  # type: ignore[arg-type]


def _unrated() -> Invoice:
    return replace(valid(), lines=(*valid().lines, line(4, "0.00", None)))


def _with_row_before() -> Invoice:
    row = line(4, "0.00", before=True)
    return replace(valid(), lines=(*valid().lines, row))


LINES = {
    "a number twice": Case(
        "line-number-repeated", f"{_ROW}[3]/NrWierszaFa", lambda: of_line(valid(), 2, number=1)
    ),
    "numbers from two": Case(
        "line-numbers-not-from-one",
        f"{_ROW}[1]/NrWierszaFa",
        lambda: valid(lines=tuple(replace(one, number=one.number + 1) for one in valid().lines)),
    ),
    "an id twice": Case("line-id-repeated", f"{_ROW}[3]/UU_ID", lambda: of_line(valid(), 2, line_id="id-1")),
    "no name": Case("line-name-missing", f"{_ROW}[2]/P_7", lambda: of_line(valid(), 1, name="")),
    "no unit": Case("line-unit-missing", f"{_ROW}[2]/P_8A", lambda: of_line(valid(), 1, unit="")),
    "no amount": Case(
        "line-amount-missing",
        f"{_ROW}[2]/P_11",
        lambda: of_line(valid(), 1, net_amount=None),
    ),
    "no rate": Case("line-rate-missing", f"{_ROW}[4]/P_12", _unrated),
    "net and gross lines": Case(
        "lines-net-and-gross",
        f"{_ROW}[1]",
        lambda: of_line(
            valid(), 2, net_price=None, net_amount=None, gross_price=D("108.00"), gross_amount=D("108.00")
        ),
    ),
    "a row before outside a correction": Case(
        "before-row-outside-correction", f"{_ROW}[4]/StanPrzed", _with_row_before
    ),
    "price times quantity is another amount": Case(
        "line-amount-differs", f"{_ROW}[2]/P_11", lambda: of_line(valid(), 1, net_price=D("50.03"))
    ),
    "a discount that the amount does not show": Case(
        "line-amount-differs", f"{_ROW}[1]/P_11A", lambda: of_line(gross(), 0, discount=None)
    ),
    "a discount over the price": Case(
        "line-discount-exceeds-value",
        f"{_ROW}[4]/P_10",
        lambda: replace(
            valid(),
            lines=(*valid().lines, line(4, "0.00", net_price=D("0.01"), discount=D("0.02"))),
        ),
    ),
    "a surcharge as a discount": Case(
        "line-discount-negative",
        f"{_ROW}[2]/P_10",
        lambda: of_line(valid(), 1, net_price=D("40.00"), discount=D("-10.00")),
    ),
    "a negative line": Case("negative-outside-correction", f"{_ROW}[2]", _negative),
    "a quantity of zero": Case(
        "line-quantity-zero", f"{_ROW}[2]/P_8B", lambda: of_line(valid(), 1, quantity=D(0), net_price=None)
    ),
    "a line's tax that is not the rate's": Case(
        "line-tax-differs", f"{_ROW}[1]/P_11Vat", lambda: of_line(by_line(), 0, vat=D("0.25"))
    ),
    "tax on an exempt line": Case(
        "line-tax-on-untaxed", f"{_ROW}[1]/P_11Vat", lambda: of_line(exempt(), 0, vat=D("1.00"))
    ),
    "net and gross that disagree": Case(
        "line-net-and-gross-disagree",
        f"{_ROW}[2]/P_11A",
        lambda: of_line(valid(), 1, gross_amount=D("60.00")),
    ),
    "three decimals on a line": Case(
        "amount-decimals", f"{_ROW}[2]/P_11", lambda: of_line(valid(), 1, net_amount=D("50.001"))
    ),
    "an unknown GTU": Case("gtu-unknown", f"{_ROW}[2]/GTU", lambda: of_line(valid(), 1, gtu="GTU_14")),
    "GTU in OSS": Case("gtu-on-oss-line", f"{_ROW}[1]/GTU", lambda: of_line(oss(), 0, gtu="GTU_06")),
    "an unknown procedure": Case(
        "procedure-unknown", f"{_ROW}[2]/Procedura", lambda: of_line(valid(), 1, procedure="MPP")
    ),
    "WSTO_EE at a Polish rate": Case(
        "procedure-on-polish-rate", f"{_ROW}[2]/Procedura", lambda: of_line(valid(), 1, procedure="WSTO_EE")
    ),
    "OSS without WSTO_EE": Case(
        "oss-line-without-procedure", f"{_ROW}[1]/Procedura", lambda: of_line(oss(), 0, procedure="")
    ),
    "two rates": Case(
        "line-two-rates",
        f"{_ROW}[1]/P_12",
        lambda: of_line(untaxed(VatCategory.ZERO), 0, oss_rate=D(19), procedure="WSTO_EE"),
    ),
}


TOTALS = {
    "a total far from the table": Case(
        "total-differs-from-rates", "Faktura/Fa/P_15", lambda: valid(total=D("292.53"))
    ),
    "a correction's total far from its table": Case(
        "total-differs-from-rates", "Faktura/Fa/P_15", lambda: correction(total=D("-61.53"))
    ),
    "a total a rounding away": Case(
        "total-rounded-from-rates", "Faktura/Fa/P_15", lambda: valid(total=D("292.48"))
    ),
    "a rest that is not the table's": Case(
        "settlement-total-differs", "Faktura/Fa/P_15", lambda: settlement(total=D("1.00"))
    ),
    "no table": Case("total-without-rates", "Faktura/Fa/P_15", lambda: advance(rates=())),
    "a negative total": Case(
        "total-negative",
        "Faktura/Fa/P_15",
        lambda: advance(rates=(RateSummary(RateRow.BASIC, D("-100.00"), D("-23.00")),), total=D("-123.00")),
    ),
    "a rate without its row": Case(
        "rate-missing-in-table",
        "Faktura/Fa/P_13_2",
        lambda: valid(rates=valid().rates[:1], total=D("184.50")),
    ),
    "a row without its lines": Case(
        "rate-without-lines", "Faktura/Fa/P_13_2", lambda: valid(lines=valid().lines[:2])
    ),
    "a sum that is not the lines', net": Case(
        "rate-sum-differs-from-lines",
        "Faktura/Fa/P_13_1",
        lambda: replace(of_rate(valid(), 0, net=D("150.03")), total=D("292.53")),
    ),
    "a sum that is not the lines', gross": Case(
        "rate-sum-differs-from-lines",
        "Faktura/Fa/P_13_2",
        lambda: replace(of_rate(gross(), 1, net=D("100.03")), total=D("132.63")),
    ),
    "a sum that is not the margin lines'": Case(
        "rate-sum-differs-from-lines",
        "Faktura/Fa/P_13_5",
        lambda: replace(of_rate(oss(), 0, net=D("100.05")), total=D("119.05")),
    ),
    "a sum that is not the difference of rows": Case(
        "rate-sum-differs-from-lines",
        "Faktura/Fa/P_13_1",
        lambda: replace(of_rate(correction(), 0, net=D("-50.03")), total=D("-61.53")),
    ),
    "a tax that is not the rate's, net": Case(
        "rate-tax-differs",
        "Faktura/Fa/P_13_1",
        lambda: replace(of_rate(valid(), 0, vat=D("34.53")), total=D("292.53")),
    ),
    "a tax that is not the rate's, gross": Case(
        "rate-tax-differs",
        "Faktura/Fa/P_13_2",
        lambda: of_rate(gross(), 1, net=D("99.97"), vat=D("8.03")),
    ),
    "tax on some lines": Case(
        "line-tax-partly-stated", "Faktura/Fa/P_13_1", lambda: of_line(by_line(), 0, vat=None)
    ),
    "a row without its tax": Case(
        "rate-tax-missing",
        "Faktura/Fa/P_13_1",
        lambda: advance(rates=(RateSummary(RateRow.BASIC, D("123.00")),)),
    ),
    "tax on an exempt row": Case(
        "rate-tax-on-untaxed", "Faktura/Fa/P_13_7", lambda: of_rate(exempt(), 0, vat=D("0.00"))
    ),
    "a tax below zero": Case(
        "rate-tax-sign",
        "Faktura/Fa/P_13_1",
        lambda: advance(rates=(RateSummary(RateRow.BASIC, D("146.00"), D("-23.00")),)),
    ),
    "a row twice": Case(
        "rate-row-repeated",
        "Faktura/Fa/P_13_1",
        lambda: advance(
            rates=(
                RateSummary(RateRow.BASIC, D("50.00"), D("11.50")),
                RateSummary(RateRow.BASIC, D("50.00"), D("11.50")),
            )
        ),
    ),
}
RATES = {
    "WDT to a Polish buyer": Case(
        "wdt-without-eu-number", "Faktura/Podmiot2/DaneIdentyfikacyjne/NrVatUE", lambda: supply(buyer=BUYER)
    ),
    "np II to a consumer": Case(
        "services-without-eu-number",
        "Faktura/Podmiot2/DaneIdentyfikacyjne/NrVatUE",
        lambda: services(buyer=CONSUMER),
    ),
    "WDT without PL": Case(
        "seller-prefix-missing", "Faktura/Podmiot1/PrefiksPodatnika", lambda: supply(seller=SELLER)
    ),
    "np II without PL": Case(
        "seller-prefix-missing", "Faktura/Podmiot1/PrefiksPodatnika", lambda: services(seller=SELLER)
    ),
    "export to Warsaw": Case(
        "export-to-eu-buyer", "Faktura/Podmiot2/Adres/KodKraju", lambda: export(buyer=BUYER)
    ),
    "reverse charge for a consumer": Case(
        "reverse-charge-without-nip",
        "Faktura/Podmiot2/DaneIdentyfikacyjne/NIP",
        lambda: reverse(buyer=CONSUMER),
    ),
    "OSS to a company": Case(
        "oss-with-taxpayer", "Faktura/Podmiot2/DaneIdentyfikacyjne", lambda: oss(buyer=BUYER)
    ),
    "OSS in Poland": Case(
        "oss-buyer-in-poland", "Faktura/Podmiot2/Adres/KodKraju", lambda: oss(buyer=CONSUMER)
    ),
    "an OSS row without lines": Case(
        "oss-row-without-line",
        "Faktura/Fa/P_13_5",
        lambda: replace(
            untaxed(VatCategory.ZERO),
            buyer=oss().buyer,
            rates=(*untaxed(VatCategory.ZERO).rates, *oss().rates),
            total=D("219.00"),
        ),
    ),
    "an OSS line without its row": Case(
        "oss-line-without-row",
        "Faktura/Fa/P_13_5",
        lambda: valid(lines=(*valid().lines, line(4, "0.00", None, oss_rate=D(19), procedure="WSTO_EE"))),
    ),
    "22 % in 2026": Case(
        "rate-not-in-force",
        f"{_ROW}[1]/P_12",
        lambda: valid(
            lines=(line(1, "100.00", VatCategory.R22),),
            rates=(RateSummary(RateRow.BASIC, D("100.00"), D("22.00")),),
            total=D("122.00"),
        ),
    ),
}
NOTES = {
    "no basis": Case(
        "exemption-basis-missing", f"{_NOTES}/Zwolnienie", lambda: exempt(annotations=Annotations())
    ),
    "a basis for nothing": Case(
        "exemption-basis-without-line",
        f"{_NOTES}/Zwolnienie",
        lambda: of_notes(valid(), exemption_other="inna podstawa"),
    ),
    "two bases": Case(
        "exemption-basis-several", f"{_NOTES}/Zwolnienie", lambda: of_notes(exempt(), exemption_other="inna")
    ),
    "reverse charge that P_18 denies": Case(
        "reverse-charge-not-stated", f"{_NOTES}/P_18", lambda: of_notes(reverse(), reverse_charge=False)
    ),
    "a service that P_18 denies": Case(
        "services-without-reverse-charge",
        f"{_NOTES}/P_18",
        lambda: of_notes(services(), reverse_charge=False),
    ),
    "reverse charge for nothing": Case(
        "reverse-charge-without-line", f"{_NOTES}/P_18", lambda: of_notes(valid(), reverse_charge=True)
    ),
    "a margin row without its scheme": Case(
        "margin-row-without-annotation", f"{_NOTES}/PMarzy", lambda: margin(annotations=Annotations())
    ),
    "a margin scheme without its row": Case(
        "margin-annotation-without-row",
        f"{_NOTES}/PMarzy",
        lambda: of_notes(valid(), margin=MarginScheme.TOURISM),
    ),
    "annex 15 without split payment": Case(
        "split-payment-not-stated", f"{_NOTES}/P_18A", lambda: of_notes(annex_15(), split_payment=False)
    ),
    "split payment for a consumer": Case(
        "split-payment-for-consumer", f"{_NOTES}/P_18A", lambda: annex_15(buyer=CONSUMER)
    ),
    "split payment by card": Case(
        "split-payment-not-by-transfer",
        "Faktura/Fa/Platnosc/FormaPlatnosci",
        lambda: of_payment(annex_15(), form=PaymentForm.CARD),
    ),
    "split payment to nowhere": Case(
        "split-payment-without-account",
        "Faktura/Fa/Platnosc/RachunekBankowy",
        lambda: of_payment(annex_15(), accounts=()),
    ),
    "split payment of 292.50": Case(
        "split-payment-voluntary", f"{_NOTES}/P_18A", lambda: of_notes(valid(), split_payment=True)
    ),
    "triangular to a Polish buyer": Case(
        "triangular-without-eu-number",
        f"{_NOTES}/P_23",
        lambda: of_notes(valid(), simplified_triangular=True),
    ),
    "self-billing by a consumer": Case(
        "self-billing-by-consumer",
        f"{_NOTES}/P_17",
        lambda: of_notes(valid(buyer=CONSUMER), self_billing=True),
    ),
    "a new car at 23 %": Case(
        "new-transport-without-supply",
        f"{_NOTES}/NoweSrodkiTransportu/P_22",
        lambda: of_notes(
            valid(),
            extra=(
                Extra("NoweSrodkiTransportu", "<NoweSrodkiTransportu><P_22>1</P_22></NoweSrodkiTransportu>"),
            ),
        ),
    ),
}
CURRENCY = {
    "no tax in PLN": Case(
        "tax-in-pln-missing", "Faktura/Fa/P_14_1W", lambda: of_rate(euro(), 0, vat_pln=None)
    ),
    "PLN beside PLN": Case(
        "tax-in-pln-needless", "Faktura/Fa/P_14_2W", lambda: of_rate(valid(), 1, vat_pln=D("8.00"))
    ),
    "another rate": Case(
        "tax-in-pln-differs", "Faktura/Fa/P_14_1W", lambda: of_rate(euro(), 0, vat_pln=D("98.05"))
    ),
    "no exchange rate": Case(
        "exchange-rate-missing", f"{_ROW}[1]/KursWaluty", lambda: of_line(euro(), 0, exchange_rate=None)
    ),
    "a rate on a line in PLN": Case(
        "exchange-rate-in-pln", f"{_ROW}[2]/KursWaluty", lambda: of_line(valid(), 1, exchange_rate=D("4.2"))
    ),
    "a rate of an advance in PLN": Case(
        "exchange-rate-in-pln", "Faktura/Fa/KursWalutyZ", lambda: advance(advance_exchange_rate=D("4.2"))
    ),
    "a rate before the correction in PLN": Case(
        "exchange-rate-in-pln",
        "Faktura/Fa/KursWalutyZK",
        lambda: of_correction(correction(), exchange_rate_before=D("4.2")),
    ),
    "a rate of a part in PLN": Case(
        "exchange-rate-in-pln",
        "Faktura/Fa/ZaliczkaCzesciowa[1]/KursWalutyZW",
        lambda: advance(advance_parts=(AdvancePart(date(2026, 11, 20), D("123.00"), D("4.2")),)),
    ),
    "a rate of zero": Case(
        "exchange-rate-not-positive",
        f"{_ROW}[1]/KursWaluty",
        lambda: of_line(euro(), 0, exchange_rate=D(0)),
    ),
    "an advance's rate on an invoice": Case(
        "advance-rate-outside-advance",
        "Faktura/Fa/KursWalutyZ",
        lambda: euro(advance_exchange_rate=D("4.2617")),
    ),
    "an agreed rate without its currency": Case(
        "agreed-rate-incomplete",
        "Faktura/Fa/WarunkiTransakcji/KursUmowny",
        lambda: _terms(agreed_rate=D("4.2")),
    ),
    "an agreed currency that is the invoice's": Case(
        "agreed-currency-is-invoice-currency",
        "Faktura/Fa/WarunkiTransakcji/WalutaUmowna",
        lambda: _terms(agreed_rate=D("4.2"), agreed_currency="PLN"),
    ),
}
KINDS = {
    "a correction of nothing": Case(
        "correction-without-originals", "Faktura/Fa/DaneFaKorygowanej", lambda: correction(correction=None)
    ),
    "an invoice that corrects": Case(
        "correction-data-outside-correction",
        "Faktura/Fa/DaneFaKorygowanej",
        lambda: valid(correction=CORRECTION),
    ),
    "an advance on nothing": Case(
        "advance-without-order", "Faktura/Fa/Zamowienie", lambda: advance(order=None)
    ),
    "an order on an invoice": Case(
        "order-outside-advance", "Faktura/Fa/Zamowienie", lambda: valid(order=ORDER)
    ),
    "a settlement of nothing": Case(
        "settlement-without-advances", "Faktura/Fa/FakturaZaliczkowa", lambda: settlement(advances=())
    ),
    "advances on an invoice": Case(
        "advances-outside-settlement",
        "Faktura/Fa/FakturaZaliczkowa",
        lambda: valid(advances=(AdvanceReference(KSEF_NUMBER),)),
    ),
    "an advance without a number": Case(
        "advance-reference-unclear",
        "Faktura/Fa/FakturaZaliczkowa[1]",
        lambda: settlement(advances=(AdvanceReference(),)),
    ),
    "an advance with two numbers": Case(
        "advance-reference-unclear",
        "Faktura/Fa/FakturaZaliczkowa[1]",
        lambda: settlement(advances=(AdvanceReference(KSEF_NUMBER, "ZAL/1"),)),
    ),
    "no lines": Case("lines-missing", "Faktura/Fa/FaWiersz", lambda: valid(lines=())),
    "451 PLN": Case(
        "simplified-over-limit",
        "Faktura/Fa/P_15",
        lambda: simplified(rates=(RateSummary(RateRow.BASIC, D("366.67"), D("84.33")),), total=D("451.00")),
    ),
    "a simplified invoice of a consumer": Case(
        "simplified-without-nip",
        "Faktura/Podmiot2/DaneIdentyfikacyjne/NIP",
        lambda: simplified(buyer=CONSUMER),
    ),
    "a simplified invoice to a receipt": Case(
        "simplified-from-receipt", "Faktura/Fa/FP", lambda: simplified(from_receipt=True)
    ),
    "parts of an advance on an invoice": Case(
        "advance-parts-outside-advance",
        "Faktura/Fa/ZaliczkaCzesciowa",
        lambda: valid(advance_parts=(AdvancePart(date(2026, 11, 20), D("1.00")),)),
    ),
    "parts that are not the advance": Case(
        "advance-parts-differ",
        "Faktura/Fa/ZaliczkaCzesciowa",
        lambda: advance(advance_parts=(AdvancePart(date(2026, 11, 20), D("122.00")),)),
    ),
    "an order's value that is not its lines'": Case(
        "advance-order-total-differs",
        "Faktura/Fa/Zamowienie/WartoscZamowienia",
        lambda: advance(order=replace(ORDER, total=D("1230.03"))),
    ),
    "an advance over its order": Case(
        "advance-exceeds-order",
        "Faktura/Fa/P_15",
        lambda: advance(order=replace(ORDER, total=D("61.50"), lines=(order_line(1, "50.00", "11.50"),))),
    ),
    "an order's row before": Case(
        "order-before-row-outside-correction",
        "Faktura/Fa/Zamowienie/ZamowienieWiersz",
        lambda: advance(
            order=replace(ORDER, lines=(*ORDER.lines, order_line(3, "1.00", "0.23", before=True)))
        ),
    ),
    "an advance for WDT": Case(
        "wdt-advance",
        "Faktura/Fa/P_13_6_2",
        lambda: advance(
            seller=supply().seller,
            buyer=supply().buyer,
            rates=(RateSummary(RateRow.ZERO_WDT, D("123.00")),),
        ),
    ),
    "a description of no line": Case(
        "description-line-unknown",
        "Faktura/Fa/DodatkowyOpis[1]/NrWiersza",
        lambda: valid(descriptions=(Description("Kolor", "biały", 9),)),
    ),
    "a description twice": Case(
        "description-repeated",
        "Faktura/Fa/DodatkowyOpis[2]",
        lambda: valid(descriptions=(Description("Kolor", "biały", 1), Description("Kolor", "biały", 1))),
    ),
}
_KOR = "Faktura/Fa/DaneFaKorygowanej[1]"
CORRECTIONS = {
    "an original of tomorrow": Case(
        "correction-before-original",
        f"{_KOR}/DataWystFaKorygowanej",
        lambda: of_correction(correction(), originals=(CorrectedInvoice(date(2026, 11, 25), "FV/1"),)),
    ),
    "a correction of itself": Case(
        "correction-number-equals-original",
        f"{_KOR}/NrFaKorygowanej",
        lambda: correction(number=_FIRST.number),
    ),
    "an original twice": Case(
        "original-repeated",
        "Faktura/Fa/DaneFaKorygowanej[2]",
        lambda: of_correction(correction(), originals=(_FIRST, _FIRST)),
    ),
    "no reason": Case(
        "correction-reason-missing",
        "Faktura/Fa/PrzyczynaKorekty",
        lambda: of_correction(correction(), reason=""),
    ),
    "no type": Case(
        "correction-type-missing", "Faktura/Fa/TypKorekty", lambda: of_correction(correction(), type=None)
    ),
    "a row before alone": Case(
        "before-row-without-after",
        f"{_ROW}[3]",
        lambda: correction(lines=(*correction().lines, line(2, "0.00", before=True))),
    ),
    "a row after alone": Case(
        "after-row-without-before",
        f"{_ROW}[3]",
        lambda: correction(lines=(*correction().lines, line(2, "0.00"))),
    ),
    "an order's row before alone": Case(
        "before-row-without-after",
        "Faktura/Fa/Zamowienie/ZamowienieWiersz[3]",
        lambda: advance_correction(
            order=replace(
                ORDER,
                total=D("2460.00"),
                lines=(
                    *(advance_correction().order or ORDER).lines,
                    order_line(2, "1.00", "0.23", before=True),
                ),
            )
        ),
    ),
    "nothing changed": Case(
        "correction-without-change", "Faktura/Fa", lambda: correction(lines=(), rates=(), total=D(0))
    ),
    "a right number that is wrong": Case(
        "right-number-equals-wrong",
        "Faktura/Fa/NrFaKorygowany",
        lambda: of_correction(correction(), right_number=_FIRST.number),
    ),
    "another seller's NIP": Case(
        "previous-seller-nip-changed",
        "Faktura/Fa/Podmiot1K/DaneIdentyfikacyjne/NIP",
        lambda: of_correction(correction(), previous_seller=PreviousSeller(THIRD_NIP, "ZUS", HOME)),
    ),
    "another buyer's NIP": Case(
        "previous-buyer-nip-changed",
        "Faktura/Fa/Podmiot2K[1]/DaneIdentyfikacyjne/NIP",
        lambda: of_correction(
            correction(), previous_buyers=(PreviousBuyer(TaxId.nip(SELLER_NIP), "Inny", HOME),)
        ),
    ),
    "a key of nobody": Case(
        "previous-buyer-key-unmatched",
        "Faktura/Fa/Podmiot2K[1]/IDNabywcy",
        lambda: of_correction(
            of_buyer(correction(), key="1"), previous_buyers=(PreviousBuyer(BUYER.tax_id, "MF", HOME, "2"),)
        ),
    ),
    "no payment before": Case(
        "paid-before-missing",
        "Faktura/Fa/P_15ZK",
        lambda: of_correction(advance_correction(), paid_before=None),
    ),
    "a payment before on KOR": Case(
        "paid-before-outside-advance",
        "Faktura/Fa/P_15ZK",
        lambda: of_correction(correction(), paid_before=D("1.00")),
    ),
}
NUMBERS = {
    "an original's check sum": Case(
        "original-ksef-number",
        f"{_KOR}/NrKSeFFaKorygowanej",
        lambda: of_correction(
            correction(), originals=(replace(_FIRST, ksef_number=f"{KSEF_NUMBER[:-2]}00"),)
        ),
    ),
    "an original of another seller": Case(
        "original-ksef-number-other-seller",
        f"{_KOR}/NrKSeFFaKorygowanej",
        lambda: correction(seller=replace(SELLER, nip=THIRD_NIP)),
    ),
    "an original numbered before its issue": Case(
        "original-ksef-number-day",
        f"{_KOR}/NrKSeFFaKorygowanej",
        lambda: of_correction(correction(), originals=(replace(_FIRST, issued_on=date(2026, 8, 27)),)),
    ),
    "an advance's check sum": Case(
        "advance-ksef-number",
        "Faktura/Fa/FakturaZaliczkowa[1]/NrKSeFFaZaliczkowej",
        lambda: settlement(advances=(AdvanceReference(_BROKEN),)),
    ),
    "an advance of another seller": Case(
        "advance-ksef-number-other-seller",
        "Faktura/Fa/FakturaZaliczkowa[1]/NrKSeFFaZaliczkowej",
        lambda: settlement(seller=replace(SELLER, nip=THIRD_NIP)),
    ),
}
CASES = {
    f"{group}: {name}": case
    for group, cases in (
        ("line", LINES),
        ("total", TOTALS),
        ("rate", RATES),
        ("annotation", NOTES),
        ("currency", CURRENCY),
        ("kind", KINDS),
        ("correction", CORRECTIONS),
        ("number", NUMBERS),
    )
    for name, case in cases.items()
}
