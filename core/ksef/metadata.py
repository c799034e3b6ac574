"""What KSeF tells of an invoice without its content: ``InvoiceMetadata`` of the API contract."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from core.ksef import number
from core.ksef.fields import FieldError, Fields

_KINDS = {
    "Vat": "VAT",
    "Zal": "ZAL",
    "Kor": "KOR",
    "Roz": "ROZ",
    "Upr": "UPR",
    "KorZal": "KOR_ZAL",
    "KorRoz": "KOR_ROZ",
}


@dataclass(frozen=True, slots=True)
class Party:
    """A party as KSeF lists it.

    Attributes:
        type: ``Nip``, ``VatUe``, ``Other`` or ``None``.
        value: the identifier; empty at type ``None``.
        name: may be empty.
    """

    type: str
    value: str
    name: str


@dataclass(frozen=True, slots=True)
class InvoiceMetadata:
    """``InvoiceMetadata``: what KSeF keeps beside an accepted invoice.

    Attributes:
        ksef_number: checked KSeF number.
        number: P_2.
        issued_on: P_1.
        invoicing_date: when KSeF took it.
        acquisition_date: when KSeF gave the number.
        permanent_storage_date: when it was stored for good; exports and incremental queries go by it.
        seller: Podmiot1, by NIP.
        buyer: Podmiot2.
        net, gross: sums in the invoice's currency. vat: the tax in PLN.
        currency: ISO 4217 code.
        mode: ``Online`` or ``Offline``.
        kind: InvoiceType as the contract writes it, e.g. ``KorZal``.
        system_code: schema, e.g. ``FA (3)``.
        schema_version: e.g. ``1-0E``.
        form_value: ``FA``, ``PEF`` or ``FA_RR``.
        self_invoicing: P_17.
        has_attachment: whether it has a Zalacznik.
        invoice_hash: SHA-256 of the XML, Base64.
        corrected_hash: at a technical correction: SHA-256 of the refused document, Base64.
    """

    ksef_number: str
    number: str
    issued_on: date
    invoicing_date: datetime
    acquisition_date: datetime
    permanent_storage_date: datetime
    seller: Party
    buyer: Party
    net: Decimal
    gross: Decimal
    vat: Decimal
    currency: str
    mode: str
    kind: str
    system_code: str
    schema_version: str
    form_value: str
    self_invoicing: bool
    has_attachment: bool
    invoice_hash: str
    corrected_hash: str | None = None

    @property
    def schema_kind(self) -> str | None:
        """RodzajFaktury as the FA schemas write it; None for documents that are no FA."""
        return _KINDS.get(self.kind)

    @classmethod
    def read(cls, data: Fields) -> InvoiceMetadata:
        """Read the answer; raises FieldError."""
        text = data.text("ksefNumber")
        try:
            ksef_number = number.parse(text).value
        except number.KsefNumberError:
            raise FieldError("ksefNumber is no KSeF number") from None
        seller, form = data.child("seller"), data.child("formCode")
        return cls(
            ksef_number=ksef_number,
            number=data.text("invoiceNumber"),
            issued_on=data.day("issueDate"),
            invoicing_date=data.moment("invoicingDate"),
            acquisition_date=data.moment("acquisitionDate"),
            permanent_storage_date=data.moment("permanentStorageDate"),
            seller=Party("Nip", seller.text("nip"), seller.optional_text("name") or ""),
            buyer=_buyer(data.child("buyer")),
            net=data.amount("netAmount"),
            gross=data.amount("grossAmount"),
            vat=data.amount("vatAmount"),
            currency=data.text("currency"),
            mode=data.text("invoicingMode"),
            kind=data.text("invoiceType"),
            system_code=form.text("systemCode"),
            schema_version=form.text("schemaVersion"),
            form_value=form.text("value"),
            self_invoicing=data.flag("isSelfInvoicing"),
            has_attachment=data.flag("hasAttachment"),
            invoice_hash=data.text("invoiceHash"),
            corrected_hash=data.optional_text("hashOfCorrectedInvoice"),
        )


def _buyer(data: Fields) -> Party:
    identifier = data.child("identifier")
    return Party(
        identifier.text("type"), identifier.optional_text("value") or "", data.optional_text("name") or ""
    )
