"""One sign-in per seller for all workers: threads, processes, and a seller that signs outside."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from connector_app.ksef_access import SellerAccess
from connector_app.pipeline.services import Services
from connector_app.store.database import open_database
from connector_app.store.models import Seller
from connector_app.vault import Vault
from core.ksef import auth, sign_ins
from core.ksef.auth import Tokens
from core.ksef.errors import SignInNeeded
from core.signing.keys import self_signed
from sandbox.ksef import KsefSandbox
from tests.pipeline.world import NIP, World, install, recorded, world

ROOT = Path(__file__).resolve().parent.parent.parent
WORKER = """
import sys
from pathlib import Path
from sqlalchemy import select
from connector_app.pipeline.services import Services
from connector_app.store.database import open_database
from connector_app.store.models import Seller
from connector_app.vault import Vault
home = Path(sys.argv[1])
services = Services(
    database=open_database(f"sqlite:///{home / 'connector.sqlite3'}"), vault=Vault.open(home / "secret.key")
)
with services.database() as session:
    seller = session.scalars(select(Seller)).one()
access = services.access(seller)
sys.stdin.readline()
print(access.call(lambda token: token[-12:]), flush=True)
"""


@dataclass
class Installation:
    """A seller with a seal, and its KSeF."""

    home: Path
    ksef: KsefSandbox

    def services(self) -> Services:
        """Open it, as a new process would."""
        return Services(
            database=open_database(f"sqlite:///{self.home / 'connector.sqlite3'}"),
            vault=Vault.open(self.home / "secret.key"),
        )

    def access(self, services: Services | None = None) -> SellerAccess:
        """A worker's way into KSeF."""
        services = services or self.services()
        with services.database() as session:
            return services.access(session.scalars(select(Seller)).one())

    def count(self, what: str) -> int:
        """How often KSeF saw something: sign-ins, or those that were refreshed."""
        row = self.ksef.state.one(f"SELECT COUNT(*) AS n FROM authentications WHERE {what}")
        assert row is not None
        return int(row["n"])


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """One seller, never signed in, and a KSeF that takes a moment."""
    with KsefSandbox(processing_seconds=0.1) as ksef:
        made = Installation(tmp_path, ksef)
        install(made.services(), api_url=ksef.api_url, qr_url=ksef.qr_url, shop_url="http://127.0.0.1:9")
        yield made


def test_a_crowd_of_threads_signs_in_once(installation: Installation) -> None:
    """Eight workers that begin together ask KSeF once and get the same token."""
    services = installation.services()
    start = threading.Barrier(8)
    got: list[str] = []

    def work() -> None:
        access = installation.access(services)
        start.wait(20)
        got.append(access.call(lambda token: token))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert len(got) == 8
    assert len(set(got)) == 1
    assert installation.count("1") == 1


def test_a_crowd_of_processes_signs_in_once(installation: Installation) -> None:
    """Two processes that begin together share one sign-in through the database."""
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(installation.home)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    answers = [one.communicate("\n", timeout=60)[0] for one in workers]
    assert len(set(answers)) == 1
    assert len(answers[0]) > 10
    assert installation.count("1") == 1


def test_tokens_are_renewed_before_they_end(installation: Installation) -> None:
    """An access token with less than a minute to live is refreshed, not used up, and no sign-in is made."""
    installation.ksef.state.settings.access_token_seconds = 50
    first = installation.access().call(lambda token: token)
    second = installation.access().call(lambda token: token)
    assert first != second
    assert (installation.count("1"), installation.count("refreshed IS NOT NULL")) == (1, 1)


def test_a_refused_token_takes_nobody_elses(installation: Installation) -> None:
    """Who is late with an old token takes over the one that another worker has got meanwhile."""
    early, late = installation.access(), installation.access()
    old = early.call(lambda token: token)
    assert late.call(lambda token: token) == old
    installation.ksef.state.faults.add("http_401", "GET /v2/auth/sessions$")
    assert list(early.call(lambda token: list(sign_ins.listing(early.client, token))))
    new = early.call(lambda token: token)
    assert new != old
    installation.ksef.state.faults.add("http_500", "POST /v2/auth/token/refresh$", times=9)
    installation.ksef.state.faults.add("http_401", "GET /v2/auth/sessions$")
    assert list(late.call(lambda token: list(sign_ins.listing(late.client, token))))
    assert late.call(lambda token: token) == new


def test_a_revoked_sign_in_is_made_anew(installation: Installation) -> None:
    """With a credential at hand the end of a sign-in needs no person."""
    access = installation.access()
    old = access.call(lambda token: token)
    sign_ins.revoke_current(access.client, old)
    installation.ksef.state.faults.add("http_401", "GET /v2/auth/sessions$")
    assert list(access.call(lambda token: list(sign_ins.listing(access.client, token))))
    assert installation.count("1") == 2


def _sign_outside(made: World) -> Tokens:
    """What ``auth submit`` does: a person has signed, the tokens are shared."""
    services = made.services()
    with services.database() as session:
        access = services.access(session.scalars(select(Seller)).one())
    key = self_signed(NIP, kind="person", now=made.clock())
    tokens = auth.sign_in_with_certificate(access.client, NIP, key)
    access.sign_in.keep(tokens)
    return tokens


def test_a_seller_without_a_key_sends_until_its_sign_in_ends(tmp_path: Path) -> None:
    """Tokens of a signature made outside send for a week; then orders wait for the next one, in words."""
    with world(tmp_path, [recorded("order_full")]) as made:
        made.prepare()
        services = made.services()
        with services.database.begin() as session:
            session.scalars(select(Seller)).one().credential = ""
        patience = timedelta(minutes=1)
        made.run(patience)
        (waiting,) = made.documents()
        assert waiting.state == "ready"
        assert "auth request" in (waiting.waiting_for or "")
        _sign_outside(made)
        made.run()
        assert [one.state for one in made.documents()] == ["published"]

        made.clock.sleep(timedelta(days=6).total_seconds())
        made.shop.state.add_orders([recorded("order_net_prices_round_per_line", id=900, number="900")], {})
        made.shop.state.change(900, customer_note="")
        made.run()
        assert made.by_order()["900"].state == "published"

        made.clock.sleep(timedelta(days=2).total_seconds())
        made.shop.state.add_orders([recorded("order_net_prices_round_per_line", id=901, number="901")], {})
        made.shop.state.change(901, customer_note="")
        result = made.run(patience)
        assert any("auth request" in problem.pl for problem in result.problems)
        assert made.by_order()["901"].state == "ready"
        assert made.by_order()["901"].number is None
        with pytest.raises(SignInNeeded):
            _access(made).call(lambda token: token)
        _sign_outside(made)
        made.run(patience)
        assert made.by_order()["901"].state == "published"


def _access(made: World) -> SellerAccess:
    services = made.services()
    with services.database() as session:
        return services.access(session.scalars(select(Seller)).one())
