"""By which mail server people are told: the installation's own, else that of a shop of theirs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.mail.settings import MailSettings
from connector_app.pipeline.services import Services
from connector_app.store.desk import InstallationSetting
from connector_app.store.models import Store
from connector_app.store.people import Membership, User
from connector_app.store.recovered import IS_OPEN
from connector_app.vault import Vault, VaultLocked

_NAME = "alert-mail"


def installation_server(session: Session, vault: Vault) -> MailSettings | None:
    """The mail server for letters about alerts; ``None``: none is set.

    Raises:
        VaultLocked: it cannot be decrypted.
    """
    row = session.get(InstallationSetting, _NAME)
    return None if row is None else _opened(vault, row.value["sealed"])


def set_installation_server(session: Session, vault: Vault, settings: MailSettings | None) -> None:
    """Set it, or take it away, inside the caller's transaction."""
    row = session.get(InstallationSetting, _NAME)
    if settings is None:
        if row is not None:
            session.delete(row)
        return
    value = {"sealed": vault.seal(settings.as_json())}
    if row is None:
        session.add(InstallationSetting(name=_NAME, value=value))
    else:
        row.value = value


def _opened(vault: Vault, sealed: str) -> MailSettings:
    values = vault.unseal(sealed)
    if not isinstance(values, dict):
        raise TypeError("mail settings must be a table")
    return MailSettings.from_json(values)


class Servers:
    """Mail servers by person.

    Without a server of its own, the installation writes by the first shop's server of the person's own
    sellers; nobody's letters go by the server of a seller that they have nothing to do with.

    Args:
        services: the installation.
        session: for reading.
    """

    def __init__(self, services: Services, session: Session) -> None:
        self._own = _usable(lambda: installation_server(session, services.vault))
        self._of_sellers: dict[int, MailSettings] = {}
        if self._own is None:
            rows = session.execute(
                select(Store.seller_id, Store.mail).where(IS_OPEN, Store.mail.is_not(None)).order_by(Store.id)
            ).all()
            for seller_id, sealed in rows:
                if seller_id not in self._of_sellers and sealed is not None:
                    found = _usable(partial(_opened, services.vault, sealed))
                    if found is not None:
                        self._of_sellers[seller_id] = found
        self._sellers: dict[int, list[int]] = {}
        for user_id, seller_id in session.execute(select(Membership.user_id, Membership.seller_id)):
            self._sellers.setdefault(user_id, []).append(seller_id)

    def of_person(self, person: User) -> MailSettings | None:
        """The server by which somebody can be written to; ``None``: there is none."""
        if self._own is not None:
            return self._own
        sellers = sorted(self._of_sellers if person.is_admin else self._sellers.get(person.id, []))
        return next((self._of_sellers[one] for one in sellers if one in self._of_sellers), None)


def _usable(opened: Callable[[], MailSettings | None]) -> MailSettings | None:
    """Settings that can be decrypted; others are as good as none, and the pages say so."""
    try:
        return opened()
    except VaultLocked:
        return None
