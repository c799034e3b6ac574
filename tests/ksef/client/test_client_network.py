"""The client over a real network: a hostile server on this machine, real sockets, real TLS."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from core.ksef.client import KsefClient
from core.ksef.clock import ClockReading
from core.ksef.environments import custom
from core.ksef.errors import KsefBusy, KsefRefused, KsefUnavailable, Unauthorized, UnreadableAnswer
from core.ksef.http import HttpTransport, Timeouts

Handler = BaseHTTPRequestHandler
TOKEN = "access-secret"
INVOICE = {"invoiceHash": "x"}
SEND = "POST /sessions/online/{referenceNumber}/invoices"


@dataclass
class Server:
    """A server whose behaviour a test chooses, and what it has seen."""

    port: int
    behave: Callable[[Handler], None]
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v2"


@pytest.fixture
def server() -> Iterator[Server]:
    """A running server."""
    state = Server(0, lambda handler: _answer(handler, 500, b""))

    class Recorder(Handler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            state.seen.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
            state.behave(self)

        do_GET = do_POST = _serve  # noqa: N815 - names that the base class looks for

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass

    httpd = Quiet(("127.0.0.1", 0), Recorder)
    state.port = httpd.server_address[1]
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    httpd.shutdown()
    httpd.server_close()
    thread.join()


@pytest.fixture
def pauses() -> list[float]:
    """The pauses that the client made."""
    return []


@pytest.fixture
def client(server: Server, pauses: list[float]) -> KsefClient:
    """A client of that server, with short timeouts and without real pauses."""
    return _client(server.url, pauses)


def _client(url: str, pauses: list[float], timeouts: Timeouts = Timeouts(2, 0.3, 2)) -> KsefClient:  # noqa: B008
    transport = HttpTransport(timeouts, max_answer=10_000)
    return KsefClient(custom(url, url), transport, sleep=pauses.append, jitter=lambda: 1.0)


def _answer(handler: Handler, status: int, body: bytes, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    if "Content_Length" not in headers:
        handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def _cut(handler: Handler) -> None:
    _answer(handler, 202, b'{"referenceNumber": "20250625-E', Content_Length="500")
    handler.close_connection = True


def _drop(handler: Handler) -> None:
    handler.close_connection = True


def _hang(handler: Handler) -> None:
    time.sleep(0.6)
    handler.close_connection = True


def _html(handler: Handler) -> None:
    _answer(handler, 200, b"<html>Przerwa techniczna</html>", Content_Type="text/html")


def _drip(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.02)


@pytest.mark.parametrize("behave", [_cut, _drop, _hang, _html], ids=["cut", "dropped", "silent", "html"])
def test_lost_answer_to_a_sending_is_ambiguous_and_not_repeated(
    server: Server, client: KsefClient, behave: Callable[[Handler], None]
) -> None:
    """When the answer to a sending is lost, it goes out once and the outcome is marked as unknown."""
    server.behave = behave
    with pytest.raises(KsefUnavailable) as caught:
        client.send_invoice(TOKEN, "S", INVOICE)
    assert caught.value.outcome_ambiguous
    assert caught.value.operation == SEND
    assert len(server.seen) == 1


@pytest.mark.parametrize("behave", [_cut, _drop, _hang, _html], ids=["cut", "dropped", "silent", "html"])
def test_questions_are_repeated_with_growing_pauses(
    server: Server, client: KsefClient, pauses: list[float], behave: Callable[[Handler], None]
) -> None:
    """A GET without a usable answer is tried three times, then given up, never ambiguous."""
    server.behave = behave
    with pytest.raises(KsefUnavailable) as caught:
        client.session_status(TOKEN, "S")
    assert not caught.value.outcome_ambiguous
    assert len(server.seen) == 3
    assert pauses == [0.5, 1.0]


def test_question_succeeds_at_the_second_try(server: Server, client: KsefClient) -> None:
    """After one 503 the next answer counts."""
    status = {
        "status": {"code": 100, "description": "Sesja interaktywna otwarta"},
        "dateCreated": "2026-11-24T10:00:00.0154302+00:00",
        "dateUpdated": "2026-11-24T10:00:00+00:00",
    }

    def behave(handler: Handler) -> None:
        good = len(server.seen) == 2
        _answer(handler, 200 if good else 503, json.dumps(status).encode() if good else b"busy")

    server.behave = behave
    assert client.session_status(TOKEN, "S").is_open


@pytest.mark.parametrize(("header", "pauses_made"), [("3", [3.0, 3.0]), ("600", [])])
def test_pause_asked_with_503_is_obeyed(
    server: Server, client: KsefClient, pauses: list[float], header: str, pauses_made: list[float]
) -> None:
    """A short Retry-After of a 503 is waited for between questions, a long one is told at once."""
    server.behave = lambda handler: _answer(handler, 503, b"", Retry_After=header)
    with pytest.raises(KsefUnavailable) as caught:
        client.session_status(TOKEN, "S")
    assert caught.value.retry_after == float(header)
    assert pauses == pauses_made


def test_html_instead_of_json_is_unreadable(server: Server, client: KsefClient) -> None:
    """A page of a proxy in place of JSON is no answer."""
    server.behave = _html
    with pytest.raises(UnreadableAnswer, match="no JSON"):
        client.challenge()


@pytest.mark.parametrize("status", [400, 403, 404])
def test_refusal_by_html_is_no_refusal_of_ksef(server: Server, client: KsefClient, status: int) -> None:
    """A 4xx page of something between us and KSeF does not count as KSeF's refusal."""
    server.behave = lambda handler: _answer(handler, status, b"<html>blocked</html>")
    with pytest.raises(UnreadableAnswer):
        client.challenge()


