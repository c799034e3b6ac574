"""Opening and closing a batch session, and what has to be stored in between.

Source: ``POST /sessions/batch`` and ``POST /sessions/batch/{referenceNumber}/close`` of the API contract;
the time for the parts is their number times 20 minutes, from the opening.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.ksef.batch.package import Package
from core.ksef.calls import Operation
from core.ksef.client import KsefClient
from core.ksef.environments import is_safe
from core.ksef.fields import FieldError, Fields
from core.ksef.interactive import FormCode, StoredSessionError
from core.ksef.public_keys import PublicKey, PublicKeys, Usage

_OPEN = Operation("POST /sessions/batch", changes=True)
_CLOSE = Operation("POST /sessions/batch/{referenceNumber}/close", changes=True)

TIME_PER_PART = timedelta(minutes=20)
"""The parts of a session have to arrive within their number times this."""


@dataclass(frozen=True, slots=True)
class PartUpload:
    """``PartUploadRequest``: where and how one part is to be sent.

    Attributes:
        ordinal: number of the part.
        method: HTTP method.
        url: address, itself a credential; never shown.
        headers: exactly the headers to send; never shown.
    """

    ordinal: int
    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    @classmethod
    def read(cls, data: Fields) -> PartUpload:
        """Read the answer.

        Raises:
            FieldError: a field is missing or wrong, or the address is not https (or this machine).
        """
        url = data.text("url")
        if not is_safe(url):
            raise FieldError("the address for a part is not https")
        return cls(data.integer("ordinalNumber"), data.text("method"), url, data.text_map("headers"))

    def as_json(self) -> dict[str, object]:
        """As the contract writes it."""
        return {
            "ordinalNumber": self.ordinal,
            "method": self.method,
            "url": self.url,
            "headers": dict(self.headers),
        }


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """A batch session that we opened.

    Attributes:
        reference: its reference number.
        opened: when we began to open it, aware UTC.
        form: schema of its documents.
        offline: its documents were declared as issued offline.
        package: what it brings.
        uploads: where the parts go, in order.
    """

    reference: str
    opened: datetime
    form: FormCode
    offline: bool
    package: Package
    uploads: tuple[PartUpload, ...] = field(repr=False)

    @property
    def upload_until(self) -> datetime:
        """When the time for its parts is over, aware UTC."""
        return self.opened + TIME_PER_PART * len(self.package.parts)

    def as_dict(self) -> dict[str, object]:
        """As values for JSON, to be stored ENCRYPTED: key and upload addresses are among them."""
        return {
            "reference": self.reference,
            "opened": self.opened.isoformat(),
            "form": self.form.as_json(),
            "offline": self.offline,
            "package": self.package.as_dict(),
            "uploads": [upload.as_json() for upload in self.uploads],
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, object]) -> OpenBatch:
        """Back from :meth:`as_dict`.

        Raises:
            StoredSessionError: a field is missing or damaged.
        """
        package = stored.get("package")
        if not isinstance(package, Mapping):
            raise StoredSessionError("the stored session has no package")
        packed = Package.from_dict(package)
        fault = ""
        try:
            data = Fields(stored)
            form = data.child("form")
            return cls(
                reference=data.text("reference"),
                opened=data.moment("opened"),
                form=FormCode(form.text("systemCode"), form.text("schemaVersion"), form.text("value")),
                offline=stored.get("offline") is True,
                package=packed,
                uploads=_uploads(data, "uploads", packed),
            )
        except FieldError as error:
            fault = str(error)
        raise StoredSessionError(f"the stored session is damaged: {fault}")


def open_batch(
    client: KsefClient,
    access: str,
    form: FormCode,
    package: Package,
    public_keys: PublicKeys,
    *,
    offline: bool = False,
) -> OpenBatch:
    """Open a batch session for a package (``POST /sessions/batch``).

    A key of the Ministry that was withdrawn (21470) is replaced once. The moment of opening decides whether
    KSeF marks the documents as offline: P_1 must be its Warsaw day. After a KsefUnavailable simply open
    again: a session whose parts never come is cancelled by KSeF and brings nothing.

    Args:
        client: the client, of the seller's context.
        access: access token.
        form: schema of the documents.
        package: the packed documents.
        public_keys: the Ministry's keys.
        offline: the documents were issued in an offline mode.

    Returns:
        The session; store its :meth:`OpenBatch.as_dict` before sending parts.

    Raises:
        Forbidden: no permission to issue invoices.
        KsefError: whatever else went wrong.
    """

    def attempt(public_key: PublicKey) -> OpenBatch:
        # our own time before the request: never later than KSeF's
        opened = client.clock()
        body: dict[str, object] = {
            "formCode": form.as_json(),
            "batchFile": package.as_json(),
            "encryption": package.key.info(public_key),
            "offlineMode": offline,
        }

        def read(data: Fields) -> OpenBatch:
            uploads = _uploads(data, "partUploadRequests", package)
            return OpenBatch(data.text("referenceNumber"), opened, form, offline, package, uploads)

        return client.caller.ask(_OPEN, read, token=access, json_body=body)

    return public_keys.use(Usage.SYMMETRIC_KEY, attempt)


def close(client: KsefClient, access: str, session: OpenBatch | str) -> None:
    """Close a session (``POST /sessions/batch/{referenceNumber}/close``); KSeF then processes the package.

    When the answer is lost, close again: SessionClosed then says that it was closed.

    Args:
        client: the client, of the seller's context.
        access: access token.
        session: the session or its reference number.

    Raises:
        PartMissing: a part did not arrive, or has another size (21205, 21157): send it again, then close.
        UploadExpired: the time is over (21208): begin a new session with the same documents.
        SessionClosed: it is closed already, or was cancelled (21180).
        InvalidSession: no such session (21173).
        KsefError: whatever else went wrong.
    """
    reference = session.reference if isinstance(session, OpenBatch) else session
    client.caller.call(_CLOSE, parameters={"referenceNumber": reference}, token=access)


def _uploads(data: Fields, name: str, package: Package) -> tuple[PartUpload, ...]:
    """The upload requests, one for each part, in order; raises FieldError when they do not fit the parts."""
    uploads = sorted((PartUpload.read(one) for one in data.children(name)), key=lambda one: one.ordinal)
    if [one.ordinal for one in uploads] != [part.ordinal for part in package.parts]:
        raise FieldError(f"{name} does not fit the parts of the package")
    return tuple(uploads)
