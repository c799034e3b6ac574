"""Signing in with a signature that is made outside the program: Profil Zaufany, a provider's own tool.

The unsigned AuthTokenRequest is made here, signed by a person elsewhere within the challenge's ten minutes,
and looked at here before it is sent, so that the usual mistakes are told at once and cost no challenge.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from lxml import etree

from core.findings import SaidError, Text
from core.ksef.auth import AllowedIps, RequestVersion, SubjectType, auth_token_request
from core.ksef.client import KsefClient

CHALLENGE_LIFE = timedelta(minutes=10)
"""How long a challenge can be answered (``AuthenticationChallengeResponse``)."""
_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"
_REQUESTS = tuple(f"{{http://ksef.mf.gov.pl/auth/token/{version}}}" for version in ("2.0", "2.1"))


class SignedRequestError(SaidError, ValueError):
    """A file that KSeF would not take as a signed AuthTokenRequest of this context.

    Attributes:
        text: why, for a person.
    """


@dataclass(frozen=True, slots=True)
class UnsignedRequest:
    """A request to sign.

    Attributes:
        xml: the AuthTokenRequest, UTF-8.
        sign_until: when KSeF no longer takes it.
    """

    xml: bytes
    sign_until: datetime


def unsigned_request(
    client: KsefClient,
    nip: str,
    *,
    subject_type: SubjectType = SubjectType.SUBJECT,
    allowed_ips: AllowedIps | None = None,
    version: RequestVersion = "2.1",
) -> UnsignedRequest:
    """Ask for a challenge and make the request to sign (``POST /auth/challenge``).

    Args:
        client: the client.
        nip: NIP of the context.
        subject_type: how KSeF reads who signs.
        allowed_ips: from where the tokens may be used; None for anywhere.
        version: version of AuthTokenRequest.

    Raises:
        KsefError: see :mod:`core.ksef.errors`.
    """
    challenge = client.challenge()
    xml = auth_token_request(
        challenge.value, nip, subject_type=subject_type, allowed_ips=allowed_ips, version=version
    )
    return UnsignedRequest(xml, challenge.timestamp + CHALLENGE_LIFE)


def check_signed(data: bytes, nip: str) -> None:
    """Look at a signed file before it is sent; whether the signature is good is KSeF's to say.

    Args:
        data: the signed file.
        nip: NIP of the context it has to be for.

    Raises:
        SignedRequestError: it is no XML, not signed, signed apart from its document, no AuthTokenRequest, or
            for another context.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise SignedRequestError(
            Text(
                "To nie jest plik XML. Podpisz plik jako XAdES, nie jako PDF ani plik .p7m.",
                "This is no XML file. Sign the file as XAdES, not as a PDF or a .p7m file.",
            )
        ) from None
    request = next((found for prefix in _REQUESTS for found in root.iter(f"{prefix}AuthTokenRequest")), None)
    signature = next(root.iter(_SIGNATURE), None)
    if request is None:
        raise SignedRequestError(_no_request(signature is not None))
    if signature is None:
        raise SignedRequestError(
            Text(
                "Plik nie jest podpisany: to wciąż ten sam plik, który zapisał program.",
                "The file is not signed: it is still the file that the program wrote.",
            )
        )
    found = request.findtext("{*}ContextIdentifier/{*}Nip")
    if found != nip:
        raise SignedRequestError(
            Text(
                f"Plik loguje do innej firmy niż ten sprzedawca ({nip}).",
                f"The file signs in for another company than this seller ({nip}).",
            )
        )


def _no_request(signed: bool) -> Text:
    if signed:
        return Text(
            "W pliku jest podpis, ale nie ma w nim podpisanego dokumentu. Wybierz podpis otaczany lub "
            "otaczający, nie zewnętrzny.",
            "The file has a signature without the signed document. Choose an enveloped or enveloping "
            "signature, not a detached one.",
        )
    return Text(
        "To nie jest plik logowania do KSeF. Podpisz plik z polecenia ksef-connector auth request.",
        "This is no sign-in file of KSeF. Sign the file that ksef-connector auth request wrote.",
    )