def test_no_connection_is_not_ambiguous(pauses: list[float]) -> None:
    """When nothing listens, the document certainly has not arrived."""
    with pytest.raises(KsefUnavailable) as caught:
        _client("http://127.0.0.1:9/v2", pauses).send_invoice(TOKEN, "S", INVOICE)
    assert not caught.value.outcome_ambiguous


def test_server_fault_is_ambiguous_for_a_sending(server: Server, client: KsefClient) -> None:
    """A 500 leaves open whether the document was taken."""
    with pytest.raises(KsefUnavailable) as caught:
        client.send_invoice(TOKEN, "S", INVOICE)
    assert caught.value.outcome_ambiguous
    assert caught.value.http_status == 500
    assert caught.value.hint.pl


@pytest.mark.parametrize("path", ["/elsewhere", "http://127.0.0.1:9/steal"])
def test_redirect_is_not_followed(server: Server, client: KsefClient, path: str) -> None:
    """A redirect never takes the token anywhere."""
    server.behave = lambda handler: _answer(handler, 307, b"", Location=path)
    with pytest.raises(UnreadableAnswer, match="redirect"):
        client.send_invoice(TOKEN, "S", INVOICE)
    assert len(server.seen) == 1


def test_answer_without_end_is_bounded(server: Server, client: KsefClient) -> None:
    """An answer beyond the size limit is not read to the end."""
    server.behave = lambda handler: _answer(handler, 200, b" " * 20_000)
    with pytest.raises(KsefUnavailable, match="larger than"):
        client.challenge()


def test_dripping_answer_is_bounded_in_time(server: Server, pauses: list[float]) -> None:
    """An answer that drips byte by byte ends at the total timeout."""
    server.behave = _drip
    client = _client(server.url, pauses, Timeouts(2, 1, 0.3))
    with pytest.raises(KsefUnavailable, match="in time"):
        client.challenge()


@pytest.mark.parametrize(
    ("header", "expected"), [("30", 30), ("", 60), ("soon", 60), ("Tue, 24 Nov 2026 10:01:30 GMT", 90)]
)
def test_busy_tells_how_long(server: Server, pauses: list[float], header: str, expected: float) -> None:
    """Retry-After is obeyed in seconds and as a date; without it a default pause is told. No repeating."""
    server.behave = lambda handler: _answer(
        handler,
        429,
        json.dumps(
            {"status": {"code": 429, "description": "Too Many", "details": ["20 na minutę"]}}
        ).encode(),
        **({"Retry_After": header} if header else {}),
    )
    client = KsefClient(
        custom(server.url, server.url),
        HttpTransport(),
        sleep=pauses.append,
        clock=lambda: datetime(2026, 11, 24, 10, 0, tzinfo=UTC),
    )
    with pytest.raises(KsefBusy) as caught:
        client.session_status(TOKEN, "S")
    assert caught.value.retry_after == expected
    assert caught.value.details == ("20 na minutę",)
    assert not caught.value.own_budget
    assert len(server.seen) == 1


