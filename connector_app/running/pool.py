"""Working processes on this machine: Celery's pool of forked processes, each with its own connections.

Stopping: SIGTERM lets each process finish the step under way and write its turn back; a second one, or
SIGQUIT, ends them at once, and so does SIGKILL. A turn that was cut short is given out again: at once where
the broker sees the connection end (RabbitMQ), else after a minute.
"""

from __future__ import annotations

import mmap
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from celery import Celery
from celery.signals import worker_process_init, worker_process_shutdown, worker_shutting_down

from connector_app.pipeline.services import Services
from connector_app.running import workers
from connector_app.running.broker import TASK, keep_our_logging, make_celery, queue_of
from connector_app.running.process import Duties, Process
from connector_app.running.turns import Ticket
from connector_app.running.workers import Presence
from connector_app.settings import Settings
from connector_app.store.running import Kind


class Pool:
    """The working processes of one machine.

    Args:
        settings: with a broker.
        duties: how the work is to be done.
        open_installation: called in each process, after the fork.
    """

    def __init__(self, settings: Settings, duties: Duties, open_installation: Callable[[], Services]) -> None:
        self._settings, self._duties, self._open = settings, duties, open_installation
        # one byte that all forked processes see: the signal comes to their parent only
        self._flag = mmap.mmap(-1, 1)
        self._asked = 0
        self._process: Process | None = None

    def run(self, processes: int, *, with_beat: bool = False) -> int:
        """Work until a signal ends it.

        Args:
            processes: how many.
            with_beat: give out work as well.

        Returns:
            The exit code.
        """
        app = make_celery(self._settings)
        app.task(self._do, name=TASK, ignore_result=True)
        # signals hold their receivers weakly
        kept = [keep_our_logging(), self._begin, self._finish, self._shutting_down]
        worker_process_init.connect(self._begin)
        worker_process_shutdown.connect(self._finish)
        worker_shutting_down.connect(self._shutting_down)
        beat = _Beat() if with_beat else None
        try:
            worker = _worker(app, self._settings, processes)
            worker.start()
            return int(worker.exitcode or 0)
        finally:
            if beat is not None:
                beat.stop()
            kept.clear()

    def _do(self, kind: str, subject: int, number: int) -> None:
        assert self._process is not None, "Celery opens each process before it gets work"
        self._process.do(Ticket(Kind(kind), subject, number))

    def _stopped(self) -> bool:
        return self._flag[0] != 0

    def _begin(self, **_named: Any) -> None:
        services = replace(self._open(), public_url=self._duties.public_url)
        process = Process(services, self._duties, self._stopped)
        presence = Presence(services, workers.WORKER, on_beat=process.still_at_it)
        presence.__enter__()
        process.presence, self._process = presence, process

    def _finish(self, **_named: Any) -> None:
        if self._process is not None and self._process.presence is not None:
            self._process.presence.__exit__(None, None, None)

    def _shutting_down(self, sig: str = "", **_named: Any) -> None:
        self._flag[0] = 1
        self._asked += 1
        if self._asked == 2 and sig == "SIGTERM":
            os.kill(os.getpid(), signal.SIGQUIT)


def _worker(app: Celery, settings: Settings, processes: int) -> Any:
    return app.Worker(
        hostname=f"{settings.queue}@{socket.gethostname()}-{os.getpid()}",
        pool="prefork",
        concurrency=processes,
        queues=[queue_of(settings)],
        without_gossip=True,
        without_mingle=True,
        quiet=True,
        loglevel="WARNING",
    )


class _Beat:
    """``ksef-connector beat`` as a process beside the workers, begun again when it ends by itself.

    It sees when this process is gone, however that ended.
    """

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="beat", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._stopped.set()
        if self._child is not None:
            self._child.terminate()
        self._thread.join()

    def _run(self) -> None:
        start = "from connector_app.cli import main; main()"
        words = [sys.executable, "-c", start, "beat", "--beside", str(os.getpid())]
        while not self._stopped.is_set():
            self._child = subprocess.Popen(words)  # noqa: S603  this very program
            self._child.wait()
            self._stopped.wait(1.0)
