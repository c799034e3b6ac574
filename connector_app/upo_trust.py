"""Whom an operator trusts to sign UPOs: certificates in a file or a folder (``KSEF_UPO_CERTIFICATES``).

No certificate of the Ministry's seal is published for this purpose; see :mod:`core.ksef.upo_signature` for
what the check of a signature proves without one.
"""

from __future__ import annotations

from pathlib import Path

from cryptography import x509

from connector_app.settings import BadSetting
from core.findings import Text

_NAME = "KSEF_UPO_CERTIFICATES"
_ENDINGS = frozenset({".pem", ".crt", ".cer", ".der"})


def load_trusted(path: Path | None) -> tuple[x509.Certificate, ...]:
    """Read the trusted certificates.

    Args:
        path: a file (PEM with any number of certificates, or DER), or a folder of files that end in .pem,
            .crt, .cer or .der; None trusts nobody.

    Raises:
        BadSetting: it cannot be read, a file is no certificate, or there is none: a check that an operator
            asked for is never silently left out.
    """
    if path is None:
        return ()
    files = (
        sorted(one for one in path.iterdir() if one.suffix.lower() in _ENDINGS) if path.is_dir() else [path]
    )
    found = [certificate for file in files for certificate in _read(file)]
    if not found:
        raise BadSetting(
            Text(
                f"{_NAME}: w {path} nie ma żadnego certyfikatu (.pem, .crt, .cer, .der).",
                f"{_NAME}: there is no certificate in {path} (.pem, .crt, .cer, .der).",
            )
        )
    return tuple(found)


def _read(file: Path) -> list[x509.Certificate]:
    try:
        data = file.read_bytes()
        if b"-----BEGIN" in data:
            return x509.load_pem_x509_certificates(data)
        return [x509.load_der_x509_certificate(data)]
    except (OSError, ValueError):
        raise BadSetting(
            Text(
                f"{_NAME}: {file} nie jest czytelnym certyfikatem (PEM albo DER).",
                f"{_NAME}: {file} is no readable certificate (PEM or DER).",
            )
        ) from None