def test_401_means_sign_in_again(server: Server, client: KsefClient) -> None:
    """An ended access token is told as such, also when the body is empty."""
    server.behave = lambda handler: _answer(handler, 401, b"")
    with pytest.raises(Unauthorized):
        client.session_status(TOKEN, "S")
    assert len(server.seen) == 1


def test_secrets_stay_out_of_log_and_errors(
    server: Server, client: KsefClient, caplog: pytest.LogCaptureFixture
) -> None:
    """A debug log of everything, errors and their causes hold no token, query or body."""
    caplog.set_level(logging.DEBUG)
    chain: list[str] = []

    def remember(error: BaseException) -> None:
        following: BaseException | None = error
        while following is not None:
            chain.append(repr(following) + str(following))
            following = following.__cause__ or following.__context__

    for behave in (_cut, _drop, _html):
        server.behave = behave
        for call in (
            lambda: client.send_invoice(TOKEN, "S", {"encryptedInvoiceContent": "document-secret"}),
            lambda: client.refresh("refresh-secret"),
            lambda: client.download(f"{server.url}/storage/upo.xml?sig=signature-secret"),
            lambda: client.download("http://127.0.0.1:9/upo.xml?sig=signature-secret"),
        ):
            try:
                call()
            except KsefUnavailable as error:
                remember(error)
    assert len(chain) >= 10
    assert "/v2/storage/upo.xml" in caplog.text
    for text in (caplog.text, *chain, repr(client)):
        assert "secret" not in text


def test_download_carries_no_token_and_needs_tls(server: Server, client: KsefClient) -> None:
    """Presigned addresses are fetched without authorization, and only by https or from this machine."""
    server.behave = lambda handler: _answer(handler, 200, b"<upo/>", x_ms_meta_hash="abc")
    download = client.download(f"{server.url}/upo.xml?sig=x")
    assert (download.content, download.announced_hash) == (b"<upo/>", "abc")
    assert "authorization" not in server.seen[0][2]
    with pytest.raises(UnreadableAnswer, match="https"):
        client.download("http://example.com/upo.xml")


