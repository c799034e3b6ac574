"""Who is named on an invoice: names, addresses, roles and the flags of the buyer."""

from __future__ import annotations

from core.invoices.model import InvoiceKind, PartyRole, TaxIdKind, ThirdParty
from core.invoices.rules.rule import Subject, error, info, warning
from core.money import ZERO

BUYER_NAME = error(
    "buyer-name-missing",
    "art. 106e ust. 1 pkt 3 VAT act",
    "Faktura nie zawiera nazwy nabywcy.",
    "The invoice does not name the buyer.",
    "Uzupełnij nazwę firmy albo imię i nazwisko.",
    "Add the company's or the person's name.",
)
BUYER_ADDRESS = warning(
    "buyer-address-missing",
    "art. 106e ust. 1 pkt 3 VAT act",
    "Faktura nie zawiera adresu nabywcy.",
    "The invoice does not state the buyer's address.",
    "Uzupełnij adres nabywcy.",
    "Add the buyer's address.",
)
JST_PARTY = error(
    "jst-without-recipient",
    "Podmiot2: JST; Podmiot3: Rola 8",
    "Faktura dotyczy jednostki podrzędnej samorządu, ale nie wskazuje jej jako Podmiot3 z rolą 8.",
    "The invoice concerns a local government's unit, but no Podmiot3 with role 8 names it.",
    "Dodaj jednostkę jako odbiorcę z rolą 8.",
    "Add the unit as a recipient with role 8.",
)
JST_FLAG = warning(
    "recipient-without-jst",
    "Podmiot2: JST; Podmiot3: Rola 8",
    "Podmiot3 ma rolę 8 (jednostka podrzędna samorządu), a pole JST mówi, że faktura jej nie dotyczy.",
    "A Podmiot3 has role 8 (unit of a local government), but JST says that there is none.",
    "Ustaw JST nabywcy na 1 albo zmień rolę.",
    "Set the buyer's JST to 1 or change the role.",
)
GV_PARTY = error(
    "vat-group-without-member",
    "Podmiot2: GV; Podmiot3: Rola 10",
    "Faktura dotyczy członka grupy VAT, ale nie wskazuje go jako Podmiot3 z rolą 10.",
    "The invoice concerns a member of a VAT group, but no Podmiot3 with role 10 names it.",
    "Dodaj członka grupy z rolą 10.",
    "Add the member with role 10.",
)
GV_FLAG = warning(
    "member-without-vat-group",
    "Podmiot2: GV; Podmiot3: Rola 10",
    "Podmiot3 ma rolę 10 (członek grupy VAT), a pole GV mówi, że faktura go nie dotyczy.",
    "A Podmiot3 has role 10 (member of a VAT group), but GV says that there is none.",
    "Ustaw GV nabywcy na 1 albo zmień rolę.",
    "Set the buyer's GV to 1 or change the role.",
)
SAME_PARTY = warning(
    "buyer-is-seller",
    "Podmiot1, Podmiot2: NIP",
    "Sprzedawca i nabywca mają ten sam NIP {nip}.",
    "Seller and buyer have the same NIP {nip}.",
    "Sprawdź numer nabywcy.",
    "Check the buyer's number.",
)
SHARES = error(
    "additional-buyer-shares-exceed",
    "Podmiot3: Udzial",
    "Udziały dodatkowych nabywców dają razem {sum} %, więcej niż 100 %.",
    "The additional buyers' shares make {sum} % together, more than 100 %.",
    "Popraw udziały.",
    "Correct the shares.",
)
SHARES_MIXED = warning(
    "additional-buyer-share-missing",
    "Podmiot3: Udzial",
    "Tylko część dodatkowych nabywców ma podany udział.",
    "Only some of the additional buyers have a share.",
    "Podaj udział każdego albo żadnego.",
    "State everybody's share or nobody's.",
)
SHARE_ROLE = warning(
    "share-without-additional-buyer",
    "Podmiot3: Udzial, Rola 4",
    "Udział podano podmiotowi, który nie jest dodatkowym nabywcą (rola 4).",
    "A share is stated for a party that is no additional buyer (role 4).",
)
THIRD_ROLE = error(
    "third-party-role-missing",
    "Podmiot3: Rola, OpisRoli",
    "Podmiot trzeci nie ma roli ani jej opisu.",
    "A third party has neither a role nor a description of it.",
    "Wskaż rolę podmiotu.",
    "Choose the party's role.",
)
THIRD_IS_BUYER = info(
    "third-party-is-buyer",
    "Podmiot2, Podmiot3: NIP",
    "Podmiot trzeci ma ten sam NIP {nip} co nabywca.",
    "A third party has the same NIP {nip} as the buyer.",
)
FACTOR = info(
    "factor-account-without-factor",
    "RachunekBankowyFaktora; Podmiot3: Rola 1",
    "Podano rachunek faktora, ale żaden Podmiot3 nie jest faktorem (rola 1).",
    "A factor's account is given, but no Podmiot3 is a factor (role 1).",
)
COUNTRY = info(
    "buyer-country-differs",
    "Podmiot2: NIP or KodUE, KodKraju",
    "Numer podatkowy nabywcy jest z kraju {number}, a adres z kraju {address}.",
    "The buyer's tax number is from {number}, the address from {address}.",
    "Sprawdź, czy oba są właściwe.",
    "Check that both are right.",
)

