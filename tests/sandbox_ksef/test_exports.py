"""Exports of documents, and the metadata that they and the query share."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast

import pytest
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sandbox.ksef import keys
from tests.sandbox_ksef.conftest import Client, MovingClock, code_of, codes
from tests.sandbox_ksef.material import NIP, OTHER_NIP, SessionKey, credential, invoice, sha256
from tests.sandbox_ksef.packing import Batch, Documents, untarred, unzipped, zipped

Json = dict[str, object]


@dataclass
class Export:
    """One export of a client."""

    client: Client
    key: SessionKey = field(default_factory=SessionKey)
    reference: str = ""

    def body(self, **changes: object) -> Json:
        """Body of the request; unknown members belong to the filters."""
        opened = self.key.open_request(self.client.public_key("SymmetricKeyEncryption"), {})
        start = self.client.sandbox.state.now() - timedelta(days=1)
        body: Json = {"encryption": opened["encryption"]}
        filters: Json = {
            "subjectType": "Subject1",
            "dateRange": {"dateType": "PermanentStorage", "from": start.isoformat()},
        }
        for name, value in changes.items():
            (body if name in ("onlyMetadata", "compressionType", "encryption") else filters)[name] = value
        return body | {"filters": filters}

    def start(self, **changes: object) -> Export:
        """Ask for the export."""
        answer = self.client.http.call(
            "POST", "/invoices/exports", token=self.client.access, body=self.body(**changes)
        )
        assert answer.status_code == 201, answer.text
        self.reference = answer.json()["referenceNumber"]
        return self

    def refused(self, *, valid: bool = True, **changes: object) -> list[int]:
        """Codes of a refused request."""
        answer = self.client.http.call(
            "POST", "/invoices/exports", token=self.client.access, body=self.body(**changes), valid=valid
        )
        assert answer.status_code == 400
        return codes(answer.json())

    def status(self) -> Json:
        """GET /invoices/exports/{ref}."""
        return self.client.get(f"/invoices/exports/{self.reference}")

    def package(self) -> Json:
        """The package of a finished export."""
        status = self.status()
        assert code_of(status) == (200, [])
        return cast("Json", status["package"])

    def archive(self) -> bytes:
        """Download, compare and decrypt every part."""
        whole = b""
        for part in cast("list[Json]", self.package()["parts"]):
            answer = self.client.http.get(str(part["url"]))
            assert answer.status_code == 200
            assert answer.headers["x-ms-meta-hash"] == part["encryptedPartHash"] == sha256(answer.content)
            assert len(answer.content) == part["encryptedPartSize"]
            plain = self.decrypt(answer.content)
            assert (len(plain), sha256(plain)) == (part["partSize"], part["partHash"])
            whole += plain
        return whole

    def decrypt(self, content: bytes) -> bytes:
        """AES-256-CBC with PKCS#7."""
        decryptor = Cipher(algorithms.AES(self.key.key), modes.CBC(self.key.vector)).decryptor()
        unpadder = padding.PKCS7(128).unpadder()
        return unpadder.update(decryptor.update(content)) + unpadder.finalize()


def stored(client: Client, *numbers: str) -> Documents:
    """Documents sent in one batch and permanently stored: name in an export -> bytes."""
    contents = [invoice(number) for number in numbers]
    batch = Batch(client, zipped({f"{index}.xml": content for index, content in enumerate(contents)}))
    assert code_of(batch.send())[0] == 200
    client.sandbox.state.clock_offset += timedelta(seconds=1)
    found = {str(entry["invoiceHash"]): f"{entry['ksefNumber']}.xml" for entry in batch.documents()}
    return {found[sha256(content)]: content for content in contents}


