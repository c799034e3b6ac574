"""What the client and the sandbox say to each other satisfies the official contract, in both directions."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
import requests
from requests.structures import CaseInsensitiveDict

from connector_app.ksef_access import Connections
from connector_app.pipeline.runner import Runner
from connector_app.pipeline.services import Services
from core.calendar import warsaw_day
from core.ksef import auth, interactive, status, upo
from core.ksef.auth import Tokens
from core.ksef.batch import session as batches
from core.ksef.batch.archives import Archive
from core.ksef.batch.packing import BatchDocument, PackLimits, pack
from core.ksef.batch.results import results
from core.ksef.batch.session import OpenBatch
from core.ksef.batch.upload import upload
from core.ksef.client import KsefClient
from core.ksef.encryption import sha256_base64
from core.ksef.environments import Environment, custom
from core.ksef.errors import (
    AuthenticationFailed,
    KsefBusy,
    NotFound,
    PartMissing,
    SessionClosed,
    Unauthorized,
)
from core.ksef.http import HttpTransport
from core.ksef.interactive import FA_2, FA_3, FormCode, OpenSession
from core.ksef.public_keys import PublicKeys
from core.ksef.status import DocumentState, DocumentStatus
from core.ksef.transport import Answer, Request
from core.signing.keys import KeyMaterial, self_signed
from sandbox.ksef import KsefSandbox, tokens
from tests.pipeline.world import PATIENCE, World, world
from tests.sandbox_ksef.contract import BASE_PATH, Contract, ContractViolation

NIP = "5265877635"
OTHER_NIP = "5260250274"


class WatchedTransport:
    """The client's own transport over the network; every exchange is compared with the contract.

    Args:
        contract: the official contract; its log grows.
    """

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self._network = HttpTransport()

    def send(self, request: Request) -> Answer:
        """Send one request; a call outside the API (a presigned address) is passed on as it is."""
        answer = self._network.send(request)
        if request.path.startswith(f"{BASE_PATH}/"):
            self.contract.check(_as_response(request, answer))
        return answer


def _as_response(request: Request, answer: Answer) -> requests.Response:
    response = requests.Response()
    response.request = requests.Request(
        request.method, request.url, headers=dict(request.headers), data=request.body or None
    ).prepare()
    response.status_code = answer.status
    response.headers = CaseInsensitiveDict(answer.headers)
    response._content = answer.body  # as requests' own tests of adapters do
    return response


@pytest.fixture(scope="module")
def official(official_ksef: Path) -> Contract:
    """The official contract, with a log of the whole module."""
    return Contract.load(official_ksef)


@pytest.fixture(scope="module")
def operations(official_ksef: Path) -> tuple[str, ...]:
    """The paths of the contract, those with fewer parameters first."""
    spec: dict[str, dict[str, object]] = json.loads((official_ksef / "open-api.json").read_text("utf-8"))
    return tuple(sorted(spec["paths"], key=lambda path: path.count("{")))


@pytest.fixture
def contract(official: Contract) -> Contract:
    """The same with an empty log."""
    return Contract(official.openapi)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[KsefSandbox]:
    """A sandbox that takes a moment for its verdicts, so that "in progress" is seen too."""
    with KsefSandbox(processing_seconds=0.05) as running:
        yield running


@pytest.fixture(scope="module")
def key() -> KeyMaterial:
    """The seller's seal."""
    return self_signed(NIP, now=datetime.now(UTC))


@pytest.fixture
def client(sandbox: KsefSandbox, contract: Contract) -> KsefClient:
    """The real client, watched."""
    transport = WatchedTransport(contract)
    return KsefClient(custom(sandbox.api_url, sandbox.qr_url), transport).for_context(NIP)


@pytest.fixture
def signed_in(client: KsefClient, key: KeyMaterial) -> Tokens:
    """Tokens of the seller."""
    return auth.sign_in_with_certificate(client, NIP, key)


@pytest.fixture
def session(client: KsefClient, signed_in: Tokens) -> OpenSession:
    """An open session."""
    return interactive.open_session(client, signed_in.access, FA_3, PublicKeys(client))


@pytest.fixture
def invoice(official_ksef: Path) -> Callable[[str], bytes]:
    """Makes the Ministry's first example into an invoice of our seller, of today, with a number."""
    text = (official_ksef / "fa3-examples" / "FA_3_Przykład_1.xml").read_text(encoding="utf-8-sig")
    today = warsaw_day(datetime.now(UTC)).isoformat()

    def make(number: str) -> bytes:
        made = text
        for element, value in (("NIP", NIP), ("P_1", today), ("P_2", number)):
            start = made.index(f"<{element}>") + len(element) + 2
            made = made[:start] + value + made[made.index(f"</{element}>", start) :]
        return made.encode()

    return make


