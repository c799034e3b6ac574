"""Names of what a numbers check looks at, counts and concludes."""

from __future__ import annotations

from connector_app.checks.report import Part, Result
from connector_app.store.models import DocumentState
from connector_app.words import state_text
from core.findings import Severity, Text

PARTS = {
    Part.SERIES: Text("Numeracja", "Numbering"),
    Part.DOCUMENTS: Text("Dokumenty", "Documents"),
    Part.ORDERS: Text("Zamówienia i faktury", "Orders and invoices"),
    Part.REFUNDS: Text("Zwroty i korekty", "Refunds and corrections"),
    Part.FILES: Text("Pliki XML i UPO", "XML and UPO files"),
    Part.KSEF: Text("Porównanie z KSeF", "Comparison with KSeF"),
}

RESULTS = {
    Result.PROVED: Text("Wykazano: wszystko się zgadza.", "Proved: everything is in order."),
    Result.FINDINGS: Text("Nie wszystko się zgadza.", "Not everything is in order."),
    Result.INCOMPLETE: Text(
        "Nie wykazano: to, co sprawdzono, się zgadza, ale nie wszystko dało się sprawdzić.",
        "Not proved: what was looked at is in order, but not everything could be looked at.",
    ),
}

SEVERITIES = {
    Severity.ERROR: Text("błąd", "fault"),
    Severity.WARNING: Text("do wyjaśnienia", "to be settled"),
    Severity.INFO: Text("wyjaśnione", "explained"),
}

COUNTS = {
    "numbers": Text("dokumenty z numerem", "documents with a number"),
    "series": Text("serie i okresy", "series and periods"),
    "missing": Text("brakujące numery", "missing numbers"),
    "doubles": Text("liczniki użyte dwa razy", "counters used twice"),
    "out_of_order": Text("w złej kolejności", "out of order"),
    "made_anew": Text("wystawione ponownie po odmowie", "made anew after a refusal"),
    "reserved": Text("numer czeka na dokument", "number waits for its document"),
    "used_up": Text("numer bez faktury, zamknięty", "number without an invoice, closed"),
    "without_series": Text("numer spoza serii", "number of no series"),
    "deleted": Text("usunięte po ustawowym czasie", "deleted after the legal time"),
    "documents": Text("wszystkie", "all"),
    "invoices": Text("faktury", "invoices"),
    "corrections": Text("korekty", "corrections"),
    "not_accepted": Text("nieprzyjęte przez KSeF", "not accepted by KSeF"),
    "by_hand": Text("korekty wpisane ręcznie", "corrections written by hand"),
    "recovered": Text("odzyskane, bez zamówienia", "recovered, without an order"),
    "uploaded": Text("wgrane z pliku", "uploaded as a file"),
    "without_order": Text("bez zamówienia w bazie", "without an order here"),
    "invoiced": Text("z fakturą", "with an invoice"),
    "looked_at": Text("bez faktury, rozpatrzone", "without an invoice, looked at"),
    "due": Text("należne bez faktury", "due without an invoice"),
    "without_document": Text("bez dokumentu", "without a document"),
    "not_due": Text("bez dokumentu, nienależne", "without a document, not due"),
    "outside_ksef": Text("faktura poza KSeF", "invoice outside KSeF"),
    "due_cancelled": Text("należne, a anulowane", "due and cancelled"),
    "withdrawn": Text("wycofane przez człowieka", "withdrawn by a person"),
    "store_removed": Text("sklep usunięty", "store removed"),
    "unreadable": Text("nie do odczytania", "unreadable"),
    "data_deleted": Text("nienależne, dane usunięte", "not due, data deleted"),
    "twice": Text("z dwiema fakturami", "with two invoices"),
    "refunds": Text("zwroty", "refunds"),
    "corrected": Text("z korektą", "with a correction"),
    "waiting": Text("korekta czeka", "correction waits"),
    "closed": Text("zamknięte przez człowieka", "closed by a person"),
    "without_correction": Text("bez korekty", "without a correction"),
    "without_refund": Text("korekty bez zwrotu", "corrections without a refund"),
    "taken_back": Text("cofnięte korektą", "taken back by a correction"),
    "xml": Text("pliki XML", "XML files"),
    "upo": Text("pliki UPO", "UPO files"),
    "damaged": Text("uszkodzone", "damaged"),
    "without_upo": Text("jeszcze bez UPO", "without a UPO yet"),
    "in_ksef": Text("pokazane przez KSeF", "shown by KSeF"),
    "compared": Text("z tych dni", "of these days"),
    "of_other_days": Text("z innych dni", "of other days"),
    "only_in_ksef": Text("tylko w KSeF", "only in KSeF"),
    "deleted_here": Text("u nas usunięte po ustawowym czasie", "deleted here after the legal time"),
    "other_programs": Text("w tym innych programów", "of these, of other programs"),
    "missing_in_ksef": Text("brak w KSeF", "not in KSeF"),
    "other_bytes": Text("inny plik w KSeF", "another file in KSeF"),
    "differs": Text("inne dane w KSeF", "other data in KSeF"),
    "number_twice": Text("numer dwa razy w KSeF", "number twice in KSeF"),
    "not_noticed": Text("przyjęte, jeszcze w drodze", "accepted, under way here"),
    "too_fresh": Text("zbyt nowe", "too fresh"),
}
"""Names of counts; a rule of the book is counted as ``rule_CODE``, a state as ``state_NAME``."""


def count_text(name: str) -> Text:
    """The name of a count."""
    if name.startswith("state_"):
        state = state_text(DocumentState(name.removeprefix("state_")))
        return Text(f"stan: {state.pl}", f"state: {state.en}")
    if name.startswith("rule_"):
        rule = name.removeprefix("rule_")
        return Text(f"nienależne, reguła {rule}", f"not due, rule {rule}")
    return COUNTS.get(name) or Text(name, name)
