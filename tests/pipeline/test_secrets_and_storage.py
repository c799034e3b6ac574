"""Secrets never reach a log, and a disk that is full stops the work in words and loses nothing."""

from __future__ import annotations

import io
import json
import logging
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import event, select, text

from connector_app.settings import Settings
from connector_app.store.models import Seller, Store
from connector_app.vault import Vault
from sandbox.woocommerce.server import DEMO_CONSUMER_KEY, DEMO_CONSUMER_SECRET
from tests.pipeline.test_trouble import assert_one_of_each
from tests.pipeline.world import World, recorded, world


def secrets_of(made: World) -> list[str]:
    """Every secret of an installation, in the form in which it would leak."""
    services = made.services()
    with services.database() as session:
        seller = session.scalars(select(Seller)).one()
        store = session.scalars(select(Store)).one()
    found = [DEMO_CONSUMER_KEY, DEMO_CONSUMER_SECRET, (made.home / "secret.key").read_text()]
    for sealed in (seller.credential, seller.tokens, seller.session, store.config):
        if sealed is not None:
            found.append(sealed)
            opened = services.vault.unseal(sealed)
            assert isinstance(opened, dict)
            names = {"key", "password", "token", "access", "refresh", "iv", "consumer_secret"}
            found += [value for name, value in opened.items() if name in names]
    return found


def test_no_secret_and_no_buyer_reaches_the_log(tmp_path: Path, log: io.StringIO) -> None:
    """A whole run with trouble at both ends, logged at DEBUG."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        secrets: set[str] = set()
        made.watch = lambda _one: secrets.update(secrets_of(made))
        made.ksef.state.faults.add("http_500", "POST /v2/sessions/online/[^/]+/invoices$")
        made.ksef.state.faults.add("drop_after", "POST /v2/auth/token/redeem")
        made.shop.fault("drop_after", method="POST", path="/notes$", times=2)
        made.run()
        assert_one_of_each(made)
    said = log.getvalue()
    assert len(said.splitlines()) > 10
    assert [json.loads(line) for line in said.splitlines()]
    assert len(secrets) > 8
    for secret in [*secrets, "oauth_signature", "Bearer "]:
        assert secret not in said
    billing = recorded("order_full")["billing"]
    for personal in (billing["email"], billing["last_name"]):
        assert personal not in said


def test_the_redaction_takes_credentials_out_of_any_text(log: io.StringIO) -> None:
    """The last line of defence: what a library might say some day."""
    logging.getLogger("some.library").warning(
        "GET /wp-json/?oauth_signature=abc-3D&x=1 Authorization: Bearer eyJ.a-b.c %s", DEMO_CONSUMER_SECRET
    )
    said = log.getvalue()
    for secret in ("abc-3D", "eyJ.a-b.c", DEMO_CONSUMER_SECRET):
        assert secret not in said


def test_a_full_disk_stops_the_work_in_words_and_loses_nothing(tmp_path: Path) -> None:
    """No space right after KSeF took the document: said so; with space again there is still one invoice."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        services = made.services()
        engine = services.database.kw["bind"]

        def fill(connection: object) -> None:
            connection.exec_driver_sql("PRAGMA max_page_count = 1")  # type: ignore[attr-defined]

        taken = False

        def watch(state: str) -> None:
            nonlocal taken
            if state == "issued" and not taken:
                taken = True
                event.listen(engine, "begin", fill)

        made.watch = lambda one: watch(one.state)
        made.services = lambda: services  # type: ignore[method-assign]
        with services.database.begin() as session:
            session.execute(text("CREATE TABLE ballast (filler BLOB)"))
        # pages that migrations left free would take what comes although the disk is full
        with closing(sqlite3.connect(tmp_path / "connector.sqlite3")) as file:
            file.execute("VACUUM")
        result = made.run()
        assert taken
        assert result.failed
        assert "brak miejsca na dysku" in result.problems[-1].pl
        event.remove(engine, "begin", fill)
        engine.dispose()  # the limit belongs to connections, of which there may be several
        made.run()
        assert_one_of_each(made)


def test_home_and_key_are_for_their_owner_only(tmp_path: Path) -> None:
    """New ones are made private; a key file and its home that stand open are closed."""
    settings = Settings(home=tmp_path / "home")
    settings.prepare()
    vault = Vault.open(settings.key_file)
    assert settings.home.stat().st_mode & 0o777 == 0o700
    assert settings.key_file.stat().st_mode & 0o777 == 0o600
    settings.home.chmod(0o755)
    settings.key_file.chmod(0o644)
    settings.prepare()
    assert Vault.open(settings.key_file).unseal(vault.seal({"a": 1})) == {"a": 1}
    assert settings.home.stat().st_mode & 0o777 == 0o700
    assert settings.key_file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in settings.home.iterdir()] == ["secret.key"]
