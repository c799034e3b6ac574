"""The scenarios of ``make load``: what each runs at which size, and how the report tells of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from benchmarks.load import at_once, burst, full_database, many_sellers
from benchmarks.load.processes import Usage
from benchmarks.load.watching import Progress

_MEMORY_GOAL = 250
_MINUTES_GOAL = 15 * 60
_ANSWER_GOAL = 100
_LEAST_OF_SERVERS = 0.01
"""Scale below which PostgreSQL and workers are left out: their start alone takes longer."""


Table = tuple[Sequence[str], Sequence[Sequence[str]]]
"""A header and rows."""


@dataclass(slots=True)
class Chapter:
    """What one scenario gave, for people and for machines.

    Attributes:
        title: of the chapter.
        what: sentences about what was run.
        tables: each a header and rows.
        goals: each a sentence and whether it was met; ``None``: it cannot be said.
        raw: JSON-ready numbers.
    """

    title: str
    what: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    goals: list[tuple[str, bool | None]] = field(default_factory=list)
    raw: list[Any] = field(default_factory=list)


def orders_at_once(scale: float, progress: Progress) -> Chapter:
    """Scenario a."""
    sizes = sorted({_sized(1_000, scale), _sized(10_000, scale)})
    chapter = Chapter(f"a. {sizes[-1]:,} orders at once for one seller".replace(",", " "))
    chapter.what.append(
        "`ksef-connector serve` with SQLite beside a WooCommerce shop that holds so many paid orders of five "
        "lines; the time runs from the start of the program until every order has its KSeF number as "
        "metadata and in two notes (the merchant's and the buyer's)."
    )
    results = [at_once.run(size, progress) for size in sizes]
    chapter.raw = [asdict(one) for one in results]
    rows = []
    for one in results:
        seconds = one.watch.seconds
        rows.append(
            [
                str(one.orders),
                *(
                    f"{seconds[name]:.0f}"
                    for name in ("taken in", "issued", "accepted", "in the shop", "with UPO")
                ),
                f"{1000 * seconds['in the shop'] / one.orders:.1f}",
                f"{one.watch.usage['application'].peak:.0f}",
                str(_refused(one.ksef)),
            ]
        )
    chapter.tables.append(
        (
            (
                "orders", "taken in, s", "issued, s", "accepted, s", "in the shop, s", "all UPOs, s",
                "ms per order", "memory, MiB", "429",
            ),
            rows,
        )
    )  # fmt: skip
    last = results[-1]
    chapter.tables.append(_shares(last.watch.usage, last.watch.seconds["with UPO"]))
    chapter.tables.append(_answers("KSeF", last.ksef))
    chapter.tables.append(_answers("shop", last.shop))
    whole = last.watch.seconds["in the shop"]
    peak = last.watch.usage["application"].peak
    exact = last.numbered == last.orders and last.notes == 2 * last.orders
    chapter.goals = [
        (f"minutes until all numbers are in the shop: {whole / 60:.1f}", whole <= _MINUTES_GOAL),
        (f"no 429 of KSeF: {_refused(last.ksef)}", _refused(last.ksef) == 0),
        (f"at most {_MEMORY_GOAL} MiB of memory: {peak:.0f}", peak <= _MEMORY_GOAL),
        (f"each order one number and two notes: {last.numbered}, {last.notes}", exact),
    ]
    return chapter


def many_sellers_at_once(scale: float, progress: Progress) -> Chapter:
    """Scenario b."""
    sellers, orders = _sized(100, min(1.0, scale * 10)), _sized(20, scale)
    chapter = Chapter(f"b. {sellers} sellers, {orders} orders of each")
    chapter.what.append(
        "Each seller has a shop and a KSeF context. First one `serve` process with SQLite, then `worker` "
        "processes with PostgreSQL and RabbitMQ; sandboxes, database and broker share the same cores."
    )
    kinds = [0, 1, 2, 4] if scale >= _LEAST_OF_SERVERS and many_sellers.can_scale_out() else [0]
    if len(kinds) == 1:
        chapter.what.append("Without PostgreSQL, or at this scale, only the embedded process was run.")
    results = [many_sellers.run(sellers, orders, workers, progress) for workers in kinds]
    chapter.raw = [asdict(one) for one in results]
    names = list(dict.fromkeys(name for one in results for name in one.watch.usage))
    rows = [
        [
            f"{one.workers} workers" if one.workers else "embedded, SQLite",
            f"{one.watch.seconds['in the shop']:.0f}",
            f"{one.per_second:.1f}",
            *(
                f"{one.watch.usage[name].cpu_seconds:.0f}" if name in one.watch.usage else ""
                for name in names
            ),
            str(_refused(one.ksef)),
        ]
        for one in results
    ]
    chapter.tables.append(
        (("who", "in the shop, s", "documents a second", *(f"CPU s: {one}" for one in names), "429"), rows)
    )
    whole = sellers * orders
    exact = all(one.numbered == whole and one.notes == 2 * whole for one in results)
    refused = sum(_refused(one.ksef) for one in results)
    chapter.goals = [("each order one number and two notes", exact), (f"no 429: {refused}", refused == 0)]
    return chapter


def full_databases(scale: float, progress: Progress) -> Chapter:
    """Scenario c."""
    sizes = sorted({_sized(size, scale) for size in (1_000, 10_000, 100_000)})
    orders = max(2, _sized(40, min(1.0, scale * 100)))
    chapter = Chapter("c. One more document beside very many")
    chapter.what.append(
        f"A database of so many documents at rest; then {orders} orders of another seller are invoiced. "
        "Times per document in milliseconds: what grows down the table grows with the database."
    )
    results = [full_database.run(size, orders, progress) for size in sizes]
    if scale >= _LEAST_OF_SERVERS and many_sellers.has_server():
        results += [full_database.run(size, orders, progress, on_postgresql=True) for size in sizes[-1:]]
    chapter.raw = [asdict(one) for one in results]
    each, whole, files = (list(getattr(results[0], name)) for name in ("each", "whole", "exports"))
    chapter.tables.append(
        (
            ("database", "documents", *each, *whole),
            [
                [
                    one.kind,
                    str(one.documents),
                    *(f"{1000 * one.each[name]:.1f}" for name in each),
                    *(f"{1000 * one.whole[name]:.1f}" for name in whole),
                ]
                for one in results
            ],
        )
    )
    chapter.tables.append(_exports(results, files))
    most = max(grown for one in results for *_, grown in one.exports.values())
    pages = max(one.whole[name] for one in results for name in ("home", "list", "search")) * 1000
    chapter.goals = [
        (f"pages within 150 ms: slowest {pages:.0f} ms", pages <= 150),
        (f"exports add at most 30 MiB of memory: {most:.0f}", most <= 30),
        (_growth(results, each), _grows_little(results, each)),
    ]
    return chapter


def burst_of_webhooks(scale: float, progress: Progress) -> Chapter:
    """Scenario d."""
    seconds = max(1.0, 60 * scale)
    chapter = Chapter(f"d. {burst.RATE:.0f} webhooks a second for {seconds:.0f} s")
    chapter.what.append(
        "Signed WooCommerce webhooks of different orders, each on a connection of its own, at "
        "`ksef-connector serve` with SQLite, while its background reads those orders and invoices them."
    )
    result = burst.run(seconds, progress)
    told = {name: result.percentile(share) for name, share in _SHARES.items()}
    chapter.raw = [asdict(result) | {"milliseconds": told}]
    usage = result.usage
    chapter.tables.append(
        (
            (
                "sent",
                "answers",
                "kept",
                *(f"{name}, ms" for name in told),
                "done meanwhile",
                "issued meanwhile",
            ),
            [
                [
                    str(result.sent),
                    ", ".join(f"{status}: {count}" for status, count in sorted(result.answers.items())),
                    str(result.kept),
                    *(f"{value:.0f}" for value in told.values()),
                    str(result.done),
                    str(result.issued),
                ]
            ],
        )
    )
    chapter.tables.append(_shares(usage, seconds))
    chapter.what.append(
        f"The sender missed its pace by {result.late:.0f} ms at the most; it takes part of the same cores."
    )
    slow = told["99 %"]
    chapter.goals = [
        (f"none lost: {result.kept} of {result.sent} kept", result.kept == result.sent),
        (f"answered within {_ANSWER_GOAL} ms (99 %): {slow:.0f} ms", slow <= _ANSWER_GOAL),
    ]
    return chapter


_SHARES: Final[Mapping[str, float]] = {"50 %": 0.5, "90 %": 0.9, "99 %": 0.99, "99.9 %": 0.999}

SCENARIOS: Final[Mapping[str, Callable[[float, Progress], Chapter]]] = {
    "a": orders_at_once,
    "b": many_sellers_at_once,
    "c": full_databases,
    "d": burst_of_webhooks,
}
"""Every scenario by the letter that ``ONLY`` takes."""


def _sized(full: int, scale: float) -> int:
    return max(1, round(full * scale))


def _refused(counts: Mapping[str, int]) -> int:
    return sum(count for name, count in counts.items() if name.endswith(" 429"))


def _shares(usage: Mapping[str, Usage], seconds: float) -> Table:
    rows: list[Sequence[str]] = [
        [name, f"{one.cpu_seconds:.1f}", f"{100 * one.cpu_seconds / seconds:.0f} %", f"{one.peak:.0f}"]
        for name, one in usage.items()
    ]
    return ("process", "CPU, s", "of one core", "memory, MiB"), rows


def _exports(results: Sequence[full_database.Result], files: Sequence[str]) -> Table:
    rows: list[Sequence[str]] = []
    for one in results:
        for name in files:
            spent, first, size, grown = one.exports[name]
            rows.append(
                [one.kind, str(one.documents), name, f"{spent:.1f}", f"{1000 * first:.0f}",
                 f"{size / 1e6:.1f}", f"{grown:.0f}"]
            )  # fmt: skip
    return ("database", "documents", "export", "s", "first bytes, ms", "MB", "memory added, MiB"), rows


def _answers(who: str, counts: Mapping[str, int]) -> Table:
    rows: list[Sequence[str]] = []
    for name, count in sorted(counts.items(), key=lambda one: -one[1]):
        operation, _, status = name.rpartition(" ")
        rows.append([f"`{operation}`", status, str(count)])
    return (f"request to the {who}", "answer", "times"), rows


def _growth(results: Sequence[full_database.Result], each: Sequence[str]) -> str:
    least, most = _ends(results)
    said = ", ".join(f"{name} x{most.each[name] / least.each[name]:.1f}" for name in each)
    return f"cost of one document from {least.documents} to {most.documents} in SQLite: {said}"


def _grows_little(results: Sequence[full_database.Result], each: Sequence[str]) -> bool | None:
    least, most = _ends(results)
    if least is most:
        return None
    return all(most.each[name] <= 2 * least.each[name] for name in each)


def _ends(results: Sequence[full_database.Result]) -> tuple[full_database.Result, full_database.Result]:
    embedded = [one for one in results if one.kind == "SQLite"]
    return embedded[0], embedded[-1]
