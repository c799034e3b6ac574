"""``seller offline-certificate``: the certificate that signs QR code II."""

from __future__ import annotations

from pathlib import Path

import click

from connector_app import offline_certificates
from connector_app.commands.app import App, BadInput, pass_app
from connector_app.commands.bilingual import Command
from connector_app.commands.credential_files import (
    CERTIFICATE_WAYS,
    CredentialFiles,
    certificate_options,
    read_credential,
)
from connector_app.commands.find_seller import find_seller
from core.findings import Text
from core.ksef.verification import NoOfflineCertificate
from core.signing.keys import KeyMaterial


@click.command(
    "offline-certificate",
    cls=Command,
    pl="""Zapamiętuje certyfikat KSeF typu Offline, którym podpisuje się kod QR II faktur offline.

    Bez niego w czasie niedostępności KSeF dokumenty czekają.""",
)
@click.argument("nip", metavar="NIP")
@certificate_options
@pass_app
def offline_certificate(
    app: App, nip: str, certificate: Path | None, key: Path | None, p12: Path | None, password: Path | None
) -> None:
    """Keep a KSeF certificate of the kind Offline, which signs QR code II of offline invoices.

    Without one, documents wait while KSeF is unavailable.
    """
    found = read_credential(app, CredentialFiles(certificate, key, p12, password))
    if not isinstance(found, KeyMaterial):
        raise BadInput(app.text("Brakuje certyfikatu.", "The certificate is missing."), CERTIFICATE_WAYS)
    services = app.open()
    try:
        with services.database.begin() as session:
            row = find_seller(app, session, nip)
            offline_certificates.add(session, services.vault, row, found, services.clock())
    except NoOfflineCertificate as error:
        raise BadInput(
            app.text(
                f"Tego certyfikatu nie można użyć do faktur offline: {error}.",
                f"This certificate cannot be used for offline invoices: {error}.",
            ),
            app.text(
                "Potrzebny jest certyfikat KSeF typu Offline z kluczem RSA albo EC P-256.",
                "A KSeF certificate of the kind Offline with an RSA or EC P-256 key is needed.",
            ),
        ) from None
    until = f"{found.valid_until:%Y-%m-%d}"
    app.say(
        Text(
            f"✓ Certyfikat Offline sprzedawcy {nip} jest ważny do {until}.",
            f"✓ The Offline certificate of seller {nip} is valid until {until}.",
        )
    )
