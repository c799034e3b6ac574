"""ksef2 from PyPI: its builder, with its check by the schema on (its default)."""

from __future__ import annotations

import base64
import hashlib
import importlib
import os
from datetime import date
from decimal import Decimal
from typing import Any

from benchmarks.peers.serve import serve


def main() -> None:
    """Serve rounds; needs Python 3.12 and ``pip install ksef2``."""
    fa3 = importlib.import_module("ksef2.fa3")
    # its clients encrypt inside of sending; there is no public function for it
    encrypt_invoice = importlib.import_module("ksef2._core.crypto").encrypt_invoice
    key, iv = os.urandom(32), os.urandom(16)

    def party(values: dict[str, str]) -> dict[str, str]:
        return {
            "name": values["name"],
            "tax_id": values["nip"],
            "country_code": "PL",
            "address_line_1": values["line1"],
            "address_line_2": values["line2"],
        }

    def work(invoice: dict[str, Any]) -> bytes:
        builder = (
            fa3.InvoiceBuilder()
            .header(system_info=invoice["system"], generation_timestamp=invoice["created_at"])
            .seller(**party(invoice["seller"]))
            .buyer(**party(invoice["buyer"]))
        )
        body = (
            builder.standard()
            .issue_date(date.fromisoformat(invoice["issued_on"]))
            .invoice_number(invoice["number"])
        )
        rows = body.rows()
        for line in invoice["lines"]:
            rows.add_line(
                name=line["name"],
                quantity=Decimal(line["quantity"]),
                unit_of_measure=line["unit"],
                unit_price_net=Decimal(line["unit_price"]),
                vat_rate=fa3.VatRate(line["rate"]),
                unique_id=line["id"],
                sku=line["sku"],
            )
        rows.done().done()
        xml: bytes = builder.to_xml().encode()
        encrypted = encrypt_invoice(xml, key, iv)
        for data in (xml, encrypted):
            base64.b64encode(hashlib.sha256(data).digest())
        return xml

    serve("ksef2", work)


if __name__ == "__main__":
    main()
