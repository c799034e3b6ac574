"""From a shop's buyer to Podmiot2: who is it, by which number, at which address."""

from __future__ import annotations

from decimal import Decimal

from core import orders
from core.countries import COUNTRIES, EU
from core.findings import Finding, Text
from core.invoices import attention
from core.invoices.model import Address, Buyer, Contact, PartyRole, Seller, TaxId, TaxIdKind, ThirdParty
from core.invoices.policy import BuyerMarks, CompanyWithoutNip, InvoicePolicy
from core.invoices.tax_ids import as_eu_vat, as_nip, is_no_number, normalise
from core.invoices.texts import NAME_LIMIT, clean

SIMPLIFIED_LIMIT = Decimal(450)
"""Gross PLN up to which an invoice may be simplified (art. 106e ust. 5 pkt 3 of the VAT act)."""

_PHONE_LIMIT = 16
_OTHER_ID_LIMIT = 50  # TNrIdentyfikacjiPodatkowej
_NO_MARKS = BuyerMarks()


def buyer_of(
    order: orders.Order, seller: Seller, policy: InvoicePolicy, reasons: list[Finding]
) -> tuple[Buyer, tuple[ThirdParty, ...]]:
    """Make Podmiot2, and the Podmiot3 that go with it, of an order's buyer.

    Args:
        order: the order; its tax id candidates stand in the order of trust.
        seller: Podmiot1, who cannot be the buyer.
        policy: decides what a company without a number is, and what is known of a NIP.
        reasons: reasons for Attention are added here; the result is usable only when none was.

    Returns:
        The buyer, with ``BrakID`` for a consumer, and third parties.
    """
    shop = order.buyer
    tax_id = _tax_id(shop, policy, reasons)
    if tax_id.kind is TaxIdKind.NIP and tax_id.value == seller.nip:
        reasons.append(attention.own_nip(tax_id.value))
    company, person = clean(shop.company, NAME_LIMIT), clean(shop.person_name, NAME_LIMIT)
    is_consumer = tax_id.kind is TaxIdKind.NONE
    name = (person or company) if is_consumer else (company or person)
    if not name:
        reasons.append(attention.buyer_data_missing(Text("nazwa lub nazwisko", "a name"), "buyer"))
    may_lack = policy.allow_missing_address or may_be_simplified(order, tax_id, policy)
    marks = policy.buyers.get(tax_id.value, _NO_MARKS) if tax_id.kind is TaxIdKind.NIP else _NO_MARKS
    buyer = Buyer(
        tax_id=tax_id,
        name=name,
        address=_address(shop.address, reasons, may_lack=may_lack),
        # a consumer's contact data and customer number are nobody's business in KSeF
        contacts=() if is_consumer else _contacts(shop),
        customer_number="" if is_consumer else clean(shop.customer_id),
        is_local_government_unit=marks.is_local_government_unit,
        is_vat_group_member=marks.is_vat_group_member,
    )
    return buyer, (*marks.third_parties, *_recipient(order, buyer, policy))


def may_be_simplified(order: orders.Order, tax_id: TaxId, policy: InvoicePolicy) -> bool:
    """Whether an order may get UPR: the merchant allows it, the buyer has a NIP, at most 450 PLN."""
    return (
        policy.simplified
        and tax_id.kind is TaxIdKind.NIP
        and order.currency == "PLN"
        and order.total <= SIMPLIFIED_LIMIT
    )


def _tax_id(shop: orders.Buyer, policy: InvoicePolicy, reasons: list[Finding]) -> TaxId:
    found: TaxId | None = None
    broken: orders.TaxIdCandidate | None = None
    for candidate in shop.tax_ids:
        tax_id = _read_candidate(candidate, shop.address.country)
        if tax_id is None:
            # a wrong number in a field meant for it is the buyer's mistake; in free text it is no number
            if broken is None and not candidate.free_text and not is_no_number(candidate.value):
                broken = candidate
        elif found is None:
            found = tax_id
        elif tax_id != found and not candidate.free_text:
            reasons.append(attention.contradicting_tax_ids(found.value, tax_id.value, candidate.source))
            return found
    if found is not None:
        return found
    if broken is not None:
        reasons.append(attention.broken_nip(broken.value, broken.source))
    elif shop.company.strip() and policy.company_without_nip is CompanyWithoutNip.ATTENTION:
        reasons.append(attention.company_without_nip(shop.company.strip()))
    return TaxId.none()


def _read_candidate(candidate: orders.TaxIdCandidate, country: str) -> TaxId | None:
    nip = as_nip(candidate.value)
    if nip is not None:
        return TaxId.nip(nip)
    european = as_eu_vat(candidate.value)
    if european is not None:
        return TaxId.eu_vat(*european)
    outside_eu = bool(country) and country not in EU
    if outside_eu and not candidate.free_text and not is_no_number(candidate.value):
        # numbers of the rest of the world have no form that could be checked here
        return TaxId.other(clean(normalise(candidate.value), _OTHER_ID_LIMIT), country)
    return None


def _address(shop: orders.PostalAddress, reasons: list[Finding], *, may_lack: bool) -> Address | None:
    country = shop.country.strip().upper()
    lacks = [
        (not clean(shop.line1), Text("ulica i numer", "street and number")),
        (not clean(shop.city), Text("miejscowość", "city")),
        (country not in COUNTRIES, Text(f"kraj {country}".strip(), f"country {country}".strip())),
    ]
    missing = [what for is_missing, what in lacks if is_missing]
    if missing:
        if not may_lack:
            reasons += [attention.buyer_data_missing(what, "buyer.address") for what in missing]
        return None
    street = " ".join(part for part in (shop.line1, shop.line2) if part.strip())
    town = " ".join(part for part in (shop.postcode, shop.city) if part.strip())
    return Address(country, clean(street, NAME_LIMIT), clean(town, NAME_LIMIT))


def _recipient(order: orders.Order, buyer: Buyer, policy: InvoicePolicy) -> tuple[ThirdParty, ...]:
    """Who receives the goods as Podmiot3, when that is somebody else and the merchant wants it named."""
    recipient = order.recipient
    if recipient is None or not policy.recipient_as_third_party or buyer.tax_id.kind is TaxIdKind.NONE:
        return ()
    name = clean(recipient.company or recipient.name, NAME_LIMIT)
    if not name or name == buyer.name:
        return ()
    address = _address(recipient.address, [], may_lack=True)
    return (ThirdParty(TaxId.none(), name, PartyRole.RECIPIENT, address=address),)


def _contacts(shop: orders.Buyer) -> tuple[Contact, ...]:
    email = clean(shop.email)
    phone = clean(shop.phone)
    # contact data are optional: what does not fit the schema is left out, not cut into something wrong
    contact = Contact(
        email if _plausible_email(email) else "", phone if 3 <= len(phone) <= _PHONE_LIMIT else ""
    )
    return (contact,) if contact != Contact() else ()


def _plausible_email(email: str) -> bool:
    local, at, domain = email.partition("@")
    return (
        bool(at and local and "." in domain and "@" not in domain and " " not in email) and len(email) <= 255
    )
