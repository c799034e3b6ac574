"""The key or token that a command line names: reading it from its files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from connector_app.commands.app import App, BadInput
from connector_app.commands.bilingual import option
from connector_app.commands.failures import key_failure
from connector_app.commands.files import FILE
from core.signing.keys import KeyMaterial, KeyMaterialError, load_pem, load_pkcs12

CERTIFICATE_WAYS = "--certificate CERT.pem --key KEY.pem | --p12 FILE.p12 --password-file FILE"
"""Options for a certificate, as a hint."""
WAYS = f"{CERTIFICATE_WAYS} | --token-file FILE | --sign-outside"
"""The options, as a hint."""

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])


_OPTIONS = (
    option(
        "--certificate",
        type=FILE,
        default=None,
        pl="Certyfikat (PEM lub DER), razem z --key.",
        en="Certificate (PEM or DER), with --key.",
    ),
    option(
        "--key", type=FILE, default=None, pl="Klucz prywatny (PEM lub DER).", en="Private key (PEM or DER)."
    ),
    option(
        "--p12",
        type=FILE,
        default=None,
        pl="Certyfikat i klucz w jednym pliku PKCS#12.",
        en="Certificate and key in one PKCS#12 file.",
    ),
    option(
        "--password-file",
        "password",
        type=FILE,
        default=None,
        pl="Plik z hasłem do klucza.",
        en="File with the password of the key.",
    ),
)


def certificate_options(command: _Decorated) -> _Decorated:
    """The options that name a certificate: arguments ``certificate``, ``key``, ``p12`` and ``password``."""
    for one in reversed(_OPTIONS):
        command = one(command)
    return command


@dataclass(frozen=True, slots=True)
class CredentialFiles:
    """Where the credential is; ``None`` where nothing was given; ``outside``: a person signs elsewhere."""

    certificate: Path | None
    key: Path | None
    p12: Path | None
    password: Path | None
    token: Path | None = None
    outside: bool = False


def read_credential(app: App, files: CredentialFiles) -> KeyMaterial | str | None:
    """The key or token that was named, empty for signing outside, or ``None`` when nothing was.

    Raises:
        BadInput: a file cannot be used, or more than one way was named.
    """
    ways = [files.certificate or files.key, files.p12, files.token, files.outside or None]
    if sum(way is not None for way in ways) > 1:
        raise BadInput(app.text("Podaj jeden sposób logowania.", "Give one way to sign in."), WAYS)
    if files.outside:
        return ""
    if files.token is not None:
        token = app.read_text(files.token).strip()
        if not token or len(token.split()) != 1:
            raise BadInput(
                app.text(
                    f"{files.token}: oczekiwano jednego wiersza z tokenem KSeF.",
                    f"{files.token}: one line with a KSeF token was expected.",
                )
            )
        return token
    if bool(files.certificate) != bool(files.key):
        raise BadInput(
            app.text("Certyfikat i klucz podaje się razem.", "Certificate and key are given together."),
            "--certificate CERT.pem --key KEY.pem",
        )
    password = app.read_text(files.password).rstrip("\r\n") if files.password else None
    now = datetime.now(UTC)
    try:
        if files.p12 is not None:
            return load_pkcs12(app.read(files.p12), password=password, now=now)
        if files.certificate is not None and files.key is not None:
            return load_pem(app.read(files.certificate), app.read(files.key), password=password, now=now)
    except KeyMaterialError as error:
        raise key_failure(error, app.language) from None
    return None
