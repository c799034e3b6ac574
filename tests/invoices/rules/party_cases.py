"""Defects of numbers, parties, days and payment."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal as D

from core.invoices.model import (
    Address,
    AdvancePart,
    AuthorizedParty,
    BankAccount,
    Charge,
    Contract,
    DueTerm,
    Footer,
    Invoice,
    OrderReference,
    PartPayment,
    PartyRole,
    Period,
    PreviousBuyer,
    PreviousSeller,
    Register,
    Settlement,
    TaxId,
    TaxIdKind,
    ThirdParty,
    TransactionTerms,
)
from core.orders import PaymentForm
from tests.invoices.rules.bases import (
    ACCOUNT,
    BUYER,
    BUYER_NIP,
    GERMAN,
    HOME,
    SELLER,
    SELLER_NIP,
    THIRD_NIP,
    advance,
    correction,
    of_buyer,
    of_correction,
    of_line,
    of_payment,
    supply,
    valid,
)
from tests.invoices.rules.cases import Case

_ID = "DaneIdentyfikacyjne"
_UNIT = ThirdParty(TaxId.nip(THIRD_NIP), "Jednostka", PartyRole.LOCAL_GOVERNMENT_RECIPIENT, address=HOME)
_MEMBER = replace(_UNIT, role=PartyRole.VAT_GROUP_RECIPIENT)
_PAYER = replace(_UNIT, role=PartyRole.PAYER)
_BUYER = replace(_UNIT, role=PartyRole.ADDITIONAL_BUYER)
_PAY = "Faktura/Fa/Platnosc"


def _third(party: ThirdParty, *others: ThirdParty, **buyer: object) -> Invoice:
    return of_buyer(valid(third_parties=(party, *others)), **buyer)


def _register(krs: str = "", regon: str = "") -> Invoice:
    return valid(footer=Footer(registers=(Register(krs=krs, regon=regon),)))


def _account(number: str) -> Invoice:
    return of_payment(valid(), accounts=(BankAccount(number),))


def _parts(*amounts: str, whole: bool = False, day: date = date(2026, 11, 20)) -> Invoice:
    parts = tuple(PartPayment(D(amount), day, PaymentForm.CARD) for amount in amounts)
    return of_payment(valid(), part_payments=parts, paid_in_parts=whole)


NUMBERS = {
    "seller's NIP": Case(
        "seller-nip-check-digit",
        f"Faktura/Podmiot1/{_ID}/NIP",
        lambda: valid(seller=replace(SELLER, nip="5265877636")),
    ),
    "buyer's NIP": Case(
        "buyer-nip-check-digit",
        f"Faktura/Podmiot2/{_ID}/NIP",
        lambda: of_buyer(valid(), tax_id=TaxId.nip("5260250275")),
    ),
    "third party's NIP": Case(
        "third-party-nip-check-digit",
        f"Faktura/Podmiot3[1]/{_ID}/NIP",
        lambda: _third(replace(_PAYER, tax_id=TaxId.nip("5213017229"))),
    ),
    "authorized party's NIP": Case(
        "authorized-nip-check-digit",
        f"Faktura/PodmiotUpowazniony/{_ID}/NIP",
        lambda: valid(authorized=AuthorizedParty("5213017229", "Komornik", HOME, "2")),
    ),
    "previous seller's NIP": Case(
        "previous-seller-nip-check-digit",
        f"Faktura/Fa/Podmiot1K/{_ID}/NIP",
        lambda: of_correction(correction(), previous_seller=PreviousSeller("5265877636", "Sklep", HOME)),
    ),
    "previous buyer's NIP": Case(
        "previous-buyer-nip-check-digit",
        f"Faktura/Fa/Podmiot2K[1]/{_ID}/NIP",
        lambda: of_correction(
            correction(), previous_buyers=(PreviousBuyer(TaxId.nip("5260250275"), "MF", HOME),)
        ),
    ),
    "a Polish number among the EU's": Case(
        "buyer-nip-in-wrong-field",
        f"Faktura/Podmiot2/{_ID}/KodUE",
        lambda: of_buyer(valid(), tax_id=TaxId.eu_vat("PL", BUYER_NIP)),
    ),
    "a Polish number among other identifiers": Case(
        "buyer-nip-in-wrong-field",
        f"Faktura/Podmiot2/{_ID}/NrID",
        lambda: of_buyer(valid(), tax_id=TaxId.other("526-025-02-74", "PL")),
    ),
    "a third party's Polish number among other identifiers": Case(
        "third-party-nip-in-wrong-field",
        f"Faktura/Podmiot3[1]/{_ID}/NrID",
        lambda: _third(replace(_PAYER, tax_id=TaxId.other(THIRD_NIP))),
    ),
    "a PESEL as an identifier": Case(
        "buyer-pesel-stated",
        f"Faktura/Podmiot2/{_ID}/NrID",
        lambda: of_buyer(valid(), tax_id=TaxId.other("44051401359", "PL")),
    ),
    "an EU number with its prefix twice": Case(
        "eu-vat-prefix-repeated",
        f"Faktura/Podmiot2/{_ID}/NrVatUE",
        lambda: of_buyer(supply(), tax_id=TaxId.eu_vat("DE", "DE136695976")),
    ),
    "an EU number with a wrong digit": Case(
        "eu-vat-number-invalid",
        f"Faktura/Podmiot2/{_ID}/NrVatUE",
        lambda: of_buyer(supply(), tax_id=TaxId.eu_vat("DE", "136695977")),
    ),
    "an internal id of a wrong NIP": Case(
        "internal-id-form",
        f"Faktura/Podmiot3[1]/{_ID}/IDWew",
        lambda: _third(replace(_PAYER, tax_id=TaxId(TaxIdKind.INTERNAL, "5213017229-12345"))),
    ),
    "an internal id that is too short": Case(
        "internal-id-form",
        f"Faktura/Podmiot3[1]/{_ID}/IDWew",
        lambda: _third(replace(_PAYER, tax_id=TaxId(TaxIdKind.INTERNAL, f"{THIRD_NIP}-1234"))),
    ),
    "REGON": Case(
        "regon-check-digit", "Faktura/Stopka/Rejestry[1]/REGON", lambda: _register(regon="000331502")
    ),
    "KRS": Case("krs-form", "Faktura/Stopka/Rejestry[1]/KRS", lambda: _register(krs="123456")),
    "EORI": Case(
        "eori-form", "Faktura/Podmiot1/NrEORI", lambda: valid(seller=replace(SELLER, eori="526587"))
    ),
    "GLN": Case(
        "gln-check-digit",
        "Faktura/Podmiot2/Adres/GLN",
        lambda: of_buyer(valid(), address=replace(HOME, gln="5901234123458")),
    ),
    "NRB": Case(
        "bank-account-check-digits",
        f"{_PAY}/RachunekBankowy[1]/NrRB",
        lambda: _account("61109010140000071219812875"),
    ),
    "NRB with PL and spaces": Case(
        "bank-account-check-digits",
        f"{_PAY}/RachunekBankowy[1]/NrRB",
        lambda: _account("PL62 1090 1014 0000 0712 1981 2874"),
    ),
    "a foreign IBAN": Case(
        "bank-account-check-digits",
        f"{_PAY}/RachunekBankowy[1]/NrRB",
        lambda: _account("DE89370400440532013001"),
    ),
    "a factor's account": Case(
        "bank-account-check-digits",
        f"{_PAY}/RachunekBankowyFaktora[1]/NrRB",
        lambda: of_payment(
            valid(third_parties=(replace(_UNIT, role=PartyRole.FACTOR),)),
            factor_accounts=(BankAccount("61109010140000071219812875"),),
        ),
    ),
    "a Polish account that lacks a digit": Case(
        "bank-account-length", f"{_PAY}/RachunekBankowy[1]/NrRB", lambda: _account(ACCOUNT[:-1])
    ),
}
PARTIES = {
    "no name": Case(
        "buyer-name-missing", f"Faktura/Podmiot2/{_ID}/Nazwa", lambda: of_buyer(valid(), name="")
    ),
    "no address": Case(
        "buyer-address-missing", "Faktura/Podmiot2/Adres", lambda: of_buyer(valid(), address=None)
    ),
    "JST without its unit": Case(
        "jst-without-recipient",
        "Faktura/Podmiot2/JST",
        lambda: of_buyer(valid(), is_local_government_unit=True),
    ),
    "a unit without JST": Case("recipient-without-jst", "Faktura/Podmiot2/JST", lambda: _third(_UNIT)),
    "GV without its member": Case(
        "vat-group-without-member", "Faktura/Podmiot2/GV", lambda: of_buyer(valid(), is_vat_group_member=True)
    ),
    "a member without GV": Case("member-without-vat-group", "Faktura/Podmiot2/GV", lambda: _third(_MEMBER)),
    "selling to itself": Case(
        "buyer-is-seller",
        f"Faktura/Podmiot2/{_ID}/NIP",
        lambda: of_buyer(valid(), tax_id=TaxId.nip(SELLER_NIP)),
    ),
    "shares over 100 %": Case(
        "additional-buyer-shares-exceed",
        "Faktura/Podmiot3",
        lambda: _third(replace(_BUYER, share=D(60)), replace(_BUYER, share=D(41))),
    ),
    "some shares": Case(
        "additional-buyer-share-missing",
        "Faktura/Podmiot3",
        lambda: _third(replace(_BUYER, share=D(6)), _BUYER),
    ),
    "a payer's share": Case(
        "share-without-additional-buyer",
        "Faktura/Podmiot3[1]/Udzial",
        lambda: _third(replace(_PAYER, share=D(60))),
    ),
    "no role": Case(
        "third-party-role-missing", "Faktura/Podmiot3[1]/Rola", lambda: _third(replace(_UNIT, role=None))
    ),
    "the buyer as its own payer": Case(
        "third-party-is-buyer",
        f"Faktura/Podmiot3[1]/{_ID}/NIP",
        lambda: _third(replace(_PAYER, tax_id=BUYER.tax_id)),
    ),
    "a factor's account without a factor": Case(
        "factor-account-without-factor",
        f"{_PAY}/RachunekBankowyFaktora[1]",
        lambda: of_payment(valid(), factor_accounts=(BankAccount(ACCOUNT),)),
    ),
    "a Polish number with a German address": Case(
        "buyer-country-differs",
        "Faktura/Podmiot2/Adres/KodKraju",
        lambda: of_buyer(valid(), address=GERMAN.address),
    ),
    "a German number with a French address": Case(
        "buyer-country-differs",
        "Faktura/Podmiot2/Adres/KodKraju",
        lambda: of_buyer(supply(), address=Address("FR", "1 rue", "Paris")),
    ),
}
DATES = {
    "issued tomorrow": Case(
        "issue-date-in-future", "Faktura/Fa/P_1", lambda: valid(issued_on=date(2026, 11, 25))
    ),
    "issued in October": Case(
        "issue-date-old", "Faktura/Fa/P_1", lambda: valid(issued_on=date(2026, 10, 23), terms=None)
    ),
    "sold on the issue day": Case(
        "sale-date-repeats-issue-date", "Faktura/Fa/P_6", lambda: valid(sold_on=date(2026, 11, 24))
    ),
    "sold 61 days later": Case(
        "sale-date-too-late", "Faktura/Fa/P_6", lambda: valid(sold_on=date(2027, 1, 24))
    ),
    "sold in September": Case(
        "issued-after-deadline", "Faktura/Fa/P_1", lambda: valid(sold_on=date(2026, 9, 30))
    ),
    "sold last December": Case(
        "issued-after-deadline", "Faktura/Fa/P_1", lambda: valid(sold_on=date(2025, 12, 1))
    ),
    "a period backwards": Case(
        "period-reversed",
        "Faktura/Fa/OkresFa/P_6_Do",
        lambda: valid(period=Period(date(2026, 11, 30), date(2026, 11, 1))),
    ),
    "a day and a period": Case(
        "sale-date-and-period",
        "Faktura/Fa/P_6",
        lambda: valid(sold_on=date(2026, 11, 20), period=Period(date(2026, 11, 1), date(2026, 11, 30))),
    ),
    "a line's day beside the common one": Case(
        "line-date-with-sale-date",
        "Faktura/Fa/FaWiersz[2]/P_6A",
        lambda: of_line(valid(sold_on=date(2026, 11, 20)), 1, delivered_on=date(2026, 11, 21)),
    ),
    "the same day on each line": Case(
        "line-dates-equal",
        "Faktura/Fa/FaWiersz[1]/P_6A",
        lambda: valid(lines=tuple(replace(one, delivered_on=date(2026, 11, 20)) for one in valid().lines)),
    ),
    "a line a year later": Case(
        "line-date-too-late",
        "Faktura/Fa/FaWiersz[2]/P_6A",
        lambda: of_line(valid(), 1, delivered_on=date(2027, 11, 24)),
    ),
    "an advance a year later": Case(
        "advance-received-later",
        "Faktura/Fa/ZaliczkaCzesciowa[1]/P_6Z",
        lambda: advance(advance_parts=(AdvancePart(date(2027, 11, 24), D("123.00")),)),
    ),
    "an order of tomorrow": Case(
        "order-date-after-issue",
        "Faktura/Fa/WarunkiTransakcji/Zamowienia[1]/DataZamowienia",
        lambda: valid(terms=TransactionTerms(orders=(OrderReference("1", date(2026, 11, 25)),))),
    ),
    "a contract of tomorrow": Case(
        "contract-date-after-issue",
        "Faktura/Fa/WarunkiTransakcji/Umowy[1]/DataUmowy",
        lambda: valid(terms=TransactionTerms(contracts=(Contract(date(2026, 11, 25)),))),
    ),
}
PAYMENT = {
    "paid tomorrow": Case(
        "paid-in-future", f"{_PAY}/DataZaplaty", lambda: of_payment(valid(), paid_on=date(2026, 11, 25))
    ),
    "paid in 2015": Case(
        "paid-before-ksef", f"{_PAY}/DataZaplaty", lambda: of_payment(valid(), paid_on=date(2015, 11, 25))
    ),
    "paid whole and in parts": Case(
        "paid-and-part-payments",
        f"{_PAY}/ZaplataCzesciowa",
        lambda: of_payment(_parts("1.00"), paid_on=date(2026, 11, 20)),
    ),
    "parts over the total": Case(
        "part-payments-exceed-total", f"{_PAY}/ZaplataCzesciowa", lambda: _parts("200.00", "92.51")
    ),
    "parts that do not cover": Case(
        "part-payments-do-not-cover",
        f"{_PAY}/ZnacznikZaplatyCzesciowej",
        lambda: _parts("200.00", "92.49", whole=True),
    ),
    "parts that cover all": Case(
        "part-payments-cover-total", f"{_PAY}/ZnacznikZaplatyCzesciowej", lambda: _parts("200.00", "92.50")
    ),
    "a part tomorrow": Case(
        "part-payment-in-future",
        f"{_PAY}/ZaplataCzesciowa[1]/DataZaplatyCzesciowej",
        lambda: _parts("1.00", day=date(2026, 11, 25)),
    ),
    "a part of nothing": Case(
        "part-payment-not-positive",
        f"{_PAY}/ZaplataCzesciowa[1]/KwotaZaplatyCzesciowej",
        lambda: _parts("0.00"),
    ),
    "due yesterday": Case(
        "due-before-issue",
        f"{_PAY}/TerminPlatnosci[1]/Termin",
        lambda: of_payment(valid(), due=(DueTerm(date(2026, 11, 23)),)),
    ),
    "due in 14": Case(
        "due-term-incomplete",
        f"{_PAY}/TerminPlatnosci[1]/TerminOpis",
        lambda: of_payment(valid(), due=(DueTerm(count="14"),)),
    ),
    "a form and another form": Case(
        "payment-form-and-description",
        f"{_PAY}/OpisPlatnosci",
        lambda: of_payment(valid(), description="kompensata"),
    ),
    "a link without its id": Case(
        "payment-link-without-id",
        f"{_PAY}/LinkDoPlatnosci",
        lambda: of_payment(valid(), link="https://pay.example/?id=1"),
    ),
    "a link of another id": Case(
        "payment-link-id-differs",
        f"{_PAY}/IPKSeF",
        lambda: of_payment(
            valid(), link="https://pay.example/?IPKSeF=123abcdefghij", ksef_payment_id="123abcdefghik"
        ),
    ),
    "a transfer to nowhere": Case(
        "transfer-without-account", f"{_PAY}/RachunekBankowy", lambda: of_payment(valid(), accounts=())
    ),
    "charges that do not add up": Case(
        "charges-total-differs",
        "Faktura/Fa/Rozliczenie/SumaObciazen",
        lambda: valid(settlement=Settlement((Charge(D("5.00"), "odsetki"),), D("6.00"))),
    ),
    "deductions that do not add up": Case(
        "deductions-total-differs",
        "Faktura/Fa/Rozliczenie/SumaOdliczen",
        lambda: valid(
            settlement=Settlement(deductions=(Charge(D("5.00"), "nadpłata"),), deductions_total=D("6.00"))
        ),
    ),
    "to pay what does not follow": Case(
        "to-pay-differs",
        "Faktura/Fa/Rozliczenie/DoZaplaty",
        lambda: valid(settlement=Settlement((Charge(D("5.00"), "odsetki"),), D("5.00"), to_pay=D("292.50"))),
    ),
    "to pay and to settle": Case(
        "to-pay-and-to-settle",
        "Faktura/Fa/Rozliczenie/DoRozliczenia",
        lambda: valid(settlement=Settlement(to_pay=D("292.50"), to_settle=D("1.00"))),
    ),
}
CASES = NUMBERS | PARTIES | DATES | PAYMENT
