"""The Ministry's public list of VAT payers ("Wykaz podatnikow VAT"): a company by its NIP.

Source: API Rejestr WL 1.6.0, ``GET /api/search/nip/{nip}?date=YYYY-MM-DD``: ``result.subject`` with
``name``, ``statusVat`` (``Czynny``, ``Zwolniony``, ``Niezarejestrowany``), ``workingAddress`` and
``residenceAddress``, or ``null`` for a number that the list does not have; ``/api/search/nips/`` takes up to
30 of them and gives ``result.entries[]`` with ``identifier`` and ``subjects``. One address may search 100
times a day; then the list answers with code ``WL-191`` until midnight. So each answer is kept for the day.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from connector_app.registers import cache
from connector_app.registers.errors import RegisterDown
from connector_app.registers.http import Limits, Line
from connector_app.store.sessions import Sessions
from core.calendar import WARSAW, warsaw_day
from core.findings import Text
from core.invoices.tax_ids import as_nip

VAT_LIST_API: Final = "https://wl-api.mf.gov.pl"
"""The Ministry's own address."""
REGISTER: Final = "vat-list"
"""Its name in the table of answers."""
ACTIVE: Final = "Czynny"
"""Status of an active VAT payer."""
EXEMPT: Final = "Zwolniony"
"""Status of a registered payer whose sales are exempt."""
UNKNOWN: Final = "unknown"
"""Kept as the status of a number that the list does not have."""

MOST_AT_ONCE: Final = 30
"""Numbers of one request."""

_LIMIT_CODE = "WL-191"
_REST = timedelta(minutes=10)
_POSTCODE = re.compile(r",?\s*(?=\b\d{2}-\d{3}\b)")
_NAME = Text("Wykaz podatników VAT", "The list of VAT payers")


@dataclass(frozen=True, slots=True)
class Company:
    """A company as the list has it.

    Attributes:
        nip: ten digits. name: as registered; a natural person's own name.
        line1, line2: street and place, with the postcode first in the second; either may be empty.
        status: ``Czynny``, ``Zwolniony`` or ``Niezarejestrowany``.
    """

    nip: str
    name: str
    line1: str
    line2: str
    status: str

    @property
    def is_active(self) -> bool:
        """Whether it is an active VAT payer."""
        return self.status == ACTIVE


