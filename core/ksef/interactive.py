"""Interactive sessions: open, send documents one by one, close.

Source: ``/sessions/online`` of the API contract: a session lives 12 hours, several may be open at once, each
has its own key and takes documents of one schema.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.ksef.client import KsefClient
from core.ksef.encryption import SessionKey
from core.ksef.public_keys import PublicKey, PublicKeys, Usage


@dataclass(frozen=True, slots=True)
class FormCode:
    """``FormCode``: the schema of a session's documents.

    Attributes:
        system_code: e.g. ``FA (3)``.
        schema_version: e.g. ``1-0E``.
        value: e.g. ``FA``.
    """

    system_code: str
    schema_version: str
    value: str

    def as_json(self) -> dict[str, str]:
        """As the contract writes it."""
        return {
            "systemCode": self.system_code,
            "schemaVersion": self.schema_version,
            "value": self.value,
        }


FA_2 = FormCode("FA (2)", "1-0E", "FA")
FA_3 = FormCode("FA (3)", "1-0E", "FA")


class StoredSessionError(ValueError):
    """Stored texts that make no session; the message names the field only."""


@dataclass(frozen=True, slots=True)
class OpenSession:
    """An interactive session that we opened.

    Attributes:
        reference: its reference number.
        valid_until: when KSeF closes it by itself.
        form: schema of its documents.
        key: its symmetric key; never shown.
    """

    reference: str
    valid_until: datetime
    form: FormCode
    key: SessionKey = field(repr=False)

    def is_usable(self, now: datetime, margin: timedelta = timedelta(minutes=5)) -> bool:
        """Whether it still takes documents for at least ``margin``, as far as its time goes."""
        return now + margin < self.valid_until

    def as_dict(self) -> dict[str, str]:
        """As texts, to be stored ENCRYPTED: the session key is among them."""
        return {
            "reference": self.reference,
            "valid_until": self.valid_until.isoformat(),
            "system_code": self.form.system_code,
            "schema_version": self.form.schema_version,
            "form_value": self.form.value,
            "key": base64.b64encode(self.key.key).decode("ascii"),
            "iv": base64.b64encode(self.key.iv).decode("ascii"),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, str]) -> OpenSession:
        """Back from :meth:`as_dict`.

        Raises:
            StoredSessionError: a field is missing or damaged.
        """
        missing = [name for name in _STORED if name not in stored]
        if missing:
            raise StoredSessionError(f"the stored session lacks {', '.join(missing)}")
        fault = ""
        try:
            form = FormCode(stored["system_code"], stored["schema_version"], stored["form_value"])
            key = SessionKey(_decoded(stored["key"]), _decoded(stored["iv"]))
            return cls(stored["reference"], datetime.fromisoformat(stored["valid_until"]), form, key)
        except (binascii.Error, ValueError) as error:
            fault = type(error).__name__
        raise StoredSessionError(f"the stored session is damaged ({fault})")


_STORED = ("reference", "valid_until", "system_code", "schema_version", "form_value", "key", "iv")


def open_session(
    client: KsefClient,
    access: str,
    form: FormCode,
    public_keys: PublicKeys,
    *,
    random: Callable[[int], bytes] = os.urandom,
) -> OpenSession:
    """Open an interactive session with a fresh key (``POST /sessions/online``).

    A key of the Ministry that was withdrawn (21470) is replaced once.

    Args:
        client: the client, of the seller's context.
        access: access token.
        form: schema of the documents.
        public_keys: the Ministry's keys.
        random: gives secret random bytes.

    Raises:
        Forbidden: no permission to issue invoices.
        KsefError: whatever else went wrong.
    """
    key = SessionKey.generate(random)

    def attempt(public_key: PublicKey) -> OpenSession:
        opened = client.open_online_session(access, form.as_json(), key.info(public_key))
        return OpenSession(opened.reference, opened.valid_until, form, key)

    return public_keys.use(Usage.SYMMETRIC_KEY, attempt)


def send(
    client: KsefClient,
    access: str,
    session: OpenSession,
    xml: bytes,
    *,
    offline: bool = False,
    corrected_hash: str | None = None,
) -> str:
    """Send one document (``POST /sessions/online/{referenceNumber}/invoices``).

    It is never repeated here: after a KsefUnavailable with ``outcome_ambiguous`` the document may have
    arrived. Look for its hash in the session's documents, or send the same bytes again and take the
    original number out of the 440 that follows.

    Args:
        client: the client, of the seller's context.
        access: access token.
        session: an open session of the document's schema.
        xml: the document, exactly the stored bytes.
        offline: the document was issued in an offline mode.
        corrected_hash: at a technical correction: SHA-256 (Base64) of the refused document.

    Returns:
        The document's reference number in the session.

    Raises:
        SessionClosed: the session takes nothing more; open another.
        InvalidSession: KSeF does not know the session; open another.
        KsefError: whatever else went wrong.
    """
    encrypted = session.key.encrypt(xml)
    body: dict[str, object] = {
        "invoiceHash": encrypted.hash,
        "invoiceSize": encrypted.size,
        "encryptedInvoiceHash": encrypted.encrypted_hash,
        "encryptedInvoiceSize": encrypted.encrypted_size,
        "encryptedInvoiceContent": base64.b64encode(encrypted.content).decode("ascii"),
        "offlineMode": offline,
    }
    if corrected_hash is not None:
        body["hashOfCorrectedInvoice"] = corrected_hash
    return client.send_invoice(access, session.reference, body)


def close(client: KsefClient, access: str, session: OpenSession | str) -> None:
    """Close a session (``POST /sessions/online/{referenceNumber}/close``); KSeF then makes its UPO.

    Args:
        client: the client, of the seller's context.
        access: access token.
        session: the session or its reference number.

    Raises:
        SessionClosed: it is closed already.
        KsefError: whatever else went wrong.
    """
    reference = session.reference if isinstance(session, OpenSession) else session
    client.close_online_session(access, reference)


def _decoded(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
