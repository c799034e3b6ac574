"""Invoices, lists, exports and collective identifiers come back from the sandbox as the contract says."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import pytest

from core.calendar import warsaw_day
from core.ksef import auth, collective, export_windows, exports, interactive, invoices, session_list, status
from core.ksef.auth import Tokens
from core.ksef.client import KsefClient
from core.ksef.collective import IdentifierError, PaidInvoice
from core.ksef.encryption import sha256_base64
from core.ksef.environments import custom
from core.ksef.errors import (
    Forbidden,
    KsefRefused,
    NotFound,
    OutsideData,
    ProofMismatch,
    TooManyExports,
    UnreadableAnswer,
)
from core.ksef.exports import Compression
from core.ksef.interactive import FA_3
from core.ksef.invoices import DateRange, DateType, InvoiceQuery, MetadataPage, SubjectType
from core.ksef.package import Package
from core.ksef.public_keys import PublicKeys
from core.ksef.session_list import SessionType
from core.ksef.status import DocumentState, DocumentStatus
from core.signing.keys import self_signed
from sandbox.ksef import KsefSandbox, tokens
from tests.ksef.test_contract_exchange import WatchedTransport
from tests.sandbox_ksef.contract import Contract

NIP = "5265877635"
OTHER_NIP = "5260250274"
UNKNOWN = "5265877635-20250826-0100001AF629-AF"
Value = TypeVar("Value")


@pytest.fixture(scope="module")
def contract(official_ksef: Path) -> Contract:
    """The official contract."""
    return Contract.load(official_ksef)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[KsefSandbox]:
    """A sandbox for the module."""
    with KsefSandbox(processing_seconds=0.02) as running:
        yield running


@pytest.fixture
def limits(sandbox: KsefSandbox) -> Iterator[KsefSandbox]:
    """The sandbox, whose settings a test may change."""
    settings = sandbox.state.settings
    sandbox.state.settings = replace(settings)
    yield sandbox
    sandbox.state.settings = settings


@pytest.fixture(scope="module")
def client(sandbox: KsefSandbox, contract: Contract) -> KsefClient:
    """The real client, watched; it waits a hundredth of what it would."""
    return KsefClient(
        custom(sandbox.api_url, sandbox.qr_url),
        WatchedTransport(contract),
        sleep=lambda seconds: time.sleep(min(seconds / 20, 0.05)),
    ).for_context(NIP)


@pytest.fixture(scope="module")
def signed_in(client: KsefClient) -> Tokens:
    """Tokens of the seller."""
    return auth.sign_in_with_certificate(client, NIP, self_signed(NIP, now=datetime.now(UTC)))


@pytest.fixture(scope="module")
def sent(client: KsefClient, signed_in: Tokens, official_ksef: Path) -> dict[str, bytes]:
    """Five accepted invoices, oldest first: KSeF number to bytes."""
    text = (official_ksef / "fa3-examples" / "FA_3_Przykład_1.xml").read_text(encoding="utf-8-sig")
    opened = interactive.open_session(client, signed_in.access, FA_3, PublicKeys(client))
    found = {}
    for count in range(5):
        xml = _invoice(text, f"FV/FETCH/{count}")
        reference = interactive.send(client, signed_in.access, opened, xml)
        found[str(_accepted(client, signed_in.access, opened.reference, reference).ksef_number)] = xml
    interactive.close(client, signed_in.access, opened)
    return found


def _invoice(text: str, number: str) -> bytes:
    today = warsaw_day(datetime.now(UTC)).isoformat()
    for element, value in (("NIP", NIP), ("P_1", today), ("P_2", number)):
        start = text.index(f"<{element}>") + len(element) + 2
        text = text[:start] + value + text[text.index(f"</{element}>", start) :]
    return text.encode()


def _accepted(client: KsefClient, access: str, session: str, reference: str) -> DocumentStatus:
    for _ in range(200):
        found = status.document(client, access, session, reference)
        if found.state is not DocumentState.PROCESSING:
            assert found.state is DocumentState.ACCEPTED, found
            return found
        time.sleep(0.01)
    raise AssertionError("no result")


@pytest.fixture
def ask(signed_in: Tokens) -> Callable[[Callable[[str], Value]], Value]:
    """Gives the seller's access token."""
    return lambda operation: operation(signed_in.access)


