"""Check digits and forms of the numbers that identify parties and accounts."""

from __future__ import annotations

from core.checksums import is_eori, is_gln, is_iban, is_krs, is_nrb, is_pesel, is_regon
from core.invoices.model import Address, BankAccount, TaxId, TaxIdKind
from core.invoices.rules.rule import Rule, Subject, error, warning
from core.invoices.tax_ids import EU_COUNTRIES, as_eu_vat, as_nip, is_nip

_KSEF = "KSeF: verification of invoices (NIP)"
_HINT = ("Ustal właściwy numer.", "Find out the right number.")

SELLER_NIP = error(
    "seller-nip-check-digit",
    _KSEF,
    "NIP sprzedawcy {nip} ma błędną cyfrę kontrolną.",
    "The seller's NIP {nip} has a wrong check digit.",
    "Popraw NIP w danych sprzedawcy.",
    "Correct the NIP in the seller's data.",
)
BUYER_NIP = error(
    "buyer-nip-check-digit",
    _KSEF,
    "NIP nabywcy {nip} ma błędną cyfrę kontrolną.",
    "The buyer's NIP {nip} has a wrong check digit.",
    "Ustal z nabywcą właściwy numer.",
    "Ask the buyer for the right number.",
)
THIRD_NIP = error(
    "third-party-nip-check-digit",
    _KSEF,
    "NIP podmiotu trzeciego {nip} ma błędną cyfrę kontrolną.",
    "The third party's NIP {nip} has a wrong check digit.",
    *_HINT,
)
AUTHORIZED_NIP = error(
    "authorized-nip-check-digit",
    _KSEF,
    "NIP podmiotu upoważnionego {nip} ma błędną cyfrę kontrolną.",
    "The authorized party's NIP {nip} has a wrong check digit.",
    *_HINT,
)
PREVIOUS_SELLER_NIP = error(
    "previous-seller-nip-check-digit",
    _KSEF,
    "NIP sprzedawcy sprzed korekty {nip} ma błędną cyfrę kontrolną.",
    "The seller's NIP before the correction, {nip}, has a wrong check digit.",
    *_HINT,
)
PREVIOUS_BUYER_NIP = error(
    "previous-buyer-nip-check-digit",
    _KSEF,
    "NIP nabywcy sprzed korekty {nip} ma błędną cyfrę kontrolną.",
    "The buyer's NIP before the correction, {nip}, has a wrong check digit.",
    "Błędny NIP koryguje się do zera i wystawia nową fakturę.",
    "A wrong NIP takes a correction to zero and a new invoice.",
)
BUYER_NIP_FIELD = error(
    "buyer-nip-in-wrong-field",
    "Podmiot2: NIP",
    "Polski numer {nip} jest w polu numeru zagranicznego: nabywca nie zobaczy faktury.",
    "The Polish number {nip} is in a foreign number's field: its buyer won't see it.",
    "Wpisz numer w pole NIP.",
    "Put the number into the NIP field.",
)
THIRD_NIP_FIELD = error(
    "third-party-nip-in-wrong-field",
    "Podmiot3: NIP",
    "Polski numer {nip} podmiotu trzeciego jest w polu numeru zagranicznego: nie zobaczy on faktury.",
    "The third party's Polish number {nip} is in a foreign number's field: it won't see the invoice.",
    "Wpisz numer w pole NIP.",
    "Put the number into the NIP field.",
)
BUYER_PESEL = warning(
    "buyer-pesel-stated",
    "Podmiot2: BrakID, NrID",
    "Pole NrID zawiera numer PESEL; osobę prywatną oznacza się jako nabywcę bez identyfikatora.",
    "NrID holds a PESEL number; a private person is a buyer without an identifier.",
    "Usuń PESEL z danych nabywcy.",
    "Remove the PESEL from the buyer's data.",
)
EU_PREFIX = warning(
    "eu-vat-prefix-repeated",
    "KodUE, NrVatUE",
    "Numer VAT UE {number} powtarza kod kraju, który stoi już w polu KodUE.",
    "The EU VAT number {number} repeats the country code that KodUE already states.",
    "Usuń kod kraju z numeru.",
    "Remove the country code from the number.",
)
EU_DIGITS = warning(
    "eu-vat-number-invalid",
    "NrVatUE (rules of the member states)",
    "Numer VAT UE {number} nie ma postaci lub cyfr kontrolnych swojego kraju.",
    "The EU VAT number {number} lacks its country's form or check digits.",
    "Sprawdź numer w systemie VIES.",
    "Look the number up in VIES.",
)
INTERNAL_ID = error(
    "internal-id-form",
    "IDWew: NIP, hyphen, five digits",
    "Identyfikator wewnętrzny {value} nie składa się z poprawnego NIP, myślnika i pięciu cyfr.",
    "The internal id {value} is not a right NIP, a hyphen and five digits.",
    *_HINT,
)
REGON = warning(
    "regon-check-digit",
    "Stopka: REGON",
    "REGON {value} ma błędną cyfrę kontrolną.",
    "The REGON {value} has a wrong check digit.",
    "Popraw REGON w danych sprzedawcy.",
    "Correct the REGON in the seller's data.",
)
KRS = error(
    "krs-form",
    "Stopka: KRS (ten digits)",
    "Numer KRS {value} nie składa się z dziesięciu cyfr.",
    "The KRS number {value} does not consist of ten digits.",
    "Popraw numer KRS w danych sprzedawcy.",
    "Correct the KRS number in the seller's data.",
)
EORI = warning(
    "eori-form",
    "NrEORI",
    "Numer EORI {value} nie ma postaci: kod kraju i do piętnastu znaków.",
    "The EORI number {value} is not a country code and up to fifteen characters.",
    *_HINT,
)
GLN = warning(
    "gln-check-digit",
    "GLN (GS1)",
    "Numer GLN {value} ma złą długość lub cyfrę kontrolną.",
    "The GLN {value} has a wrong length or check digit.",
    *_HINT,
)
ACCOUNT = error(
    "bank-account-check-digits",
    "NrRB (NRB, ISO 13616)",
    "Numer rachunku bankowego ma błędne cyfry kontrolne.",
    "The bank account number has wrong check digits.",
    "Popraw rachunek w danych sprzedawcy.",
    "Correct the account in the seller's data.",
)
ACCOUNT_LENGTH = warning(
    "bank-account-length",
    "NrRB (NRB: 26 digits)",
    "Polski numer rachunku powinien mieć 26 cyfr, a ma {digits}.",
    "A Polish account number should have 26 digits, this one has {digits}.",
    "Popraw rachunek w danych sprzedawcy.",
    "Correct the account in the seller's data.",
)


