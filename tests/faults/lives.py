"""Runs an installation's background work in child processes that die by SIGKILL where a run says.

Started as ``python -m tests.faults.lives``. Each line on standard input is a JSON object: a plan of the
installation and one life of its process; each is answered by one line that says how it ended. Everything is
imported, and every SQL statement compiled, before the first child is forked, so that a life begins at once.
"""

from __future__ import annotations

import faulthandler
import gc
import importlib
import json
import logging
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from adapters.contract import Entity, ShopAdapter, ShopEvent
from connector_app.background import Background
from connector_app.ksef_access import Connections
from connector_app.ksef_budget import StoredBudget
from connector_app.ksef_notices import NoticeBook
from connector_app.pipeline import events
from connector_app.pipeline.runner import Runner
from connector_app.pipeline.services import Services
from connector_app.running.alone import RUNNER
from connector_app.settings import Settings
from connector_app.store.database import open_database
from connector_app.store.locks import lock
from connector_app.store.models import Store
from connector_app.store.proofs import SessionUpo
from connector_app.vault import Vault
from connector_app.web.here import Pulse
from core.ksef.client import KsefClient
from core.ksef.environments import Environment
from core.ksef.limits import PlannedBudget
from tests import one_compiler, proxies_at_a_glance
from tests.faults import breaking
from tests.faults.clock import SharedClock, WorldClock
from tests.faults.installing import install

HUNG = 120
"""Real seconds after which a life counts as hung."""

_REST = timedelta(hours=12)
_A_MOMENT = 1.0
"""Real seconds to wait for what comes at once, unless the process is killed before."""
_LOOKS = 30


@dataclass(slots=True)
class Ended:
    """How one life ended.

    Attributes:
        codes: of each process: 0, or -9 for a kill. killed_at: code places of kills at commits.
        passed: commits by code place.
        errors: what was logged as an error. breakings: faults inside the
            process that really happened. passes: rounds of work. seconds: real time.
    """

    codes: list[int] = field(default_factory=list)
    killed_at: list[str] = field(default_factory=list)
    passed: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    breakings: Counter[str] = field(default_factory=Counter)
    passes: int = 0
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """The answer's object."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Ended:
        """What :meth:`as_json` gave."""
        made = cls(**values)
        made.passed, made.breakings = Counter(made.passed), Counter(made.breakings)
        return made


class QuickBackground(Background):
    """The application's own background work by a moved clock."""

    def __init__(self, services: Services, clock: WorldClock) -> None:
        super().__init__(services, Pulse(started=clock()), 20.0)
        self._clock = clock

    @property
    def problems(self) -> list[str]:
        """What the last round said of what holds something up."""
        return self._pulse.problems

    def _runner(self) -> Runner:
        return Runner(self._services, self._clock.sleep, keep_sessions=True, monotonic=self._clock.seconds)


def services_of(plan: Mapping[str, Any], clock: WorldClock) -> Services:
    """Open an installation as a new process does."""
    settings = Settings(home=Path(plan["home"]), database_url=plan["database"])
    settings.prepare()
    database = open_database(settings.database)

    def client(environment: Environment, budget: PlannedBudget | None) -> KsefClient:
        return KsefClient(environment, budget=budget, clock=clock, sleep=clock.sleep, jitter=lambda: 0.5)

    def budget(environment: Environment) -> StoredBudget:
        return StoredBudget(database, environment.api_url, clock)

    def shop(platform: str, config: Mapping[str, str], /, **_keeping: object) -> ShopAdapter:
        adapter: ShopAdapter = importlib.import_module(f"adapters.{platform}").connect(
            config, clock=clock, sleep=clock.sleep, jitter=lambda: 0.5
        )
        return adapter

    return Services(
        database=database,
        vault=Vault.open(settings.key_file),
        clock=clock,
        work_dir=settings.home / "work",
        connections=Connections(
            budget if plan["counts"] else None,
            client,
            lambda environment: NoticeBook(database, environment.api_url, clock),
        ),
        connect_shop=shop,
    )


def live(plan: Mapping[str, Any], life: Mapping[str, Any], clock: SharedClock, say: breaking.Say) -> None:
    """One life of the process that does an installation's work, to its own end."""
    settings = Settings(home=Path(plan["home"]), database_url=plan["database"])
    settings.home.mkdir(parents=True, exist_ok=True)
    services = services_of(plan, clock)
    with lock(services.database, RUNNER, on_wait=lambda: say("waited", "")):
        install(services, plan)
        _hear(services, life["heard"])
        background = QuickBackground(services, clock)
        trouble = breaking.begin(life["breaking"], services, clock, say)
        say("begun", "")
        until = clock.seconds() + life["seconds"]
        while True:
            background.one_pass(timedelta(seconds=life["every"]), look=life["looks"])
            say("pass", "")
            trouble.after_pass()
            if clock.seconds() >= until:
                break
            # as the application does between two looks
            clock.sleep(life["every"])
        if life["rests"]:
            rest(background, services, clock)
        if life["closes"]:
            Runner(services).close_sessions()
        for problem in background.problems:
            say("problem", json.dumps(problem))