def _lately(**more: object) -> InvoiceQuery:
    now = datetime.now(UTC)
    query = InvoiceQuery(DateRange(now - timedelta(days=1), now + timedelta(minutes=5)))
    return replace(query, **more)  # type: ignore[arg-type]


def test_an_invoice_comes_back_byte_for_byte(
    client: KsefClient, signed_in: Tokens, sent: dict[str, bytes]
) -> None:
    """By its number, with the hash of the header and of the metadata compared."""
    number, xml = next(iter(sent.items()))
    found = invoices.fetch(client, signed_in.access, number, known_hash=sha256_base64(xml))
    assert (found.content, found.hash) == (xml, sha256_base64(xml))
    with pytest.raises(ProofMismatch):
        invoices.fetch(client, signed_in.access, number, known_hash=sha256_base64(b"other"))
    with pytest.raises(NotFound) as caught:
        invoices.fetch(client, signed_in.access, UNKNOWN)
    assert caught.value.code == 21164
    assert caught.value.hint.pl


def test_reading_needs_its_permission(
    sandbox: KsefSandbox, client: KsefClient, sent: dict[str, bytes]
) -> None:
    """A token that may only send is told which permission is missing."""
    token = tokens.issue(sandbox.state, NIP, permissions=frozenset({"InvoiceWrite"}))
    access = auth.sign_in_with_token(client, NIP, token, PublicKeys(client)).access
    with pytest.raises(Forbidden):
        invoices.fetch(client, access, next(iter(sent)))
    with pytest.raises(Forbidden):
        invoices.page(client, access, _lately())
    with pytest.raises(Forbidden):
        exports.start(client, access, PublicKeys(client), _lately())


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({}, 5),
        ({"number": "FV/FETCH/3"}, 1),
        ({"subject": SubjectType.BUYER}, 0),
        ({"seller_nip": NIP, "mode": "Online", "form": "FA", "kinds": ("Vat",), "currencies": ("PLN",)}, 5),
        ({"amount_type": "Brutto", "amount_from": Decimal("0.01"), "amount_to": Decimal("1999.99")}, None),
        ({"amount_from": Decimal(10_000_000)}, 0),
        ({"buyer": ("None", "")}, 0),
        ({"self_invoicing": True}, 0),
        ({"self_invoicing": False, "has_attachment": False}, 5),
        ({"kinds": ("Kor",)}, 0),
    ],
)
def test_every_filter_is_understood(
    client: KsefClient,
    signed_in: Tokens,
    sent: dict[str, bytes],
    filters: dict[str, object],
    count: int | None,
) -> None:
    """Each filter in the contract's words; what comes back says what was sent."""
    found = invoices.page(client, signed_in.access, _lately(**filters))
    assert count is None or len(found.invoices) == count
    for one in found.invoices:
        assert one.invoice_hash == sha256_base64(sent[one.ksef_number])
        assert isinstance(one.gross, Decimal)
        assert one.schema_kind == "VAT"


@pytest.mark.parametrize("kind", list(DateType))
@pytest.mark.parametrize("size", [10, 250])
def test_lists_go_beyond_the_limit_of_a_result(
    limits: KsefSandbox,
    client: KsefClient,
    ask: invoices.Ask,
    sent: dict[str, bytes],
    kind: DateType,
    size: int,
) -> None:
    """Cut after three, the range begins anew at the last date: every invoice once, oldest first."""
    if kind is not DateType.ISSUE:
        limits.state.settings.max_query_records = 3
    query = replace(_lately(), dates=replace(_lately().dates, type=kind))
    pages = list(invoices.pages(client, ask, query, size=size))
    assert [one.ksef_number for page in pages for one in page.invoices] == list(sent)
    assert (pages[0].complete_until is not None) == (kind is DateType.PERMANENT_STORAGE)