def check_numbers(subject: Subject) -> None:
    """Check digits and forms of every number of every party."""
    invoice = subject.invoice
    seller, buyer = invoice.seller, invoice.buyer
    if not is_nip(seller.nip):
        subject.report(SELLER_NIP, "Faktura/Podmiot1/DaneIdentyfikacyjne/NIP", nip=seller.nip)
    _tax_id(subject, buyer.tax_id, "Faktura/Podmiot2", BUYER_NIP, BUYER_NIP_FIELD)
    if buyer.tax_id.kind is TaxIdKind.OTHER:
        _pesel(subject, buyer.tax_id)
    if seller.eori or buyer.eori:
        _eori(subject, seller.eori, "Faktura/Podmiot1")
        _eori(subject, buyer.eori, "Faktura/Podmiot2")
    for address, path in (
        (seller.address, "Faktura/Podmiot1/Adres"),
        (seller.mail_address, "Faktura/Podmiot1/AdresKoresp"),
        (buyer.address, "Faktura/Podmiot2/Adres"),
        (buyer.mail_address, "Faktura/Podmiot2/AdresKoresp"),
    ):
        if address is not None and address.gln:
            _gln(subject, address, path)
    if invoice.third_parties or invoice.authorized is not None:
        _others(subject)
    if invoice.correction is not None:
        _previous(subject)
    if invoice.footer is not None and invoice.footer.registers:
        _registers(subject)
    payment = invoice.payment
    if payment is not None and (payment.accounts or payment.factor_accounts):
        for name, accounts in (
            ("RachunekBankowy", payment.accounts),
            ("RachunekBankowyFaktora", payment.factor_accounts),
        ):
            for index, account in enumerate(accounts, 1):
                _account(subject, account, f"Faktura/Fa/Platnosc/{name}[{index}]/NrRB")


