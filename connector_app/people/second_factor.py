"""The second factor: time-based codes (RFC 6238), each good once, and recovery codes for a lost phone."""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from datetime import datetime

import pyotp
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from connector_app.people.accounts import digest
from connector_app.store.people import RecoveryCode, User
from connector_app.vault import Vault

STEP = 30
"""Seconds that a code is shown."""
ISSUER = "KSeF Shop Connector"
"""How the application calls itself in a person's phone."""
RECOVERY_CODES = 10
_SLACK = 1  # steps by which a phone's clock may be off
_SECRET_BYTES = 10  # of a recovery code: 80 bits, beyond guessing even from its hash
_CODE = re.compile(r"\d{6}")


def new_secret() -> str:
    """A secret of 160 bits in base 32, for one account (RFC 4226, section 4)."""
    return str(pyotp.random_base32())


def address(secret: str, email: str) -> str:
    """The ``otpauth://`` address that a phone reads from the QR code."""
    return str(pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER))


def step_of(secret: str, code: str, now: datetime, last: int | None) -> int | None:
    """The time step whose code this is.

    Args:
        secret: of the account.
        code: as typed; blanks do not matter.
        now: aware UTC.
        last: the last step whose code was used; that one and earlier ones are over.

    Returns:
        The step, ``None`` when the code is wrong, too old, or was used.
    """
    typed = re.sub(r"\s", "", code)
    if not typed.isascii() or not _CODE.fullmatch(typed):
        return None
    totp, current = pyotp.TOTP(secret), int(now.timestamp()) // STEP
    found = None
    for step in range(current - _SLACK, current + _SLACK + 1):
        if hmac.compare_digest(totp.generate_otp(step), typed) and (last is None or step > last):
            found = step
    return found


def switch_on(session: Session, vault: Vault, user: User, secret: str, step: int) -> list[str]:
    """Ask for codes from now on.

    Args:
        session: of a writing transaction.
        vault: seals the secret.
        user: of that transaction.
        secret: that the person's phone has.
        step: of the code that proved it, which is used up.

    Returns:
        Fresh recovery codes, to be shown once.
    """
    user.totp, user.totp_step = vault.seal(secret), step
    return new_recovery_codes(session, user)


def switch_off(session: Session, user: User) -> None:
    """Ask for a password alone."""
    user.totp = user.totp_step = None
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))


def new_recovery_codes(session: Session, user: User) -> list[str]:
    """Fresh codes instead of all earlier ones; only their hashes are kept."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(user_id=user.id, code_sha256=digest(_plain(one))) for one in codes)
    return codes


def codes_left(session: Session, user_id: int) -> int:
    """How many recovery codes of an account were not used yet."""
    query = select(func.count()).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return session.scalar(query) or 0


def use(session: Session, vault: Vault, user: User, code: str, now: datetime) -> str | None:
    """Use up a code of either kind.

    Args:
        session: of a writing transaction: of two requests with one code, one wins.
        vault: knows the secret.
        user: of that transaction.
        code: as typed.
        now: aware UTC.

    Returns:
        ``code`` or ``recovery``; ``None`` when it is wrong or was used.

    Raises:
        VaultLocked: the installation's key is another one than it was.
    """
    if user.totp is None:
        return None
    step = step_of(str(vault.unseal(user.totp)), code, now, user.totp_step)
    if step is not None:
        user.totp_step = step
        return "code"
    row = session.scalar(
        select(RecoveryCode).where(
            RecoveryCode.user_id == user.id,
            RecoveryCode.code_sha256 == digest(_plain(code)),
            RecoveryCode.used_at.is_(None),
        )
    )
    if row is None:
        return None
    row.used_at = now
    return "recovery"


def _recovery_code() -> str:
    text = base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode("ascii")
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def _plain(code: str) -> str:
    return re.sub(r"[^A-Z2-7]", "", code.upper())
