"""Certification requests: exactly the attributes that KSeF gave, signed with the key they are for."""

from __future__ import annotations

from typing import Literal

import pytest
from cryptography import x509

from core.signing.csr import SubjectAttributes, SubjectError, certification_request
from core.signing.keys import generate_key, public_bytes

SEAL = SubjectAttributes(
    common_name="Sklep Przykładowy",
    country_name="PL",
    organization_name="Sklep Przykładowy sp. z o.o.",
    organization_identifier="VATPL-5265877635",
    unique_identifier="d9a1f3",
)
PERSON = SubjectAttributes(
    common_name="Test KSeF",
    country_name="PL",
    given_name="Test",
    surname="KSeF",
    serial_number="TINPL-5265877635",
)


@pytest.mark.parametrize("kind", ["ec", "rsa"])
@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (
            SEAL,
            {
                "2.5.4.3": "Sklep Przykładowy",
                "2.5.4.6": "PL",
                "2.5.4.10": "Sklep Przykładowy sp. z o.o.",
                "2.5.4.97": "VATPL-5265877635",
                "2.5.4.45": "d9a1f3",
            },
        ),
        (
            PERSON,
            {
                "2.5.4.3": "Test KSeF",
                "2.5.4.6": "PL",
                "2.5.4.42": "Test",
                "2.5.4.4": "KSeF",
                "2.5.4.5": "TINPL-5265877635",
            },
        ),
    ],
)
def test_request_has_exactly_the_given_attributes(
    kind: Literal["ec", "rsa"], subject: SubjectAttributes, expected: dict[str, str]
) -> None:
    """Nothing is added, nothing is left out, and the signature proves the key."""
    key = generate_key(kind)
    request = x509.load_der_x509_csr(certification_request(subject, key))
    assert {one.oid.dotted_string: one.value for one in request.subject} == expected
    assert request.is_signature_valid
    assert public_bytes(key) == public_bytes(request)
    assert not list(request.extensions)


def test_impossible_subject_is_refused() -> None:
    """A country of three letters fits no certificate."""
    with pytest.raises(SubjectError):
        certification_request(SubjectAttributes("x", "POL"), generate_key())
