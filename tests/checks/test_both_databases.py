"""The checks on SQLite and on PostgreSQL: they say the same of a clean month and of a broken one."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from connector_app.checks.installation.run import Installation, examine
from connector_app.checks.installation.said import Area
from connector_app.checks.report import Part, Result
from connector_app.running.alone import RUNNER
from connector_app.store.locks import lock
from tests.checks.broken import Shelf
from tests.pipeline.refunds import ONE_MUG, refund
from tests.pipeline.world import recorded, world

pytestmark = pytest.mark.both_databases


def test_the_checks_say_the_same_on_every_database(tmp_path: Path) -> None:
    """Series, orders, refunds and KSeF; then rows are changed past the program."""
    with world(tmp_path, [recorded("order_full"), recorded("order_full", id=16, number="16")]) as made:
        made.prepare()
        made.run()
        refund(made, ONE_MUG)
        made.run()
        made.clock.sleep(2 * 3600)
        shelf, services = Shelf(made), made.services()
        report = shelf.check()
        assert (report.totals, report.result) == ({}, Result.PROVED), report.as_json()
        assert report.parts[Part.REFUNDS].counts["corrected"] == 1
        with services.database.begin() as session:
            session.execute(text("UPDATE stores SET looked_at = NULL"))
        with lock(services.database, RUNNER):
            found = examine(Installation.of(services), services.clock(), network=False)
        # the server has the machine's clock, and the world one of its own
        codes = [one.code for one in found.said if one.code != "database-clock"]
        assert codes == ["store-silent"], [one.what.en for one in found.said]
        assert found.areas[Area.ARCHIVE].facts[0].en == "Documents looked at: 3"
        with services.database.begin() as session:
            for statement in (
                "UPDATE documents SET number = 'FV/2026/11/0009' WHERE number = 'FV/2026/11/0001'",
                "UPDATE orders SET snapshot = NULL, number = '15b' WHERE number = '15'",
                "UPDATE documents SET state = 'waiting', xml = NULL, xml_sha256 = NULL, number = NULL, "
                "issued_on = NULL, ksef_number = NULL, upo = NULL, upo_sha256 = NULL "
                "WHERE number = 'FV/2026/11/0002'",
            ):
                session.execute(text(statement))
        assert shelf.codes() == {
            "ksef-only": 1,
            "number-missing": 3,
            "counter-behind": 1,
            "order-due-not-issued": 1,
            "file-says-otherwise": 1,
            "ksef-differs": 1,
        }