def test_too_many_at_one_moment_is_no_endless_list(client: KsefClient) -> None:
    """Pages that always promise more end with an error instead of never."""
    answers = [MetadataPage((), has_more=True, is_truncated=False, complete_until=None)]
    with pytest.raises(UnreadableAnswer):
        list(invoices.pages(client, lambda _operation: answers[0], _lately()))  # type: ignore[arg-type]


@pytest.mark.parametrize("compression", list(Compression))
@pytest.mark.parametrize(("records", "part"), [(10_000, 50_000_000), (2, 700), (3, 50_000_000)])
def test_exports_bring_everything_once(
    limits: KsefSandbox,
    client: KsefClient,
    ask: invoices.Ask,
    sent: dict[str, bytes],
    tmp_path: Path,
    compression: Compression,
    records: int,
    part: int,
) -> None:
    """Zip and TarGz, whole and cut into windows and parts: the bytes, each once, and no file is left."""
    limits.state.settings.max_query_records = records
    limits.state.settings.export_part_bytes = part
    query = InvoiceQuery(DateRange(datetime.now(UTC) - timedelta(days=200)))
    found = {}
    windows = []
    for window in export_windows.windows(
        client, ask, PublicKeys(client), query, tmp_path, compression=compression
    ):
        windows.append((window.start, window.next_start))
        for one in window.invoices:
            assert one.metadata.ksef_number not in found
            assert one.is_genuine
            found[one.metadata.ksef_number] = one.content
    assert found == sent
    assert [start for start, _ in windows[1:]] == [end for _, end in windows[:-1]]
    assert list(tmp_path.iterdir()) == []


def test_an_export_after_the_complete_data_is_no_trouble(
    client: KsefClient, signed_in: Tokens, ask: invoices.Ask, sent: dict[str, bytes], tmp_path: Path
) -> None:
    """Nothing newer is complete: the range is refused by itself, and fetching simply ends."""
    assert sent
    later = datetime.now(UTC) + timedelta(days=1)
    query = InvoiceQuery(DateRange(later, later + timedelta(days=1), only_complete=True))
    with pytest.raises(OutsideData):
        exports.wait(client, ask, exports.start(client, signed_in.access, PublicKeys(client), query))
    assert list(export_windows.windows(client, ask, PublicKeys(client), query, tmp_path)) == []


def test_faults_of_exports_are_told(
    sandbox: KsefSandbox, client: KsefClient, signed_in: Tokens, sent: dict[str, bytes]
) -> None:
    """A withdrawn key is replaced once; ten at once and unknown references have errors of their own."""
    assert sent
    keys = PublicKeys(client)
    sandbox.state.faults.add("refuse_code", "POST /v2/invoices/exports$", value=21470)
    assert exports.start(client, signed_in.access, keys, _lately()).reference
    sandbox.state.faults.add("refuse_code", "POST /v2/invoices/exports$", value=21182)
    with pytest.raises(TooManyExports):
        exports.start(client, signed_in.access, keys, _lately())
    with pytest.raises(NotFound) as caught:
        exports.status(client, signed_in.access, "20251010-EH-1B6C9EB000-4B15D3AEB9-89")
    assert caught.value.code == 21175


