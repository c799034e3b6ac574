"""Steps of a client with permissions, made by hand."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from tests.sandbox_ksef.conftest import Client, bearer
from tests.sandbox_ksef.material import NIP, Credential, auth_request, credential, sign

PESEL = "90010112349"
THIRD_NIP = "1111111111"
PERSON = {
    "subjectDetailsType": "PersonByIdentifier",
    "personById": {"firstName": "Anna", "lastName": "Przykład"},
}
WITHOUT_IDENTIFIER = {
    "subjectDetailsType": "PersonByFingerprintWithoutIdentifier",
    "personByFpNoId": {
        "firstName": "Anna",
        "lastName": "Przykład",
        "birthDate": "1990-01-01",
        "idDocument": {"type": "Paszport", "number": "XX0000001", "country": "DE"},
    },
}


def change(client: Client, path: str, body: object = None, method: str = "POST") -> int:
    """Grant or revoke; returns the status with which the operation ends."""
    answer = client.http.call(method, f"/permissions{path}", token=client.access, body=body)
    assert answer.status_code == 202, answer.text
    status = client.get(f"/permissions/operations/{answer.json()['referenceNumber']}")["status"]
    assert isinstance(status, dict)
    code: int = status["code"]
    return code


def grant_person(client: Client, *permissions: str, subject: tuple[str, str] = ("Pesel", PESEL)) -> int:
    """Grant permissions to a person in the caller's context; returns the status of the operation."""
    return change(
        client,
        "/persons/grants",
        {
            "subjectIdentifier": {"type": subject[0], "value": subject[1]},
            "permissions": list(permissions),
            "description": "Księgowość",
            "subjectDetails": PERSON,
        },
    )


def grant_entity(client: Client, nip: str, *, delegate: bool = False) -> int:
    """Grant InvoiceWrite and InvoiceRead to an entity; returns the status of the operation."""
    return change(
        client,
        "/entities/grants",
        {
            "subjectIdentifier": {"type": "Nip", "value": nip},
            "permissions": [{"type": "InvoiceWrite", "canDelegate": delegate}, {"type": "InvoiceRead"}],
            "description": "Biuro rachunkowe",
            "subjectDetails": {"fullName": "Biuro Przykładowe"},
        },
    )


def listed(
    client: Client, path: str, body: object = None, member: str = "permissions"
) -> list[dict[str, object]]:
    """Items of a query for permissions."""
    answer = client.http.call("POST", f"/permissions/query{path}", token=client.access, body=body)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, object]] = answer.json()[member]
    return items


def person() -> Credential:
    """A person who signs with a certificate that names a PESEL."""
    return credential(attribute=(NameOID.SERIAL_NUMBER, f"PNOPL-{PESEL}"))


def internal_id(value: str) -> str:
    """An internal identifier with its check digit: weights 1 and 3 in turns, modulo 10."""
    digits = [int(digit) for digit in value.replace("-", "")]
    return f"{value}{sum(digit * (1, 3)[place % 2] for place, digit in enumerate(digits)) % 10}"


def fingerprint_of(by: Credential) -> str:
    """SHA-256 of a certificate in upper-case hexadecimal."""
    return by.certificate.fingerprint(hashes.SHA256()).hex().upper()


def sign_in_composed(client: Client, context: str, by: Credential) -> None:
    """Sign in to the context of an EU entity by fingerprint."""
    text = auth_request(client.challenge()["challenge"]).decode()
    text = text.replace(f"<Nip>{NIP}</Nip>", f"<NipVatUe>{context}</NipVatUe>")
    text = text.replace("certificateSubject", "certificateFingerprint")
    started = client.http.call("POST", "/auth/xades-signature", xml=sign(text.encode(), by)).json()
    token = bearer(started["authenticationToken"])
    client.access = bearer(client.http.call("POST", "/auth/token/redeem", token=token).json()["accessToken"])
