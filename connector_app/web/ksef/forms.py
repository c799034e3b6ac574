"""Forms of signing in: files, a signed request, a token."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import PasswordField, ValidationError

from connector_app.credential_reading import LARGEST_FILE
from connector_app.web.language import lazy, t

_LARGEST_REQUEST = 512 * 1024
"""Bytes of a signed sign-in request; one with a whole chain and a time stamp has some ten thousand."""


def read_file(field: Any, largest: int) -> bytes | None:
    """The bytes of an uploaded file; ``None`` when none was chosen.

    Raises:
        ValidationError: it is empty or too large to be what is asked for.
    """
    upload = field.data
    if not upload or not upload.filename:
        return None
    with upload.stream as stream:
        data: bytes = stream.read(largest + 1)
    if len(data) > largest:
        raise ValidationError(
            t("Ten plik jest za duży; to nie może być ten.", "This file is too large; it cannot be the one.")
        )
    if not data:
        raise ValidationError(t("Ten plik jest pusty.", "This file is empty."))
    return data


class CertificateForm(FlaskForm):  # type: ignore[misc]  # the library ships no types
    """A certificate and its key."""

    first = FileField(
        lazy(
            "Certyfikat lub plik PKCS#12 (.p12, .pfx, .crt, .pem)",
            "Certificate or PKCS#12 file (.p12, .pfx, .crt, .pem)",
        )
    )
    second = FileField(
        lazy("Klucz prywatny, jeżeli jest osobno (.key, .pem)", "Private key, if separate (.key, .pem)")
    )
    password = PasswordField(
        lazy("Hasło do klucza, jeżeli jest", "Password of the key, if any"),
        render_kw={"autocomplete": "off"},
    )
    first_bytes: bytes | None = None
    second_bytes: bytes | None = None

    def validate_first(self, field: Any) -> None:
        """A file has to be there."""
        self.first_bytes = read_file(field, LARGEST_FILE)
        if self.first_bytes is None:
            raise ValidationError(t("Wybierz plik z certyfikatem.", "Choose the file with the certificate."))

    def validate_second(self, field: Any) -> None:
        """The key's file may be missing."""
        self.second_bytes = read_file(field, LARGEST_FILE)


class SignedForm(FlaskForm):  # type: ignore[misc]
    """A sign-in request that was signed elsewhere."""

    signed = FileField(lazy("Podpisany plik (.xml)", "Signed file (.xml)"))
    signed_bytes: bytes | None = None

    def validate_signed(self, field: Any) -> None:
        """A file has to be there."""
        self.signed_bytes = read_file(field, _LARGEST_REQUEST)
        if self.signed_bytes is None:
            raise ValidationError(t("Wybierz podpisany plik.", "Choose the signed file."))


class TokenForm(FlaskForm):  # type: ignore[misc]
    """A KSeF token."""

    token = PasswordField(lazy("Token KSeF", "KSeF token"), render_kw={"autocomplete": "off"})

    def validate_token(self, field: Any) -> None:
        """One word; nothing of it is shown again."""
        words = str(field.data or "").split()
        if len(words) != 1:
            raise ValidationError(
                t(
                    "Wklej sam token: jeden ciąg znaków bez spacji.",
                    "Paste the token alone: one text without spaces.",
                )
            )
