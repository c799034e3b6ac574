"""Signing in to KSeF and its certificates in the browser, against the sandbox."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from sqlalchemy import select

from connector_app.credentials import CredentialKind, credential_info
from connector_app.store.desk import Job, JobState
from connector_app.store.models import Certificate, Seller
from connector_app.store.people import AuditEntry, Role
from core.signing.keys import KeyMaterial, self_signed
from core.signing.xades import sign_enveloped
from tests.pipeline.world import NIP, World, world
from tests.web.setup_world import (
    CERTIFICATES,
    SIGN_IN,
    empty_site,
    finished_jobs,
    is_signed_in,
    make_company,
    sign_in_by_test_certificate,
    the_seller,
)
from tests.web.site import Browser, Site

PASSWORD = "tajne hasło klucza"


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[World]:
    """Sandboxes and no seller."""
    with world(tmp_path, []) as one:
        yield one


@pytest.fixture
def pages(fresh: World) -> Site:
    """The application over it."""
    return empty_site(fresh)


@pytest.fixture
def owner(pages: Site) -> Browser:
    """The owner's browser; the company is made, nothing signs in yet."""
    browser = pages.user()
    make_company(browser)
    return browser


def seal(pages: Site, nip: str = NIP, **changes: Any) -> KeyMaterial:
    """A seal that the sandbox lets in."""
    return self_signed(nip, **({"now": pages.services.clock()} | changes))


def file(data: bytes, name: str = "plik") -> tuple[io.BytesIO, str]:
    """An upload."""
    return io.BytesIO(data), name


def p12(key: KeyMaterial, password: str = PASSWORD) -> bytes:
    """Key and certificate in one file."""
    way = BestAvailableEncryption(password.encode())
    return pkcs12.serialize_key_and_certificates(b"x", key.private_key, key.certificate, None, way)


def give(browser: Browser, status: int = 200, **values: Any) -> str:
    """Send the form of certificate files."""
    return browser.post(f"{SIGN_IN}/certificate", status, page=SIGN_IN, **values)


def test_a_certificate_and_key_sign_in_in_every_usual_form(pages: Site, owner: Browser) -> None:
    """PEM in two files in either order, DER, both in one PEM, PKCS#12; secrets are never shown again."""
    key = seal(pages)
    certificate, locked = key.certificate_pem(), key.private_key_pem(PASSWORD)
    der = key.certificate.public_bytes(Encoding.DER)
    der_key = key.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    ways: list[dict[str, Any]] = [
        {"first": file(certificate), "second": file(locked), "password": PASSWORD},
        {"first": file(locked), "second": file(certificate), "password": PASSWORD},
        {"first": file(der), "second": file(der_key)},
        {"first": file(certificate + locked), "password": PASSWORD},
        {"first": file(p12(key)), "password": PASSWORD},
    ]
    for way in ways:
        with pages.services.database.begin() as session:
            session.scalars(select(Seller)).one().credential = ""
        give(owner, **way)
        (*_, job) = finished_jobs(pages)
        assert job.state == JobState.DONE, job.says
        assert is_signed_in(pages)
        assert credential_info(pages.services.vault, the_seller(pages)).serial_number == key.serial_number
    page = owner.get(SIGN_IN)
    assert "Logowanie działa" in page
    assert "właściciel firmy" in page
    secrets = [PASSWORD, locked.decode().splitlines()[3]]
    assert not [one for one in secrets if one in page + owner.get(CERTIFICATES)]
    with pages.services.database() as session:
        notes = str(session.execute(select(AuditEntry.details)).all()) + str(
            session.execute(select(Job.result)).all()
        )
    assert not [one for one in secrets if one in notes]


