"""Probes, health and metrics: true answers, and no store's name for strangers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from connector_app.measures import HOOKS
from connector_app.settings import Settings
from connector_app.store.people import Role
from connector_app.web.here import Pulse, WebOptions
from tests.pipeline.world import World
from tests.web.site import Site, site

FAR = {"REMOTE_ADDR": "203.0.113.9"}
TOKEN = "t-metryki"


def numbers(body: str) -> dict[str, float]:
    """Metrics by their names and labels."""
    return {
        f"{one.name}{sorted(one.labels.items()) if one.labels else ''}": one.value
        for family in text_string_to_metric_families(body)
        for one in family.samples
    }


def test_liveness_looks_at_nothing_else(made: World) -> None:
    """A database that is away restarts nobody; ready the process is not."""
    services = made.services()
    pages = site(services)
    client = pages.app.test_client()
    assert client.get("/readyz").get_json() == {
        "status": "ok",
        "checks": {"database": True, "migrations": True, "background": True},
    }
    with services.database.begin() as session:
        session.execute(text("ALTER TABLE alembic_version RENAME TO elsewhere"))
    assert client.get("/healthz").get_json() == {"status": "ok"}
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["checks"]["database"] is False


def test_an_older_form_of_the_tables_is_not_ready(made: World) -> None:
    services = made.services()
    with services.database.begin() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    answer = site(services).app.test_client().get("/readyz")
    assert (answer.status_code, answer.get_json()["checks"]["migrations"]) == (503, False)


def test_a_silent_background_is_not_ready(made: World) -> None:
    services = made.services()
    pages = site(services, pulse=Pulse(started=services.clock() - timedelta(hours=1)))
    client = pages.app.test_client()
    assert client.get("/readyz").get_json()["checks"]["background"] is False
    assert client.get("/healthz").status_code == 200


def test_health_names_stores_to_this_machine_and_its_owners_only(pages: Site) -> None:
    """A proxy that nobody told the program of makes every visitor look local, and is seen through."""
    stranger = pages.app.test_client()
    assert stranger.get("/health").get_json()["stores"][0]["code"] == "test"
    assert stranger.get("/health", environ_base=FAR).get_json() == {"status": "ok"}
    forwarded = {"X-Forwarded-For": "203.0.113.9"}
    assert stranger.get("/health", headers=forwarded).get_json() == {"status": "ok"}
    owner, viewer = pages.user(), pages.user("v@sklep.example", is_admin=False, seller_1=Role.VIEWER)
    assert "stores" in owner.client.get("/health", environ_base=FAR).get_json()
    assert viewer.client.get("/health", environ_base=FAR).get_json() == {"status": "ok"}


def test_behind_a_proxy_the_client_counts(made: World) -> None:
    pages = site(made.services(), WebOptions(limits=False, proxies=1))
    client = pages.app.test_client()
    assert "stores" not in client.get("/health", headers={"X-Forwarded-For": "203.0.113.9"}).get_json()
    spoofed = {"X-Forwarded-For": "127.0.0.1, 203.0.113.9"}
    assert "stores" not in client.get("/health", headers=spoofed).get_json()
    assert client.get("/metrics", headers=spoofed).status_code == 404
    assert "stores" in client.get("/health", headers={"X-Forwarded-For": "127.0.0.1"}).get_json()


def test_metrics_without_a_token_are_for_this_machine(pages: Site) -> None:
    client = pages.app.test_client()
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", environ_base=FAR).status_code == 404
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "::1"}).status_code == 200
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "::ffff:127.0.0.1"}).status_code == 200


def test_metrics_with_a_token_need_it_everywhere(made: World) -> None:
    client = site(made.services(), WebOptions(limits=False, metrics_token=TOKEN)).app.test_client()
    good = {"Authorization": f"Bearer {TOKEN}"}
    assert client.get("/metrics", headers=good, environ_base=FAR).status_code == 200
    for bad in ({}, {"Authorization": "Bearer x"}, {"Authorization": TOKEN}):
        assert client.get("/metrics", headers=bad).status_code == 401


def test_metrics_count_what_there_is(made: World) -> None:
    made.counts_requests = True
    made.run()
    services = made.services()
    services.measures.count(HOOKS, "failed")
    pages = site(services)
    client = pages.app.test_client()
    client.get("/healthz")
    client.get("/sellers/1234567890/nothing")
    found = numbers(client.get("/metrics").text)
    assert found["ksef_connector_documents[('state', 'published'), ('store', 'test')]"] == 1
    assert found["ksef_connector_queue[('queue', 'upos')]"] == 0
    assert 0 < found["ksef_connector_credential_days_left[('kind', 'certificate'), ('store', 'test')]"] < 366
    assert found["ksef_connector_hook_tries_total[('result', 'failed')]"] == 1
    assert found["ksef_connector_database_up"] == 1
    assert found["ksef_connector_http_requests_total[('endpoint', 'healthz'), ('status', '200')]"] == 1
    host = made.ksef.api_url.split("/")[2]
    sent = f"[('environment', '{host}'), ('group', 'invoiceSend')]"
    assert found[f"ksef_connector_ksef_requests_hour{sent}"] == 1
    assert found[f"ksef_connector_ksef_requests_left{sent}"] == 179


def test_metrics_name_no_person_seller_or_address(made: World) -> None:
    made.run()
    client = site(made.services()).app.test_client()
    client.open("/sellers/5265877635/machines", method="ZMYSLONA")
    body = client.get("/metrics").text
    document = made.by_order()["15"]
    for word in ("5265877635", "Sklep Testowy", str(document.buyer_name), str(document.number), "ZMYSLONA"):
        assert word not in body


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/api/v1/openapi.json"])
def test_probes_set_no_cookie(pages: Site, path: str) -> None:
    assert "Set-Cookie" not in pages.app.test_client().get(path).headers


def test_the_token_of_metrics_comes_from_the_environment_and_stays_out_of_texts() -> None:
    settings = Settings.from_environment({"KSEF_CONNECTOR_METRICS_TOKEN": f" {TOKEN}\n"})
    assert settings.metrics_token == TOKEN
    assert TOKEN not in repr(settings) + repr(WebOptions(metrics_token=TOKEN))
