"""Commands that talk to a running KSeF sandbox: faults, outages, its clock, its encryption keys."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import click

from connector_app.commands.app import App, Failure, pass_app
from connector_app.commands.bilingual import Command, Group, option
from connector_app.commands.demo_home import DemoHome
from core.calendar import WARSAW
from core.findings import Text

KSEF_PORT = 8090
"""Where the KSeF sandbox listens unless told otherwise."""

_TIMES = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]
_SECONDS = 10
_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])

_KINDS = {
    "slow": "slow",
    "drop-before": "drop_before",
    "drop-after": "drop_after",
    "429": "http_429",
    "500": "http_500",
    "503": "http_503",
    "550": "status_550",
    "expired-token": "http_401",
    "gone": "http_410",
    "refuse": "refuse_code",
    "html": "html",
    "truncate": "truncate",
}
"""Words of the command line to kinds of :mod:`sandbox.ksef.faults`."""


def _port_option(command: _Decorated) -> _Decorated:
    return option(
        "--port",
        type=click.IntRange(1, 65535),
        default=None,
        show_default="demo, 8090",
        pl="Port działającej piaskownicy.",
        en="Port of the running sandbox.",
    )(command)


def _call(app: App, method: str, port: int | None, path: str, body: dict[str, Any] | None = None) -> Any:
    """One operation of the sandbox's own.

    Raises:
        Failure: nothing answers there, or it refuses.
    """
    import requests  # noqa: PLC0415  loads only when something is asked for

    place = port or DemoHome(app.settings.home).ports().get("ksef") or KSEF_PORT
    session = requests.Session()
    session.trust_env = False  # a proxy cannot reach this machine's own sandbox
    try:
        answer = session.request(
            method, f"http://127.0.0.1:{place}/sandbox{path}", json=body, timeout=_SECONDS
        )
    except requests.RequestException:
        raise Failure(
            app.text(
                f"Na porcie {place} nie odpowiada żadna piaskownica.", f"No sandbox answers on port {place}."
            ),
            f"ksef-connector sandbox ksef --port {place}",
        ) from None
    if answer.status_code >= 400:
        raise Failure(_said(answer.json()))
    return answer.json() if answer.content else None


def _said(problem: dict[str, Any]) -> str:
    """The sentences of a refusal, in either form of the contract."""
    inner = problem.get("exception", {}).get("exceptionDetailList", [])
    details = [detail for one in inner for detail in one["details"]]
    return " ".join(details) or str(problem.get("detail", ""))


@click.group(cls=Group, pl="Usterki na żądanie w działającej piaskownicy KSeF; zob. docs/sandbox.md.")
def faults() -> None:
    """Faults on demand in a running KSeF sandbox; see docs/sandbox.md."""


@faults.command(
    pl="""Planuje usterkę: psuje najbliższe wywołania, które pasują do --operation.

    refuse wymaga --value: status (trzy cyfry) albo kod wyjątku (pięć cyfr); slow, 429 i 503 przyjmują w
    nim sekundy.""",
)
@click.argument("kind", type=click.Choice(list(_KINDS)), metavar="KIND")
@option(
    "--operation",
    default="",
    metavar="REGEX",
    pl='Które wywołania: wyrażenie regularne, np. "POST /v2/sessions/online$"; bez tego dowolne.',
    en='Which calls: a regular expression, e.g. "POST /v2/sessions/online$"; any without it.',
)
@option(
    "--times",
    type=click.IntRange(1, 1_000_000),
    default=1,
    show_default=True,
    pl="Ile wywołań.",
    en="How many calls.",
)
@option(
    "--value",
    type=float,
    default=None,
    metavar="N",
    pl="Sekundy albo kod, zależnie od rodzaju.",
    en="Seconds or a code, by the kind.",
)
@_port_option
@pass_app
def add(app: App, kind: str, operation: str, times: int, value: float | None, port: int | None) -> None:
    """Plan a fault: spoil the next calls that match --operation.

    refuse needs --value: a status (three digits) or an exception code (five); slow, 429 and 503 take
    seconds in it.
    """
    body = {"kind": _KINDS[kind], "operation": operation, "times": times, "value": value}
    _call(app, "POST", port, "/faults", body)
    app.say(Text(f"✓ Zaplanowano: {kind}, {times}×.", f"✓ Planned: {kind}, {times}×."))


@faults.command(name="list", pl="Pokazuje usterki, które jeszcze czekają.")
@_port_option
@pass_app
def list_faults(app: App, port: int | None) -> None:
    """List the faults that still wait."""
    words = {kind: word for word, kind in _KINDS.items()}
    waiting = _call(app, "GET", port, "/faults")
    if not waiting:
        app.say(Text("Nie czeka żadna usterka.", "No fault waits."))
    for fault in waiting:
        value = "" if fault["value"] is None else f"  {fault['value']:g}"
        line = f"{words[fault['kind']]}  {fault['times']}×  {fault['operation'] or '.*'}{value}"
        app.out.print(line, markup=False)


@faults.command(pl="Usuwa usterki, które jeszcze czekają.")
@_port_option
@pass_app
def clear(app: App, port: int | None) -> None:
    """Forget the faults that still wait."""
    _call(app, "DELETE", port, "/faults")
    app.say(Text("✓ Usunięto.", "✓ Forgotten."))


@click.group(cls=Group, pl="Niedostępność i awarie, które ogłasza Latarnia piaskownicy.")
def outage() -> None:
    """Maintenance and failures that the sandbox's Latarnia announces."""