def test_a_damaged_package_is_never_taken_for_whole(
    client: KsefClient, signed_in: Tokens, ask: invoices.Ask, sent: dict[str, bytes], tmp_path: Path
) -> None:
    """Another key, another hash, a cut or padded file, another count: each is an error, nothing is lost."""
    export = exports.start(client, signed_in.access, PublicKeys(client), _lately())
    info = exports.wait(client, ask, export)
    file = tmp_path / "package"
    exports.download(client, export, info, file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(list(Package(file, False, info.invoice_count))) == len(sent)
    with pytest.raises(UnreadableAnswer, match="lists 5 invoices, not 6"):
        list(Package(file, False, 6))
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(UnreadableAnswer, match="damaged"):
        list(Package(file, False, info.invoice_count))
    other = exports.start(client, signed_in.access, PublicKeys(client), _lately())
    with pytest.raises(ProofMismatch):
        exports.download(client, replace(export, key=other.key), info, file)
    wrong = base64.b64encode(bytes(32)).decode()
    for change in ({"hash": wrong}, {"encrypted_hash": wrong}, {"encrypted_size": 1}, {"size": 1}):
        parts = (replace(info.parts[0], **change), *info.parts[1:])
        with pytest.raises(ProofMismatch):
            exports.download(client, export, replace(info, parts=parts), file)


def test_a_download_address_must_be_private(
    client: KsefClient, signed_in: Tokens, ask: invoices.Ask, tmp_path: Path
) -> None:
    """A part behind plain http in the outer world is not asked for."""
    export = exports.start(client, signed_in.access, PublicKeys(client), _lately())
    info = exports.wait(client, ask, export)
    parts = tuple(replace(one, url="http://example.com/part") for one in info.parts)
    with pytest.raises(UnreadableAnswer, match="https"):
        exports.download(client, export, replace(info, parts=parts), tmp_path / "package")
    assert "sig" not in repr(info)
    assert repr(export.key.key) not in repr(export)


def test_sessions_are_listed(client: KsefClient, ask: invoices.Ask, sent: dict[str, bytes]) -> None:
    """The session that brought the invoices is found again, and no batch session."""
    since = datetime.now(UTC) - timedelta(days=1)
    found = list(session_list.sessions(client, ask, SessionType.ONLINE, created_from=since))
    assert [one.accepted for one in found] == [len(sent)]
    assert list(session_list.sessions(client, ask, SessionType.BATCH, created_from=since)) == []


def test_collective_identifiers(
    client: KsefClient, signed_in: Tokens, ask: invoices.Ask, sent: dict[str, bytes]
) -> None:
    """Made, listed, and looked up from both sides."""
    first, second, *_ = sent
    paid = [PaidInvoice(first, Decimal("123.45"), "PLN", "FV/FETCH/0"), PaidInvoice(second)]
    made = collective.create(client, signed_in.access, paid)
    assert collective.parse(made) == made
    now = datetime.now(UTC)
    span = (now - timedelta(days=1), now + timedelta(minutes=5))
    (listed,) = collective.query(client, ask, *span, identifier=made)
    assert (listed.number, listed.invoice_count, listed.is_own) == (made, 2, True)
    back = {one.ksef_number: one for one in collective.invoices_of(client, ask, [made])}
    assert back == {one.ksef_number: replace(one, identifier=made) for one in paid}
    assert [one.number for one in collective.of_invoice(client, ask, first)] == [made]
    more = [collective.create(client, signed_in.access, paid) for _ in range(3)]
    assert {one.number for one in collective.query(client, ask, *span)} == {made, *more}


@pytest.mark.parametrize(("chosen", "code"), [(("first", UNKNOWN), 71001), (("first", "first"), 71005)])
def test_collective_identifiers_that_cannot_be_made(
    client: KsefClient, signed_in: Tokens, sent: dict[str, bytes], chosen: tuple[str, str], code: int
) -> None:
    """KSeF's reasons come with what a person can do; a single invoice is not even asked for."""
    first = next(iter(sent))
    paid = [PaidInvoice(first if one == "first" else one) for one in chosen]
    with pytest.raises(KsefRefused) as caught:
        collective.create(client, signed_in.access, paid)
    assert caught.value.code == code
    assert caught.value.hint.pl
    with pytest.raises(ValueError, match="2 to 500"):
        collective.create(client, signed_in.access, paid[:1])


@pytest.mark.parametrize(
    "text", ["", "1111111111-IZ202607-65ED02180000-E8", "1111111111-IZ202613-65ED02180000-E7", UNKNOWN]
)
def test_what_is_no_collective_identifier(text: str) -> None:
    """Form, month and check digits are looked at; the contract's own example is one."""
    with pytest.raises(IdentifierError):
        collective.parse(text)
    assert collective.parse("1111111111-IZ202607-65ED02180000-E7")
