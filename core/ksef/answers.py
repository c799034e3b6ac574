"""The answers of the API as values: one frozen class per schema of the contract that the client uses."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from core.ksef import number
from core.ksef.explanations import CodeKind, Explanation, explain
from core.ksef.fields import FieldError, Fields


@dataclass(frozen=True, slots=True)
class Challenge:
    """``AuthenticationChallengeResponse``: lives 10 minutes.

    Attributes:
        value: the 36 characters to sign or to send with the token.
        timestamp: KSeF's time of it.
        timestamp_ms: the same in milliseconds since 1970, as the token's encryption needs it.
    """

    value: str
    timestamp: datetime
    timestamp_ms: int

    @classmethod
    def read(cls, data: Fields) -> Challenge:
        """Read the answer; raises FieldError."""
        return cls(data.text("challenge"), data.moment("timestamp"), data.integer("timestampMs"))


@dataclass(frozen=True, slots=True)
class Token:
    """``TokenInfo``: a bearer token and the moment after which it is no longer accepted."""

    value: str = field(repr=False)
    valid_until: datetime

    @classmethod
    def read(cls, data: Fields) -> Token:
        """Read the answer; raises FieldError."""
        return cls(data.text("token"), data.moment("validUntil"))


@dataclass(frozen=True, slots=True)
class SignIn:
    """``AuthenticationInitResponse``: a sign-in under way.

    Attributes:
        reference: reference number of the sign-in.
        token: the temporary token that asks for its status and redeems it.
    """

    reference: str
    token: Token

    @classmethod
    def read(cls, data: Fields) -> SignIn:
        """Read the answer; raises FieldError."""
        return cls(data.text("referenceNumber"), Token.read(data.child("authenticationToken")))


@dataclass(frozen=True, slots=True)
class Status:
    """``StatusInfo``: a code, KSeF's description of it and further sentences, in Polish."""

    code: int
    description: str
    details: tuple[str, ...] = ()

    @classmethod
    def read(cls, data: Fields) -> Status:
        """Read the answer; raises FieldError."""
        return cls(data.integer("code"), data.text("description"), data.texts("details"))


@dataclass(frozen=True, slots=True)
class PublicKeyCertificate:
    """``PublicKeyCertificate``: one key of the Ministry.

    Attributes:
        certificate: the certificate in DER, in Base64.
        certificate_id: KSeF's id of the certificate.
        key_id: KSeF's id of the key (publicKeyId), sent with what is encrypted by it.
        valid_from: start of validity.
        valid_to: end of validity.
        usages: ``KsefTokenEncryption``, ``SymmetricKeyEncryption`` or both.
    """

    certificate: str = field(repr=False)
    certificate_id: str
    key_id: str
    valid_from: datetime
    valid_to: datetime
    usages: tuple[str, ...]

    @classmethod
    def read(cls, data: Fields) -> PublicKeyCertificate:
        """Read the answer; raises FieldError."""
        return cls(
            certificate=data.text("certificate"),
            certificate_id=data.text("certificateId"),
            key_id=data.text("publicKeyId"),
            valid_from=data.moment("validFrom"),
            valid_to=data.moment("validTo"),
            usages=data.texts("usage"),
        )


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """``OpenOnlineSessionResponse``: reference number, and when KSeF closes the session by itself."""

    reference: str
    valid_until: datetime

    @classmethod
    def read(cls, data: Fields) -> OpenedSession:
        """Read the answer; raises FieldError."""
        return cls(data.text("referenceNumber"), data.moment("validUntil"))


