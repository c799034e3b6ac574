"""An invoice as FA(2) or FA(3) bytes.

Text is written in the schema's own order by the tables of :mod:`core.fa.tables`, without an element tree
in between: that is what makes building cheap next to checking. The result is UTF-8 with an XML prolog and
no insignificant space, and is the same bytes for the same invoice.
"""

from __future__ import annotations

from core.fa import tables
from core.fa.registry import FaSchema
from core.invoices.model import Invoice


def write(invoice: Invoice, schema: FaSchema) -> bytes:
    """Write an invoice.

    Args:
        invoice: complete, with texts already cleaned.
        schema: the version to write; what it has no place for is left out.

    Returns:
        The document's bytes; whether they satisfy the schema is for :mod:`core.fa.validate` to say.
    """
    table = tables.document(schema.version)
    third = "".join([f"<Podmiot3>{table.third.write(party)}</Podmiot3>" for party in invoice.third_parties])
    authorized = ""
    if invoice.authorized is not None:
        inner = table.authorized.write(invoice.authorized)
        authorized = f"<PodmiotUpowazniony>{inner}</PodmiotUpowazniony>"
    footer = "" if invoice.footer is None else f"<Stopka>{table.footer.write(invoice.footer)}</Stopka>"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Faktura xmlns="{schema.namespace}"><Naglowek>'
        f'<KodFormularza kodSystemowy="{schema.system_code}" wersjaSchemy="{schema.schema_version}">'
        f"{schema.form_code}</KodFormularza><WariantFormularza>{schema.variant}</WariantFormularza>"
        f"{table.header.write(invoice)}</Naglowek>"
        f"<Podmiot1>{table.seller.write(invoice.seller)}</Podmiot1>"
        f"<Podmiot2>{table.buyer.write(invoice.buyer)}</Podmiot2>{third}{authorized}"
        f"<Fa>{table.fa.write(invoice)}</Fa>{footer}"
        f"{''.join([extra.xml for extra in invoice.extra])}</Faktura>"
    ).encode()
