"""Write docs/rulebook.md and docs/rulebook.pl.md from the rules: ``python -m tools.rulebook_reference``.

A test compares the files with what this makes, so the pages cannot say anything that is not so.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from core.findings import Text
from core.rulebook import RULES, Question, Route, Rule, changes_after

DOCS = Path(__file__).resolve().parent.parent / "docs"

_HEAD = {
    "en": """# The rule book

Made by `make docs` from the rules of the program (`core/rulebook.py`); a test keeps it true.
Polski: [rulebook.pl.md](rulebook.pl.md). This is no tax advice.

For each order the rules are asked from top to bottom on the Warsaw day of issuing; the first that is in force on
that day and applies decides whether its invoice goes to KSeF, is issued outside KSeF, or is not issued. What was
followed (rule, sentence, basis, dates, day) is kept with the document and does not change when rules or settings do.

```console
ksef-connector documents why 1042
ksef-connector documents why 1042 --store shop --on 2027-01-01
```

The answer names the rule, its basis and its dates, and always adds the later days from which it changes as the law
now stands. With `--on` the book is read as if the order were placed on that day.
""",
    "pl": """# Reguły

Powstaje przez `make docs` z reguł programu (`core/rulebook.py`); test pilnuje zgodności.
English: [rulebook.md](rulebook.md). To nie jest porada podatkowa.

Dla każdego zamówienia reguły są pytane z góry na dół w warszawskim dniu wystawienia; pierwsza, która tego dnia
obowiązuje i pasuje, rozstrzyga, czy faktura idzie do KSeF, powstaje poza KSeF, czy nie powstaje. To, czego się
trzymano (reguła, zdanie, podstawa, daty, dzień), zostaje przy dokumencie i nie zmienia się, gdy zmienią się reguły
albo ustawienia.

```console
ksef-connector documents why 1042
ksef-connector documents why 1042 --store sklep --on 2027-01-01
```

Odpowiedź podaje regułę, jej podstawę i daty, a zawsze też późniejsze dni, od których według dzisiejszego prawa się
zmieni. Z `--on` reguły czyta się tak, jakby zamówienie złożono tego dnia.
""",
}
_TITLES = {
    Question.WHERE: Text("Dokąd idzie faktura", "Where an invoice goes"),
    Question.WHEN: Text("Kiedy najpóźniej", "By when"),
    Question.CORRECTION: Text("Korekty", "Corrections"),
}
_COLUMNS = Text(
    "| reguła | dokąd | co mówi | podstawa | od | do | wybór sprzedawcy |",
    "| rule | where | what it says | basis | from | until | merchant's choice |",
)
_ROUTES = {
    Route.KSEF: Text("KSeF", "KSeF"),
    Route.OUTSIDE: Text("poza KSeF", "outside KSeF"),
    Route.NOTHING: Text("bez faktury", "no invoice"),
}
_CHANGES = Text("Co się zmienia i kiedy", "What changes, and when")
_BEGINS = Text("zaczyna obowiązywać", "begins to hold")
_ENDED = Text("już nie obowiązuje", "no longer holds")
_TAIL = {
    "en": """## The merchant's choices

All are options of `store set CODE` (and of `store add`); after a change the orders that were not invoiced are decided
anew.

- **When**: `--trigger paid` (paid, or accepted for fulfilment: cash on delivery counts), `money` (the shop has
  confirmed the money) or `completed`; `--after-days N` waits N days more, never beyond the 15th of the month after
  the sale.
- **Whom**: `--recipients nip` (gave a NIP or a company), `asked` (also who ticked that they want an invoice) or
  `everyone`.
- **Outside KSeF** (`--consumers outside`, `--oss outside`, `--relief yes`): the connector issues no document; the
  order says that another program issues it, and `documents list --state waiting` lists it. If the rules later say
  KSeF for such an order (a NIP appears, say), a person is asked first, as there may be an invoice already.
- **The relief** counts per seller, over all its stores, and only orders that this program left outside KSeF by this
  rule, in the calendar month, in PLN with tax; consumers, OSS sales and receipts do not count (that is how the
  Ministry reads art. 145m). What you issue elsewhere is not known here. An order that does not fit goes to KSeF; orders
  in other currencies always do.