def _result(client: KsefClient, access: str, session: OpenSession, reference: str) -> DocumentStatus:
    for _ in range(200):
        found = status.document(client, access, session.reference, reference)
        if found.state is not DocumentState.PROCESSING:
            return found
        time.sleep(0.02)
    raise AssertionError("no result")


def _closed(client: KsefClient, access: str, session: OpenSession | OpenBatch) -> status.SessionStatus:
    for _ in range(200):
        found = status.session(client, access, session.reference)
        if not found.is_processing:
            return found
        time.sleep(0.02)
    raise AssertionError("the session did not end")


def _seen(contract: Contract, operations: tuple[str, ...]) -> set[str]:
    """Method, path of the contract and status of every exchange that was compared."""
    return {
        f"{method} {_operation(path.removeprefix(BASE_PATH), operations)} {code}"
        for method, path, code in contract.seen
    }


def _operation(path: str, operations: tuple[str, ...]) -> str:
    given = path.split("/")
    for template in operations:
        parts = template.split("/")
        if len(parts) == len(given) and all(
            part == other or part.startswith("{") for part, other in zip(parts, given, strict=True)
        ):
            return template
    return path


def test_a_wrong_exchange_would_be_noticed(sandbox: KsefSandbox, contract: Contract) -> None:
    """The watch itself works: an undocumented body and an undocumented path are violations."""
    transport = WatchedTransport(contract)
    body = b'{"challenge": 1}'
    headers = {"Content-Type": "application/json"}
    with pytest.raises(ContractViolation, match="ksef-token"):
        transport.send(Request("POST", f"{sandbox.api_url}/auth/ksef-token", headers, body))
    with pytest.raises(ContractViolation, match="/v2/nothing"):
        transport.send(Request("GET", f"{sandbox.api_url}/nothing"))


@pytest.mark.parametrize("algorithm", ["ec", "rsa"])
@pytest.mark.parametrize("version", ["2.0", "2.1"])
def test_sign_in_with_a_certificate(
    client: KsefClient,
    contract: Contract,
    operations: tuple[str, ...],
    algorithm: Literal["ec", "rsa"],
    version: Literal["2.0", "2.1"],
) -> None:
    """Challenge, signature, status, redeem and refresh satisfy the contract, with either kind of key."""
    material = self_signed(NIP, key=algorithm, now=datetime.now(UTC))
    given = auth.sign_in_with_certificate(client, NIP, material, version=version)
    auth.refresh(client, given)
    assert _seen(contract, operations) == {
        "POST /auth/challenge 200",
        "POST /auth/xades-signature 202",
        "GET /auth/{referenceNumber} 200",
        "POST /auth/token/redeem 200",
        "POST /auth/token/refresh 200",
    }


def test_sign_in_with_a_token(
    sandbox: KsefSandbox, client: KsefClient, contract: Contract, operations: tuple[str, ...]
) -> None:
    """The other way to sign in satisfies it too, and so does the refusal of a wrong token."""
    text = tokens.issue(sandbox.state, NIP)
    auth.refresh(client, auth.sign_in_with_token(client, NIP, text, PublicKeys(client)))
    with pytest.raises(AuthenticationFailed) as caught:
        auth.sign_in_with_token(client, NIP, text[:-4] + "0000", PublicKeys(client))
    assert caught.value.code == 450
    assert _seen(contract, operations) == {
        "GET /security/public-key-certificates 200",
        "POST /auth/challenge 200",
        "POST /auth/ksef-token 202",
        "GET /auth/{referenceNumber} 200",
        "POST /auth/token/redeem 200",
        "POST /auth/token/refresh 200",
    }


