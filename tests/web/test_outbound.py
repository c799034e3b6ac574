"""Addresses named in the browser do not lead into our own network."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import requests

from connector_app.outbound import ForbiddenAddress, check, forbidden_in, guard, is_allowed

_ODD = ["", "sklep.example", "ftp://sklep.example", "file:///etc/passwd", "https://", "https:///a"]
_ODD += [
    "javascript:alert(1)",
    "https://a\\@b.example",
    "https://a .example",
    "https://a:99999/",
    "http://[::1",
]
_INSIDE = ["http://127.0.0.1:8080", "http://localhost/", "http://10.1.2.3", "http://172.16.0.1/x"]
_INSIDE += [
    "http://192.168.1.1",
    "http://[::1]/",
    "http://[fd00::1]/",
    "http://100.64.0.1",
    "http://2130706433",
]
_INSIDE += [
    "http://0x7f.1/",
    "http://[::ffff:10.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]",
]
_NEVER = [
    "http://169.254.169.254/latest",
    "http://0.0.0.0",
    "http://224.0.0.1",
    "http://[fe80::1]",
    "http://[::]",
]


@pytest.mark.parametrize("url", _ODD)
def test_only_plain_web_addresses_pass(url: str) -> None:
    """Everything else is refused in words, with a hint."""
    with pytest.raises(ForbiddenAddress) as caught:
        check(url, allow_private=True)
    assert caught.value.text.pl
    assert caught.value.text.en
    assert "https://" in caught.value.hint.pl


def test_credentials_in_an_address_are_refused_and_not_repeated() -> None:
    """They would land in logs."""
    with pytest.raises(ForbiddenAddress) as caught:
        check("https://jan:tajne@93.184.216.34/", allow_private=False)
    assert "hasło" in caught.value.text.pl
    assert "tajne" not in str(caught.value) + caught.value.text.pl + caught.value.hint.pl


@pytest.mark.parametrize("url", _INSIDE)
def test_addresses_inside_need_the_setting(url: str) -> None:
    """However they are written."""
    with pytest.raises(ForbiddenAddress) as caught:
        check(url, allow_private=False)
    assert "KSEF_CONNECTOR_PRIVATE_ADDRESSES" in caught.value.hint.en
    assert check(url, allow_private=True).startswith("http://")


@pytest.mark.parametrize("url", _NEVER)
def test_some_addresses_are_never_a_shop(url: str) -> None:
    """Where clouds hand out keys, and addresses that are nobody's."""
    with pytest.raises(ForbiddenAddress):
        check(url, allow_private=True)


def test_public_addresses_are_tidied() -> None:
    """A small host, no fragment, no slash of an empty path; a query is kept."""
    assert check(" HTTPS://93.184.216.34/ ", allow_private=False) == "https://93.184.216.34"
    assert check("https://93.184.216.34:8443/hook/?a=1#x", allow_private=False) == (
        "https://93.184.216.34:8443/hook/?a=1"
    )
    assert check("http://[2606:2800:220:1::1]/a", allow_private=False) == "http://[2606:2800:220:1::1]/a"


def _answers(*addresses: str) -> Any:
    found = [
        (socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443))
        for one in addresses
    ]
    return lambda *_arguments, **_settings: found


def test_a_name_with_one_address_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows which of its addresses a client would take."""
    monkeypatch.setattr(socket, "getaddrinfo", _answers("93.184.216.34", "10.0.0.1"))
    with pytest.raises(ForbiddenAddress):
        check("https://sklep.example", allow_private=False)
    monkeypatch.setattr(socket, "getaddrinfo", _answers("93.184.216.34"))
    assert check("https://Żółw.example/a", allow_private=False) == "https://xn--w-uga1v8h.example/a"


def test_a_name_that_does_not_exist_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the local network is allowed, the connection itself says so later."""

    def fail(*_arguments: object, **_settings: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(ForbiddenAddress, match=r"literowka\.example"):
        check("https://literowka.example", allow_private=False)
    assert check("https://sklep.lan", allow_private=True) == "https://sklep.lan"


def test_what_is_no_address_is_not_allowed() -> None:
    """A socket that says nothing about its peer is not trusted."""
    assert not is_allowed("", allow_private=True)
    assert is_allowed("fd00::1%eth0", allow_private=True)


@pytest.fixture
def inside() -> Iterator[tuple[int, list[str]]]:
    """A server of the internal network: its port, and the requests that reached it."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port, seen
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_guarded_session_looks_at_the_peer_itself(scheme: str, inside: tuple[int, list[str]]) -> None:
    """A name that was public when it was checked and leads inside now gets not one byte."""
    port, seen = inside
    session = guard(requests.Session(), allow_private=False)
    with session, pytest.raises(requests.ConnectionError) as caught:
        session.get(f"{scheme}://localhost:{port}/keys", timeout=5)
    assert forbidden_in(caught.value) is not None
    assert seen == []


def test_a_guarded_session_reaches_the_local_network_where_it_is_allowed(
    inside: tuple[int, list[str]],
) -> None:
    """By the same setting."""
    port, seen = inside
    with guard(requests.Session(), allow_private=True) as session:
        assert session.get(f"http://127.0.0.1:{port}/shop", timeout=5).text == "ok"
    assert seen == ["/shop"]
    assert forbidden_in(requests.ConnectionError("other")) is None
