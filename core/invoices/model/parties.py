"""Who sells, who buys, and who else is named."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from core.invoices.model.codes import PartyRole, TaxIdKind
from core.invoices.model.extra import Extra


@dataclass(frozen=True, slots=True)
class Address:
    """TAdres: country code (ISO 3166-1 alpha-2) and one or two lines of text."""

    country: str
    line1: str
    line2: str = ""
    gln: str = ""
    extra: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class Contact:
    """DaneKontaktowe: an e-mail address and a telephone number, either may be empty."""

    email: str = ""
    phone: str = ""
    extra: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class TaxId:
    """NIP, KodUE with NrVatUE, KodKraju with NrID, IDWew, or BrakID.

    Attributes:
        kind: which of them.
        value: digits and letters without a country prefix; empty for ``NONE``.
        country: KodUE or KodKraju; empty where the kind has none.
    """

    kind: TaxIdKind
    value: str = ""
    country: str = ""

    @classmethod
    def nip(cls, value: str) -> TaxId:
        """A Polish NIP of ten digits."""
        return cls(TaxIdKind.NIP, value)

    @classmethod
    def eu_vat(cls, country: str, value: str) -> TaxId:
        """A VAT number of another EU country, prefix apart."""
        return cls(TaxIdKind.EU_VAT, value, country)

    @classmethod
    def other(cls, value: str, country: str = "") -> TaxId:
        """Any other identifier, with the country that gave it when known."""
        return cls(TaxIdKind.OTHER, value, country)

    @classmethod
    def none(cls) -> TaxId:
        """No identifier (BrakID)."""
        return cls(TaxIdKind.NONE)


@dataclass(frozen=True, slots=True)
class Seller:
    """Podmiot1.

    Attributes:
        nip: ten digits. name: full name. address: seat.
        contacts: DaneKontaktowe, at most three.
        vat_prefix: PrefiksPodatnika, ``PL`` for supplies inside the EU. eori: NrEORI.
        mail_address: AdresKoresp. status: StatusInfoPodatnika (1 liquidation, 2 restructuring,
            3 bankruptcy, 4 enterprise in inheritance).
    """

    nip: str
    name: str
    address: Address
    contacts: tuple[Contact, ...] = ()
    vat_prefix: str = ""
    eori: str = ""
    mail_address: Address | None = None
    status: str = ""
    extra: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class Buyer:
    """Podmiot2.

    Attributes:
        tax_id: how the buyer is identified.
        name: company or person; empty only on simplified invoices.
        address: ``None`` when not stated. mail_address: AdresKoresp.
        contacts: DaneKontaktowe. customer_number: NrKlienta. eori: NrEORI.
        key: IDNabywcy, links a corrected buyer with Podmiot2K.
        is_local_government_unit: JST of FA(3); is_vat_group_member: GV of FA(3).
    """

    tax_id: TaxId
    name: str = ""
    address: Address | None = None
    contacts: tuple[Contact, ...] = ()
    customer_number: str = ""
    eori: str = ""
    mail_address: Address | None = None
    key: str = ""
    is_local_government_unit: bool = False
    is_vat_group_member: bool = False
    extra: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class ThirdParty:
    """Podmiot3: recipient, payer, additional buyer, factor ...

    Attributes:
        tax_id, name, address, mail_address, contacts, customer_number, eori, key: as in :class:`Buyer`.
        role: Rola; ``None`` with ``role_description`` (RolaInna, OpisRoli).
        share: Udzial of an additional buyer, in percent.
    """

    tax_id: TaxId
    name: str = ""
    role: PartyRole | None = None
    role_description: str = ""
    address: Address | None = None
    contacts: tuple[Contact, ...] = ()
    share: Decimal | None = None
    customer_number: str = ""
    eori: str = ""
    mail_address: Address | None = None
    key: str = ""
    extra: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class AuthorizedParty:
    """PodmiotUpowazniony: bailiff, enforcement body or tax representative.

    Attributes:
        role: RolaPU (1 enforcement body, 2 bailiff, 3 tax representative).
    """

    nip: str
    name: str
    address: Address
    role: str
    contacts: tuple[Contact, ...] = ()
    eori: str = ""
    mail_address: Address | None = None
    extra: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class Register:
    """Rejestry of the footer: PelnaNazwa, KRS, REGON, BDO; each may be empty."""

    full_name: str = ""
    krs: str = ""
    regon: str = ""
    bdo: str = ""
    extra: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class Issuer:
    """What a seller states on each of its invoices.

    Attributes:
        seller: Podmiot1. place: P_1M, city of issue. footer: StopkaFaktury.
        register: Rejestry; ``None`` when not stated.
    """

    seller: Seller
    place: str = ""
    footer: str = ""
    register: Register | None = field(default=None)
