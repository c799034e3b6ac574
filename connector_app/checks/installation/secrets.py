"""Secrets: whether the key fits everything that is sealed, and what ends soon."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.checks.installation.said import Looked, Said
from connector_app.credentials import credential_info
from connector_app.pipeline.services import Services
from connector_app.renewals import due
from connector_app.store.machines import Hook
from connector_app.store.models import Batch, Certificate, Seller, Store
from connector_app.vault import VaultLocked
from core.findings import Text
from core.signing.keys import KeyMaterialError

_ENDS = Text("Bez tego faktury nie dotrą do KSeF.", "Without it invoices do not reach KSeF.")


def look_at_secrets(looked: Looked, services: Services) -> None:
    """Unseal everything that is sealed.

    Args:
        looked: gets what is found.
        services: the installation.
    """
    fits = wrong = 0
    with services.database() as session:
        for name, sealed in _sealed(session):
            try:
                services.vault.unseal(sealed)
                fits += 1
            except VaultLocked:
                wrong += 1
                _locked(looked, name)
        for seller in session.scalars(select(Seller).order_by(Seller.id)):
            try:
                credential_info(services.vault, seller)
            except VaultLocked:
                continue  # said above
            except (KeyMaterialError, KeyError, TypeError) as error:
                looked.error(
                    "credential-damaged",
                    Text(
                        f"Dane logowania sprzedawcy {seller.nip} są uszkodzone: {error}",
                        f"The credential of seller {seller.nip} is damaged: {error}",
                    ),
                    _ENDS,
                    Text("Podaj je ponownie: seller add.", "Give it again: seller add."),
                )
    looked.facts.append(
        Text(f"Zaszyfrowane: {fits + wrong}, odczytane: {fits}", f"Sealed: {fits + wrong}, opened: {fits}")
    )
    for one in due(services):
        looked.said.append(Said(one.code, one.severity, one.message, _ENDS, one.hint))


def _locked(looked: Looked, name: str) -> None:
    looked.error(
        "key-does-not-fit",
        Text(f"secret.key nie odszyfrowuje: {name}.", f"secret.key does not open: {name}."),
        Text(
            "Klucz jest inny niż ten, którym to zaszyfrowano; program nie zaloguje się tym ani nie połączy.",
            "The key is another one than it was sealed with; the program cannot sign in or connect by it.",
        ),
        Text(
            "Przywróć secret.key z tej samej kopii co bazę albo podaj dane ponownie (seller add, store add).",
            "Restore secret.key from the same backup as the database, or give the data again (seller add, "
            "store add).",
        ),
    )


def _sealed(session: Session) -> Iterator[tuple[str, str]]:
    """Everything sealed, with what it is."""
    for nip, credential, tokens, opened in session.execute(
        select(Seller.nip, Seller.credential, Seller.tokens, Seller.session).order_by(Seller.id)
    ):
        named = (("credential", credential), ("tokens", tokens), ("session", opened))
        yield from ((f"{nip} {what}", one) for what, one in named if one)
    for name, secret in session.execute(select(Certificate.name, Certificate.secret)):
        yield f"certificate {name}", secret
    for code, config, mail, webhook in session.execute(
        select(Store.code, Store.config, Store.mail, Store.webhook).order_by(Store.id)
    ):
        named = (("connection", config), ("mail", mail), ("webhooks", webhook))
        yield from ((f"{code} {what}", one) for what, one in named if one)
    for ident, secret in session.execute(select(Hook.id, Hook.secret)):
        yield f"hook {ident}", secret
    for ident, package in session.execute(select(Batch.id, Batch.package).where(Batch.package.is_not(None))):
        yield f"batch {ident}", package or ""
