"""ksef-client from PyPI: its builder, with its own rules and its check by the schema on."""

from __future__ import annotations

import importlib
import os
from datetime import date
from decimal import Decimal
from typing import Any

from benchmarks.peers.serve import serve


def main() -> None:
    """Serve rounds; needs ``pip install 'ksef-client[xml,fa3]'``."""
    fa3 = importlib.import_module("ksef_client.documents.fa3")
    services = importlib.import_module("ksef_client.services")
    key, iv = os.urandom(32), os.urandom(16)

    def party(values: dict[str, str]) -> Any:
        address = fa3.Address.polish(values["line1"], values["line2"] or None)
        return fa3.Party.polish_company(nip=values["nip"], name=values["name"], address=address)

    def work(invoice: dict[str, Any]) -> bytes:
        builder = (
            fa3.FA3Invoice.basic(invoice["number"])
            .issued_on(date.fromisoformat(invoice["issued_on"]))
            .seller(party(invoice["seller"]))
            .buyer(party(invoice["buyer"]))
        )
        for line in invoice["lines"]:
            builder = builder.add_line(
                line["name"],
                quantity=Decimal(line["quantity"]),
                unit=line["unit"],
                unit_net_price=Decimal(line["unit_price"]),
                tax=fa3.VatClass.from_vat_rate(Decimal(line["rate"])),
                unique_id=line["id"],
            )
        xml: bytes = builder.to_xml(xsd_validate=True)
        services.build_send_invoice_request(xml, key, iv)
        return xml

    serve("ksef-client", work)


if __name__ == "__main__":
    main()