def test_netrc_does_not_replace_the_token(
    server: Server, client: KsefClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Credentials for the host in ~/.netrc are not sent in place of the token; proxies are not asked."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password something\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    server.behave = lambda handler: _answer(handler, 401, b"")
    with pytest.raises(KsefRefused):
        client.session_status(TOKEN, "S")
    assert server.seen[0][2]["authorization"] == f"Bearer {TOKEN}"


@dataclass
class TlsServer:
    """A server with a certificate for 127.0.0.1 that only a file knows, and what reached it."""

    port: int
    bundle: Path
    seen: list[str] = field(default_factory=list)


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[TlsServer]:
    """A running server."""
    pem = tmp_path / "server.pem"
    pem.write_bytes(_tls_certificate())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    state = TlsServer(0, pem)

    class Recorder(Handler):
        def do_POST(self) -> None:  # noqa: N802 - a name that the base class looks for
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            state.seen.append(self.path)
            _answer(self, 202, b'{"referenceNumber": "R"}')

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass

    with Quiet(("127.0.0.1", 0), Recorder) as httpd:
        state.port = httpd.server_address[1]
        httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        httpd.shutdown()
        thread.join()


@pytest.mark.parametrize("variables", [{}, {"CURL_CA_BUNDLE": "", "REQUESTS_CA_BUNDLE": ""}])
def test_untrusted_tls_certificate_is_refused(
    tls_server: TlsServer, pauses: list[float], monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    """A server with a certificate that nobody trusts gets no request; no variable switches that off."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    client = _client(f"https://127.0.0.1:{tls_server.port}/v2", pauses)
    with pytest.raises(KsefUnavailable, match="TLS") as caught:
        client.send_invoice(TOKEN, "S", INVOICE)
    assert not caught.value.outcome_ambiguous
    assert tls_server.seen == []


def test_tls_certificate_of_another_host_is_refused(
    tls_server: TlsServer, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trusted certificate counts for the name it was issued for, and for no other."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tls_server.bundle))
    with pytest.raises(KsefUnavailable, match="TLS"):
        _client(f"https://localhost:{tls_server.port}/v2", pauses).send_invoice(TOKEN, "S", INVOICE)
    assert tls_server.seen == []
    good = _client(f"https://127.0.0.1:{tls_server.port}/v2", pauses)
    assert good.send_invoice(TOKEN, "S", INVOICE) == "R"


def test_connecting_ends_in_time_and_is_not_ambiguous(pauses: list[float]) -> None:
    """A host that takes no connection costs the connect timeout, and KSeF cannot have seen anything."""
    with socket.socket() as deaf, contextlib.ExitStack() as queue:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for _ in range(4):
            # the queue of connections that nobody accepts is filled
            waiting = queue.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(deaf.getsockname())
        client = _client(f"http://127.0.0.1:{deaf.getsockname()[1]}/v2", pauses, Timeouts(0.3, 30, 60))
        with pytest.raises(KsefUnavailable, match="no connection in time") as caught:
            client.send_invoice(TOKEN, "S", INVOICE)
    assert not caught.value.outcome_ambiguous


def test_problem_details_are_asked_for_and_read(server: Server, client: KsefClient) -> None:
    """RFC 9457 is asked for with every request; its codes, words and reasons arrive."""
    problem = {
        "title": "Bad Request",
        "status": 400,
        "detail": "Żądanie jest nieprawidłowe.",
        "errors": [{"code": 21405, "description": "Błąd walidacji.", "details": ["Pole x."]}],
        "traceId": "t-1",
    }
    kind = "application/problem+json"
    body = json.dumps(problem).encode()
    server.behave = lambda handler: _answer(handler, 400, body, Content_Type=kind)
    with pytest.raises(KsefRefused) as caught:
        client.session_status(TOKEN, "S")
    assert (caught.value.code, caught.value.details, caught.value.trace_id) == (21405, ("Pole x.",), "t-1")
    headers = server.seen[0][2]
    assert headers["x-error-format"] == "problem-details"
    assert kind in headers["accept"]


@pytest.mark.parametrize(
    ("headers", "ahead"),
    [
        ({"Date": "Tue, 24 Nov 2026 10:00:00 GMT"}, 0),
        ({"Date": "Tue, 24 Nov 2026 09:55:00 GMT"}, 300),
        ({"Date": "Tue, 24 Nov 2026 11:02:00 +0100"}, -120),
        ({"Date": "Tue, 24 Nov 2026 09:55:00 GMT", "Age": "299"}, None),
        ({"Date": "yesterday"}, None),
        ({"Date": ""}, None),
    ],
)
def test_the_clock_is_compared_with_each_answer(
    server: Server, headers: dict[str, str], ahead: int | None
) -> None:
    """Ours against the header Date, of refusals too; a cache's answer and one without a time say nothing."""
    readings: list[ClockReading] = []

    def behave(handler: Handler) -> None:
        handler.send_response_only(401)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    server.behave = behave
    client = KsefClient(
        custom(server.url, server.url),
        on_clock=readings.append,
        clock=lambda: datetime(2026, 11, 24, 10, 0, tzinfo=UTC),
    )
    with pytest.raises(Unauthorized):
        client.session_status(TOKEN, "S")
    if ahead is None:
        assert readings == []
        return
    (reading,) = readings
    assert abs(reading.ahead.total_seconds() - ahead) <= 1
    assert reading.is_off is (ahead != 0)
    assert reading.operation == "GET /sessions/{referenceNumber}"


def _tls_certificate() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + certificate.public_bytes(Encoding.PEM)
