"""Errors of KSeF and of keys in words, the same for commands and pages."""

from __future__ import annotations

from connector_app.credential_reading import KeyMissing
from core.findings import Text
from core.ksef.errors import KsefError, SignInNeeded
from core.signing.keys import (
    CertificateNotValidError,
    KeyMaterialError,
    KeyMismatchError,
    UnreadableKeyError,
    WeakKeyError,
    WrongPasswordError,
)

_KEYS: dict[type[Exception], tuple[Text, Text]] = {
    KeyMissing: (
        Text("To sam certyfikat, bez klucza prywatnego.", "This is the certificate alone, without its key."),
        Text("Dodaj plik z kluczem prywatnym.", "Add the file with the private key."),
    ),
    UnreadableKeyError: (
        Text("W pliku nie ma certyfikatu lub klucza, które da się odczytać.", "{0}."),
        Text(
            "Podaj certyfikat i klucz w PEM lub DER albo jeden plik PKCS#12 (.p12, .pfx).",
            "Give certificate and key in PEM or DER, or one PKCS#12 file (.p12, .pfx).",
        ),
    ),
    WrongPasswordError: (
        Text("Hasło do klucza jest błędne albo go brakuje (lub plik jest uszkodzony).", "{0}."),
        Text(
            "Podaj hasło, którym zaszyfrowano plik klucza.", "Give the password that encrypts the key's file."
        ),
    ),
    KeyMismatchError: (
        Text("Certyfikat należy do innego klucza.", "{0}."),
        Text(
            "Podaj klucz, z którym wydano ten certyfikat.",
            "Give the key that this certificate was issued for.",
        ),
    ),
    WeakKeyError: (
        Text("KSeF nie przyjmuje takiego klucza: {0}.", "{0}."),
        Text(
            "Potrzebny jest RSA od 2048 bitów albo EC P-256, P-384, P-521.",
            "RSA of at least 2048 bits or EC P-256, P-384, P-521 is needed.",
        ),
    ),
    CertificateNotValidError: (
        Text("Certyfikat nie jest teraz ważny: {0}.", "{0}."),
        Text("Wystąp w KSeF o nowy certyfikat.", "Ask KSeF for a new certificate."),
    ),
}
_SIGN_ELSEWHERE = Text(
    "Zaloguj się podpisem poza programem na stronie „Logowanie do KSeF”.",
    'Sign in by a signature made elsewhere, on the page "Signing in to KSeF".',
)


def key_words(error: Exception) -> tuple[Text, Text]:
    """What is wrong with a key or certificate, and what to do.

    Args:
        error: a :class:`KeyMaterialError`.
    """
    said, hint = _KEYS.get(type(error), (Text("{0}", "{0}"), Text("", "")))
    reason = str(error).rstrip(".")
    return Text(said.pl.format(reason), said.en.format(reason)), hint


def ksef_words(error: KsefError) -> Text:
    """What KSeF refused or failed at, in its own words where it gave any."""
    code = f" ({error.code})" if error.code is not None else ""
    said = ". ".join(part.rstrip(".") for part in (error.description or error.message, *error.details))
    return Text(f"KSeF: {said}{code}.", f"KSeF: {said}{code}.")


def page_words(error: KsefError | KeyMaterialError) -> Text:
    """One of these errors with what to do, for a page; commands are not named."""
    if isinstance(error, KsefError):
        said = ksef_words(error)
        hint = _SIGN_ELSEWHERE if isinstance(error, SignInNeeded) else error.hint
        if isinstance(error, SignInNeeded):
            said = Text("Nie ma czym zalogować się do KSeF.", "There is nothing to sign in to KSeF with.")
    else:
        said, hint = key_words(error)
    return Text(f"{said.pl} {hint.pl}".strip(), f"{said.en} {hint.en}".strip())