def rest(background: Background, services: Services, clock: WorldClock) -> None:
    """Work until nothing is left, also of what nothing else waits for."""
    for _ in range(_LOOKS):
        background.one_pass(_REST, look=True)
        Runner(services).close_sessions()
        clock.sleep(3600)
        with services.database() as session:
            if (
                session.scalar(select(SessionUpo.reference).where(SessionUpo.ended_at.is_(None)).limit(1))
                is None
            ):
                break


def _hear(services: Services, heard: list[list[str]]) -> None:
    """Receive webhooks as the web application does once it has verified them."""
    for code, topic, entity, entity_id, order_id in heard:
        with services.database() as session:
            store = session.scalars(select(Store.id).where(Store.code == code)).one()
        event = ShopEvent(topic, Entity(entity), entity_id, order_id, services.clock())
        events.receive(services, store, [event])


def main() -> None:
    """Serve lives until standard input ends."""
    one_compiler.share()
    proxies_at_a_glance.share()
    for name in ("KSEF_CONNECTOR_NBP_URL", "KSEF_CONNECTOR_VAT_LIST_URL", "KSEF_CONNECTOR_VIES_URL"):
        os.environ[name] = "off"
    logging.getLogger().setLevel(logging.ERROR)
    for line in sys.stdin:
        asked = json.loads(line)
        plan, life = asked["plan"], asked["life"]
        clock = SharedClock(Path(plan["clock"]))
        if life["mode"] == "warm":
            live(plan, life, clock, lambda _kind, _text: None)
            gc.collect()
            gc.freeze()
            answer = Ended()
        else:
            answer = _run(plan, life, clock)
        print(json.dumps(answer.as_json()), flush=True)


def _run(plan: Mapping[str, Any], life: Mapping[str, Any], clock: SharedClock) -> Ended:
    began = time.monotonic()
    ended = Ended()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "said"
        children = [_fork(plan, life, clock, log)]
        if life["pair"]:
            _until_said(log, "begun")
            children.append(_fork(plan, {**life, "mode": "clean"}, clock, log))
        other = breaking.beside(life["breaking"], plan, lambda: _until_said(log, "begun"))
        if life["mode"] == "timed":
            time.sleep(life["after"])
            os.kill(children[0], signal.SIGKILL)
        ended.codes = [_wait(child) for child in children]
        if other is not None:
            _wait(other)
        for said in log.read_text("utf-8").splitlines() if log.exists() else []:
            kind, _, text = said.partition(" ")
            match kind:
                case "commit":
                    ended.passed[text] += 1
                case "killed":
                    ended.killed_at.append(text)
                case "pass":
                    ended.passes += 1
                case "begun":
                    pass
                case "problem":
                    ended.problems.append(json.loads(text))
                case "error":
                    ended.errors.append(json.loads(text))
                case _:
                    ended.breakings[kind] += 1
    ended.seconds = time.monotonic() - began
    return ended


def _until_said(log: Path, what: str) -> None:
    """Wait a moment until a child has said something, or has ended before it could."""
    deadline = time.monotonic() + _A_MOMENT
    while time.monotonic() < deadline and not (log.exists() and f"{what} \n" in log.read_text("utf-8")):
        time.sleep(0.002)


def _wait(child: int) -> int:
    """How a child ended; one that hangs is ended by SIGABRT, which prints where it hung."""
    deadline = time.monotonic() + HUNG
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGABRT)
            deadline += HUNG
        time.sleep(0.002)


def _fork(plan: Mapping[str, Any], life: Mapping[str, Any], clock: SharedClock, log: Path) -> int:
    child = os.fork()
    if child:
        return child
    try:
        faulthandler.enable()
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

        def say(kind: str, text: str) -> None:
            os.write(descriptor, f"{kind} {text}\n".encode())

        logging.getLogger().handlers = [breaking.ErrorsSaid(say)]
        breaking.watch_commits(life, say)
        live(plan, life, clock, say)
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        faulthandler.dump_traceback()
        os._exit(3)
    os._exit(0)


def forget(home: Path) -> None:
    """Remove an installation."""
    shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