@dataclass(frozen=True, slots=True)
class UpoPage:
    """``UpoPageResponse``: one page of a session's collective UPO; the address works without a token."""

    reference: str
    url: str = field(repr=False)
    url_valid_until: datetime

    @classmethod
    def read(cls, data: Fields) -> UpoPage:
        """Read the answer; raises FieldError."""
        return cls(
            data.text("referenceNumber"), data.text("downloadUrl"), data.moment("downloadUrlExpirationDate")
        )


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """``SessionStatusResponse``: where a session is.

    Attributes:
        code: 100 open, 150 processing, 170 closed, 200 done, others failed.
        description: KSeF's description.
        details: KSeF's further sentences.
        created: when it was opened.
        updated: last activity.
        valid_until: when KSeF closes it by itself; None once it is closed.
        invoice_count: documents taken; None while unknown.
        successful_count: documents with a KSeF number; None while unknown.
        failed_count: documents refused; None while unknown.
        upo_pages: pages of the collective UPO; empty until it is made.
    """

    code: int
    description: str
    details: tuple[str, ...]
    created: datetime
    updated: datetime
    valid_until: datetime | None
    invoice_count: int | None
    successful_count: int | None
    failed_count: int | None
    upo_pages: tuple[UpoPage, ...]

    @property
    def is_open(self) -> bool:
        """Whether it takes documents."""
        return self.code == 100

    @property
    def is_processing(self) -> bool:
        """Whether it is closed and results are still to come."""
        return self.code in {150, 170}

    @property
    def explanation(self) -> Explanation:
        """The code in words."""
        return explain(self.code, CodeKind.SESSION)

    @classmethod
    def read(cls, data: Fields) -> SessionStatus:
        """Read the answer; raises FieldError."""
        status = Status.read(data.child("status"))
        upo = data.optional_child("upo")
        return cls(
            code=status.code,
            description=status.description,
            details=status.details,
            created=data.moment("dateCreated"),
            updated=data.moment("dateUpdated"),
            valid_until=data.optional_moment("validUntil"),
            invoice_count=data.optional_integer("invoiceCount"),
            successful_count=data.optional_integer("successfulInvoiceCount"),
            failed_count=data.optional_integer("failedInvoiceCount"),
            upo_pages=tuple(UpoPage.read(page) for page in upo.children("pages")) if upo else (),
        )


class DocumentState(StrEnum):
    """What a document's status code means for the sender."""

    PROCESSING = "processing"
    """100, 150 and other 1xx: ask again."""
    ACCEPTED = "accepted"
    """200: it has a KSeF number."""
    DUPLICATE = "duplicate"
    """440: KSeF has a document with the same seller, kind and number; compare with it."""
    RETRY = "retry"
    """405, 550: not processed for KSeF's own reasons; send the same bytes again."""
    REJECTED = "rejected"
    """410, 415, 430, 435, 450, 500: refused."""
    UNKNOWN = "unknown"
    """A code that is not in the contract: a person has to look."""


_STATES = {
    200: DocumentState.ACCEPTED,
    405: DocumentState.RETRY,
    410: DocumentState.REJECTED,
    415: DocumentState.REJECTED,
    430: DocumentState.REJECTED,
    435: DocumentState.REJECTED,
    440: DocumentState.DUPLICATE,
    450: DocumentState.REJECTED,
    500: DocumentState.REJECTED,
    550: DocumentState.RETRY,
}

_SPACE = re.compile(r"\s+")