def test_wrong_files_are_told_in_words_and_kept_out(pages: Site, owner: Browser) -> None:
    """Each with what to do; nothing is stored and KSeF is not asked."""
    key, other = seal(pages), seal(pages)
    old = seal(pages, now=pages.services.clock() - timedelta(days=800), valid_days=30)
    weak_password = {"first": file(p12(key)), "password": "inne"}
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "Wybierz plik z certyfikatem"),
        ({"first": file(b"")}, "Ten plik jest pusty"),
        ({"first": file(b"x" * 70_000)}, "Ten plik jest za duży"),
        ({"first": file(b"%PDF-1.7")}, "nie ma certyfikatu lub klucza, które da się odczytać"),
        ({"first": file(key.certificate_pem())}, "bez klucza prywatnego"),
        ({"first": file(key.certificate.public_bytes(Encoding.DER))}, "bez klucza prywatnego"),
        (weak_password, "Hasło do klucza jest błędne"),
        ({"first": file(p12(key))}, "Hasło do klucza jest błędne"),
        (
            {
                "first": file(other.certificate_pem()),
                "second": file(key.private_key_pem(PASSWORD)),
                "password": PASSWORD,
            },
            "Certyfikat należy do innego klucza",
        ),
        ({"first": file(p12(old)), "password": PASSWORD}, "Certyfikat nie jest teraz ważny"),
    ]
    for values, said in cases:
        page = give(owner, **values)
        assert said in page
        assert PASSWORD not in page
    assert not the_seller(pages).credential
    assert finished_jobs(pages) == []
    owner.post(f"{SIGN_IN}/certificate", 413, page=SIGN_IN, password="x" * 3_000_000)


def test_a_certificate_of_nobody_here_is_refused_by_ksef_in_words(pages: Site, owner: Browser) -> None:
    """It is kept, the page says why it does not let in, and that it is another company's."""
    page = give(owner, first=file(p12(seal(pages, "5260250274"))), password=PASSWORD)
    assert "Certyfikat jest na NIP 5260250274" in page
    (job,) = finished_jobs(pages)
    assert job.state == JobState.FAILED
    page = owner.get(SIGN_IN)
    assert "problem" in page
    assert "KSeF:" in page
    assert not is_signed_in(pages)


def test_a_signature_made_elsewhere_signs_in(pages: Site, owner: Browser) -> None:
    """Download, sign, hand in; unsigned files and files of others are told at once."""
    made = owner.client.post(f"{SIGN_IN}/request", data={"csrf_token": owner.token(SIGN_IN)})
    assert made.headers["Content-Disposition"] == f'attachment; filename="ksef-{NIP}.xml"'
    unsigned = made.data
    post = f"{SIGN_IN}/signed"
    assert "nie jest podpisany" in owner.post(post, page=SIGN_IN, signed=file(unsigned))
    assert "To nie jest plik XML" in owner.post(post, page=SIGN_IN, signed=file(b"%PDF"))
    assert "Wybierz podpisany plik" in owner.post(post, page=SIGN_IN)
    stranger = unsigned.replace(NIP.encode(), b"5260250274")
    signed = sign_enveloped(stranger, seal(pages, "5260250274"), pages.services.clock())
    assert "loguje do innej firmy" in owner.post(post, page=SIGN_IN, signed=file(signed))
    assert finished_jobs(pages) == []
    signed = sign_enveloped(unsigned, seal(pages), pages.services.clock())
    owner.post(post, page=SIGN_IN, signed=file(signed))
    finished_jobs(pages)
    assert is_signed_in(pages)
    page = owner.get(SIGN_IN)
    assert "Logowanie działa" in page
    assert "podpis poza programem" in page
    owner.post(post, page=SIGN_IN, signed=file(signed))
    assert finished_jobs(pages)[-1].state == JobState.FAILED, "a challenge is answered once"
    page = owner.get(SIGN_IN)
    assert "Logowanie działa" in page
    assert "Ostatnia próba się nie udała" in page


def test_a_token_is_kept_sealed_with_its_end_named(pages: Site, owner: Browser) -> None:
    """Words instead of a token are refused; a wrong token fails in words and is never shown."""
    assert "31.12.2026" in owner.get(SIGN_IN)
    assert "jeden ciąg znaków" in owner.post(f"{SIGN_IN}/token", page=SIGN_IN, token="dwa słowa")
    assert not the_seller(pages).credential
    owner.post(f"{SIGN_IN}/token", page=SIGN_IN, token="20261124-EC-TAJNE|nip-1|abc")
    (job,) = finished_jobs(pages)
    assert job.state == JobState.FAILED
    assert credential_info(pages.services.vault, the_seller(pages)).kind is CredentialKind.TOKEN
    page = owner.get(SIGN_IN)
    assert "TAJNE" not in page + owner.get(CERTIFICATES) + str(job.says)
    assert "problem" in page