def test_session_from_opening_to_the_last_proof(
    client: KsefClient,
    signed_in: Tokens,
    contract: Contract,
    operations: tuple[str, ...],
    invoice: Callable[[str], bytes],
) -> None:
    """Opening, sending, statuses, both lists, closing and every way to a UPO satisfy the contract."""
    contract.seen.clear()
    access = signed_in.access
    session = interactive.open_session(client, access, FA_3, PublicKeys(client))
    xml = invoice("FV/CONTRACT/1")
    found = _result(client, access, session, interactive.send(client, access, session, xml))
    assert found.state is DocumentState.ACCEPTED, found
    assert found.ksef_number is not None
    assert found.upo_url is not None
    proofs = {
        upo.fetch(client, access, session.reference, found.reference),
        upo.fetch_by_number(client, access, session.reference, found.ksef_number),
        upo.fetch_url(client, found.upo_url),
    }
    again = _result(client, access, session, interactive.send(client, access, session, xml))
    assert again.state is DocumentState.DUPLICATE
    for failed_only in (False, True):
        assert list(status.documents(client, access, session.reference, failed_only=failed_only))
    interactive.close(client, access, session)
    ended = _closed(client, access, session)
    collective = client.session_upo(access, session.reference, ended.upo_pages[0].reference)
    for proof in (*proofs, collective.content):
        upo.check_upo(upo.parse_upo(proof), sha256_base64(xml), found.ksef_number)
    online = "/sessions/online"
    document = "GET /sessions/{referenceNumber}/invoices/{invoiceReferenceNumber}"
    assert _seen(contract, operations) == {
        "GET /security/public-key-certificates 200",
        f"POST {online} 201",
        f"POST {online}/{{referenceNumber}}/invoices 202",
        f"{document} 200",
        f"{document}/upo 200",
        "GET /sessions/{referenceNumber}/invoices/ksef/{ksefNumber}/upo 200",
        "GET /sessions/{referenceNumber}/invoices 200",
        "GET /sessions/{referenceNumber}/invoices/failed 200",
        f"POST {online}/{{referenceNumber}}/close 204",
        "GET /sessions/{referenceNumber} 200",
        "GET /sessions/{referenceNumber}/upo/{upoReferenceNumber} 200",
    }


@pytest.mark.parametrize("archive", list(Archive))
@pytest.mark.parametrize("offline", [False, True])
def test_batch_from_opening_to_the_last_proof(
    client: KsefClient,
    signed_in: Tokens,
    contract: Contract,
    operations: tuple[str, ...],
    invoice: Callable[[str], bytes],
    tmp_path: Path,
    archive: Archive,
    offline: bool,
) -> None:
    """Opening, closing too early and in time, statuses, the list and the UPO of a batch satisfy it."""
    contract.seen.clear()
    access, name = signed_in.access, f"FV/BATCH/{archive}/{offline}"
    xml = invoice(name)
    documents = [
        BatchDocument("good", xml),
        BatchDocument("duplicate", xml.replace(b"</Faktura>", b"\n</Faktura>")),
        BatchDocument("broken", b"<a/>"),
    ]
    package = pack(documents, tmp_path, archive=archive, limits=PackLimits(part_bytes=500))
    session = batches.open_batch(client, access, FA_3, package, PublicKeys(client), offline=offline)
    assert status.session(client, access, session.reference).is_open
    upload(client, session, done=[1])
    with pytest.raises(PartMissing):
        batches.close(client, access, session)
    upload(client, session)
    batches.close(client, access, session)
    with pytest.raises(SessionClosed):
        batches.close(client, access, session)
    ended = _closed(client, access, session)
    found = {one.document.key: one.status for one in results(client, access, session)}
    good, duplicate, broken = found["good"], found["duplicate"], found["broken"]
    assert good is not None
    assert duplicate is not None
    assert broken is not None
    assert good.ksef_number == duplicate.original_ksef_number
    assert (good.code, duplicate.code, broken.code) == (200, 440, 450)
    assert good.mode == ("Offline" if offline else "Online")
    assert good.upo_url is not None
    collective = client.session_upo(access, session.reference, ended.upo_pages[0].reference).content
    for proof in (collective, upo.fetch_url(client, good.upo_url)):
        upo.check_upo(upo.parse_upo(proof), sha256_base64(xml), good.ksef_number)
    close = "POST /sessions/batch/{referenceNumber}/close"
    assert _seen(contract, operations) == {
        "GET /security/public-key-certificates 200",
        "POST /sessions/batch 201",
        f"{close} 400",
        f"{close} 204",
        "GET /sessions/{referenceNumber} 200",
        "GET /sessions/{referenceNumber}/invoices 200",
        "GET /sessions/{referenceNumber}/upo/{upoReferenceNumber} 200",
    }


def test_lists_in_pages(
    client: KsefClient, signed_in: Tokens, session: OpenSession, contract: Contract
) -> None:
    """A list longer than a page is asked for by continuation tokens that the contract knows."""
    for number in range(12):
        interactive.send(client, signed_in.access, session, f"<a>{number}</a>".encode())
    contract.seen.clear()
    first = client.documents(signed_in.access, session.reference, page_size=10)
    assert first.continuation is not None
    second = client.documents(
        signed_in.access, session.reference, page_size=10, continuation=first.continuation
    )
    assert len(first.documents) + len(second.documents) == 12
    assert len(contract.seen) == 2