def document_state(code: int) -> DocumentState:
    """The meaning of a document's status code (``InvoiceStatusInfo``)."""
    if 100 <= code < 200:
        return DocumentState.PROCESSING
    return _STATES.get(code, DocumentState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class DocumentStatus:
    """``SessionInvoiceStatusResponse``: where one document is.

    Attributes:
        reference: reference number of the document in its session.
        ordinal: its place in the session, from 1.
        code: KSeF's status code.
        description: KSeF's description.
        details: KSeF's further sentences.
        state: what the code means.
        invoice_hash: SHA-256 of the XML in Base64, as KSeF computed it.
        invoicing_date: when KSeF took it; decides online or offline against P_1.
        invoice_number: P_2, once KSeF has read it.
        ksef_number: checked KSeF number, when accepted.
        acquisition_date: when the number was given.
        permanent_storage_date: when it was stored for good; may come later than the number.
        mode: ``Online`` or ``Offline``.
        original_ksef_number: at DUPLICATE: checked number of the document that KSeF already has.
        original_session_reference: at DUPLICATE: the session that brought it.
        upo_url: address of the UPO, to be fetched without a token.
        upo_url_valid_until: when that address ends.
        file_name: name within a batch.
    """

    reference: str
    ordinal: int
    code: int
    description: str
    details: tuple[str, ...]
    state: DocumentState
    invoice_hash: str
    invoicing_date: datetime
    invoice_number: str | None = None
    ksef_number: str | None = None
    acquisition_date: datetime | None = None
    permanent_storage_date: datetime | None = None
    mode: str | None = None
    original_ksef_number: str | None = None
    original_session_reference: str | None = None
    upo_url: str | None = field(default=None, repr=False)
    upo_url_valid_until: datetime | None = None
    file_name: str | None = None

    @property
    def explanation(self) -> Explanation:
        """The code in words, with what to do."""
        return explain(self.code, CodeKind.DOCUMENT)

    @classmethod
    def read(cls, data: Fields) -> DocumentStatus:
        """Read the answer.

        Raises:
            FieldError: a field is missing or wrong, an accepted document has no number, or a KSeF number
                fails its check.
        """
        info = data.child("status")
        status = Status.read(info)
        extensions = info.optional_child("extensions")
        state = document_state(status.code)
        ksef_number = _checked_number(data, "ksefNumber")
        if state is DocumentState.ACCEPTED and ksef_number is None:
            raise FieldError("an accepted document has no ksefNumber")
        return cls(
            reference=data.text("referenceNumber"),
            ordinal=data.integer("ordinalNumber"),
            code=status.code,
            description=status.description,
            details=status.details,
            state=state,
            invoice_hash=data.text("invoiceHash"),
            invoicing_date=data.moment("invoicingDate"),
            invoice_number=data.optional_text("invoiceNumber"),
            ksef_number=ksef_number,
            acquisition_date=data.optional_moment("acquisitionDate"),
            permanent_storage_date=data.optional_moment("permanentStorageDate"),
            mode=data.optional_text("invoicingMode"),
            original_ksef_number=_checked_number(extensions, "originalKsefNumber"),
            original_session_reference=(
                extensions.optional_text("originalSessionReferenceNumber") if extensions else None
            ),
            upo_url=data.optional_text("upoDownloadUrl"),
            upo_url_valid_until=data.optional_moment("upoDownloadUrlExpirationDate"),
            file_name=data.optional_text("invoiceFileName"),
        )


def _checked_number(data: Fields | None, name: str) -> str | None:
    """A KSeF number whose form and check sum are right, or None when absent."""
    text = data.optional_text(name) if data else None
    if text is None:
        return None
    try:
        return number.parse(text).value
    except number.KsefNumberError:
        raise FieldError(f"{name} is no KSeF number") from None


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """``SessionInvoicesResponse``: some documents of a session, and the token of the next page if any."""

    documents: tuple[DocumentStatus, ...]
    continuation: str | None = field(repr=False)

    @classmethod
    def read(cls, data: Fields) -> DocumentPage:
        """Read the answer; raises FieldError."""
        documents = tuple(DocumentStatus.read(item) for item in data.children("invoices"))
        return cls(documents, data.optional_text("continuationToken"))


@dataclass(frozen=True, slots=True)
class Download:
    """A file that KSeF gave, with the SHA-256 in Base64 that it announced (header ``x-ms-meta-hash``)."""

    content: bytes = field(repr=False)
    announced_hash: str | None


@dataclass(frozen=True, slots=True)
class SystemWarning:
    """One entry of the header ``X-System-Warning``: KSeF announces a future refusal.

    Attributes:
        code: KSeF's code of the warning.
        message: its text.
        operation: the operation whose answer carried it.
    """

    code: str
    message: str
    operation: str


_WARNING = re.compile(r"\[(?P<code>[^\]]+)\]: (?P<message>[^|]+)")


def read_warnings(header: str, operation: str) -> tuple[SystemWarning, ...]:
    """The entries of ``X-System-Warning`` (``[code]: message | [code]: message``).

    A header of another form becomes one entry without a code, so that no warning is lost.
    """
    found = tuple(
        SystemWarning(match["code"], match["message"].strip(), operation)
        for match in _WARNING.finditer(header)
    )
    if found or not header.strip():
        return found
    return (SystemWarning("", _SPACE.sub(" ", header.strip()), operation),)