@pytest.mark.parametrize(("compression", "unpack"), [("Zip", unzipped), ("TarGz", untarred)])
def test_export_gives_documents_back(
    signed: Client, compression: str, unpack: Callable[[bytes], Documents]
) -> None:
    """The package holds every document as it was sent, and the metadata that the query gives."""
    documents = stored(signed, "FV/1", "FV/2", "FV/3")
    export = Export(signed).start(compressionType=compression)
    package = export.package()
    assert (package["invoiceCount"], package["isTruncated"], package["compressionType"]) == (
        3,
        False,
        compression,
    )
    assert not {"lastPermanentStorageDate", "lastInvoicingDate", "lastIssueDate"} & set(package)
    found = unpack(export.archive())
    listed = json.loads(found.pop("_metadata.json"))["invoices"]
    assert found == documents
    query = signed.http.call(
        "POST", "/invoices/query/metadata", token=signed.access, body=export.body()["filters"]
    )
    assert query.json()["invoices"] == listed
    assert query.json()["permanentStorageHwmDate"] == package["permanentStorageHwmDate"]
    assert [entry["invoiceNumber"] for entry in listed] == ["FV/1", "FV/2", "FV/3"]


def test_parts_and_metadata_only(signed: Client) -> None:
    """A package above the size of a part is cut; with onlyMetadata it holds one file."""
    stored(signed, *(f"FV/{index}" for index in range(5)))
    signed.sandbox.state.settings.export_part_bytes = 1000
    export = Export(signed).start()
    parts = cast("list[dict[str, object]]", export.package()["parts"])
    assert [part["ordinalNumber"] for part in parts] == list(range(1, len(parts) + 1))
    assert len(parts) > 2
    assert parts[1]["partName"] == f"{export.reference}-002.zip.aes"
    assert len(unzipped(export.archive())) == 6
    only = Export(signed).start(onlyMetadata=True)
    assert only.package()["invoiceCount"] == 5
    assert list(unzipped(only.archive())) == ["_metadata.json"]


@pytest.mark.parametrize(
    ("date_type", "name", "member"),
    [
        ("PermanentStorage", "lastPermanentStorageDate", "permanentStorageDate"),
        ("Invoicing", "lastInvoicingDate", "invoicingDate"),
        ("Issue", "lastIssueDate", "issueDate"),
    ],
)
def test_truncated_by_number(signed: Client, date_type: str, name: str, member: str) -> None:
    """At the limit of documents the package is cut and tells where to go on."""
    stored(signed, "FV/1", "FV/2", "FV/3", "FV/4", "FV/5")
    signed.sandbox.state.settings.max_query_records = 3
    start = signed.sandbox.state.now() - timedelta(days=1)
    export = Export(signed).start(dateRange={"dateType": date_type, "from": start.isoformat()})
    package = export.package()
    assert (package["invoiceCount"], package["isTruncated"]) == (3, True)
    last = json.loads(unzipped(export.archive())["_metadata.json"])["invoices"][-1]
    assert last["invoiceNumber"] == "FV/3"
    assert package[name] == last[member]
    assert ("permanentStorageHwmDate" in package) == (date_type == "PermanentStorage")
    if date_type == "PermanentStorage":
        following = Export(signed).start(dateRange={"dateType": date_type, "from": package[name]})
        listed = json.loads(unzipped(following.archive())["_metadata.json"])["invoices"]
        assert [entry["invoiceNumber"] for entry in listed] == ["FV/3", "FV/4", "FV/5"]


def test_truncated_by_size(signed: Client) -> None:
    """At the limit of bytes no further document is added."""
    stored(signed, "FV/1", "FV/2", "FV/3")
    signed.sandbox.state.settings.max_export_bytes = 100
    package = Export(signed).start().package()
    assert (package["invoiceCount"], package["isTruncated"]) == (1, True)


def test_export_is_chosen_by_its_request(signed: Client, clock: MovingClock) -> None:
    """100 until the time for processing is over; what comes after the request is not in the package."""
    stored(signed, "FV/1")
    signed.sandbox.state.settings.processing_seconds = 5
    export = Export(signed).start()
    assert code_of(export.status()) == (100, [])
    signed.sandbox.state.settings.processing_seconds = 0
    stored(signed, "FV/2")
    clock.moment += timedelta(seconds=6)
    assert export.package()["invoiceCount"] == 1
    assert Export(signed).start(invoiceNumber="FV/9").package()["parts"] == []


