"""KSeF's codes in words a shop owner understands, and what to do about each.

Sources: the tables of codes in the API contract 2.9.0 (statuses of documents, sessions, sign-ins and exports;
exception codes; reason codes of 403). A status code means different things for a document, a session and a
sign-in, hence one table for each; exception codes have their own range.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from core.findings import Text


class CodeKind(StrEnum):
    """Which table a code belongs to."""

    DOCUMENT = "document"
    SESSION = "session"
    SIGN_IN = "sign-in"
    ENROLLMENT = "enrollment"
    EXPORT = "export"
    EXCEPTION = "exception"


@dataclass(frozen=True, slots=True)
class Explanation:
    """A code in words.

    Attributes:
        code: the code.
        title: what happened.
        action: what a person or the program does about it.
        known: False when the code is in no table.
    """

    code: int
    title: Text
    action: Text
    known: bool = True


_AUTOMATIC = Text(
    "Nic nie musisz robić: program ponowi operację.", "Nothing to do: the program will try again."
)
_REPORT = Text(
    "To błąd programu albo łączności, nie faktury. Ponów wysyłkę; jeśli się powtórzy, zgłoś to autorom "
    "programu.",
    "This is a fault of the program or the connection, not of the invoice. Send again; if it repeats, "
    "report it to the program's authors.",
)
_REISSUE = Text(
    "Popraw dane, których dotyczy opis KSeF, i wystaw dokument jeszcze raz pod tym samym numerem.",
    "Correct the data that KSeF's description names and issue the document again under the same number.",
)
_WAIT_DOCUMENT = Text("Poczekaj na wynik przetwarzania.", "Wait for the result of processing.")
_NEW_CREDENTIAL = Text(
    "W ustawieniach sprzedawcy wskaż ważny certyfikat KSeF lub nowy token.",
    "In the seller's settings choose a valid KSeF certificate or a new token.",
)
_GRANT = Text(
    "Nadaj w KSeF uprawnienie do wystawiania faktur (InvoiceWrite) osobie lub pieczęci, której certyfikatu "
    "albo tokena używa program.",
    "In KSeF, grant the permission to issue invoices (InvoiceWrite) to the person or seal whose certificate "
    "or token the program uses.",
)
_GRANT_READ = Text(
    "Nadaj w KSeF uprawnienie do przeglądania faktur (InvoiceRead) osobie lub pieczęci, której certyfikatu "
    "albo tokena używa program.",
    "In KSeF, grant the permission to read invoices (InvoiceRead) to the person or seal whose certificate "
    "or token the program uses.",
)
_SIGN_AGAIN = Text(
    "Zaloguj się do KSeF jeszcze raz; podpisany plik jest ważny 10 minut.",
    "Sign in to KSeF again; a signed file is valid for 10 minutes.",
)
_SIGN_YOURSELF = Text(
    "Zaloguj się certyfikatem, pieczęcią lub podpisem, nie tokenem. Bez pliku z kluczem: ksef-connector auth "
    "request, podpisz plik Profilem Zaufanym, ksef-connector auth submit.",
    "Sign in with a certificate, seal or signature, not with a token. Without a key file: ksef-connector "
    "auth request, sign the file with Profil Zaufany, ksef-connector auth submit.",
)
_ASK_AGAIN = Text(
    "Uruchom to samo polecenie jeszcze raz: klucz jest zachowany.",
    "Run the same command again: the key is kept.",
)
_REVOKE_OLD = Text(
    "Unieważnij certyfikat, który nie jest już potrzebny: ksef-connector certificates list i revoke.",
    "Revoke a certificate that is no longer needed: ksef-connector certificates list and revoke.",
)
_NEW_SESSION = Text(
    "Program otworzy nową sesję i wyśle dokument ponownie.",
    "The program opens a new session and sends the document again.",
)
_NOTHING = Text("", "")

_DOCUMENT = {
    100: (Text("KSeF przyjął fakturę do przetwarzania", "KSeF has taken the invoice"), _WAIT_DOCUMENT),
    150: (Text("KSeF przetwarza fakturę", "KSeF is processing the invoice"), _WAIT_DOCUMENT),
    200: (Text("Faktura jest w KSeF", "The invoice is in KSeF"), _NOTHING),
    405: (
        Text("Faktury nie przetworzono z powodu błędu sesji", "Not processed because the session failed"),
        _NEW_SESSION,
    ),
    410: (Text("Brak uprawnień do wystawienia tej faktury", "No permission for this invoice"), _GRANT),
    415: (
        Text("Nie wolno wysyłać faktur z załącznikiem", "Invoices with attachments are not allowed"),
        Text(
            "Zgłoś w e-Urzędzie Skarbowym zamiar wystawiania faktur z załącznikami albo usuń załącznik.",
            "Declare invoices with attachments in the e-Tax Office, or remove the attachment.",
        ),
    ),
    430: (Text("KSeF nie przyjął pliku faktury", "KSeF did not take the invoice file"), _REISSUE),
    435: (Text("KSeF nie odszyfrował pliku", "KSeF could not decrypt the file"), _REPORT),
    440: (
        Text("Taka faktura jest już w KSeF", "Such an invoice is in KSeF already"),
        Text(
            "Program porówna tę fakturę z przyjętą wcześniej. Jeśli to ta sama, przejmie jej numer KSeF; "
            "jeśli inna, sprawdź, czy numer faktury nie został użyty dwa razy.",
            "The program compares this invoice with the earlier one. If it is the same, it takes over its "
            "KSeF number; if not, check whether the invoice number was used twice.",
        ),
    ),
    450: (
        Text("Treść faktury nie przeszła kontroli KSeF", "The content did not pass KSeF's checks"),
        _REISSUE,
    ),
    500: (
        Text("Nieznany błąd po stronie KSeF", "Unknown error at KSeF"),
        Text(
            "Sprawdź w KSeF, czy faktura się tam znalazła, zanim wyślesz ją ponownie.",
            "Check in KSeF whether the invoice arrived before sending it again.",
        ),
    ),
    550: (Text("KSeF przerwał przetwarzanie", "KSeF cancelled the processing"), _AUTOMATIC),
}

_SESSION = {
    100: (Text("Sesja jest otwarta", "The session is open"), _NOTHING),
    150: (Text("KSeF przetwarza sesję", "KSeF is processing the session"), _WAIT_DOCUMENT),
    170: (Text("Sesja jest zamknięta, trwa przetwarzanie", "The session is closed, processing"), _NOTHING),
    200: (Text("Sesja została przetworzona", "The session has been processed"), _NOTHING),
    405: (Text("Części paczki są niepoprawne", "Parts of the package are wrong"), _REPORT),
    415: (Text("KSeF nie odszyfrował klucza sesji", "KSeF could not decrypt the session key"), _NEW_SESSION),
    420: (Text("Za dużo faktur w sesji", "Too many invoices in the session"), _NEW_SESSION),
    430: (Text("KSeF nie rozpakował archiwum", "KSeF could not unpack the archive"), _REPORT),
    435: (Text("KSeF nie odszyfrował części archiwum", "KSeF could not decrypt the parts"), _REPORT),
    440: (Text("Sesja anulowana", "Session cancelled"), _NEW_SESSION),
    445: (
        Text("W sesji nie było poprawnych faktur", "The session had no valid invoice"),
        Text("Sprawdź opis błędu przy każdej fakturze.", "See the error of each invoice."),
    ),
    500: (Text("Nieznany błąd po stronie KSeF", "Unknown error at KSeF"), _AUTOMATIC),
}

_SIGN_IN = {
    100: (Text("Logowanie w toku", "Signing in"), _NOTHING),
    200: (Text("Zalogowano", "Signed in"), _NOTHING),
    415: (Text("Brak uprawnień w tym kontekście", "No permissions in this context"), _GRANT),
    425: (Text("Logowanie zostało unieważnione", "The sign-in was revoked"), _SIGN_AGAIN),
    450: (
        Text("KSeF nie przyjął tokena", "KSeF did not accept the token"),
        Text(
            "Sprawdź, czy token nie został unieważniony i należy do tego NIP; najlepiej przejdź na "
            "certyfikat KSeF.",
            "Check that the token is not revoked and belongs to this NIP; better, move to a KSeF "
            "certificate.",
        ),
    ),
    460: (Text("KSeF nie przyjął certyfikatu", "KSeF did not accept the certificate"), _NEW_CREDENTIAL),
    470: (
        Text("Dane logowania należą do osoby zmarłej", "The credential belongs to a deceased person"),
        _NEW_CREDENTIAL,
    ),
    480: (
        Text("Logowanie zablokowane przez KSeF", "Signing in is blocked by KSeF"),
        Text(
            "KSeF podejrzewa incydent bezpieczeństwa. Skontaktuj się z Ministerstwem Finansów przez "
            "formularz zgłoszeniowy.",
            "KSeF suspects a security incident. Contact the Ministry of Finance through its form.",
        ),
    ),
    500: (Text("Nieznany błąd po stronie KSeF", "Unknown error at KSeF"), _AUTOMATIC),
    550: (Text("KSeF przerwał logowanie", "KSeF cancelled the sign-in"), _AUTOMATIC),
}

_ENROLLMENT = {
    100: (Text("KSeF przyjął wniosek o certyfikat", "KSeF has taken the request"), _WAIT_DOCUMENT),
    200: (Text("Certyfikat został wydany", "The certificate was issued"), _NOTHING),
    400: (
        Text("KSeF odrzucił wniosek o certyfikat", "KSeF refused the request for a certificate"),
        Text(
            "Przeczytaj opis KSeF. Gdy wyczerpano limit, unieważnij zbędny certyfikat, a potem złóż nowy "
            "wniosek.",
            "Read KSeF's description. If a limit is reached, revoke a certificate that is not needed, then "
            "ask again.",
        ),
    ),
    500: (Text("Nieznany błąd po stronie KSeF", "Unknown error at KSeF"), _ASK_AGAIN),
    550: (Text("KSeF przerwał obsługę wniosku", "KSeF cancelled the request"), _ASK_AGAIN),
}

_EXCEPTION = {
    9101: (Text("Niepoprawny dokument logowania", "Wrong sign-in document"), _SIGN_AGAIN),
    9102: (
        Text("Plik nie jest podpisany", "The file is not signed"),
        Text("Podpisz plik i prześlij go jeszcze raz.", "Sign the file and upload it again."),
    ),
    9103: (
        Text("Za dużo podpisów w pliku", "Too many signatures in the file"),
        Text("Podpisz plik tylko raz.", "Sign the file once only."),
    ),
    9105: (
        Text("Podpis jest nieprawidłowy", "The signature is wrong"),
        Text(
            "Nie zmieniaj pliku po podpisaniu; podpisz go podpisem XAdES.",
            "Do not change the file after signing; sign it as XAdES.",
        ),
    ),
    21001: (Text("KSeF nie odczytał żądania", "KSeF could not read the request"), _REPORT),
    21111: (Text("Wyzwanie logowania wygasło lub jest błędne", "The challenge is wrong or old"), _SIGN_AGAIN),
    21115: (Text("Nieprawidłowy certyfikat", "Wrong certificate"), _NEW_CREDENTIAL),
    21117: (
        Text("Certyfikat nie pasuje do tego NIP", "The certificate does not fit this NIP"),
        _NEW_CREDENTIAL,
    ),
    21155: (Text("Sesja jest pełna", "The session is full"), _NEW_SESSION),
    21157: (Text("Rozmiar części paczki się nie zgadza", "The size of a package's part differs"), _REPORT),
    21161: (Text("Paczka ma za dużo części", "The package has too many parts"), _REPORT),
    21164: (
        Text("Nie ma takiej faktury w KSeF", "KSeF has no such invoice"),
        Text("Sprawdź numer KSeF.", "Check the KSeF number."),
    ),
    21165: (Text("Faktura nie jest jeszcze dostępna", "The invoice is not available yet"), _AUTOMATIC),
    21166: (
        Text("Korekta techniczna już została przyjęta", "A technical correction was accepted already"),
        Text("Odśwież stan dokumentu.", "Refresh the document's state."),
    ),
    21167: (
        Text("Tej faktury nie można skorygować technicznie", "No technical correction for this invoice"),
        Text(
            "Faktura jest w KSeF; błędy treści popraw fakturą korygującą.",
            "The invoice is in KSeF; correct its content by a correcting invoice.",
        ),
    ),
    21173: (Text("KSeF nie zna tej sesji", "KSeF does not know this session"), _NEW_SESSION),
    21175: (
        Text("KSeF nie zna tego eksportu", "KSeF does not know this export"),
        Text("Rozpocznij eksport od nowa.", "Start the export anew."),
    ),
    21178: (
        Text("UPO nie zostało znalezione", "The UPO was not found"),
        Text("Spróbuj pobrać UPO później.", "Try to fetch the UPO later."),
    ),
    21180: (Text("Sesja nie przyjmuje już faktur", "The session takes no more invoices"), _NEW_SESSION),
    21181: (
        Text("Tego eksportu nie można wykonać", "This export is not possible"),
        Text("Sprawdź NIP, w którego imieniu się logujesz.", "Check the NIP that you sign in for."),
    ),
    21182: (
        Text("Trwa już dziesięć eksportów", "Ten exports are running already"),
        Text(
            "Poczekaj, aż któryś się skończy; program spróbuje ponownie.",
            "Wait until one of them ends; the program tries again.",
        ),
    ),
    21183: (
        Text("KSeF nie ma jeszcze danych z tego okresu", "KSeF has no data of this period yet"),
        _AUTOMATIC,
    ),
    21184: (Text("Sesja jest chwilowo niedostępna", "The session is being serviced"), _AUTOMATIC),
    21205: (Text("Do KSeF nie dotarła część paczki", "A part of the package did not arrive"), _AUTOMATIC),
    21208: (Text("Minął czas na przesłanie paczki", "The time to send the package is over"), _NEW_SESSION),
    21217: (Text("Nieprawidłowe kodowanie znaków", "Wrong character encoding"), _REPORT),
    21301: (Text("KSeF nie wydał tokenów dostępu", "KSeF gave no access tokens"), _SIGN_AGAIN),
    21304: (Text("KSeF nie zna tego logowania", "KSeF does not know this sign-in"), _SIGN_AGAIN),
    21308: (
        Text("Dane logowania należą do osoby zmarłej", "The credential belongs to a deceased person"),
        _NEW_CREDENTIAL,
    ),
    21401: (Text("Dokument nie zgadza się ze schematem", "The document does not fit the schema"), _REPORT),
    21402: (Text("Rozmiar pliku się nie zgadza", "The file size differs"), _REPORT),
    21403: (Text("Skrót pliku się nie zgadza", "The file hash differs"), _REPORT),
    21405: (
        Text("KSeF nie przyjął danych żądania", "KSeF did not accept the request's data"),
        Text("Przeczytaj opis KSeF; wskazuje błędne pole.", "Read KSeF's description; it names the field."),
    ),
    21406: (
        Text("Podpis nie pasuje do sposobu logowania", "The signature does not fit the kind of sign-in"),
        _NEW_CREDENTIAL,
    ),
    71001: (
        Text("Nie ma takiej faktury w KSeF", "KSeF has no such invoice"),
        Text("Sprawdź numery KSeF.", "Check the KSeF numbers."),
    ),
    71002: (
        Text("Faktura ma już najwięcej identyfikatorów zbiorczych", "The invoice has too many identifiers"),
        Text(
            "Użyj istniejącego identyfikatora: ksef-connector collective show NUMER-KSEF.",
            "Use an existing identifier: ksef-connector collective show KSEF-NUMBER.",
        ),
    ),
    71004: (
        Text("Faktury mają różnych sprzedawców", "The invoices have different sellers"),
        Text("Wybierz faktury jednego sprzedawcy.", "Choose invoices of one seller."),
    ),
    71005: (
        Text("Numer KSeF podano dwa razy", "A KSeF number was given twice"),
        Text("Podaj każdą fakturę raz.", "Give each invoice once."),
    ),
    21418: (Text("Nieprawidłowy token kontynuacji", "Wrong continuation token"), _AUTOMATIC),
    21470: (
        Text("KSeF wycofał klucz szyfrowania", "KSeF has withdrawn the encryption key"),
        Text("Program pobierze nowe klucze i ponowi.", "The program fetches new keys and tries again."),
    ),
    25001: (
        Text("Nie ma danych do wniosku po takim logowaniu", "No enrolment data after this kind of sign-in"),
        _SIGN_YOURSELF,
    ),
    25002: (
        Text("Nie można wnioskować po takim logowaniu", "No enrolment after this kind of sign-in"),
        _SIGN_YOURSELF,
    ),
    25003: (Text("Dane wniosku nie zgadzają się z logowaniem", "The request fits another sign-in"), _REPORT),
    25004: (Text("Wniosek ma niepoprawny format lub podpis", "Wrong format or signature"), _REPORT),
    25005: (Text("KSeF nie zna tego wniosku", "KSeF does not know this request"), _ASK_AGAIN),
    25006: (
        Text("Wyczerpano limit wniosków o certyfikat", "The limit of requests is reached"),
        Text(
            "Skontaktuj się z Ministerstwem Finansów, jeśli potrzebujesz kolejnych wniosków.",
            "Contact the Ministry of Finance if you need more requests.",
        ),
    ),
    25007: (Text("Wyczerpano limit certyfikatów", "The limit of certificates is reached"), _REVOKE_OLD),
    25008: (
        Text("KSeF nie zna certyfikatu o tym numerze", "KSeF knows no certificate of this number"),
        Text("Sprawdź numer: ksef-connector certificates list.", "See ksef-connector certificates list."),
    ),
    25009: (
        Text("Tego certyfikatu nie można już unieważnić", "This certificate cannot be revoked any more"),
        Text("Jest już unieważniony, zablokowany lub nieważny.", "It is revoked, blocked or ended already."),
    ),
    25010: (Text("KSeF nie wydaje certyfikatu dla takiego klucza", "Wrong kind of key"), _REPORT),
    25011: (Text("KSeF nie przyjmuje takiego podpisu wniosku", "Wrong kind of signature"), _REPORT),
    26001: (
        Text("Token nie może mieć uprawnień, których nie masz", "A token cannot have permissions you lack"),
        Text(
            "Wybierz mniej uprawnień; własne pokazuje ksef-connector permissions show.",
            "Choose fewer permissions; ksef-connector permissions show tells yours.",
        ),
    ),
    26002: (
        Text("W tym kontekście nie ma tokenów", "There are no tokens in this kind of context"),
        Text("Zaloguj się w kontekście NIP.", "Sign in for a NIP."),
    ),
}

_EXPORT = {
    100: (Text("Eksport w toku", "The export is running"), _NOTHING),
    200: (Text("Eksport gotowy", "The export is ready"), _NOTHING),
    210: (
        Text("Eksport wygasł", "The export has expired"),
        Text("Rozpocznij eksport od nowa.", "Start the export anew."),
    ),
    415: (Text("KSeF nie odszyfrował klucza eksportu", "KSeF could not decrypt the export's key"), _REPORT),
    420: (
        Text("KSeF nie ma jeszcze danych z tego okresu", "KSeF has no data of this period yet"),
        _AUTOMATIC,
    ),
    500: (Text("Nieznany błąd po stronie KSeF", "Unknown error at KSeF"), _AUTOMATIC),
    550: (Text("KSeF przerwał eksport", "KSeF cancelled the export"), _AUTOMATIC),
}

_TABLES = {
    CodeKind.DOCUMENT: _DOCUMENT,
    CodeKind.SESSION: _SESSION,
    CodeKind.SIGN_IN: _SIGN_IN,
    CodeKind.ENROLLMENT: _ENROLLMENT,
    CodeKind.EXPORT: _EXPORT,
    CodeKind.EXCEPTION: _EXCEPTION,
}

_UNKNOWN_ACTION = Text(
    "Przeczytaj opis KSeF. Program nie zna tego kodu, więc nie zrobi nic sam.",
    "Read KSeF's description. The program does not know this code and does nothing by itself.",
)

_REASONS = {
    "missing-permissions": _GRANT,
    "ip-not-allowed": Text(
        "Logowanie było ograniczone do innych adresów IP; zaloguj się z właściwego adresu.",
        "The sign-in was limited to other IP addresses; sign in from the right one.",
    ),
    "insufficient-resource-access": Text(
        "Ten zasób należy do innego podatnika; sprawdź NIP sprzedawcy.",
        "This belongs to another taxpayer; check the seller's NIP.",
    ),
    "auth-method-not-allowed": Text(
        "Tej operacji nie można wykonać po zalogowaniu tokenem; zaloguj się certyfikatem lub podpisem.",
        "This cannot be done after signing in by token; sign in with a certificate or signature.",
    ),
    "security-service-blocked": Text(
        "Zabezpieczenia KSeF zablokowały żądanie; skontaktuj się z Ministerstwem Finansów.",
        "KSeF's security has blocked the request; contact the Ministry of Finance.",
    ),
    "context-type-not-allowed": Text(
        "Tej operacji nie można wykonać w tym kontekście.",
        "This cannot be done in this kind of context.",
    ),
}


def explain(code: int, kind: CodeKind = CodeKind.DOCUMENT) -> Explanation:
    """A code in words.

    Args:
        code: a status code or an exception code.
        kind: the table of a status code; a code that is missing there is looked up among the exceptions.

    Returns:
        The explanation; for a code in no table a general one with ``known`` False.
    """
    entry = _TABLES[kind].get(code) or _EXCEPTION.get(code)
    if entry is None:
        title = Text(f"Nieznany kod KSeF {code}", f"Unknown KSeF code {code}")
        return Explanation(code, title, _UNKNOWN_ACTION, known=False)
    return Explanation(code, *entry)


def explain_reason(reason: str, needed: Collection[str] = ()) -> Text:
    """What to do about a reason code of 403 (``ForbiddenProblemDetails.reasonCode``); empty if unknown.

    Args:
        reason: the code.
        needed: permissions of which any one would do, as KSeF tells them.
    """
    if reason == "missing-permissions" and set(needed) == {"InvoiceRead"}:
        return _GRANT_READ
    return _REASONS.get(reason, _NOTHING)


def known_codes(kind: CodeKind) -> frozenset[int]:
    """The codes of one table, for documentation and tests."""
    return frozenset(_TABLES[kind])