@outage.command(pl="Ogłasza planowaną niedostępność; czas warszawski, np. 2026-11-24T20:00.")
@option(
    "--from",
    "start",
    type=click.DateTime(_TIMES),
    default=None,
    show_default="now",
    pl="Początek.",
    en="Beginning.",
)
@option("--until", "end", type=click.DateTime(_TIMES), required=True, pl="Koniec.", en="End.")
@_port_option
@pass_app
def maintenance(app: App, start: datetime | None, end: datetime, port: int | None) -> None:
    """Announce a maintenance; Warsaw time, e.g. 2026-11-24T20:00."""
    _announce(app, port, "MAINTENANCE", start, end)


@outage.command(pl="Zaczyna awarię; trwa, dopóki nie zakończy jej outage end.")
@_port_option
@pass_app
def failure(app: App, port: int | None) -> None:
    """Begin a failure, which goes on until outage end."""
    _announce(app, port, "FAILURE", None, None)


@outage.command(
    name="total-failure", pl="Zaczyna awarię całkowitą; trwa, dopóki nie zakończy jej outage end."
)
@_port_option
@pass_app
def total_failure(app: App, port: int | None) -> None:
    """Begin a total failure, which goes on until outage end."""
    _announce(app, port, "TOTAL_FAILURE", None, None)


@outage.command(name="list", pl="Pokazuje wszystkie ogłoszone zdarzenia.")
@_port_option
@pass_app
def list_outages(app: App, port: int | None) -> None:
    """List every outage that was announced."""
    found = _call(app, "GET", port, "/outages")
    if not found:
        app.say(Text("Niczego nie ogłoszono.", "Nothing was announced."))
    for one in found:
        mark = "●" if one["active"] else " "
        app.out.print(f"{mark} {one['event']}  {_span(one)}", markup=False)


@outage.command(name="end", pl="Kończy zdarzenie o podanym numerze, a bez numeru wszystkie, które trwają.")
@click.argument("event", type=click.IntRange(1), required=False, metavar="[EVENT]")
@_port_option
@pass_app
def end_outage(app: App, event: int | None, port: int | None) -> None:
    """End the event with this number, or without a number all that go on."""
    listed = _call(app, "GET", port, "/outages")
    chosen = [one["event"] for one in listed if one["active"]] if event is None else [event]
    if not chosen:
        app.say(Text("Nic nie trwa.", "Nothing goes on."))
    for number in chosen:
        ended = _call(app, "POST", port, f"/outages/{number}/end", {})
        app.say(Text(f"✓ Zakończono: {_span(ended)}", f"✓ Ended: {_span(ended)}"))


@click.command(cls=Command, pl="Przesuwa zegar piaskownicy do przodu.")
@option("--days", type=float, default=0.0, pl="O ile dni.", en="By so many days.")
@option("--hours", type=float, default=0.0, pl="O ile godzin.", en="By so many hours.")
@option("--minutes", type=float, default=0.0, pl="O ile minut.", en="By so many minutes.")
@_port_option
@pass_app
def clock(app: App, days: float, hours: float, minutes: float, port: int | None) -> None:
    """Move the sandbox's clock forward."""
    seconds = ((days * 24 + hours) * 60 + minutes) * 60
    now = _call(app, "POST", port, "/clock", {"advanceSeconds": seconds})["now"]
    app.out.print(_warsaw(now), markup=False)


@click.command("revoke-keys", cls=Command, pl="Wycofuje klucze szyfrowania piaskownicy i ogłasza nowe.")
@_port_option
@pass_app
def revoke_keys(app: App, port: int | None) -> None:
    """Withdraw the sandbox's encryption keys and publish new ones."""
    _call(app, "POST", port, "/keys/rotate", {})
    app.say(Text("✓ Wycofano klucze.", "✓ The keys are withdrawn."))


def _announce(
    app: App, port: int | None, category: str, start: datetime | None, end: datetime | None
) -> None:
    times = {"start": start, "end": end}
    body = {name: at.replace(tzinfo=WARSAW).isoformat() for name, at in times.items() if at is not None}
    made = _call(app, "POST", port, "/outages", {"category": category} | body)
    app.say(
        Text(f"✓ Ogłoszono {made['event']}: {_span(made)}", f"✓ Announced {made['event']}: {_span(made)}")
    )


def _span(one: dict[str, Any]) -> str:
    return f"{one['category']}  {_warsaw(one['start'])} – {_warsaw(one['end']) if one['end'] else '…'}"


def _warsaw(moment: str) -> str:
    return f"{datetime.fromisoformat(moment).astimezone(WARSAW):%Y-%m-%d %H:%M}"
