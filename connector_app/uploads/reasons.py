"""What can be wrong with an uploaded file beyond schema and rules, in words."""

from __future__ import annotations

from datetime import date

from core.findings import Finding, Severity, Text

_P1 = "Faktura/Fa/P_1"
_P2 = "Faktura/Fa/P_2"


def _error(code: str, path: str, message: Text, hint: Text, source: str = "") -> Finding:
    return Finding(code, Severity.ERROR, path, message, hint, source)


def no_xml(why: str, line: int | None) -> Finding:
    """The bytes are no XML that may be read."""
    return Finding(
        "upload-no-xml",
        Severity.ERROR,
        "",
        Text("To nie jest poprawny plik XML.", "This is no well-formed XML file."),
        Text("Wyeksportuj fakturę z programu jeszcze raz.", "Export the invoice from the program once more."),
        why,
        line,
    )


def no_fa() -> Finding:
    """XML that is neither FA(2) nor FA(3)."""
    return _error(
        "upload-no-fa",
        "Faktura",
        Text(
            "Ten XML nie jest fakturą w strukturze FA(3) ani FA(2).",
            "This XML is no invoice of the structure FA(3) or FA(2).",
        ),
        Text("Wyeksportuj fakturę jako FA(3).", "Export the invoice as FA(3)."),
    )


def old_schema() -> Finding:
    """FA(2) where KSeF takes FA(3) only."""
    return _error(
        "upload-old-schema",
        "Faktura/Naglowek/KodFormularza",
        Text(
            "To FA(2), a KSeF przyjmuje od 1 lutego 2026 r. tylko FA(3).",
            "This is FA(2), and since 1 February 2026 KSeF takes FA(3) only.",
        ),
        Text("Wyeksportuj fakturę jako FA(3).", "Export the invoice as FA(3)."),
        "KSeF 2.0: formCode",
    )


def not_readable() -> Finding:
    """It passes the schema and yet cannot be read as an invoice."""
    return _error(
        "upload-not-readable",
        "",
        Text(
            "Faktury nie da się odczytać, więc nie można jej sprawdzić ani śledzić.",
            "The invoice cannot be read, so it can be neither checked nor tracked.",
        ),
        Text("Wyeksportuj fakturę z programu jeszcze raz.", "Export the invoice from the program once more."),
    )


def other_seller(found: str, expected: str) -> Finding:
    """Podmiot1 is somebody else."""
    return _error(
        "upload-other-seller",
        "Faktura/Podmiot1/DaneIdentyfikacyjne/NIP",
        Text(
            f"Sprzedawcą na fakturze jest NIP {found}, a wgrywasz ją dla NIP {expected}.",
            f"The invoice's seller is NIP {found}, and you upload it for NIP {expected}.",
        ),
        Text("Wybierz właściwego sprzedawcę.", "Choose the right seller."),
    )


def number_taken(number: str, document_id: int) -> Finding:
    """Another document has this P_2."""
    return _error(
        "upload-number-taken",
        _P2,
        Text(
            f"Numer {number} ma już inny dokument (nr {document_id} w łączniku).",
            f"Another document (no. {document_id} here) has the number {number} already.",
        ),
        Text(
            "Nadaj w programie inny numer albo sprawdź, czy to nie ta sama faktura.",
            "Give it another number in the program, or see whether it is the same invoice.",
        ),
        "KSeF: uniqueness by NIP, RodzajFaktury and P_2",
    )


def own_number(number: str, pattern: str) -> Finding:
    """P_2 belongs to a series that the connector numbers."""
    return _error(
        "upload-own-number",
        _P2,
        Text(
            f"Numer {number} należy do numeracji łącznika ({pattern}): mógłby powstać dwa razy.",
            f"The number {number} belongs to the connector's own series ({pattern}): it could come twice.",
        ),
        Text(
            "Ustaw w programie inną serię niż w łączniku.",
            "Use another series in the program than in the connector.",
        ),
    )


def not_of_today(issued: date, deadline: date, today: date) -> Finding:
    """P_1 is before today, so that KSeF marks the invoice as offline."""
    if today <= deadline:
        return Finding(
            "upload-issued-before",
            Severity.WARNING,
            _P1,
            Text(
                f"Faktura ma datę {issued}: KSeF oznaczy ją jako wystawioną offline.",
                f"The invoice is dated {issued}: KSeF will mark it as issued offline.",
            ),
            Text(
                "Jeśli nabywca jej jeszcze nie dostał, wystaw ją w programie z dzisiejszą datą.",
                "If the buyer does not have it yet, issue it in the program with today's date.",
            ),
            "art. 106nda VAT act",
        )
    return Finding(
        "upload-issued-long-before",
        Severity.WARNING,
        _P1,
        Text(
            f"Faktura ma datę {issued}, a termin przesłania faktury offline z tego dnia minął {deadline}. "
            "KSeF ją przyjmie i oznaczy jako offline.",
            f"The invoice is dated {issued}, and the time to send an offline invoice of that day ended on "
            f"{deadline}. KSeF takes it and marks it as offline.",
        ),
        Text(
            "Jeśli nabywca jej jeszcze nie dostał, wystaw ją w programie z dzisiejszą datą.",
            "If the buyer does not have it yet, issue it in the program with today's date.",
        ),
        "art. 106nda VAT act",
    )


def order_invoiced(order: str, number: str) -> Finding:
    """The shop's order that the invoice names has an invoice of the connector."""
    return _error(
        "upload-order-invoiced",
        "Faktura/Fa/WarunkiTransakcji/Zamowienia/NrZamowienia",
        Text(
            f"Zamówienie {order} ma już fakturę {number} z łącznika: druga byłaby podwójna.",
            f"Order {order} already has invoice {number} from the connector: a second would double it.",
        ),
        Text(
            "Jeśli to inne zamówienie, usuń jego numer z faktury w programie.",
            "If this is another order, remove its number from the invoice in the program.",
        ),
    )


def original_unknown(number: str) -> Finding:
    """A correction of an invoice that is not here."""
    return Finding(
        "upload-original-unknown",
        Severity.INFO,
        "Faktura/Fa/DaneFaKorygowanej",
        Text(
            f"Korygowanej faktury {number} nie ma w łączniku; korekta stanie osobno.",
            f"The corrected invoice {number} is not here; the correction stands by itself.",
        ),
    )


def failed_before(document_id: int) -> Finding:
    """A file takes the place of one that KSeF refused."""
    return Finding(
        "upload-replaces-refused",
        Severity.INFO,
        _P2,
        Text(
            f"Zastąpi plik dokumentu {document_id} o tym numerze, którego KSeF nie przyjął.",
            f"It takes the place of the file of document {document_id} with this number, which KSeF refused.",
        ),
    )
