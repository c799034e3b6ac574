"""410 Gone in words: what KSeF no longer keeps, and how to get it anew.

Source: the answers 410 of the contract (statuses of sign-ins and exports are kept 7 days, those of
certificate enrolments and of permission operations 30 days); any other operation has the general words.
"""

from __future__ import annotations

from core.findings import Text

_ANEW = Text(
    "KSeF nie przechowuje już tego wyniku; rozpocznij operację od nowa.",
    "KSeF no longer keeps this result; start the operation anew.",
)
_BY_PATH = (
    (
        "/auth/",
        Text(
            "KSeF przechowuje wynik logowania 7 dni i już go nie ma; zaloguj się ponownie.",
            "KSeF keeps the result of a sign-in for 7 days and has it no more; sign in again.",
        ),
    ),
    (
        "/invoices/exports/",
        Text(
            "KSeF przechowuje eksport 7 dni i już go nie ma; uruchom pobieranie jeszcze raz "
            "(ksef-connector recover).",
            "KSeF keeps an export for 7 days and has it no more; start fetching again "
            "(ksef-connector recover).",
        ),
    ),
    (
        "/certificates/enrollments/",
        Text(
            "KSeF przechowuje stan wniosku o certyfikat 30 dni i już go nie ma; sprawdź ksef-connector "
            "certificates list, a gdy certyfikatu nie ma, złóż wniosek ponownie.",
            "KSeF keeps the state of a certificate's enrolment for 30 days and has it no more; look at "
            "ksef-connector certificates list, and enrol again if the certificate is not there.",
        ),
    ),
    (
        "/permissions/operations/",
        Text(
            "KSeF przechowuje wynik zmiany uprawnień 30 dni i już go nie ma; sprawdź, jakie uprawnienia są "
            "nadane.",
            "KSeF keeps the result of a change of permissions for 30 days and has it no more; look at which "
            "permissions are granted.",
        ),
    ),
    (
        "/sessions/",
        Text(
            "KSeF nie przechowuje już wyniku tej sesji; fakturę odnajdzie po numerze KSeF albo ponownym "
            "wysłaniu tych samych bajtów (ksef-connector documents retry).",
            "KSeF no longer keeps the result of this session; the invoice is found by its KSeF number or by "
            "sending the same bytes again (ksef-connector documents retry).",
        ),
    ),
)


def explain_expired(operation: str) -> Text:
    """What to do when the result of an operation is gone.

    Args:
        operation: method and path as the contract writes them.
    """
    path = operation.partition(" ")[2]
    return next((text for start, text in _BY_PATH if path.startswith(start)), _ANEW)