def test_expiry(signed: Client, clock: MovingClock) -> None:
    """An address ends before its package, the package before its status, the status after seven days."""
    stored(signed, "FV/1")
    signed.sandbox.state.settings.link_seconds = 60
    export = Export(signed).start()
    url = cast("list[dict[str, str]]", export.package()["parts"])[0]["url"]
    assert signed.http.get(url, headers={"Authorization": f"Bearer {signed.access}"}).status_code == 403
    assert signed.http.get(url.replace("/1?", "/2?")).status_code == 403
    clock.moment += timedelta(seconds=61)
    assert signed.http.get(url).status_code == 403
    assert unzipped(export.archive())
    clock.moment += timedelta(days=1)
    signed.sign_in_quickly()
    assert code_of(export.status()) == (210, [])
    clock.moment += timedelta(days=6)
    signed.sign_in_quickly()
    path = f"/invoices/exports/{export.reference}"
    assert signed.http.call("GET", path, token=signed.access).status_code == 410


def test_refusals(signed: Client) -> None:
    """Requests that are refused, and exports that end without a package."""
    export = Export(signed)
    later = signed.sandbox.state.now() + timedelta(days=1)
    beyond = {
        "dateType": "PermanentStorage",
        "from": later.isoformat(),
        "to": (later + timedelta(days=1)).isoformat(),
    }
    assert export.refused(subjectType="Nobody", valid=False) == [21405]
    assert export.refused(compressionType="Rar", valid=False) == [21405]
    encryption = cast("Json", export.body()["encryption"])
    assert export.refused(encryption=encryption | {"publicKeyId": sha256(b"")}) == [21470]
    export.start(encryption=encryption | {"encryptedSymmetricKey": "AAAA"})
    assert code_of(export.status())[0] == 415
    assert code_of(Export(signed).start(dateRange=beyond).status())[0] == 200
    code, details = code_of(
        Export(signed).start(dateRange=beyond | {"restrictToPermanentStorageHwmDate": True}).status()
    )
    assert (code, len(details)) == (420, 1)
    signed.sandbox.state.faults.add("status_550", "POST /v2/invoices/exports$")
    assert code_of(Export(signed).start().status())[0] == 550
    missing = f"/invoices/exports/{keys.SYMMETRIC_KEYS:x<36}"
    assert codes(signed.http.call("GET", missing, token=signed.access).json()) == [21175]
    signed.sandbox.state.settings.processing_seconds = 60
    for _ in range(10):
        Export(signed).start()
    assert export.refused() == [21182]


def test_high_water_mark(signed: Client, clock: MovingClock) -> None:
    """A document that waits for its verdict holds the mark back; a range can be restricted to the mark."""
    stored(signed, "FV/1")
    signed.sandbox.state.settings.storage_seconds = 30
    _session, _reference, number = signed.accept("FV/2")
    start = signed.sandbox.state.now() - timedelta(days=1)
    span: Json = {"dateType": "PermanentStorage", "from": start.isoformat()}

    def query(**changes: object) -> Json:
        body = {"subjectType": "Subject1", "dateRange": span | changes}
        answer = signed.http.call("POST", "/invoices/query/metadata", token=signed.access, body=body)
        values: Json = answer.json()
        return values

    def numbers(answer: Json) -> list[object]:
        return [entry["invoiceNumber"] for entry in cast("list[Json]", answer["invoices"])]

    assert numbers(query()) == ["FV/1"]
    early = signed.http.call("GET", f"/invoices/ksef/{number}", token=signed.access)
    assert codes(early.json()) == [21165]
    mark = cast("str", query()["permanentStorageHwmDate"])
    clock.moment += timedelta(seconds=31)
    assert numbers(query()) == ["FV/1", "FV/2"]
    assert numbers(query(to=mark)) == ["FV/1"]
    assert signed.http.call("GET", f"/invoices/ksef/{number}", token=signed.access).status_code == 200
    future = {"from": "2099-01-01T00:00:00Z", "to": "2099-01-02T00:00:00Z"}
    assert codes(query(**future, restrictToPermanentStorageHwmDate=True)) == [21183]
    assert query(dateType="Issue")["permanentStorageHwmDate"] is None


