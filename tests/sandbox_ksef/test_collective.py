"""Collective identifiers."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from core.ksef.number import crc8
from tests.sandbox_ksef.conftest import Client, codes
from tests.sandbox_ksef.material import NIP, OTHER_NIP, credential, invoice
from tests.sandbox_ksef.packing import Batch, zipped

Json = dict[str, object]
STRANGER = "7010416372"


def numbers(client: Client, count: int, *, nip: str = NIP, prefix: str = "FV") -> list[str]:
    """KSeF numbers of documents that were accepted."""
    documents = {f"{index}.xml": invoice(f"{prefix}/{index}", nip=nip) for index in range(count)}
    batch = Batch(client, zipped(documents))
    batch.send()
    return [str(entry["ksefNumber"]) for entry in batch.documents()]


def generate(client: Client, invoices: list[Json]) -> str:
    """A new identifier."""
    answer = client.http.call(
        "POST", "/collective-identifiers", token=client.access, body={"invoices": invoices}
    )
    assert answer.status_code == 201, answer.text
    number: str = answer.json()["collectiveIdentifierNumber"]
    return number


def refused(client: Client, invoices: list[Json], *, valid: bool = True) -> list[int]:
    """Codes of a refused request."""
    body = {"invoices": invoices}
    answer = client.http.call("POST", "/collective-identifiers", token=client.access, body=body, valid=valid)
    return codes(answer.json())


def plain(found: list[str]) -> list[Json]:
    """The documents of a request by their numbers only."""
    return [{"ksefNumber": number} for number in found]


def listed(client: Client, **filters: object) -> list[Json]:
    """POST /collective-identifiers/query around now."""
    now = client.sandbox.state.now()
    body = {
        "dateCreatedFrom": (now - timedelta(days=1)).isoformat(),
        "dateCreatedTo": (now + timedelta(days=1)).isoformat(),
        **filters,
    }
    answer = client.http.call("POST", "/collective-identifiers/query", token=client.access, body=body)
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["collectiveIdentifiers"]
    return found


def behind(client: Client, *identifiers: str) -> list[Json]:
    """POST /collective-identifiers/invoices."""
    answer = client.http.call(
        "POST",
        "/collective-identifiers/invoices",
        token=client.access,
        body={"collectiveIdentifierNumbers": list(identifiers)},
    )
    found: list[Json] = answer.json()["invoices"]
    return found


def test_number_and_lookups(signed: Client) -> None:
    """The number has the format of the contract and is found by date, by document and by itself."""
    found = numbers(signed, 3)
    first = generate(signed, plain(found[:2]))
    signed.sandbox.state.clock_offset += timedelta(seconds=1)
    second = generate(signed, plain(found))
    assert re.fullmatch(rf"{NIP}-IZ\d{{6}}-[0-9A-F]{{12}}-[0-9A-F]{{2}}", first)
    assert first[-2:] == crc8(first[:32])
    assert [entry["collectiveIdentifierNumber"] for entry in listed(signed)] == [second, first]
    assert [entry["invoiceCount"] for entry in listed(signed)] == [3, 2]
    assert [entry["invoiceCount"] for entry in listed(signed, invoiceCountFrom=3)] == [3]
    assert [entry["invoiceCount"] for entry in listed(signed, invoiceCountTo=2)] == [2]
    assert len(listed(signed, collectiveIdentifierNumber=first)) == 1
    assert listed(signed, createdInCurrentContext=False) == []
    of_document = signed.get(f"/collective-identifiers/ksef/{found[2]}")["collectiveIdentifiers"]
    assert isinstance(of_document, list)
    assert [entry["collectiveIdentifierNumber"] for entry in of_document] == [second]
    assert [entry["ksefNumber"] for entry in behind(signed, second)] == sorted(found, reverse=True)
    assert len(behind(signed, first, second)) == 5


def test_details_are_for_parties_only(signed: Client) -> None:
    """The author and the parties of a document see payment and description; others that there are some."""
    found = numbers(signed, 2)
    signed.sign_in(OTHER_NIP, credential(OTHER_NIP))
    payment = {"amount": 123.45, "currency": "PLN"}
    identifier = generate(
        signed, [{"ksefNumber": found[0], "payment": payment, "description": "Opis"}, *plain(found[1:])]
    )
    own = {str(entry["ksefNumber"]): entry for entry in behind(signed, identifier)}
    assert (own[found[0]]["payment"], own[found[0]]["description"]) == (payment, "Opis")
    assert not {"payment", "description"} & set(own[found[1]])
    signed.sign_in()
    assert {str(entry["ksefNumber"]): entry for entry in behind(signed, identifier)} == own
    assert [entry["createdInCurrentContext"] for entry in listed(signed)] == [False]
    signed.sign_in(STRANGER, credential(STRANGER))
    assert listed(signed) == []
    seen = {str(entry["ksefNumber"]): entry for entry in behind(signed, identifier)}
    assert [seen[number]["detailsHidden"] for number in found] == [True, False]
    assert "payment" not in seen[found[0]]


def test_refusals(signed: Client) -> None:
    """The codes of the contract."""
    found = numbers(signed, 3)
    missing = f"{NIP}-20260101-010000000000-00"
    assert refused(signed, plain(found[:1]), valid=False) == [21405]
    assert refused(signed, plain([found[0], found[0]])) == [71005]
    assert refused(signed, plain([found[0], missing])) == [71001]
    assert refused(signed, plain(["x", found[0]]), valid=False) == [21405]
    wrong: Json = {"ksefNumber": found[0], "payment": {"amount": 1, "currency": "zł"}}
    assert refused(signed, [wrong, *plain(found[1:])], valid=False) == [21405]
    wrong = {"ksefNumber": found[0], "description": "x" * 513}
    assert refused(signed, [wrong, *plain(found[1:])], valid=False) == [21405]
    signed.sandbox.state.settings.max_collective_invoices = 2
    assert refused(signed, plain(found)) == [21405]
    signed.sign_in(OTHER_NIP, credential(OTHER_NIP))
    other = numbers(signed, 1, nip=OTHER_NIP)
    assert refused(signed, plain([found[0], other[0]])) == [71004]


def test_most_identifiers_of_a_document(signed: Client) -> None:
    """A document belongs to at most 132 identifiers of one context."""
    found = numbers(signed, 2)
    for _ in range(132):
        generate(signed, plain(found))
    assert refused(signed, plain(found)) == [71002]
    page = signed.http.call(
        "POST",
        "/collective-identifiers/query",
        token=signed.access,
        body={"dateCreatedFrom": "2026-01-01T00:00:00Z", "dateCreatedTo": "2026-02-01T00:00:00Z"},
    )
    assert page.json()["collectiveIdentifiers"] == []
    path = f"/collective-identifiers/ksef/{found[0]}?pageSize=100"
    first = signed.get(path)
    headers = {"x-continuation-token": str(first["continuationToken"])}
    rest = signed.http.call("GET", path, token=signed.access, headers=headers).json()
    assert (len(rest["collectiveIdentifiers"]), rest["continuationToken"]) == (32, None)


@pytest.mark.parametrize("count", [0, 11])
def test_lookup_of_ten(signed: Client, count: int) -> None:
    """Up to ten identifiers are looked up at once."""
    body = {"collectiveIdentifierNumbers": ["x"] * count}
    answer = signed.http.call(
        "POST", "/collective-identifiers/invoices", token=signed.access, body=body, valid=False
    )
    assert codes(answer.json()) == [21405]


def test_wrong_queries(signed: Client) -> None:
    """A range of more than 100 days, and a continuation token that is none."""
    body = {"dateCreatedFrom": "2026-01-01T00:00:00Z", "dateCreatedTo": "2026-05-01T00:00:00Z"}
    answer = signed.http.call("POST", "/collective-identifiers/query", token=signed.access, body=body)
    assert codes(answer.json()) == [21405]
    body["dateCreatedTo"] = "2026-02-01T00:00:00Z"
    answer = signed.http.call(
        "POST",
        "/collective-identifiers/query",
        token=signed.access,
        body=body,
        headers={"x-continuation-token": "?"},
    )
    assert codes(answer.json()) == [21418]


def test_permission(signed: Client) -> None:
    """One of three permissions is needed."""
    signed.sandbox.state.run("UPDATE authentications SET permissions = '[\"CredentialsRead\"]'")
    answer = signed.http.call(
        "GET", f"/collective-identifiers/ksef/{NIP}-20260101-010000000000-00", token=signed.access
    )
    assert answer.status_code == 403
    signed.sandbox.state.run("UPDATE authentications SET permissions = '[\"CollectiveIdentifierManage\"]'")
    assert listed(signed) == []
