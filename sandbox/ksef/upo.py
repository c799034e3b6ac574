"""UPO 4-3: the official confirmation, per document and per session, signed XAdES with the sandbox's seal.

Source: upo-v4-3.xsd and the Ministry's examples. The schema fixes NazwaPodmiotuPrzyjmujacego to
``Ministerstwo Finansów``; that a document comes from the sandbox shows in the seal's certificate. The schema
describes the confirmation without its signature, which stands last in the root element.
"""

from __future__ import annotations

import base64
import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from lxml import etree
from signxml.xades.xades import XAdESDataObjectFormat, XAdESSigner

from core.calendar import WARSAW
from sandbox.ksef import keys
from sandbox.ksef.documents import FORM_CODES
from sandbox.ksef.state import SandboxState

_XADES = "http://uri.etsi.org/01903/v1.3.2#"
NAMESPACE = "http://upo.schematy.mf.gov.pl/KSeF/v4-3"
# lxml takes None for the default namespace; its type stubs know texts only
_DEFAULT_NAMESPACE = cast("dict[str, str]", {None: NAMESPACE})
_CONTEXTS = {
    "Nip": "Nip",
    "InternalId": "IdWewnetrzny",
    "NipVatUe": "IdZlozonyVatUE",
    "PeppolId": "IdDostawcyUslugPeppol",
}


@dataclass(frozen=True, slots=True)
class Upo:
    """One confirmation.

    Attributes:
        reference: reference number of the confirmation.
        session: reference number of the session.
        hash: SHA-256 of the bytes in Base64.
        xml: the signed bytes.
    """

    reference: str
    session: str
    hash: str
    xml: bytes


class _Seal(XAdESSigner):
    """A signer that states the sandbox's time as the time of signing."""

    def __init__(self, moment: datetime) -> None:
        super().__init__(
            signature_algorithm="rsa-sha256",
            digest_algorithm="sha256",
            data_object_format=XAdESDataObjectFormat(Description="UPO KSeF 4-3", MimeType="text/xml"),
        )
        self._moment = moment

    def add_signing_time(
        self,
        signed_signature_properties: etree._Element,
        sig_root: etree._Element,  # noqa: ARG002  the base class calls it by name
        signing_settings: object,  # noqa: ARG002
    ) -> None:
        """Write SigningTime."""
        element = etree.SubElement(signed_signature_properties, f"{{{_XADES}}}SigningTime")
        element.text = self._moment.isoformat(timespec="seconds")


def find(state: SandboxState, reference: str) -> Upo | None:
    """A confirmation that was already made."""
    row = state.one("SELECT * FROM upos WHERE reference = ?", (reference,))
    return None if row is None else Upo(row["reference"], row["session"], row["hash"], row["xml"])


def of_invoice(state: SandboxState, session: sqlite3.Row, invoice: sqlite3.Row) -> Upo:
    """The confirmation of one accepted document; made and signed at first use, then always the same bytes."""
    row = state.one("SELECT * FROM upos WHERE ksef_number = ?", (invoice["ksef_number"],))
    if row is not None:
        return Upo(row["reference"], row["session"], row["hash"], row["xml"])
    root = _confirmation(state, session, [invoice], page=False)
    return _keep(state, session, root, invoice["ksef_number"])


def of_session(state: SandboxState, session: sqlite3.Row) -> Upo:
    """The collective confirmation of a session; a session's documents fit on one page (10 000)."""
    if session["upo_reference"] is not None:
        made = find(state, session["upo_reference"])
        assert made is not None
        return made
    rows = state.all(
        "SELECT * FROM invoices WHERE session = ? AND code = 200 ORDER BY ordinal", (session["reference"],)
    )
    document = _keep(state, session, _confirmation(state, session, rows, page=True), None)
    state.run(
        "UPDATE sessions SET upo_reference = ? WHERE reference = ?",
        (document.reference, session["reference"]),
    )
    return document


def _keep(state: SandboxState, session: sqlite3.Row, root: etree._Element, ksef_number: str | None) -> Upo:
    content = _sign(state, root)
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    document = Upo(state.new_reference("EU"), session["reference"], digest, content)
    state.insert(
        "upos",
        reference=document.reference,
        session=document.session,
        ksef_number=ksef_number,
        hash=digest,
        xml=content,
    )
    return document


def _sign(state: SandboxState, root: etree._Element) -> bytes:
    pair = keys.seal(state)
    signed = _Seal(state.now()).sign(
        root, key=pair.private_key, cert=[pair.certificate], always_add_key_value=False
    )
    return etree.tostring(signed, xml_declaration=True, encoding="utf-8")


def _confirmation(
    state: SandboxState, session: sqlite3.Row, rows: Sequence[sqlite3.Row], *, page: bool
) -> etree._Element:
    root = etree.Element(f"{{{NAMESPACE}}}Potwierdzenie", nsmap=_DEFAULT_NAMESPACE)
    _add(root, "NazwaPodmiotuPrzyjmujacego", "Ministerstwo Finansów")
    _add(root, "NumerReferencyjnySesji", session["reference"])
    _add_authentication(state, _add(root, "Uwierzytelnienie"), session)
    if page:
        description = _add(root, "OpisPotwierdzenia")
        _add(description, "Strona", "1")
        _add(description, "LiczbaStron", "1")
        _add(description, "ZakresDokumentowOd", "1")
        # the schema calls the end exclusive, the Ministry's example counts it in: two documents end at 2
        _add(description, "ZakresDokumentowDo", str(len(rows)))
        _add(description, "CalkowitaLiczbaDokumentow", str(len(rows)))
    _add(
        root, "NazwaStrukturyLogicznej", FORM_CODES[(session["system_code"], session["schema_version"], "FA")]
    )
    _add(root, "KodFormularza", session["system_code"])
    for row in rows:
        document = _add(root, "Dokument")
        _add(document, "NipSprzedawcy", row["seller"])
        _add(document, "NumerKSeFDokumentu", row["ksef_number"])
        _add(document, "NumerFaktury", row["number"])
        _add(document, "DataWystawieniaFaktury", row["issued"])
        _add(document, "DataPrzeslaniaDokumentu", _local(row["received"]))
        _add(document, "DataNadaniaNumeruKSeF", _local(row["acquired"]))
        _add(document, "SkrotDokumentu", row["hash"])
        _add(document, "TrybWysylki", row["mode"])
    return root


def _add_authentication(state: SandboxState, element: etree._Element, session: sqlite3.Row) -> None:
    context = _add(element, "IdKontekstu")
    _add(context, _CONTEXTS[session["context_type"]], session["context_value"])
    row = state.one("SELECT * FROM authentications WHERE reference = ?", (session["authentication"],))
    assert row is not None
    if row["token_reference"] is not None:
        _add(element, "NumerReferencyjnyTokenaKSeF", row["token_reference"])
    else:
        _add(element, "SkrotDokumentuUwierzytelniajacego", row["document_hash"])


def _add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    element = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    element.text = text
    return element


def _local(moment: str) -> str:
    """A stored moment as Warsaw time with milliseconds, as the Ministry's examples show times."""
    return datetime.fromisoformat(moment).astimezone(WARSAW).isoformat(timespec="milliseconds")
