"""An order that nobody placed, for previews of texts."""

from __future__ import annotations

from datetime import date

from connector_app.texts.filling import Facts

INVENTED = Facts(
    invoice_number="FV/2026/11/0042",
    issue_date=date(2026, 11, 24),
    order_number="1042",
    total="246.00 PLN",
    seller_name="Sklep Przykładowy sp. z o.o.",
    ksef_number="5265877635-20261124-0100001AF629-AF",
    verification_link="https://qr.ksef.mf.gov.pl/invoice/5265877635/24-11-2026/UtQp9Gpc51y",
    certificate_link="https://qr.ksef.mf.gov.pl/certificate/Nip/5265877635/5265877635/01F20A5D352AE590",
    buyer_page="https://faktury.sklep.example/1042",
    pdf_link="https://faktury.sklep.example/1042.pdf",
    file_mark="9f2c61d0a3b7",
    refusal="Błąd weryfikacji semantyki dokumentu faktury",
    refusal_code="450",
)
