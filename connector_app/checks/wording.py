"""What a numbers check can say: each finding by its code, with how much it weighs and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

from core.findings import Finding, Severity, Text

_NOTHING = Text("", "")
_RESTORE = Text(
    "Przywróć bazę z kopii zapasowej albo odzyskaj dokumenty: ksef-connector recover --seller NIP --since "
    "DZIEŃ.",
    "Restore the database from a backup, or recover documents: ksef-connector recover --seller NIP --since "
    "DAY.",
)
_OPEN = Text(
    "Otwórz dokument: jest tam powód i to, co można zrobić (documents show, documents retry).",
    "Open the document: it has the reason and what can be done (documents show, documents retry).",
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of finding.

    Attributes:
        title: of all of its kind.
        severity: an error or a warning keeps a month from being proved; a note explains.
        hint: what to do.
    """

    title: Text
    severity: Severity
    hint: Text = _NOTHING


_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

KINDS: dict[str, Kind] = {
    "number-missing": Kind(
        Text("Luki w numeracji", "Gaps in the numbering"),
        _ERROR,
        Text(
            "Sprawdź, czy dokument jest w KSeF (część KSeF tego raportu) i w kopii zapasowej; jeśli jest w "
            "KSeF: ksef-connector recover --seller NIP --since DZIEŃ. Numery sprzed tego programu ogłasza "
            "numer początkowy w ustawieniach numeracji.",
            "See whether the document is in KSeF (part KSeF of this report) and in a backup; if it is in "
            "KSeF: ksef-connector recover --seller NIP --since DAY. Numbers from before this program are "
            "told by a start number in the settings of numbering.",
        ),
    ),
    "number-explained": Kind(
        Text("Numery bez faktury, z wyjaśnieniem", "Numbers without an invoice, explained"), _INFO
    ),
    "number-reserved": Kind(
        Text("Numery nadane, a jeszcze bez dokumentu", "Numbers given and without a document yet"),
        _WARNING,
        _OPEN,
    ),
    "number-double": Kind(
        Text("Ten sam licznik dwa razy", "The same counter twice"),
        _ERROR,
        Text(
            "Dwa dokumenty jednej serii mają ten sam licznik: jeden skoryguj do zera i wystaw ponownie.",
            "Two documents of a series have the same counter: correct one to zero and issue it again.",
        ),
    ),
    "number-out-of-order": Kind(
        Text("Numery w innej kolejności niż czas wystawienia", "Numbers out of the order of issue"),
        _WARNING,
        Text(
            "Zegar komputera cofnął się albo numer zmieniono poza programem: ksef-connector check sprawdza "
            "zegar.",
            "The machine's clock went back, or a number was changed outside the program: ksef-connector "
            "check looks at the clock.",
        ),
    ),
    "number-made-anew": Kind(
        Text(
            "Numery dokumentów wystawionych ponownie po odmowie KSeF",
            "Numbers of documents made anew after KSeF's refusal",
        ),
        _INFO,
    ),
    "number-of-other-store": Kind(
        Text("Numer z serii innego sklepu", "A number of another store's series"),
        _ERROR,
        Text(
            "Dokument sklepu ma numer z serii innego sklepu tej firmy: zmieniono go poza programem. "
            "Przywróć bazę z kopii zapasowej.",
            "A store's document has a number of another store's series: it was changed outside the program. "
            "Restore the database from a backup.",
        ),
    ),
    "number-of-other-program": Kind(
        Text("Obcy dokument w naszej serii", "A document from elsewhere in a series of ours"),
        _ERROR,
        Text(
            "Dwa programy nie mogą numerować jednej serii: zmień wzór numeracji w jednym z nich.",
            "Two programs must not number one series: change the pattern in one of them.",
        ),
    ),
    "number-without-series": Kind(
        Text("Numery spoza wszystkich serii", "Numbers of no series"),
        _WARNING,
        Text(
            "Żaden dzisiejszy ani dawny wzór nie daje tego numeru: zmieniono go poza programem?",
            "No pattern of today or before makes this number: was it changed outside the program?",
        ),
    ),
    "counter-behind": Kind(
        Text("Licznik serii stoi za nisko", "A counter stands too low"),
        _WARNING,
        Text(
            "Licznik jest starszy niż dokumenty: czy bazę przywrócono z kopii? Program pominie zajęte "
            "numery, ale sprawdź w KSeF, czy nie ma tam nowszych: ksef-connector recover.",
            "The counter is older than the documents: was the database restored from a backup? The program "
            "skips taken numbers, but see whether KSeF has newer ones: ksef-connector recover.",
        ),
    ),
    "document-not-accepted": Kind(
        Text("Wystawione, a nie przyjęte przez KSeF", "Issued and not accepted by KSeF"), _WARNING, _OPEN
    ),
    "document-refused": Kind(Text("Odrzucone przez KSeF", "Refused by KSeF"), _WARNING, _OPEN),
    "document-without-order": Kind(
        Text("Dokument bez zamówienia", "A document without an order"), _ERROR, _RESTORE
    ),
    "document-from-elsewhere": Kind(
        Text("Dokumenty, których zamówienia nie ma w sklepie", "Documents whose order is of no shop"), _INFO
    ),
    "order-without-document": Kind(
        Text("Zamówienia bez dokumentu", "Orders without a document"),
        _ERROR,
        Text(
            "Zamówienie jest w bazie, a jego dokumentu nie ma: przywróć bazę z kopii zapasowej albo odczytaj "
            "sklep ponownie (store sync).",
            "The order is here and its document is not: restore the database from a backup, or read the shop "
            "again (store sync).",
        ),
    ),
    "order-due-not-issued": Kind(
        Text("Zamówienia należne bez faktury", "Orders that are due without an invoice"), _WARNING, _OPEN
    ),
    "order-due-cancelled": Kind(
        Text("Zamówienia należne z anulowanym dokumentem", "Orders that are due with a cancelled document"),
        _ERROR,
        _OPEN,
    ),
    "order-withdrawn": Kind(
        Text("Faktury wycofane przez człowieka", "Invoices that a person withdrew"), _INFO
    ),
    "order-store-removed": Kind(Text("Zamówienia usuniętych sklepów", "Orders of removed stores"), _INFO),
    "order-unreadable": Kind(
        Text("Zamówienia, których nie da się odczytać", "Orders that cannot be read"), _WARNING, _OPEN
    ),
    "order-invoiced-twice": Kind(
        Text("Zamówienia z dwiema fakturami", "Orders with two invoices"),
        _ERROR,
        Text(
            "Jedną z faktur skoryguj do zera: na stronie dokumentu („Wystaw korektę”).",
            "Correct one of the invoices to zero: on the document's page (Issue correction).",
        ),
    ),
    "order-perhaps-invoiced-twice": Kind(
        Text("Zamówienia z fakturą tu i spoza sklepu", "Orders with an invoice here and one from elsewhere"),
        _WARNING,
        Text(
            "Porównaj obie faktury; jeśli dotyczą tego samego zamówienia, jedną skoryguj do zera.",
            "Compare both invoices; if they are of the same order, correct one to zero.",
        ),
    ),
    "refund-without-correction": Kind(
        Text("Zwroty bez korekty", "Refunds without a correction"),
        _ERROR,
        Text(
            "Odczytaj sklep ponownie (store sync); jeśli korekta nie powstanie, wystaw ją ręcznie.",
            "Read the shop again (store sync); if no correction comes of it, issue one by hand.",
        ),
    ),
    "refund-waits": Kind(
        Text("Zwroty, których korekta czeka", "Refunds whose correction waits"), _WARNING, _OPEN
    ),
    "refund-closed": Kind(
        Text("Zwroty zamknięte przez człowieka bez korekty", "Refunds that a person closed"), _INFO
    ),
    "correction-without-refund": Kind(
        Text("Korekty, których zwrotu nie ma w sklepie", "Corrections whose refund is not in the shop"),
        _WARNING,
        Text(
            "Jeśli nabywca nie dostał pieniędzy, potrzebna jest korekta z powrotem (czeka w dokumentach).",
            "If the buyer did not get the money, a correction back is needed (it waits in the documents).",
        ),
    ),
    "refund-amount-differs": Kind(
        Text("Korekty na inną kwotę niż zwrot", "Corrections of another amount than the refund"),
        _ERROR,
        _OPEN,
    ),
    "file-damaged": Kind(
        Text("Uszkodzone pliki XML", "Damaged XML files"),
        _ERROR,
        Text(
            "Plik różni się od wystawionego. Przywróć bazę z kopii zapasowej; właściwe bajty ma też KSeF.",
            "The file is not what was issued. Restore the database from a backup; KSeF has the right bytes, "
            "too.",
        ),
    ),
    "file-missing": Kind(Text("Brakujące pliki XML", "Missing XML files"), _ERROR, _RESTORE),
    "file-says-otherwise": Kind(
        Text("Baza mówi co innego niż plik XML", "The database says something else than the XML"),
        _ERROR,
        _RESTORE,
    ),
    "upo-damaged": Kind(Text("Uszkodzone UPO", "Damaged UPOs"), _ERROR, _RESTORE),
    "upo-not-there": Kind(Text("Przyjęte, ale jeszcze bez UPO", "Accepted and without a UPO yet"), _INFO),
    "ksef-only": Kind(
        Text("W KSeF z numerem naszej serii, a u nas nie ma", "In KSeF with a number of ours, and not here"),
        _ERROR,
        Text(
            "Jeśli wystawił go ten program: ksef-connector recover --seller NIP --since DZIEŃ; jeśli inny, "
            "nie może używać tej samej serii.",
            "If this program made it: ksef-connector recover --seller NIP --since DAY; if another did, it "
            "must not use the same series.",
        ),
    ),
    "ksef-other-program": Kind(Text("W KSeF z innych programów", "In KSeF from other programs"), _INFO),
    "ksef-not-noticed": Kind(
        Text("Przyjęte przez KSeF, a u nas jeszcze w drodze", "Accepted by KSeF, under way here"),
        _WARNING,
        Text(
            "Program dowie się o tym sam, gdy pracuje; możesz też ponowić dokument (documents retry).",
            "The program finds out by itself while it works; you can also retry the document (documents "
            "retry).",
        ),
    ),
    "ksef-number-twice": Kind(
        Text("Ten sam numer faktury dwa razy w KSeF", "The same invoice number twice in KSeF"),
        _ERROR,
        Text(
            "Jeden z dokumentów skoryguj do zera i zmień wzór numeracji w jednym z programów.",
            "Correct one of the documents to zero, and change the pattern in one of the programs.",
        ),
    ),
    "ksef-other-bytes": Kind(
        Text("KSeF ma inny plik niż my", "KSeF has another file than we"),
        _ERROR,
        Text(
            "Pobierz plik z KSeF (Aplikacja Podatnika) i porównaj; przywróć bazę z kopii zapasowej.",
            "Fetch the file from KSeF (Taxpayer's Application) and compare; restore the database from a "
            "backup.",
        ),
    ),
    "ksef-differs": Kind(
        Text("KSeF podaje inne dane niż baza", "KSeF tells other data than the database"), _ERROR, _RESTORE
    ),
    "ksef-missing": Kind(
        Text("U nas przyjęte, a w KSeF ich nie ma", "Accepted here, and not in KSeF"),
        _ERROR,
        Text(
            "Sprawdź numer na stronie weryfikacyjnej KSeF i czy sprzedawca nie zmienił środowiska.",
            "Look the number up on KSeF's verification page, and whether the seller's environment changed.",
        ),
    ),
}


def found(code: str, path: str, message: Text) -> Finding:
    """A finding of a kind.

    Args:
        code: of :data:`KINDS`.
        path: ``document:ID``, ``order:ID``, ``ksef:NUMBER`` or ``series:KEY``.
        message: what was found, in a sentence.
    """
    kind = KINDS[code]
    return Finding(code, kind.severity, path, message, kind.hint)
