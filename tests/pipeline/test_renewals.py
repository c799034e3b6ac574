"""What ends soon is told 60, 30 and 7 days ahead, with what to do, in both languages."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from connector_app.background import Background
from connector_app.renewals import Held, HeldKind, notices
from connector_app.web.app import Pulse
from core.findings import Severity
from tests.pipeline.world import world
from tests.web.site import site

NIP = "5265877635"
DAY = date(2026, 11, 24)
NOON = time(12, 0, tzinfo=UTC)


def in_days(days: int) -> datetime:
    return datetime.combine(DAY + timedelta(days=days), NOON)


@pytest.mark.parametrize("kind", [HeldKind.CERTIFICATE, HeldKind.OFFLINE])
@pytest.mark.parametrize(
    ("days", "code", "severity"),
    [
        (730, None, None),
        (61, None, None),
        (60, "ends-60", Severity.WARNING),
        (31, "ends-60", Severity.WARNING),
        (30, "ends-30", Severity.WARNING),
        (8, "ends-30", Severity.WARNING),
        (7, "ends-7", Severity.ERROR),
        (1, "ends-7", Severity.ERROR),
        (0, "ends-7", Severity.ERROR),
        (-1, "ended", Severity.ERROR),
        (-400, "ended", Severity.ERROR),
    ],
)
def test_certificates_are_told_in_stages(
    kind: HeldKind, days: int, code: str | None, severity: Severity | None
) -> None:
    """Each stage begins on its day and lasts until the next one; each sentence has the number and the day."""
    found = notices([Held(NIP, kind, in_days(days), "0123456789ABCDEF")], DAY)
    assert [(one.code, one.severity) for one in found] == ([(f"{kind}-{code}", severity)] if code else [])
    for one in found:
        for text in (one.message.pl, one.message.en):
            assert NIP in text
            assert "0123456789ABCDEF" in text
            assert str(DAY + timedelta(days=days)) in text
        wanted = "offline" if kind is HeldKind.OFFLINE else "authentication"
        assert f"certificates enroll --kind {wanted}" in one.hint.pl
        assert f"certificates enroll --kind {wanted}" in one.hint.en


def test_the_day_that_counts_is_the_warsaw_day() -> None:
    """A certificate that ends at 23:30 UTC ends on the next day in Poland."""
    (found,) = notices(
        [Held(NIP, HeldKind.CERTIFICATE, datetime(2026, 12, 24, 23, 30, tzinfo=UTC), "1")], DAY
    )
    assert "2026-12-25 (za 31 dni)" in found.message.pl
    assert found.code == "certificate-ends-60"


@pytest.mark.parametrize(
    ("day", "code"),
    [
        (date(2026, 11, 1), "token-ends-60"),
        (date(2026, 11, 24), "token-ends-60"),
        (date(2026, 12, 1), "token-ends-30"),
        (date(2026, 12, 31), "token-ends-7"),
        (date(2027, 1, 1), "token-ended"),
    ],
)
def test_tokens_end_by_law(day: date, code: str) -> None:
    """The day comes from the law, whose basis is named, and the hint leads to certificates."""
    (found,) = notices([Held(NIP, HeldKind.TOKEN)], day)
    assert found.code == code
    assert "2026-12-31" in found.message.pl
    assert "Dz.U. 2025 poz. 1815" in found.message.pl
    assert "certificates enroll" in found.hint.pl


def test_another_end_of_tokens_is_believed() -> None:
    """When the law changes, the setting changes the day and nothing else."""
    held = [Held(NIP, HeldKind.TOKEN)]
    assert notices(held, DAY, date(2027, 12, 31)) == []
    (found,) = notices(held, date(2027, 12, 20), date(2027, 12, 31))
    assert found.code == "token-ends-30"
    assert "2027-12-31" in found.message.en


@pytest.mark.parametrize(
    ("until", "code", "severity"),
    [
        (in_days(7), "sign-in-ends-7", Severity.WARNING),
        (in_days(2), "sign-in-ends-7", Severity.ERROR),
        (in_days(-1), "sign-in-ended", Severity.ERROR),
        (None, "sign-in-ended", Severity.ERROR),
    ],
)
def test_sign_ins_made_outside_are_always_told(until: datetime | None, code: str, severity: Severity) -> None:
    """Who has no key learns until when it goes on without a signature."""
    (found,) = notices([Held(NIP, HeldKind.SIGN_IN, until)], DAY)
    assert (found.code, found.severity) == (code, severity)
    assert "auth request" in found.hint.pl


def test_the_nearest_end_comes_first() -> None:
    """What is most urgent is read first, whoever it belongs to."""
    held = [
        Held("5260250274", HeldKind.CERTIFICATE, in_days(50), "A"),
        Held(NIP, HeldKind.OFFLINE, in_days(-3), "B"),
        Held(NIP, HeldKind.TOKEN),
    ]
    assert [one.code for one in notices(held, DAY)] == [
        "offline-ended",
        "token-ends-60",
        "certificate-ends-60",
    ]


def test_the_running_application_shows_what_ends(tmp_path: Path) -> None:
    """The first page and the JSON of health show it as no fault of the process."""
    with world(tmp_path, []) as made:
        made.prepare(token="20261124-EC-0000000000-0000000000-00|nip-5265877635|" + "0" * 64)
        services, pulse = made.services(), Pulse(started=made.clock())
        background = Background(services, pulse, every=1)
        for _ in range(2):
            background.one_pass(timedelta(0), look=True)
        assert [one for one in pulse.notices if "tokeny KSeF" in one] == pulse.notices != []
        browser = site(services, pulse=pulse).user()
        told = json.loads(browser.get("/health"))
        assert (told["status"], told["notices"]) == ("ok", pulse.notices)
        assert "2026-12-31" in pulse.notices[0]
        assert "certificates enroll" in browser.get("/")
