"""From a shop's buyer to Podmiot2: who is it, by which number, at which address."""

from __future__ import annotations

from core import orders
from core.findings import Finding, Text
from core.invoices import attention
from core.invoices.model import Address, Buyer, Contact, TaxId, TaxIdKind
from core.invoices.policy import CompanyWithoutNip, InvoicePolicy
from core.invoices.tax_ids import as_eu_vat, as_nip, normalise
from core.invoices.texts import NAME_LIMIT, clean

_PHONE_LIMIT = 16


def buyer_of(order: orders.Order, policy: InvoicePolicy, reasons: list[Finding]) -> Buyer:
    """Make Podmiot2 of an order's buyer.

    Args:
        order: the order; its tax id candidates stand in the order of trust.
        policy: decides what a company without a number is.
        reasons: reasons for Attention are added here; the result is usable only when none was.

    Returns:
        The buyer, with ``BrakID`` for a consumer.
    """
    shop = order.buyer
    tax_id = _tax_id(shop, policy, reasons)
    company, person = clean(shop.company, NAME_LIMIT), clean(shop.person_name, NAME_LIMIT)
    is_consumer = tax_id.kind is TaxIdKind.NONE
    name = (person or company) if is_consumer else (company or person)
    if not name:
        reasons.append(attention.buyer_data_missing(Text("nazwa lub nazwisko", "a name"), "buyer"))
    return Buyer(
        tax_id=tax_id,
        name=name,
        address=_address(shop.address, reasons),
        contact=_contact(shop),
        customer_number=clean(shop.customer_id),
    )


def _tax_id(shop: orders.Buyer, policy: InvoicePolicy, reasons: list[Finding]) -> TaxId:
    found: TaxId | None = None
    broken: orders.TaxIdCandidate | None = None
    for candidate in shop.tax_ids:
        tax_id = _read_candidate(candidate.value)
        if tax_id is None:
            # a wrong number in a field meant for it is the buyer's mistake; in free text it is no number
            if broken is None and not candidate.free_text and normalise(candidate.value):
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


def _read_candidate(value: str) -> TaxId | None:
    nip = as_nip(value)
    if nip is not None:
        return TaxId.nip(nip)
    european = as_eu_vat(value)
    if european is not None:
        return TaxId.eu_vat(*european)
    return None


def _address(shop: orders.PostalAddress, reasons: list[Finding]) -> Address | None:
    lacks = [
        (not clean(shop.line1), Text("ulica i numer", "street and number")),
        (not clean(shop.city), Text("miejscowość", "city")),
        (not shop.country, Text("kraj", "country")),
    ]
    for missing, what in lacks:
        if missing:
            reasons.append(attention.buyer_data_missing(what, "buyer.address"))
    if any(missing for missing, _ in lacks):
        return None
    street = " ".join(part for part in (shop.line1, shop.line2) if part.strip())
    town = " ".join(part for part in (shop.postcode, shop.city) if part.strip())
    return Address(shop.country, clean(street, NAME_LIMIT), clean(town, NAME_LIMIT))


def _contact(shop: orders.Buyer) -> Contact:
    email = clean(shop.email)
    phone = clean(shop.phone)
    # contact data are optional: what does not fit the schema is left out, not cut into something wrong
    return Contact(email if _plausible_email(email) else "", phone if 3 <= len(phone) <= _PHONE_LIMIT else "")


def _plausible_email(email: str) -> bool:
    local, at, domain = email.partition("@")
    return (
        bool(at and local and "." in domain and "@" not in domain and " " not in email) and len(email) <= 255
    )
