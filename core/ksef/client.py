"""The operations of the KSeF API 2.0 that an issuer needs, one method each.

This level knows addresses, bodies and answers. Flows made of several operations (signing in, a session)
are in :mod:`core.ksef.auth`, :mod:`core.ksef.interactive`, :mod:`core.ksef.status` and :mod:`core.ksef.upo`.
"""

from __future__ import annotations

import copy
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from core.ksef.answers import (
    Challenge,
    DocumentPage,
    DocumentStatus,
    Download,
    OpenedSession,
    PublicKeyCertificate,
    SessionStatus,
    SignIn,
    Status,
    SystemWarning,
    Token,
)
from core.ksef.calls import DEFAULT_RETRY, Caller, Exchange, Operation, Retry, ignore, log_warning, utc_now
from core.ksef.clock import ClockReading, log_reading
from core.ksef.environments import Environment, is_safe
from core.ksef.errors import UnreadableAnswer
from core.ksef.limits import Budget
from core.ksef.transport import Answer, Transport

_CHALLENGE = Operation("POST /auth/challenge")
_SIGNATURE = Operation("POST /auth/xades-signature")
_KSEF_TOKEN = Operation("POST /auth/ksef-token")
_SIGN_IN_STATUS = Operation("GET /auth/{referenceNumber}")
_REDEEM = Operation("POST /auth/token/redeem", changes=True)
_REFRESH = Operation("POST /auth/token/refresh")
_PUBLIC_KEYS = Operation("GET /security/public-key-certificates")
_OPEN_ONLINE = Operation("POST /sessions/online", changes=True)
_SEND = Operation("POST /sessions/online/{referenceNumber}/invoices", changes=True)
_CLOSE_ONLINE = Operation("POST /sessions/online/{referenceNumber}/close", changes=True)
_SESSION = Operation("GET /sessions/{referenceNumber}")
_DOCUMENT = Operation("GET /sessions/{referenceNumber}/invoices/{invoiceReferenceNumber}")
_DOCUMENTS = Operation("GET /sessions/{referenceNumber}/invoices")
_FAILED = Operation("GET /sessions/{referenceNumber}/invoices/failed")
_UPO = Operation("GET /sessions/{referenceNumber}/invoices/{invoiceReferenceNumber}/upo")
_UPO_BY_NUMBER = Operation("GET /sessions/{referenceNumber}/invoices/ksef/{ksefNumber}/upo")
_SESSION_UPO = Operation("GET /sessions/{referenceNumber}/upo/{upoReferenceNumber}")
_DOWNLOAD = Operation("GET presigned address")