# KodUE and ISO 3166 differ for Greece and Northern Ireland
_ADDRESS_COUNTRY = {"EL": "GR", "XI": "GB"}
_ROLE_FLAGS = (
    (PartyRole.LOCAL_GOVERNMENT_RECIPIENT, JST_PARTY, JST_FLAG, "JST"),
    (PartyRole.VAT_GROUP_RECIPIENT, GV_PARTY, GV_FLAG, "GV"),
)


def check_parties(subject: Subject) -> None:
    """Names, addresses, roles and flags."""
    invoice = subject.invoice
    buyer, kind = invoice.buyer, invoice.kind
    if kind is not InvoiceKind.SIMPLIFIED:
        if not buyer.name:
            subject.report(BUYER_NAME, "Faktura/Podmiot2/DaneIdentyfikacyjne/Nazwa")
        if buyer.address is None:
            subject.report(BUYER_ADDRESS, "Faktura/Podmiot2/Adres")
    if buyer.tax_id.value == invoice.seller.nip and buyer.tax_id.kind is TaxIdKind.NIP:
        subject.report(SAME_PARTY, "Faktura/Podmiot2/DaneIdentyfikacyjne/NIP", nip=buyer.tax_id.value)
    _country(subject)
    parties = invoice.third_parties
    if parties or buyer.is_local_government_unit or buyer.is_vat_group_member:
        _flags(subject)
    if parties:
        _third_parties(subject, parties)
    payment = invoice.payment
    if (
        payment is not None
        and payment.factor_accounts
        and all(party.role is not PartyRole.FACTOR for party in parties)
    ):
        subject.report(FACTOR, "Faktura/Fa/Platnosc/RachunekBankowyFaktora[1]")


def _country(subject: Subject) -> None:
    buyer = subject.invoice.buyer
    tax_id, address = buyer.tax_id, buyer.address
    if address is None:
        return
    if tax_id.kind is TaxIdKind.NIP:
        country = "PL"
    elif tax_id.kind is TaxIdKind.EU_VAT and tax_id.country != "PL":
        country = _ADDRESS_COUNTRY.get(tax_id.country, tax_id.country)
    else:
        return
    if address.country not in (country, tax_id.country):
        subject.report(COUNTRY, "Faktura/Podmiot2/Adres/KodKraju", number=country, address=address.country)


def _flags(subject: Subject) -> None:
    buyer = subject.invoice.buyer
    roles = [party.role for party in subject.invoice.third_parties]
    flags = (buyer.is_local_government_unit, buyer.is_vat_group_member)
    for (role, party_rule, flag_rule, name), flag in zip(_ROLE_FLAGS, flags, strict=True):
        if flag and role not in roles:
            subject.report(party_rule, f"Faktura/Podmiot2/{name}")
        elif not flag and role in roles and not subject.context.older_schema:
            subject.report(flag_rule, f"Faktura/Podmiot2/{name}")


def _third_parties(subject: Subject, parties: tuple[ThirdParty, ...]) -> None:
    buyer_id = subject.invoice.buyer.tax_id
    shares = []
    for index, party in enumerate(parties, 1):
        path = f"Faktura/Podmiot3[{index}]"
        if party.role is None and not party.role_description:
            subject.report(THIRD_ROLE, f"{path}/Rola")
        if party.role is PartyRole.ADDITIONAL_BUYER:
            shares.append(party.share)
        elif party.share is not None:
            subject.report(SHARE_ROLE, f"{path}/Udzial")
        if party.tax_id.kind is TaxIdKind.NIP and party.tax_id == buyer_id:
            subject.report(THIRD_IS_BUYER, f"{path}/DaneIdentyfikacyjne/NIP", nip=buyer_id.value)
    stated = [share for share in shares if share is not None]
    if sum(stated, ZERO) > 100:
        subject.report(SHARES, "Faktura/Podmiot3", sum=sum(stated, ZERO))
    if stated and len(stated) < len(shares):
        subject.report(SHARES_MIXED, "Faktura/Podmiot3")
