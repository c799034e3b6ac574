"""Refusals of the sandbox, in the two forms of the contract.

Every refusal is raised as an exception and rendered at one place (:func:`render`)::

    Refusal                  anything that ends a call with an error answer
    ├── BadRequest           400 with KSeF exception codes
    ├── Unauthorized         401, always problem details
    ├── Forbidden            403 with a reasonCode, always problem details
    ├── Gone                 410, always problem details
    ├── TooManyRequests      429 with Retry-After
    └── PlainProblem         404, 405, 500, 503: not in the contract, problem details

Source: the ``responses`` of open-api.json: ``ExceptionResponse`` by default, RFC 9457 problem details when
the request carries ``X-Error-Format: problem-details``.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

Json = dict[str, object]

DESCRIPTIONS: Mapping[int, str] = {
    9101: "Nieprawidłowy dokument.",
    9102: "Brak podpisu.",
    9103: "Przekroczona liczba dozwolonych podpisów.",
    9105: "Nieprawidłowy podpis.",
    21001: "Nieczytelna treść.",
    21111: "Nieprawidłowe wyzwanie autoryzacyjne.",
    21115: "Nieprawidłowy certyfikat.",
    21117: "Nieprawidłowy identyfikator podmiotu dla wskazanego typu kontekstu.",
    21155: "Przekroczono dozwoloną liczbę faktur w sesji.",
    21157: "Nieprawidłowy rozmiar części pakietu.",
    21161: "Przekroczono dozwoloną liczbę części pakietu.",
    21164: "Faktura o podanym identyfikatorze nie istnieje.",
    21165: "Faktura o podanym numerze KSeF nie jest jeszcze dostępna.",
    21166: "Korekta techniczna niedostępna.",
    21167: "Status faktury nie pozwala na korektę techniczną.",
    21173: "Brak sesji o wskazanym numerze referencyjnym.",
    21175: "Wynik zapytania o podanym identyfikatorze nie istnieje.",
    21178: "Nie znaleziono UPO dla podanych kryteriów.",
    21180: "Status sesji nie pozwala na wykonanie operacji.",
    21181: "Nieprawidłowe żądanie eksportu faktur.",
    21182: "Osiągnięto limit trwających eksportów.",
    21183: "Zakres filtrowania wykracza poza dostępny zakres danych.",
    21184: "Sesja tymczasowo niedostępna.",
    21205: "Pakiet nie może być pusty.",
    21208: "Czas oczekiwania na requesty upload lub finish został przekroczony.",
    21217: "Nieprawidłowe kodowanie znaków.",
    21301: "Brak autoryzacji.",
    21304: "Brak uwierzytelnienia.",
    21308: "Próba wykorzystania metod autoryzacyjnych osoby zmarłej.",
    21401: "Dokument nie jest zgodny ze schemą (xsd).",
    21402: "Nieprawidłowy rozmiar pliku.",
    21403: "Nieprawidłowy skrót pliku.",
    21405: "Błąd walidacji danych wejściowych.",
    21406: "Konflikt podpisu i typu uwierzytelnienia.",
    21418: "Przekazany token kontynuacji ma nieprawidłowy format.",
    21470: "Przesłany identyfikator klucza jest nieznany lub wskazuje na wycofany klucz.",
    26001: "Nie można nadać tokenowi uprawnień których nie posiadasz.",
    26002: "Nie można wygenerować tokena dla obecnego typu kontekstu.",
    71001: "Faktura o podanym identyfikatorze nie istnieje.",
    71002: "Faktura jest już przypisana do maksymalnej liczby Identyfikatorów Zbiorczych.",
    71004: "Faktury mają różnych sprzedawców.",
    71005: "Powtórzony numer KSeF w żądaniu.",
}
"""Description of every exception code that the sandbox gives (tables of the 400 responses)."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of an error list.

    Attributes:
        code: KSeF exception code.
        details: sentences about this very call.
    """

    code: int
    details: tuple[str, ...] = ()

    @property
    def description(self) -> str:
        """The fixed description of the code."""
        return DESCRIPTIONS.get(self.code, "Błąd.")


class Refusal(Exception):
    """Anything that ends a call with an error answer; see the tree in the module's text."""

    status = 500
    title = "Internal Server Error"

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__(detail)

    def headers(self) -> dict[str, str]:
        """Headers to add to the answer."""
        return {}

    def extra(self) -> Json:
        """Members of the problem details besides the common ones."""
        return {}

    def plain(self, moment: datetime, reference: str) -> Json | None:
        """The older JSON form, or None where the contract has problem details only.

        Args:
            moment: aware UTC time of the answer.
            reference: 36 characters that identify this error.
        """
        del moment, reference
        return None