@pytest.mark.parametrize(
    ("form", "spoil", "state", "code"),
    [
        (FA_3, "<a/>", DocumentState.REJECTED, 450),
        (FA_3, "\ufeff{}", DocumentState.REJECTED, 430),
        (FA_2, "{}", DocumentState.REJECTED, 450),
    ],
)
def test_refusals_of_documents(
    client: KsefClient,
    signed_in: Tokens,
    contract: Contract,
    invoice: Callable[[str], bytes],
    form: FormCode,
    spoil: str,
    state: DocumentState,
    code: int,
) -> None:
    """Refused documents, whatever is wrong with them, are told as the contract says."""
    opened = interactive.open_session(client, signed_in.access, form, PublicKeys(client))
    data = spoil.replace("{}", invoice(f"FV/CONTRACT/{code}").decode()).encode()
    reference = interactive.send(client, signed_in.access, opened, data)
    found = _result(client, signed_in.access, opened, reference)
    assert (found.state, found.code) == (state, code), found
    assert list(status.documents(client, signed_in.access, opened.reference, failed_only=True))
    assert contract.seen


def test_refusals_of_calls(
    sandbox: KsefSandbox,
    client: KsefClient,
    key: KeyMaterial,
    signed_in: Tokens,
    contract: Contract,
    operations: tuple[str, ...],
    session: OpenSession,
) -> None:
    """400, 401 and 429 satisfy the contract: a withdrawn key, a closed session, a hurry and others."""
    contract.seen.clear()
    access, reference = signed_in.access, session.reference
    with pytest.raises(Unauthorized):
        status.session(client, "nonsense", reference)
    with pytest.raises(AuthenticationFailed):
        auth.sign_in_with_certificate(client, OTHER_NIP, key)
    with pytest.raises(NotFound):
        upo.fetch(client, access, reference, interactive.send(client, access, session, b"<a/>"))
    sandbox.state.faults.add("refuse_code", "POST /v2/sessions/online$", value=21470)
    interactive.open_session(client, access, FA_3, PublicKeys(client))
    sandbox.state.faults.add("http_429", "POST /v2/sessions/online/[^/]+/invoices$", value=30)
    with pytest.raises(KsefBusy):
        interactive.send(client, access, session, b"<a/>")
    interactive.close(client, access, session)
    with pytest.raises(SessionClosed):
        interactive.send(client, access, session, b"<a/>")
    assert {
        "GET /sessions/{referenceNumber} 401",
        "GET /sessions/{referenceNumber}/invoices/{invoiceReferenceNumber}/upo 400",
        "POST /sessions/online 400",
        "POST /sessions/online/{referenceNumber}/invoices 400",
        "POST /sessions/online/{referenceNumber}/invoices 429",
    } <= _seen(contract, operations)


@pytest.mark.parametrize("schema", ["FA3", "FA2"])
@pytest.mark.parametrize("way", ["certificate", "token"])
def test_whole_pipeline_keeps_the_contract(
    tmp_path: Path, contract: Contract, operations: tuple[str, ...], schema: str, way: str
) -> None:
    """A run of the application, from paid orders to numbers in the shop, keeps to the contract."""
    with world(tmp_path) as made:
        token = tokens.issue(made.ksef.state, NIP) if way == "token" else None
        made.prepare(schema=schema, token=token)
        runner = Runner(_watched(made, contract), sleep=made.clock.sleep, monotonic=made.clock.seconds)
        assert runner.take_in().problems == []
        assert runner.work_until_idle(PATIENCE).problems == []
        assert sorted(one.state for one in made.documents()).count("published") == 3
    seen = _seen(contract, operations)
    assert {
        "POST /sessions/online 201",
        "POST /sessions/online/{referenceNumber}/invoices 202",
        "GET /sessions/{referenceNumber}/invoices/{invoiceReferenceNumber} 200",
        "POST /sessions/online/{referenceNumber}/close 204",
    } <= seen
    assert ("POST /auth/ksef-token 202" in seen) == (way == "token")


def _watched(made: World, contract: Contract) -> Services:
    """The installation of a world whose clients are watched."""

    def client(environment: Environment, _budget: object) -> KsefClient:
        transport = WatchedTransport(contract)
        return KsefClient(
            environment, transport, clock=made.clock, sleep=made.clock.sleep, jitter=lambda: 0.5
        )

    return replace(made.services(), connections=Connections(make_client=client))
