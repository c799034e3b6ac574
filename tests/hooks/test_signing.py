"""Signatures of messages: the published example of Standard Webhooks, and what must not pass."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from connector_app.hooks import signing
from connector_app.hooks.signing import Secrets
from connector_app.vault import Vault

# the example of the specification's own libraries
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT = datetime.fromtimestamp(1614265330, UTC)
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_message_is_signed_as_the_specification_says() -> None:
    """Receivers may use any library of Standard Webhooks."""
    made = signing.headers(MESSAGE, AT, BODY, [SECRET])
    assert made == {
        "webhook-id": MESSAGE,
        "webhook-timestamp": "1614265330",
        "webhook-signature": SIGNATURE,
    }
    assert signing.is_genuine(made, BODY, SECRET, AT)


def test_what_was_changed_or_is_old_is_not_genuine() -> None:
    made = signing.headers(MESSAGE, AT, BODY, [SECRET])
    later = AT + timedelta(minutes=6)
    assert not signing.is_genuine(made, BODY + b" ", SECRET, AT)
    assert not signing.is_genuine(made, BODY, signing.new_secret(), AT)
    assert not signing.is_genuine(made, BODY, SECRET, later)
    assert not signing.is_genuine(made | {"webhook-id": "msg_other"}, BODY, SECRET, AT)
    assert not signing.is_genuine(made | {"webhook-timestamp": "1614265331"}, BODY, SECRET, AT)
    assert not signing.is_genuine({}, BODY, SECRET, AT)


def test_for_a_day_the_secret_before_signs_too(tmp_path: Path) -> None:
    """A receiver can change over without losing a message; the day survives the database."""
    vault = Vault.open(tmp_path / "secret.key")
    renewed = Secrets.unseal(vault, Secrets(SECRET).renewed(AT).seal(vault))
    assert renewed.now != SECRET
    within, beyond = AT + timedelta(hours=23), AT + timedelta(hours=25)
    made = signing.headers(MESSAGE, within, BODY, renewed.in_force(within))
    assert signing.is_genuine(made, BODY, SECRET, within)
    assert signing.is_genuine(made, BODY, renewed.now, within)
    made = signing.headers(MESSAGE, beyond, BODY, renewed.in_force(beyond))
    assert not signing.is_genuine(made, BODY, SECRET, beyond)
    assert signing.is_genuine(made, BODY, renewed.now, beyond)
    assert SECRET not in repr(renewed)
