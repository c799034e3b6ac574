"""Threads that write wait in a line: in the order in which they came, and never for ever."""

from __future__ import annotations

import threading
from contextlib import suppress

from connector_app.store.line import Line

_SECONDS = 10.0


class _Boom(Exception):
    pass


def test_they_are_let_in_as_they_came() -> None:
    """Nobody overtakes, though the one who writes comes again at once."""
    line, order = Line(), []

    def write(name: int) -> None:
        with line.turn(_SECONDS):
            order.append(name)

    threads = []
    with line.turn(_SECONDS):
        for name in range(5):
            thread = threading.Thread(target=write, args=(name,))
            threads.append(thread)
            thread.start()
            _wait_until(line, name + 1)
    write(99)
    for thread in threads:
        thread.join(_SECONDS)
    assert order == [0, 1, 2, 3, 4, 99]


def test_a_failure_lets_the_next_one_in() -> None:
    """An exception inside ends the turn like any other end."""
    line = Line()
    with suppress(_Boom), line.turn(_SECONDS):
        raise _Boom
    entered = False
    with line.turn(0):
        entered = True
    assert entered


def test_whoever_waited_too_long_goes_on_and_takes_nobodys_turn() -> None:
    """The database decides then; the line is as it was for the others."""
    line = Line()
    inside: list[float] = []
    with line.turn(_SECONDS):
        late = threading.Thread(target=lambda: _enter(line, inside, 0.01))
        late.start()
        late.join(_SECONDS)
        assert inside == [0.01]
        patient = threading.Thread(target=lambda: _enter(line, inside, _SECONDS))
        patient.start()
        _wait_until(line, 1)
        assert inside == [0.01]
    patient.join(_SECONDS)
    assert inside == [0.01, _SECONDS]


def _enter(line: Line, inside: list[float], patience: float) -> None:
    with line.turn(patience):
        inside.append(patience)


def _wait_until(line: Line, waiting: int) -> None:
    """Until so many stand in the line."""
    pause = threading.Event()
    for _ in range(1000):
        if line.waiting == waiting:
            return
        pause.wait(0.005)
    raise AssertionError(f"{line.waiting} wait, not {waiting}")
