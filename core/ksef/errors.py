"""What can go wrong with KSeF.

Every exception of the client is one of this tree; a caller that handles the three branches handles all::

    KsefError
    ├── KsefUnavailable          no usable answer: try again later
    │   ├── UnreadableAnswer     HTML instead of JSON, a cut answer, a redirect, fields missing
    │   ├── SessionUnavailable   21184: this session is being serviced; wait or open another
    │   └── KsefBusy             429, or our own budget is used up: try again after retry_after
    ├── KsefRefused              KSeF understood and said no; repeating the same changes nothing
    │   ├── AuthenticationFailed the credential was not accepted (415, 425, 450, 460, 470, 480, 211xx, 213xx)
    │   │   └── SignInNeeded     nothing to sign in with: a person has to sign outside the program
    │   ├── EnrollmentRefused    no certificate was issued (400 and others)
    │   ├── TokenNotIssued       a new KSeF token did not become active
    │   ├── Unauthorized         401: the token is not valid (any more): sign in again
    │   ├── Forbidden            403: a permission is missing, or the address or method is not allowed
    │   ├── Expired              410: the result is no longer kept
    │   ├── NotFound             21164, 21175, 21178: no such invoice, export or UPO
    │   │   └── NotYetAvailable  21165: KSeF has the invoice and gives it out later
    │   ├── OutsideData          21183: asked from a moment that KSeF's complete data does not reach yet
    │   ├── TooManyExports       21182: ten exports are running already
    │   ├── InvalidSession       21173: no such session
    │   ├── SessionClosed        21180: the session takes nothing more
    │   │   └── SessionFull      21155: it has reached its number of invoices
    │   ├── KeyRejected          21470: encrypted with a key that is unknown or withdrawn
    │   ├── PartMissing          21157, 21205: a part of a batch did not arrive or has another size
    │   └── UploadRefused        the storage refused a part of a batch
    │       └── UploadExpired    403, 21208: the time to send the parts is over: begin a new session
    └── ProofMismatch            what came back does not prove what we sent (hash or number differs)

No message holds a token, a key, a query string or a document.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.findings import Text
from core.ksef.expiry import explain_expired
from core.ksef.explanations import CodeKind, explain

NO_HINT = Text("", "")


class KsefError(Exception):
    """KSeF did not do what was asked.

    Attributes:
        message: an English sentence without secrets.
        operation: the operation as the API contract writes it, e.g. ``POST /sessions/online``.
        http_status: HTTP status; 0 when there was no answer.
        code: KSeF's code (exception code or status code); None when it gave none.
        description: KSeF's own description of the code, in Polish; may be empty.
        details: KSeF's further sentences, in Polish.
        hint: what a person can do; empty texts when nothing helps.
        trace_id: KSeF's id of the event, for its help desk; may be empty.
    """

    def __init__(
        self,
        message: str,
        *,
        operation: str = "",
        http_status: int = 0,
        code: int | None = None,
        description: str = "",
        details: Sequence[str] = (),
        hint: Text | None = None,
        trace_id: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.operation = operation
        self.http_status = http_status
        self.code = code
        self.description = description
        self.details = tuple(details)
        self.trace_id = trace_id
        self.hint = hint if hint is not None else self._hint()

    code_kind: CodeKind = CodeKind.EXCEPTION
    """Which table of codes ``code`` belongs to."""

    def _hint(self) -> Text:
        return NO_HINT if self.code is None else explain(self.code, self.code_kind).action

    def __str__(self) -> str:
        parts = [f"{self.operation}: {self.message}" if self.operation else self.message]
        if self.code is not None or self.description:
            parts.append(" ".join(str(part) for part in (self.code, self.description) if part))
        parts.extend(self.details)
        return "; ".join(parts)


class KsefUnavailable(KsefError):
    """No usable answer came: connection, timeout, 5xx, a broken answer.

    Attributes:
        outcome_ambiguous: the request may have been carried out although we do not know it. Before a
            sending is repeated, its outcome has to be looked up; sending the same bytes again is answered
            with 440 and the original number.
        retry_after: seconds that KSeF asks to wait (429, 503); None when it does not say.
    """

    def __init__(
        self,
        message: str,
        *,
        outcome_ambiguous: bool = False,
        retry_after: float | None = None,
        operation: str = "",
        http_status: int = 0,
        code: int | None = None,
        description: str = "",
        details: Sequence[str] = (),
        hint: Text | None = None,
        trace_id: str = "",
    ) -> None:
        super().__init__(
            message,
            operation=operation,
            http_status=http_status,
            code=code,
            description=description,
            details=details,
            hint=hint,
            trace_id=trace_id,
        )
        self.outcome_ambiguous = outcome_ambiguous
        self.retry_after = retry_after

    def _hint(self) -> Text:
        known = super()._hint()
        return known if known.pl else _UNAVAILABLE_HINT


_UNAVAILABLE_HINT = Text(
    "KSeF nie odpowiada prawidłowo. Wysyłka zostanie ponowiona; nic nie zginęło.",
    "KSeF does not answer properly. It will be tried again; nothing is lost.",
)


class UnreadableAnswer(KsefUnavailable):
    """An answer came, but not the one the contract promises."""


class SessionUnavailable(KsefUnavailable):
    """The session is being serviced (21184); the document was not taken."""


class KsefBusy(KsefUnavailable):
    """A pause is needed; the request was not carried out.

    Attributes:
        retry_after: seconds to wait; always told.
        own_budget: True when our own count of the published limits said so and KSeF was not asked.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after: float,
        own_budget: bool = False,
        operation: str = "",
        http_status: int = 0,
        description: str = "",
        details: Sequence[str] = (),
        trace_id: str = "",
    ) -> None:
        super().__init__(
            message,
            operation=operation,
            http_status=http_status,
            description=description,
            details=details,
            trace_id=trace_id,
            hint=_BUSY_HINT,
        )
        self.retry_after: float = retry_after
        self.own_budget = own_budget


