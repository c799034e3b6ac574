"""The invoice: what the seller states to KSeF, independent of the schema version.

One frozen model serves building, writing, reading and checking. Field names are English; the schema's
own name stands in each docstring. Amounts are :class:`~decimal.Decimal` in units of
:attr:`Invoice.currency`. What a document holds and the model has no field for is kept in ``extra`` of
the part it stands in, so that reading and writing lose nothing.
"""

from core.invoices.model.codes import (
    CorrectionType,
    InvoiceKind,
    MarginScheme,
    PartyRole,
    Pricing,
    RateRow,
    TaxIdKind,
    VatCategory,
)
from core.invoices.model.corrections import CorrectedInvoice, Correction, PreviousBuyer, PreviousSeller
from core.invoices.model.document import (
    AdvancePart,
    AdvanceReference,
    Annotations,
    Description,
    Footer,
    Invoice,
    Period,
    RateSummary,
)
from core.invoices.model.extra import Extra
from core.invoices.model.lines import AdvanceOrder, AdvanceOrderLine, InvoiceLine
from core.invoices.model.parties import (
    Address,
    AuthorizedParty,
    Buyer,
    Contact,
    Issuer,
    Register,
    Seller,
    TaxId,
    ThirdParty,
)
from core.invoices.model.terms import (
    BankAccount,
    Charge,
    Contract,
    Discount,
    DueTerm,
    OrderReference,
    PartPayment,
    PaymentTerms,
    Settlement,
    TransactionTerms,
)

__all__ = [
    "Address",
    "AdvanceOrder",
    "AdvanceOrderLine",
    "AdvancePart",
    "AdvanceReference",
    "Annotations",
    "AuthorizedParty",
    "BankAccount",
    "Buyer",
    "Charge",
    "Contact",
    "Contract",
    "CorrectedInvoice",
    "Correction",
    "CorrectionType",
    "Description",
    "Discount",
    "DueTerm",
    "Extra",
    "Footer",
    "Invoice",
    "InvoiceKind",
    "InvoiceLine",
    "Issuer",
    "MarginScheme",
    "OrderReference",
    "PartPayment",
    "PartyRole",
    "PaymentTerms",
    "Period",
    "PreviousBuyer",
    "PreviousSeller",
    "Pricing",
    "RateRow",
    "RateSummary",
    "Register",
    "Seller",
    "Settlement",
    "TaxId",
    "TaxIdKind",
    "ThirdParty",
    "TransactionTerms",
    "VatCategory",
]