class KsefClient:
    """A client of one environment; light, immutable, safe to share between threads.

    Every method may raise the exceptions of :mod:`core.ksef.errors` and nothing else; the docstrings name
    only what is special.

    Args:
        environment: where to talk to.
        transport: carries the requests; by default a new :class:`~core.ksef.transport.HttpTransport`.
        budget: counts requests against the published limits; None counts nothing.
        context: NIP whose budget the requests use, see :meth:`for_context`.
        max_wait: longest time in seconds to wait for the budget; beyond it KsefBusy is raised at once.
        retry: how GET requests are repeated.
        on_warning: called with each system warning of KSeF.
        on_clock: called with each comparison of our clock with KSeF's, good ones included, so that a person
            can also be told when it is right again; must not raise, like ``on_warning``.
        on_exchange: called after each request with what it took; must not raise.
        clock: time, aware UTC.
        sleep: waits for so many seconds.
        jitter: random number in [0, 1).
    """

    def __init__(
        self,
        environment: Environment,
        transport: Transport | None = None,
        *,
        budget: Budget | None = None,
        context: str = "",
        max_wait: float = 5.0,
        retry: Retry = DEFAULT_RETRY,
        on_warning: Callable[[SystemWarning], None] = log_warning,
        on_clock: Callable[[ClockReading], None] = log_reading,
        on_exchange: Callable[[Exchange], None] = ignore,
        clock: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._caller = Caller(
            environment=environment,
            transport=transport if transport is not None else _network(),
            budget=budget,
            context=context,
            max_wait=max_wait,
            retry=retry,
            on_warning=on_warning,
            on_clock=on_clock,
            on_exchange=on_exchange,
            clock=clock,
            sleep=sleep,
            jitter=jitter,
        )

    @property
    def environment(self) -> Environment:
        """Where it talks to."""
        return self._caller.environment

    @property
    def context(self) -> str:
        """NIP whose budget its requests use; empty for none."""
        return self._caller.context

    @property
    def clock(self) -> Callable[[], datetime]:
        """Its clock: time, aware UTC."""
        return self._caller.clock

    @property
    def sleep(self) -> Callable[[float], None]:
        """How it waits, in seconds."""
        return self._caller.sleep

    @property
    def caller(self) -> Caller:
        """Carries out operations that have their own module, such as certificates."""
        return self._caller

    def __repr__(self) -> str:
        return f"KsefClient({self.environment.name}, context={self.context!r})"

    def for_context(self, nip: str) -> KsefClient:
        """The same client whose requests count against the limits of another context.

        Args:
            nip: NIP of the context.
        """
        other = copy.copy(self)
        other._caller = self._caller.for_context(nip)
        return other

    def telling(
        self, on_warning: Callable[[SystemWarning], None], on_clock: Callable[[ClockReading], None]
    ) -> KsefClient:
        """The same client that tells others of warnings and of the clock.

        Args:
            on_warning: called with each system warning of KSeF.
            on_clock: called with each comparison of the clocks.
        """
        other = copy.copy(self)
        other._caller = replace(self._caller, on_warning=on_warning, on_clock=on_clock)
        return other

    def measured(self, on_exchange: Callable[[Exchange], None]) -> KsefClient:
        """The same client that tells another what each request took."""
        other = copy.copy(self)
        other._caller = replace(self._caller, on_exchange=on_exchange)
        return other

    # signing in

    def challenge(self) -> Challenge:
        """``POST /auth/challenge``: a text to sign, valid for 10 minutes; its time is compared with ours."""
        before = self._caller.clock()
        made = self._caller.ask(_CHALLENGE, Challenge.read)
        self._caller.compare_clock(made.timestamp, before, _CHALLENGE.name)
        return made

    def submit_signature(self, signed_request: bytes, *, verify_chain: bool = False) -> SignIn:
        """``POST /auth/xades-signature``: begin a sign-in by a signed AuthTokenRequest.

        Args:
            signed_request: XML with its XAdES signature, byte for byte as signed.
            verify_chain: on TEST, have the certificate's issuers checked as in production.

        Raises:
            AuthenticationFailed: challenge, signature or certificate refused (9101 to 9105, 21111 to 21406).
        """
        return self._caller.ask(
            _SIGNATURE,
            SignIn.read,
            xml_body=signed_request,
            query={"verifyCertificateChain": "true"} if verify_chain else None,
        )

    def submit_token(self, challenge: str, nip: str, encrypted_token: str, key_id: str) -> SignIn:
        """``POST /auth/ksef-token``: begin a sign-in by a KSeF token.

        Args:
            challenge: value of the challenge.
            nip: NIP of the context.
            encrypted_token: ``token|timestampMs``, encrypted, in Base64.
            key_id: publicKeyId of the key used.

        Raises:
            AuthenticationFailed: challenge refused (21111).
            KeyRejected: the key is unknown or withdrawn (21470).
        """
        body = {
            "challenge": challenge,
            "contextIdentifier": {"type": "Nip", "value": nip},
            "encryptedToken": encrypted_token,
            "publicKeyId": key_id,
        }
        return self._caller.ask(_KSEF_TOKEN, SignIn.read, json_body=body)

    def sign_in_status(self, reference: str, sign_in_token: str) -> Status:
        """``GET /auth/{referenceNumber}``: 100 in progress, 200 done, others failed.

        Raises:
            Expired: asked after more than 7 days.
        """
        return self._caller.ask(
            _SIGN_IN_STATUS,
            lambda data: Status.read(data.child("status")),
            parameters={"referenceNumber": reference},
            token=sign_in_token,
        )

    def redeem(self, sign_in_token: str) -> tuple[Token, Token]:
        """``POST /auth/token/redeem``: the access and the refresh token; works once per sign-in.

        Raises:
            AuthenticationFailed: redeemed already, or the sign-in was not successful (21301, 21304).
        """
        return self._caller.ask(
            _REDEEM,
            lambda data: (Token.read(data.child("accessToken")), Token.read(data.child("refreshToken"))),
            token=sign_in_token,
        )

    def refresh(self, refresh_token: str) -> Token:
        """``POST /auth/token/refresh``: a new access token.

        Raises:
            AuthenticationFailed: the sign-in or the KSeF token behind it was revoked (21301).
            Unauthorized: the refresh token is not valid any more.
        """
        return self._caller.ask(
            _REFRESH, lambda data: Token.read(data.child("accessToken")), token=refresh_token
        )

    def public_keys(self) -> tuple[PublicKeyCertificate, ...]:
        """``GET /security/public-key-certificates``: the Ministry's keys, old and coming ones included."""
        return self._caller.ask(
            _PUBLIC_KEYS,
            lambda data: tuple(PublicKeyCertificate.read(item) for item in data.children("keys")),
            # the answer is a bare list
            wrap="keys",
        )

    # interactive session

    def open_online_session(
        self, access: str, form_code: Mapping[str, str], encryption: Mapping[str, str]
    ) -> OpenedSession:
        """``POST /sessions/online``: open an interactive session.

        Args:
            access: access token.
            form_code: ``FormCode`` of the contract.
            encryption: ``EncryptionInfo`` of the contract.

        Raises:
            KeyRejected: the key is unknown or withdrawn (21470).
            Forbidden: no permission to issue invoices.
        """
        body = {"formCode": dict(form_code), "encryption": dict(encryption)}
        return self._caller.ask(_OPEN_ONLINE, OpenedSession.read, token=access, json_body=body)

    def send_invoice(self, access: str, session: str, invoice: Mapping[str, object]) -> str:
        """``POST /sessions/online/{referenceNumber}/invoices``: send one encrypted document.

        Args:
            access: access token.
            session: reference number of the session.
            invoice: ``SendInvoiceRequest`` of the contract.

        Returns:
            The document's reference number.

        Raises:
            SessionClosed: the session takes nothing more (21155, 21180).
            InvalidSession: no such session (21173).
            KsefUnavailable: with ``outcome_ambiguous`` when the document may have arrived.
        """
        return self._caller.ask(
            _SEND,
            lambda data: data.text("referenceNumber"),
            parameters={"referenceNumber": session},
            token=access,
            json_body=invoice,
        )

    def close_online_session(self, access: str, session: str) -> None:
        """``POST /sessions/online/{referenceNumber}/close``: take nothing more, begin the collective UPO.

        Raises:
            SessionClosed: it is closed already (21180).
            InvalidSession: no such session (21173).
        """
        self._caller.call(_CLOSE_ONLINE, parameters={"referenceNumber": session}, token=access)

    # status

    def session_status(self, access: str, session: str) -> SessionStatus:
        """``GET /sessions/{referenceNumber}``: where an interactive or batch session is."""
        return self._caller.ask(
            _SESSION, SessionStatus.read, parameters={"referenceNumber": session}, token=access
        )

    def document_status(self, access: str, session: str, document: str) -> DocumentStatus:
        """``GET /sessions/{referenceNumber}/invoices/{invoiceReferenceNumber}``: where a document is."""
        return self._caller.ask(
            _DOCUMENT,
            DocumentStatus.read,
            parameters={"referenceNumber": session, "invoiceReferenceNumber": document},
            token=access,
        )

    def documents(
        self,
        access: str,
        session: str,
        *,
        continuation: str | None = None,
        page_size: int = 1000,
        failed_only: bool = False,
    ) -> DocumentPage:
        """``GET /sessions/{referenceNumber}/invoices`` or ``.../failed``: one page of a session's documents.

        Args:
            access: access token.
            session: reference number of the session.
            continuation: token of the page, from the page before; None for the first.
            page_size: 10 to 1000.
            failed_only: only documents that were not accepted.
        """
        return self._caller.ask(
            _FAILED if failed_only else _DOCUMENTS,
            DocumentPage.read,
            parameters={"referenceNumber": session},
            token=access,
            query={"pageSize": str(page_size)},
            headers={"x-continuation-token": continuation} if continuation else None,
        )

    # proofs

    def upo(self, access: str, session: str, document: str) -> Download:
        """``GET /sessions/{referenceNumber}/invoices/{invoiceReferenceNumber}/upo``: a document's UPO.

        Raises:
            NotFound: there is none (yet) (21178).
        """
        parameters = {"referenceNumber": session, "invoiceReferenceNumber": document}
        return _download(
            self._caller.call(_UPO, parameters=parameters, token=access, accept="application/xml")
        )

    def upo_by_number(self, access: str, session: str, ksef_number: str) -> Download:
        """``GET /sessions/{referenceNumber}/invoices/ksef/{ksefNumber}/upo``: a document's UPO.

        Raises:
            NotFound: there is none (yet) (21178).
        """
        parameters = {"referenceNumber": session, "ksefNumber": ksef_number}
        return _download(
            self._caller.call(_UPO_BY_NUMBER, parameters=parameters, token=access, accept="application/xml")
        )

    def session_upo(self, access: str, session: str, page: str) -> Download:
        """``GET /sessions/{referenceNumber}/upo/{upoReferenceNumber}``: a page of the collective UPO.

        Raises:
            NotFound: there is none (yet) (21178).
        """
        parameters = {"referenceNumber": session, "upoReferenceNumber": page}
        return _download(
            self._caller.call(_SESSION_UPO, parameters=parameters, token=access, accept="application/xml")
        )

    def download(self, url: str) -> Download:
        """Fetch a presigned address (``upoDownloadUrl``, ``downloadUrl``), always without a token.

        Raises:
            UnreadableAnswer: the address is not https (or this machine).
            NotFound: the address is no longer valid.
        """
        if not is_safe(url):
            raise UnreadableAnswer("the download address is not https", operation=_DOWNLOAD.name)
        return _download(self._caller.fetch(_DOWNLOAD, url))


def _network() -> Transport:
    from core.ksef.http import HttpTransport  # noqa: PLC0415 - requests is slow to import

    return HttpTransport()


def _download(answer: Answer) -> Download:
    return Download(answer.body, answer.headers.get("x-ms-meta-hash"))