_BUSY_HINT = Text(
    "Wyczerpano limit żądań KSeF. Wysyłka ruszy dalej po przerwie.",
    "The KSeF request limit is used up. Sending goes on after a pause.",
)


class KsefRefused(KsefError):
    """KSeF understood and said no; repeating the same request changes nothing."""


class AuthenticationFailed(KsefRefused):
    """The credential was not accepted; ``code`` is the status of the sign-in or the exception code."""

    code_kind = CodeKind.SIGN_IN


class SignInNeeded(AuthenticationFailed):
    """There is no credential to sign in with, and the last sign-in made outside has ended."""

    def _hint(self) -> Text:
        return Text(
            "Zaloguj się podpisem poza programem: ksef-connector auth request, podpisz plik, ksef-connector "
            "auth submit. Potem uzyskaj certyfikat: ksef-connector certificates enroll.",
            "Sign in by a signature outside the program: ksef-connector auth request, sign the file, "
            "ksef-connector auth submit. Then get a certificate: ksef-connector certificates enroll.",
        )


class EnrollmentRefused(KsefRefused):
    """No certificate was issued; ``code`` is the status of the enrolment."""

    code_kind = CodeKind.ENROLLMENT


class TokenNotIssued(KsefRefused):
    """A new KSeF token did not become active; make another one."""


class Unauthorized(KsefRefused):
    """The token is not valid (any more)."""

    def _hint(self) -> Text:
        return Text(
            "Sesja logowania do KSeF wygasła; zaloguj się ponownie.",
            "The sign-in to KSeF has ended; sign in again.",
        )


class Forbidden(KsefRefused):
    """The identity may not do this here.

    Attributes:
        reason: KSeF's reason code, e.g. ``missing-permissions``; may be empty.
        needed: permissions of which any one would do.
        present: permissions that the identity has.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: str = "",
        needed: Sequence[str] = (),
        present: Sequence[str] = (),
        operation: str = "",
        http_status: int = 403,
        code: int | None = None,
        description: str = "",
        details: Sequence[str] = (),
        hint: Text | None = None,
        trace_id: str = "",
    ) -> None:
        super().__init__(
            message,
            operation=operation,
            http_status=http_status,
            code=code,
            description=description,
            details=details,
            hint=hint,
            trace_id=trace_id,
        )
        self.reason = reason
        self.needed = tuple(needed)
        self.present = tuple(present)


class Expired(KsefRefused):
    """The result is no longer kept (410): sign-ins and exports 7 days, certificates and permissions 30."""

    def _hint(self) -> Text:
        return explain_expired(self.operation)


class NotFound(KsefRefused):
    """No such invoice, export or UPO."""


class NotYetAvailable(NotFound):
    """KSeF has the invoice but does not give it out yet (21165): ask again later."""


class OutsideData(KsefRefused):
    """The range begins after the moment up to which KSeF's data is complete (21183): nothing new yet."""


class TooManyExports(KsefRefused):
    """Ten exports of this context are running (21182): wait for one of them to end."""


class InvalidSession(KsefRefused):
    """No such session in this context (21173)."""


class SessionClosed(KsefRefused):
    """The session takes nothing more (21180)."""


class SessionFull(SessionClosed):
    """The session has reached its number of invoices (21155)."""


class KeyRejected(KsefRefused):
    """Encrypted with a key that KSeF does not know or has withdrawn (21470): fetch the keys again."""


class PartMissing(KsefRefused):
    """A part of a batch did not arrive (21205) or has another size than declared (21157): send it again."""


class UploadRefused(KsefRefused):
    """The storage refused a part of a batch; a new session with the same documents is needed."""

    def _hint(self) -> Text:
        return Text(
            "KSeF nie przyjął paczki. Program otworzy nową sesję i wyśle te same dokumenty; nic nie zginęło.",
            "KSeF did not take the package. The program opens a new session and sends the same documents; "
            "nothing is lost.",
        )


class UploadExpired(UploadRefused):
    """The time to send the parts of a batch is over; begin a new session with the same documents."""

    def _hint(self) -> Text:
        return Text(
            "Minął czas na przesłanie paczki do KSeF. Program otworzy nową sesję i wyśle te same dokumenty.",
            "The time to send the package to KSeF is over. The program opens a new session and sends the "
            "same documents.",
        )


class ProofMismatch(KsefError):
    """What came back does not prove what we sent; a person has to look."""

    def _hint(self) -> Text:
        return Text(
            "Potwierdzenie z KSeF nie zgadza się z wysłanym dokumentem. Nie używaj go i sprawdź dokument.",
            "KSeF's confirmation does not match the document sent. Do not use it; check the document.",
        )
