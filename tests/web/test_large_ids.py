"""Numbers that no id can be: not found on either database, where PostgreSQL itself would fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector_app.web.api import tokens
from tests.pipeline.world import world
from tests.web.site import site

TOO_LARGE = (2**31, 10**15, 2**70)


@pytest.mark.both_databases
def test_too_large_a_number_is_not_found(tmp_path: Path) -> None:
    """In addresses of pages, in forms and in the interface for machines."""
    with world(tmp_path, []) as made:
        made.prepare()
        services = made.services()
        pages = site(services)
        browser = pages.user()
        with services.database.begin() as session:
            token = tokens.make(session, 1, "erp", services.clock(), writes=False, by=None)[1]
        machine, header = pages.app.test_client(), {"Authorization": f"Bearer {token}"}
        for number in TOO_LARGE:
            browser.get(f"/documents/{number}", 404)
            browser.get(f"/orders/{number}", 404)
            browser.get(f"/documents?ids={number}")
            answer = machine.get(f"/api/v1/documents/{number}", headers=header)
            assert answer.status_code == 404, number
            answer = machine.get(f"/api/v1/events?after={number}", headers=header)
            assert answer.status_code == 400, number
        browser.get(f"/documents/{2**31 - 1}", 404)
