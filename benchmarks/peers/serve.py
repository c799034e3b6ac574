"""The peer's end of the talk: invoices once, then a round for each line on standard input."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from importlib import metadata
from typing import Any


def serve(distribution: str, work: Callable[[dict[str, Any]], bytes]) -> None:
    """Answer until standard input ends.

    Args:
        distribution: the library's name on PyPI.
        work: builds, checks, hashes and encrypts one invoice; gives its XML.
    """
    invoices: list[dict[str, Any]] = []
    calls = 1
    for line in sys.stdin:
        question: dict[str, Any] = json.loads(line)
        if "invoices" in question:
            invoices = question["invoices"]
            answer: dict[str, Any] = {"version": metadata.version(distribution)}
            try:
                calls = _prepare(invoices, question, work)
            except Exception as error:
                answer["error"] = f"skipped: {type(error).__name__}: {str(error)[:200]}"
        else:
            answer = {"seconds": _round(invoices, calls, work)}
        print(json.dumps(answer), flush=True)


def _prepare(
    invoices: list[dict[str, Any]], question: dict[str, Any], work: Callable[[dict[str, Any]], bytes]
) -> int:
    for one in invoices[:3]:
        total = f"<P_15>{one['total']}</P_15>".encode()
        if total not in work(one):
            raise ValueError(f"its document of {one['number']} has another total")
    started = time.perf_counter()
    work(invoices[0])
    spent = time.perf_counter() - started
    return max(1, min(int(question["most_calls"]), int(question["seconds"] / spent)))


def _round(invoices: list[dict[str, Any]], calls: int, work: Callable[[dict[str, Any]], bytes]) -> float:
    spent = []
    for number in range(calls):
        started = time.perf_counter()
        work(invoices[number % len(invoices)])
        spent.append(time.perf_counter() - started)
    return statistics.median(spent)
