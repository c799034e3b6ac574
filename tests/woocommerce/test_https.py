"""Over TLS the key travels as Basic authentication, or in the query when the merchant says so."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapters.contract import ShopUnavailable
from adapters.http import Limits
from adapters.woocommerce.client import Credentials
from tests.woocommerce.servers import client_of, json_reply, serving

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sklep")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def seen() -> list[WSGIEnvironment]:
    """The requests that the shop got."""
    return []


@pytest.fixture
def tls_shop(certificate: tuple[Path, Path], seen: list[WSGIEnvironment]) -> Iterator[str]:
    """A shop over TLS; gives its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    def reply(environ: WSGIEnvironment) -> tuple[str, list[tuple[str, str]], bytes]:
        seen.append(environ)
        return json_reply(b"[]")(environ)

    with serving(reply, ssl_context=context) as host:
        yield f"https://{host}"


def test_basic(
    tls_shop: str,
    certificate: tuple[Path, Path],
    seen: list[WSGIEnvironment],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The key is in the Authorization header, and the query holds only the parameters."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    with client_of(tls_shop, user_agent="sklep-testowy/1") as client:
        client.get("orders", {"page": 2})
    expected = base64.b64encode(b"ck_key:cs_secret").decode()
    assert seen[0]["HTTP_AUTHORIZATION"] == f"Basic {expected}"
    assert seen[0]["QUERY_STRING"] == "page=2"
    assert seen[0]["HTTP_USER_AGENT"] == "sklep-testowy/1"


def test_query(
    tls_shop: str,
    certificate: tuple[Path, Path],
    seen: list[WSGIEnvironment],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The last resort puts the key in the query, and no Authorization header is sent."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    with client_of(tls_shop, Credentials("ck_key", "cs_secret", query_string_auth=True)) as client:
        client.get("orders", {"page": 2})
    assert parse_qs(seen[0]["QUERY_STRING"]) == {
        "page": ["2"],
        "consumer_key": ["ck_key"],
        "consumer_secret": ["cs_secret"],
    }
    assert "HTTP_AUTHORIZATION" not in seen[0]


def test_untrusted_certificate(tls_shop: str, seen: list[WSGIEnvironment]) -> None:
    """A certificate that nobody vouches for ends the matter before the key is sent."""
    with (
        client_of(tls_shop, limits=Limits(attempts=1)) as client,
        pytest.raises(ShopUnavailable, match="certificate") as caught,
    ):
        client.post("orders/15/notes", {})
    assert not caught.value.outcome_unknown
    assert seen == []
