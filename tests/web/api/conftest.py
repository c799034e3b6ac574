"""The interface over a small world whose documents went all the way, beside a seller who stays unseen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from connector_app.pipeline.services import Services
from connector_app.store.models import Document, DocumentState, Seller, ShopOrder, Store
from connector_app.web.api import tokens
from tests.pipeline.kept_world import invoiced_world
from tests.pipeline.world import DEMO, World
from tests.web.site import Site, site


@dataclass
class Machine:
    """A program with a token."""

    pages: Site
    token: str

    def ask(self, method: str, path: str, status: int, **more: Any) -> TestResponse:
        """One request; its answer has the expected status."""
        headers = {"Authorization": f"Bearer {self.token}"} | more.pop("headers", {})
        answer = self.pages.app.test_client().open(f"/api/v1{path}", method=method, headers=headers, **more)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:2000])
        return answer

    def get(self, path: str, status: int = 200) -> Any:
        """The JSON of an answer."""
        return self.ask("GET", path, status).get_json(force=True)

    def post(self, path: str, status: int = 200, body: Any = None, **headers: str) -> Any:
        """The JSON of an answer to a JSON body."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("POST", path, status, json=body, headers=named).get_json(force=True)


def token(services: Services, seller_id: int = 1, *, writes: bool = True, name: str = "erp") -> str:
    """A fresh token."""
    with services.database.begin() as session:
        return tokens.make(session, seller_id, name, services.clock(), writes=writes, by=None)[1]


def second_seller(services: Services) -> int:
    """Another seller with a store, an order and a document; the document's id."""
    now = services.clock()
    with services.database.begin() as session:
        first = session.get_one(Seller, 1)
        other = Seller(
            nip="5260250274",
            name="Inny Sprzedawca",
            profile=first.profile,
            environment=first.environment,
            schema_version="FA3",
            credential="",
            created_at=now,
        )
        session.add(other)
        session.flush()
        store = Store(
            seller_id=other.id,
            code="inny",
            platform="woocommerce",
            url="",
            config="",
            policy={},
            created_at=now,
        )
        session.add(store)
        session.flush()
        order = ShopOrder(
            store_id=store.id, remote_id="7", number="INNY-7", modified_at=now, content_hash="", seen_at=now
        )
        document = Document(
            seller_id=other.id,
            order=order,
            purpose="invoice",
            kind="VAT",
            state=DocumentState.ATTENTION.value,
            number="INNY/1",
            created_at=now,
            updated_at=now,
        )
        session.add(document)
        session.flush()
        return document.id


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Three published documents, two that need a person, and the second seller's."""
    folder: Path = tmp_path_factory.mktemp("api")
    with invoiced_world(folder, *DEMO) as one:
        second_seller(one.services())
        yield one


@pytest.fixture(scope="module")
def pages(made: World) -> Site:
    """The application."""
    return site(made.services())


@pytest.fixture(scope="module")
def machine(pages: Site) -> Machine:
    """A program of the first seller that may write."""
    return Machine(pages, token(pages.services))


@pytest.fixture(scope="module")
def other(pages: Site) -> Machine:
    """A program of the second seller that may write."""
    return Machine(pages, token(pages.services, 2, name="obcy"))