def test_query_at_the_limit(signed: Client) -> None:
    """The page that reaches the limit says so; earlier pages do not."""
    stored(signed, *(f"FV/{index:02}" for index in range(25)))
    signed.sandbox.state.settings.max_query_records = 20
    start = signed.sandbox.state.now() - timedelta(days=1)
    body = {
        "subjectType": "Subject1",
        "dateRange": {"dateType": "PermanentStorage", "from": start.isoformat()},
    }
    flags = []
    for page in range(2):
        answer = signed.http.call(
            "POST", "/invoices/query/metadata", token=signed.access, body=body, query={"pageOffset": page}
        ).json()
        flags.append((len(answer["invoices"]), answer["hasMore"], answer["isTruncated"]))
    assert flags == [(10, True, False), (10, True, True)]


def test_roles_on_a_document(signed: Client) -> None:
    """The buyer, a third party and an authorized party find and read a document; nobody else does."""
    third, authorized, stranger = "1111111111", "5213003700", "7010416372"
    parties = (
        f"<Podmiot3><DaneIdentyfikacyjne><NIP>{third}</NIP><Nazwa>Faktor</Nazwa></DaneIdentyfikacyjne>"
        "<Rola>1</Rola></Podmiot3>"
        f"<PodmiotUpowazniony><DaneIdentyfikacyjne><NIP>{authorized}</NIP><Nazwa>Komornik</Nazwa>"
        "</DaneIdentyfikacyjne><Adres><KodKraju>PL</KodKraju><AdresL1>ul. Polna 2</AdresL1></Adres>"
        "<RolaPU>2</RolaPU></PodmiotUpowazniony>"
    )
    content = invoice().replace(b"<Fa><KodWaluty>", parties.encode() + b"<Fa><KodWaluty>")
    session = signed.open()
    status = signed.status(session, signed.send(session, content))
    assert cast("Json", status["status"])["code"] == 200
    signed.sandbox.state.clock_offset += timedelta(seconds=1)
    start = signed.sandbox.state.now() - timedelta(days=1)
    found = {}
    for nip in (NIP, OTHER_NIP, third, authorized, stranger):
        signed.sign_in(nip, credential(nip))
        for subject in ("Subject1", "Subject2", "Subject3", "SubjectAuthorized"):
            body = {
                "subjectType": subject,
                "dateRange": {"dateType": "Issue", "from": start.isoformat()},
            }
            answer = signed.http.call(
                "POST", "/invoices/query/metadata", token=signed.access, body=body
            ).json()
            if answer["invoices"]:
                found[nip] = subject
        read = signed.http.call("GET", f"/invoices/ksef/{status['ksefNumber']}", token=signed.access)
        assert (read.status_code == 200) == (nip != stranger)
        if answer["invoices"]:
            entry = answer["invoices"][0]
            assert entry["authorizedSubject"] == {"nip": authorized, "name": "Komornik", "role": 2}
            assert entry["thirdSubjects"] == [
                {"identifier": {"type": "Nip", "value": third}, "name": "Faktor", "role": 1}
            ]
    assert found == {
        NIP: "Subject1",
        OTHER_NIP: "Subject2",
        third: "Subject3",
        authorized: "SubjectAuthorized",
    }


@pytest.mark.parametrize(
    "filters",
    [
        {"ksefNumber": "1"},
        {"sellerNip": "1234567890"},
        {"currencyCodes": ["zloty"]},
        {"invoiceTypes": ["Pro forma"]},
        {"formType": "UPO"},
        {"invoicingMode": "Later"},
        {"isSelfInvoicing": "yes"},
        {"buyerIdentifier": {"type": "Pesel"}},
        {"buyerIdentifier": {}},
        {"amount": {"type": "Brutto", "from": "1"}},
        {"amount": {"type": "All"}},
        {"invoiceNumber": "x" * 257},
    ],
)
def test_wrong_filters(signed: Client, filters: Json) -> None:
    """Filters outside the contract are refused."""
    assert Export(signed).refused(**filters, valid=False) == [21405]