class VatList:
    """Asks the list; what it said today is not asked again. Safe to share between threads.

    Args:
        base_url: address up to ``/api``; https, or http on this very machine.
        database: where answers are kept; without one nothing is.
        clock: the time now, aware UTC.
        limits: times and sizes.

    Raises:
        ValueError: a base address over plain http on another machine.
    """

    def __init__(
        self,
        base_url: str = VAT_LIST_API,
        database: Sessions | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        limits: Limits | None = None,
    ) -> None:
        self._line = Line(base_url, _NAME, limits)
        self._database = database
        self._clock = clock
        self._quiet: tuple[datetime, RegisterDown] | None = None

    def __repr__(self) -> str:
        return f"VatList({self._line!r})"

    def lookup(self, nip: str, day: date) -> Company | None:
        """The company that has a NIP.

        Args:
            nip: with or without separators.
            day: Warsaw day for which the status is asked; not in the future.

        Returns:
            ``None`` for a number that the list does not have, or that is no NIP.

        Raises:
            RegisterDown: the list cannot be asked now; for some minutes it is not tried again.
        """
        number = as_nip(nip)
        if number is None:
            return None
        found = self._known(number, day)
        return found[0] if found is not None else self._fresh([number], day)[number]

    def lookup_many(self, nips: Sequence[str], day: date) -> dict[str, Company | None]:
        """The companies of several NIPs, 30 to a request.

        Args:
            nips: ten digits each, with right check digits.
            day: Warsaw day for which the status is asked; not in the future.

        Returns:
            By NIP; ``None`` for a number that the list does not have.

        Raises:
            RegisterDown: as :meth:`lookup`; what was answered before it is kept.
        """
        found: dict[str, Company | None] = {}
        for nip in nips:
            known = self._known(nip, day)
            if known is not None:
                found[nip] = known[0]
        for some in batched([one for one in dict.fromkeys(nips) if one not in found]):
            found |= self._fresh(some, day)
        return found

    def _fresh(self, nips: list[str], day: date) -> dict[str, Company | None]:
        if self._quiet and self._clock() < self._quiet[0]:
            raise self._quiet[1]
        try:
            found = self._ask(nips, day)
        except RegisterDown as error:
            self._quiet = (self._quiet_until(error), error)
            raise
        self._quiet = None
        for nip, company in found.items():
            self._keep(nip, day, company)
        return found

    def _known(self, nip: str, day: date) -> tuple[Company | None] | None:
        """What was said of a day; a wrapped ``None`` for a number that the list does not have."""
        if self._database is None:
            return None
        with self._database() as session:
            kept = cache.known(session, REGISTER, nip)
        if kept is None or kept.answer.get("day") != day.isoformat():
            return None
        return (company_of(kept),)

    def _keep(self, nip: str, day: date, company: Company | None) -> None:
        if self._database is None:
            return
        answer = (asdict(company) if company else {}) | {"day": day.isoformat()}
        status = company.status if company else UNKNOWN
        cache.keep(self._database, REGISTER, nip, status, answer, self._clock())

    def _ask(self, nips: list[str], day: date) -> dict[str, Company | None]:
        path = f"nip/{nips[0]}" if len(nips) == 1 else f"nips/{','.join(nips)}"
        answer = self._line.ask(f"api/search/{path}", params={"date": day.isoformat()})
        code = str(answer.values.get("code", ""))
        if answer.status == 429 or code == _LIMIT_CODE:
            raise self._line.down(
                Text(
                    "dzienny limit zapytań jest wyczerpany, jutro będzie nowy",
                    "today's requests are used up, tomorrow brings new ones",
                ),
                is_limit=True,
            )
        result = answer.values.get("result")
        if answer.status != 200 or not isinstance(result, dict):
            why = code if re.fullmatch(r"WL-\d{3}", code) else f"HTTP {answer.status}"
            raise self._line.down(Text(f"odmowa odpowiedzi ({why})", f"no answer was given ({why})"))
        entries = [result | {"identifier": nips[0]}] if len(nips) == 1 else result.get("entries")
        found = _read(entries if isinstance(entries, list) else [])
        if set(found) != set(nips):
            raise self._line.down(Text("odpowiedź o innym numerze", "an answer about another number"))
        return found

    def _quiet_until(self, error: RegisterDown) -> datetime:
        now = self._clock()
        if not error.is_limit:
            return now + _REST
        return datetime.combine(warsaw_day(now) + timedelta(days=1), time(), WARSAW).astimezone(UTC)


def company_of(kept: cache.Kept) -> Company | None:
    """The company of a kept answer; ``None`` when the list does not have the number."""
    if kept.status == UNKNOWN:
        return None
    fields = ("nip", "name", "line1", "line2", "status")
    return Company(*(str(kept.answer.get(name, "")) for name in fields))


def batched(numbers: Sequence[str]) -> Iterator[list[str]]:
    """Numbers in as many at a time as one request takes."""
    return (list(numbers[at : at + MOST_AT_ONCE]) for at in range(0, len(numbers), MOST_AT_ONCE))


def _read(entries: list[Any]) -> dict[str, Company | None]:
    """Companies by NIP; an entry that is not what was asked for is left out."""
    found: dict[str, Company | None] = {}
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        nip = _text(entry, "identifier")
        if "subject" in entry:
            subject = entry["subject"]
        elif isinstance(entry.get("subjects"), list):
            subject = next(iter(entry["subjects"]), None)
        else:
            continue
        if subject is None:
            found[nip] = None
        elif isinstance(subject, dict) and as_nip(_text(subject, "nip")) == nip:
            found[nip] = _company(nip, subject)
    return found


def _company(nip: str, subject: dict[str, Any]) -> Company:
    address = _text(subject, "workingAddress") or _text(subject, "residenceAddress")
    street, *place = _POSTCODE.split(address, maxsplit=1)
    return Company(nip, _text(subject, "name"), street, "".join(place), _text(subject, "statusVat"))


def _text(subject: dict[str, Any], name: str) -> str:
    """A value as one tidy line, never longer than an invoice's field takes."""
    value = subject.get(name)
    return " ".join(value.split())[:512] if isinstance(value, str) else ""