def test_certificates_are_got_used_and_revoked(pages: Site, owner: Browser) -> None:
    """Both kinds by one button, the new one signs in; what signs in is not revoked, the other is."""
    assert "Najpierw zaloguj się do KSeF" in owner.get(CERTIFICATES)
    sign_in_by_test_certificate(pages, owner)
    owner.post(f"{CERTIFICATES}/enrol?setup=1", page=CERTIFICATES, kind="both", use="1")
    assert finished_jobs(pages)[-1].state == JobState.DONE
    with pages.services.database() as session:
        rows = {row.kind: row for row in session.scalars(select(Certificate))}
    used, offline = rows["Authentication"], rows["Offline"]
    assert credential_info(pages.services.vault, the_seller(pages)).serial_number == used.serial_number
    assert "Do logowania i do trybu offline" in owner.get(f"/setup/{NIP}")
    said = owner.post(f"{CERTIFICATES}/{used.id}/revoke", page=CERTIFICATES)
    assert "Tym certyfikatem loguje się sprzedawca" in said
    owner.post(f"{CERTIFICATES}/{offline.id}/revoke", page=CERTIFICATES, reason="superseded")
    finished_jobs(pages)
    owner.post(f"{CERTIFICATES}/refresh", page=CERTIFICATES)
    finished_jobs(pages)
    page = owner.get(CERTIFICATES)
    assert re.search(rf"{offline.serial_number}.*?unieważnianie trwa", page, re.DOTALL)
    owner.post(f"{CERTIFICATES}/{offline.id}/use", page=CERTIFICATES)
    owner.post(f"{CERTIFICATES}/999/use", page=CERTIFICATES)
    assert credential_info(pages.services.vault, the_seller(pages)).serial_number == used.serial_number


def test_sign_ins_are_listed_and_ended(pages: Site, owner: Browser) -> None:
    """Ending the program's own signs it out here, too; an unknown one changes nothing."""
    sign_in_by_test_certificate(pages, owner)
    path = f"/sellers/{NIP}/sign-ins"
    page = owner.get(path)
    assert "ten program" in page
    found = re.search(r'name="reference" value="([^"]+)"', page)
    assert found is not None
    assert "już nie ma" in owner.post(f"{path}/end", page=path, reference="20261124-AU-X")
    assert is_signed_in(pages)
    owner.post(f"{path}/end", page=path, reference=found[1])
    assert not is_signed_in(pages)


def test_ksef_that_is_down_is_told_in_words(fresh: World, pages: Site, owner: Browser) -> None:
    """The check, the request and the list say it; nothing breaks."""
    fresh.ksef.stop()
    owner.post(f"{SIGN_IN}/test-certificate", page=SIGN_IN)
    (job,) = finished_jobs(pages)
    assert job.state == JobState.FAILED
    assert "problem" in owner.get(SIGN_IN)
    assert "KSeF" in owner.post(f"{SIGN_IN}/request", page=SIGN_IN)
    assert "KSeF" in owner.get(f"/sellers/{NIP}/sign-ins")


def test_only_owners_reach_credentials(pages: Site, owner: Browser) -> None:
    """Operators are told no, strangers find nothing, forms without a token do nothing."""
    operator = pages.user("b@sklep.example", is_admin=False, seller_1=Role.OPERATOR)
    stranger = pages.user("c@sklep.example", is_admin=False)
    posts = [
        f"{SIGN_IN}/{one}"
        for one in ("certificate", "test-certificate", "token", "request", "signed", "check")
    ]
    posts += [f"{CERTIFICATES}/{one}" for one in ("enrol", "refresh", "1/use", "1/revoke")]
    posts += [f"/sellers/{NIP}/sign-ins/end"]
    for path in posts:
        operator.post(path, 403, page="/", kind="both", token="a")
        stranger.post(path, 404, page="/", kind="both", token="a")
        assert owner.client.post(path).status_code == 400
    for path in (SIGN_IN, CERTIFICATES, f"/sellers/{NIP}/sign-ins"):
        operator.get(path, 403)
        stranger.get(path, 404)
    assert not the_seller(pages).credential
    assert finished_jobs(pages) == []
