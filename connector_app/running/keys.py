"""One secret key for all machines of an installation: each says at its start whether it has the right one."""

from __future__ import annotations

import hmac
from typing import Final

from sqlalchemy import select

from connector_app.store.desk import InstallationSetting
from connector_app.store.sessions import Sessions, lane_of
from connector_app.vault import Vault
from core.findings import Text

_NAME: Final = "secret-key"

WHAT_TO_DO: Final = Text(
    "Skopiuj plik klucza (secret.key) z pierwszego komputera albo z kopii zapasowej i wskaż go w "
    "KSEF_CONNECTOR_KEY_FILE.",
    "Copy the key file (secret.key) from the first machine or from the backup, and name it in "
    "KSEF_CONNECTOR_KEY_FILE.",
)


def is_known(database: Sessions) -> bool:
    """Whether the installation has a key already: then no machine may make another."""
    with database() as session:
        return (
            session.scalar(select(InstallationSetting.name).where(InstallationSetting.name == _NAME))
            is not None
        )


def fits(database: Sessions, vault: Vault) -> bool:
    """Whether a machine's key is the installation's; the first machine's is noted.

    Only something derived from the key is stored, from which the key cannot be found.

    Raises:
        SQLAlchemyError: the database cannot be used.
    """
    mine = vault.derive("which key this is").hex()
    with database.begin(lane_of(_NAME)) as session:
        row = session.get(InstallationSetting, _NAME)
        if row is None:
            session.add(InstallationSetting(name=_NAME, value={"derived": mine}))
            return True
        return hmac.compare_digest(str(row.value.get("derived", "")), mine)
