"""``documents why``: which rule, legal basis and day led an order to KSeF, outside KSeF, or to nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import click

from connector_app.commands.app import App, BadInput, pass_app
from connector_app.commands.bilingual import Command, option
from connector_app.commands.tables import state_name
from connector_app.decisions import Decision
from connector_app.explaining import Explanation, OrderAmbiguous, OrderUnknown, explain
from connector_app.store.models import Document, DocumentState
from core.findings import Text
from core.rulebook import RELIEF_LIMIT, Route

_ROUTES = {
    Route.KSEF: Text("do KSeF", "to KSeF"),
    Route.OUTSIDE: Text("poza KSeF", "outside KSeF"),
    Route.NOTHING: Text("bez faktury", "no invoice"),
}
_MONTHS = (
    Text("stycznia", "January"),
    Text("lutego", "February"),
    Text("marca", "March"),
    Text("kwietnia", "April"),
    Text("maja", "May"),
    Text("czerwca", "June"),
    Text("lipca", "July"),
    Text("sierpnia", "August"),
    Text("września", "September"),
    Text("października", "October"),
    Text("listopada", "November"),
    Text("grudnia", "December"),
)


@click.command(
    cls=Command,
    pl="""Mówi, która reguła, podstawa prawna i data zaprowadziły zamówienie do KSeF, poza KSeF albo donikąd.

    ZAMÓWIENIE to numer zamówienia ze sklepu. Najpierw to, czego się trzymano; potem odpowiedź na dziś albo na
    wskazany dzień i dni, od których według dzisiejszego prawa odpowiedź się zmieni.""",
)
@click.argument("order", metavar="ORDER")
@option("--store", metavar="CODE", pl="Kod sklepu.", en="Code of the store.")
@option(
    "--on",
    type=click.DateTime(["%Y-%m-%d"]),
    default=None,
    show_default="dziś / today",
    pl="Jakby zamówienie złożono tego dnia, np. 2027-01-01.",
    en="As if the order were placed on this day, e.g. 2027-01-01.",
)
@option("--json", "as_json", is_flag=True, pl="Odpowiedź jako JSON.", en="The answer as JSON.")
@pass_app
def why(app: App, order: str, store: str | None, on: datetime | None, as_json: bool) -> None:
    """Say which rule, legal basis and day led an order to KSeF, outside KSeF, or to nothing.

    ORDER is the shop's number of the order. First what was followed; then the answer for today or for the
    given day, and the days from which the answer changes as the law now stands.
    """
    services = app.open()
    try:
        found = explain(services, order, store=store, on=on.date() if on else None)
    except OrderUnknown:
        raise BadInput(
            app.text(
                f"Nie ma zamówienia {order} wśród pobranych ze sklepów.",
                f"There is no order {order} among those taken in.",
            ),
            "ksef-connector store sync",
        ) from None
    except OrderAmbiguous as error:
        codes = ", ".join(error.stores)
        raise BadInput(
            app.text(
                f"Zamówienie {order} jest w kilku sklepach: {codes}.",
                f"Several stores have an order {order}: {codes}.",
            ),
            app.text("Podaj --store KOD.", "Give --store CODE."),
        ) from None
    if as_json:
        app.json(_json(found))
    else:
        _print(app, found)


def _json(found: Explanation) -> dict[str, object]:
    return {
        "order": found.order.number,
        "store": found.order.store.code,
        "documents": [
            {"id": row.id, "purpose": row.purpose, "state": row.state, "followed": row.decision}
            for row in found.documents
        ],
        "day": found.day.isoformat(),
        "answer": found.answer.as_json() if found.answer else None,
        "later": [{"from": day.isoformat(), **then.as_json()} for day, then in found.later],
        "relief_used": None if found.relief_used is None else f"{found.relief_used:.2f}",
    }


def _print(app: App, found: Explanation) -> None:
    def line(text: str) -> None:
        app.out.print(text, markup=False)

    line(
        app.text(
            f"Zamówienie {found.order.number} (sklep {found.order.store.code})",
            f"Order {found.order.number} (store {found.order.store.code})",
        )
    )
    for row in found.documents:
        line(_followed(app, row))
    if found.answer is None:
        line(
            app.text(
                "Danych zamówienia nie da się odczytać, więc reguł nie ma do czego zastosować.",
                "The order's data cannot be read, so there is nothing to apply the rules to.",
            )
        )
        return
    line(f"{_day(app, found.day)}: {_answer(app, found.answer.as_json())}")
    line(f"    {found.answer.reason.in_language(app.language)}")
    if found.relief_used is not None:
        line(
            app.text(
                f"    Poza KSeF w tym miesiącu: {found.relief_used:.2f} z {RELIEF_LIMIT} zł.",
                f"    Outside KSeF in this month: {found.relief_used:.2f} of {RELIEF_LIMIT} PLN.",
            )
        )
    for day, then in found.later:
        line(f"{_from(app, day)}: {_answer(app, then.as_json())}")
        line(f"    {_sentence(app, then)}")


def _followed(app: App, row: Document) -> str:
    state = state_name(DocumentState(row.state), app.language)
    name = f"{row.id} {row.purpose}, {state}{f', {row.number}' if row.number else ''}"
    if row.decision is None:
        told = app.text(
            "nie zapisano, której reguły się trzymano (wcześniejsza wersja programu)",
            "it was not kept which rule was followed (an earlier version of the program)",
        )
        return app.text(f"Dokument {name}: {told}", f"Document {name}: {told}")
    kept = _answer(app, row.decision)
    day = row.decision["day"]
    return app.text(f"Dokument {name}; {day} przyjęto: {kept}", f"Document {name}; followed on {day}: {kept}")


def _answer(app: App, decision: Mapping[str, Any]) -> str:
    """Where to, and by which rule, basis and dates."""
    basis = decision["basis"][app.language]
    begins, ends = decision["begins"], decision["ends"]
    span = " ".join(
        part
        for part in (
            begins and app.text(f"od {begins}", f"from {begins}"),
            ends and app.text(f"do {ends}", f"until {ends}"),
        )
        if part
    )
    where = _ROUTES[Route(decision["route"])].in_language(app.language)
    rule = app.text("reguła", "rule")
    return f"{where}; {rule} {decision['rule']}: {basis}{f', {span}' if span else ''}"


def _sentence(app: App, decision: Decision) -> str:
    return decision.rule.sentence.in_language(app.language)


def _day(app: App, day: date) -> str:
    return app.text(f"Na dzień {_date(app, day)}", f"On {_date(app, day)}")


def _from(app: App, day: date) -> str:
    return app.text(f"Od {_date(app, day)}", f"From {_date(app, day)}")


def _date(app: App, day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1].in_language(app.language)} {day.year}"