- **Receipts** (`--receipts yes`): the law of the day of sale counts, so a receipt of December 2026 stays an invoice.
- **Refunds**: `--corrections automatic` or `ask`; with `--corrections-limit 500` refunds of more than 500 always ask.
""",
    "pl": """## Wybory sprzedawcy

Wszystkie są opcjami `store set KOD` (i `store add`); po zmianie zamówienia bez faktury są rozstrzygane od nowa.

- **Kiedy**: `--trigger paid` (opłacone lub przyjęte do realizacji: liczy się też pobranie), `money` (sklep
  potwierdził wpłatę) albo `completed`; `--after-days N` czeka jeszcze N dni, nigdy dłużej niż do 15. dnia miesiąca po
  sprzedaży.
- **Komu**: `--recipients nip` (podał NIP lub firmę), `asked` (także kto zaznaczył, że chce fakturę) albo `everyone`.
- **Poza KSeF** (`--consumers outside`, `--oss outside`, `--relief yes`): łącznik nie wystawia dokumentu; przy
  zamówieniu stoi, że wystawia go inny program, a `documents list --state waiting` takie zamówienia wymienia. Jeżeli
  później reguły powiedzą przy nim KSeF (pojawi się np. NIP), najpierw pyta człowieka, bo faktura może już być.
- **Ulga 10 000 zł** liczy się na sprzedawcę, przez wszystkie jego sklepy, i tylko z zamówień, które ten program
  zostawił poza KSeF według tej reguły, w miesiącu kalendarzowym, w złotych z podatkiem; konsumenci, OSS i paragony się
  nie liczą (tak Ministerstwo czyta art. 145m). O tym, co wystawiasz gdzie indziej, program nie wie. Zamówienie, które
  się nie mieści, idzie do KSeF; zamówienia w innych walutach zawsze.
- **Paragony** (`--receipts yes`): liczy się prawo z dnia sprzedaży, więc paragon z grudnia 2026 zostaje fakturą.
- **Zwroty**: `--corrections automatic` albo `ask`; z `--corrections-limit 500` o zwrot większy niż 500 zawsze pyta.
""",
}


def reference(language: str) -> str:
    """The whole page.

    Args:
        language: ``pl`` or ``en``.
    """
    parts = [_HEAD[language]]
    for question, title in _TITLES.items():
        rows = [_row(rule, language) for rule in RULES if rule.question is question]
        table = "\n".join(
            [_COLUMNS.in_language(language), "| --- | --- | --- | --- | --- | --- | --- |", *rows]
        )
        parts.append(f"## {title.in_language(language)}\n\n{table}\n")
    parts.append(f"## {_CHANGES.in_language(language)}\n\n{_changes(language)}\n")
    parts.append(_TAIL[language])
    return "\n".join(parts)


def _row(rule: Rule, language: str) -> str:
    cells = (
        f"`{rule.code}`",
        _ROUTES[rule.route].in_language(language),
        rule.sentence.in_language(language),
        rule.basis.in_language(language),
        rule.begins.isoformat() if rule.begins else "",
        rule.ends.isoformat() if rule.ends else "",
        f"`--{rule.setting}`" if rule.setting else "",
    )
    return f"| {' | '.join(cells)} |"


def _changes(language: str) -> str:
    lines = []
    for day in changes_after(date.min):
        begin = [f"`{rule.code}`" for rule in RULES if rule.begins == day]
        end = [f"`{rule.code}`" for rule in RULES if rule.ends and (day - rule.ends).days == 1]
        said = [
            f"{what.in_language(language)}: {', '.join(codes)}"
            for what, codes in ((_BEGINS, begin), (_ENDED, end))
            if codes
        ]
        lines.append(f"- **{day}**: {'; '.join(said)}")
    return "\n".join(lines)


def main() -> None:
    """Write both files."""
    DOCS.joinpath("rulebook.md").write_text(reference("en"), "utf-8")
    DOCS.joinpath("rulebook.pl.md").write_text(reference("pl"), "utf-8")


if __name__ == "__main__":
    main()