class BadRequest(Refusal):
    """400 with one or several KSeF exception codes."""

    status = 400
    title = "Bad Request"

    def __init__(self, code: int, *details: str, faults: Sequence[Fault] = ()) -> None:
        self.faults = (Fault(code, details), *faults)
        super().__init__("Żądanie jest nieprawidłowe.")

    def __str__(self) -> str:
        return "; ".join(
            f"{fault.code} {fault.description} {' '.join(fault.details)}" for fault in self.faults
        )

    def extra(self) -> Json:
        """The ``errors`` list of BadRequestProblemDetails."""
        return {
            "errors": [
                {"code": fault.code, "description": fault.description, "details": list(fault.details)}
                for fault in self.faults
            ]
        }

    def plain(self, moment: datetime, reference: str) -> Json:
        """ExceptionResponse of the contract."""
        return {
            "exception": {
                "exceptionDetailList": [
                    {
                        "exceptionCode": fault.code,
                        "exceptionDescription": fault.description,
                        "details": list(fault.details),
                    }
                    for fault in self.faults
                ],
                "referenceNumber": reference,
                "serviceCode": f"00-{reference.replace('-', '')}-00",
                "serviceCtx": "sandbox",
                "serviceName": "Undefined",
                "timestamp": moment.isoformat(),
            }
        }


class Unauthorized(Refusal):
    """401: no bearer token, or one that is unknown, expired or of another kind."""

    status = 401
    title = "Unauthorized"

    def __init__(self, detail: str = "Wymagane jest uwierzytelnienie.") -> None:
        super().__init__(detail)

    def headers(self) -> dict[str, str]:
        """The challenge that RFC 9110 asks of every 401."""
        return {"WWW-Authenticate": "Bearer"}


class Forbidden(Refusal):
    """403 with the contract's reasonCode.

    Args:
        reason: reasonCode of ForbiddenProblemDetails, e.g. ``missing-permissions``.
        detail: sentence.
        security: data that depends on the reason.
    """

    status = 403
    title = "Forbidden"

    def __init__(self, reason: str, detail: str, security: Json | None = None) -> None:
        self.reason = reason
        self.security = security
        super().__init__(detail)

    def extra(self) -> Json:
        """The ``reasonCode`` and ``security`` members."""
        return {"reasonCode": self.reason, "security": self.security}


class Gone(Refusal):
    """410: the status of an asynchronous operation has expired."""

    status = 410
    title = "Gone"

    def __init__(self) -> None:
        super().__init__("Operacja wygasła i nie jest już dostępna.")


class TooManyRequests(Refusal):
    """429 of the rate limits.

    Args:
        detail: which limit was exceeded.
        retry_after: whole seconds until a call may be repeated.
    """

    status = 429
    title = "Too Many Requests"

    def __init__(self, detail: str, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(detail)

    def headers(self) -> dict[str, str]:
        """``Retry-After`` in seconds."""
        return {"Retry-After": str(self.retry_after)}

    def plain(self, moment: datetime, reference: str) -> Json:
        """TooManyRequestsResponse of the contract."""
        del moment, reference
        return {"status": {"code": 429, "description": self.title, "details": [self.detail]}}


class PlainProblem(Refusal):
    """An HTTP error that the contract does not describe (404, 405, 413, 500, 503)."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        self.status = status
        self.title = title
        super().__init__(detail)


def render(
    refusal: Refusal, *, path: str, moment: datetime, problem_details: bool
) -> tuple[Json, int, dict[str, str]]:
    """Turn a refusal into body, HTTP status and headers.

    Args:
        refusal: what was raised.
        path: path of the request, for ``instance``.
        moment: aware UTC time of the answer.
        problem_details: whether the caller asked for RFC 9457 by ``X-Error-Format``.
    """
    reference = str(uuid.uuid4())
    plain = None if problem_details else refusal.plain(moment, reference)
    if plain is not None:
        return plain, refusal.status, {**refusal.headers(), "Content-Type": "application/json"}
    body: Json = {
        "title": refusal.title,
        "status": refusal.status,
        "instance": path,
        "detail": refusal.detail,
        **refusal.extra(),
        "timestamp": moment.isoformat(),
        "traceId": reference.replace("-", ""),
    }
    return body, refusal.status, {**refusal.headers(), "Content-Type": "application/problem+json"}