def _tax_id(subject: Subject, tax_id: TaxId, path: str, check_digit: Rule, wrong_field: Rule | None) -> None:
    kind = tax_id.kind
    if kind is TaxIdKind.NIP:
        if not is_nip(tax_id.value):
            subject.report(check_digit, f"{path}/DaneIdentyfikacyjne/NIP", nip=tax_id.value)
    elif kind is TaxIdKind.EU_VAT:
        if tax_id.country == "PL":
            if wrong_field is not None:
                subject.report(wrong_field, f"{path}/DaneIdentyfikacyjne/KodUE", nip=tax_id.value)
        else:
            _eu_vat(subject, tax_id, f"{path}/DaneIdentyfikacyjne/NrVatUE")
    elif kind is TaxIdKind.OTHER:
        if wrong_field is not None and tax_id.country in {"", "PL"} and as_nip(tax_id.value) is not None:
            subject.report(wrong_field, f"{path}/DaneIdentyfikacyjne/NrID", nip=tax_id.value)
    elif kind is TaxIdKind.INTERNAL:
        nip, _, unit = tax_id.value.partition("-")
        if not is_nip(nip) or len(unit) != 5 or not unit.isdigit():
            subject.report(INTERNAL_ID, f"{path}/DaneIdentyfikacyjne/IDWew", value=tax_id.value)


def _eu_vat(subject: Subject, tax_id: TaxId, path: str) -> None:
    number = tax_id.value
    if number.startswith(tax_id.country) and as_eu_vat(number) is not None:
        subject.report(EU_PREFIX, path, number=number)
    elif tax_id.country in EU_COUNTRIES and as_eu_vat(f"{tax_id.country}{number}") is None:
        subject.report(EU_DIGITS, path, number=f"{tax_id.country}{number}")


def _pesel(subject: Subject, tax_id: TaxId) -> None:
    if tax_id.country in {"", "PL"} and is_pesel(tax_id.value):
        subject.report(BUYER_PESEL, "Faktura/Podmiot2/DaneIdentyfikacyjne/NrID")


def _eori(subject: Subject, eori: str, path: str) -> None:
    if eori and not is_eori(eori):
        subject.report(EORI, f"{path}/NrEORI", value=eori)


def _gln(subject: Subject, address: Address, path: str) -> None:
    if not is_gln(address.gln):
        subject.report(GLN, f"{path}/GLN", value=address.gln)


def _others(subject: Subject) -> None:
    for index, party in enumerate(subject.invoice.third_parties, 1):
        path = f"Faktura/Podmiot3[{index}]"
        _tax_id(subject, party.tax_id, path, THIRD_NIP, THIRD_NIP_FIELD)
        _eori(subject, party.eori, path)
        if party.address is not None and party.address.gln:
            _gln(subject, party.address, f"{path}/Adres")
    authorized = subject.invoice.authorized
    if authorized is not None:
        if not is_nip(authorized.nip):
            path = "Faktura/PodmiotUpowazniony/DaneIdentyfikacyjne/NIP"
            subject.report(AUTHORIZED_NIP, path, nip=authorized.nip)
        _eori(subject, authorized.eori, "Faktura/PodmiotUpowazniony")


def _previous(subject: Subject) -> None:
    correction = subject.invoice.correction
    assert correction is not None
    seller = correction.previous_seller
    if seller is not None and not is_nip(seller.nip):
        path = "Faktura/Fa/Podmiot1K/DaneIdentyfikacyjne/NIP"
        subject.report(PREVIOUS_SELLER_NIP, path, nip=seller.nip)
    for index, buyer in enumerate(correction.previous_buyers, 1):
        # a Polish number in another field may be the very thing that is corrected
        _tax_id(subject, buyer.tax_id, f"Faktura/Fa/Podmiot2K[{index}]", PREVIOUS_BUYER_NIP, None)


def _registers(subject: Subject) -> None:
    footer = subject.invoice.footer
    assert footer is not None
    for index, register in enumerate(footer.registers, 1):
        path = f"Faktura/Stopka/Rejestry[{index}]"
        if register.regon and not is_regon(register.regon):
            subject.report(REGON, f"{path}/REGON", value=register.regon)
        if register.krs and not is_krs(register.krs):
            subject.report(KRS, f"{path}/KRS", value=register.krs)


def _account(subject: Subject, account: BankAccount, path: str) -> None:
    number = account.number.replace(" ", "").upper()
    polish = number.removeprefix("PL")
    if polish.isdigit():
        if len(polish) == 26:
            if not is_nrb(polish):
                subject.report(ACCOUNT, path)
        elif polish is not number or subject.invoice.seller.address.country == "PL":
            subject.report(ACCOUNT_LENGTH, path, digits=len(polish))
    elif number[:2].isalpha() and number[2:4].isdigit() and not is_iban(number):
        subject.report(ACCOUNT, path)
