"""VIES, the European Commission's register of VAT numbers for trade inside the EU.

Source: its REST API, ``POST /check-vat-number`` with ``countryCode`` and ``vatNumber``: ``valid``, ``name``
and ``address`` (``---`` where a country tells none), or with status 200 ``actionSucceed: false`` and
``errorWrappers[].error`` such as ``MS_UNAVAILABLE``. ``INVALID_INPUT`` is an answer: no such number can be.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from connector_app.registers import cache
from connector_app.registers.errors import RegisterDown
from connector_app.registers.http import Limits, Line
from connector_app.store.sessions import Sessions
from core.calendar import warsaw_day
from core.findings import Text
from core.invoices.tax_ids import as_eu_vat

VIES_API: Final = "https://ec.europa.eu/taxation_customs/vies/rest-api"
"""The Commission's own address."""
REGISTER: Final = "vies"
"""Its name in the table of answers."""
VALID: Final = "valid"
INVALID: Final = "invalid"

_REST = timedelta(minutes=10)
_CODE = re.compile(r"[A-Z_]{3,40}")
_NAME = Text("VIES", "VIES")


@dataclass(frozen=True, slots=True)
class ViesAnswer:
    """What VIES says of a number.

    Attributes:
        number: with its country's two letters. is_valid: it is good for trade inside the EU today.
        name, address: of its holder; empty where the country does not tell.
    """

    number: str
    is_valid: bool
    name: str = ""
    address: str = ""


class Vies:
    """Asks VIES; what it said today is not asked again. Safe to share between threads.

    Args:
        base_url: address up to ``/rest-api``; https, or http on this very machine.
        database: where answers are kept; without one nothing is.
        clock: the time now, aware UTC.
        limits: times and sizes.

    Raises:
        ValueError: a base address over plain http on another machine.
    """

    def __init__(
        self,
        base_url: str = VIES_API,
        database: Sessions | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        limits: Limits | None = None,
    ) -> None:
        self._line = Line(base_url, _NAME, limits)
        self._database = database
        self._clock = clock
        # a country's own register may be down while the others answer
        self._quiet: dict[str, tuple[datetime, RegisterDown]] = {}

    def __repr__(self) -> str:
        return f"Vies({self._line!r})"

    def lookup(self, number: str) -> ViesAnswer | None:
        """What VIES says of a number today.

        Args:
            number: with its country's two letters; separators do not matter.

        Returns:
            ``None`` for what is no EU VAT number in form.

        Raises:
            RegisterDown: VIES or the country's register cannot be asked; for some minutes that country is
                not tried again.
        """
        parts = as_eu_vat(number)
        if parts is None:
            return None
        country, rest = parts
        whole, now = country + rest, self._clock()
        found = self._known(whole, now)
        if found is not None:
            return found
        quiet = self._quiet.get(country)
        if quiet and now < quiet[0]:
            raise quiet[1]
        try:
            answer = self._ask(country, rest)
        except RegisterDown as error:
            self._quiet[country] = (now + _REST, error)
            raise
        if self._database is not None:
            status = VALID if answer.is_valid else INVALID
            cache.keep(self._database, REGISTER, whole, status, asdict(answer), now)
        return answer

    def _known(self, number: str, now: datetime) -> ViesAnswer | None:
        if self._database is None:
            return None
        with self._database() as session:
            kept = cache.known(session, REGISTER, number)
        if kept is None or warsaw_day(kept.asked_at) != warsaw_day(now):
            return None
        return ViesAnswer(
            number, kept.status == VALID, str(kept.answer.get("name")), str(kept.answer.get("address"))
        )

    def _ask(self, country: str, rest: str) -> ViesAnswer:
        answer = self._line.ask("check-vat-number", body={"countryCode": country, "vatNumber": rest})
        values = answer.values
        code = _error(values)
        if code == "INVALID_INPUT":
            return ViesAnswer(country + rest, is_valid=False)
        if answer.status != 200 or code or not isinstance(values.get("valid"), bool):
            why = code or f"HTTP {answer.status}"
            raise self._line.down(Text(f"odmowa odpowiedzi ({why})", f"no answer was given ({why})"))
        if values.get("vatNumber", rest) != rest:
            raise self._line.down(Text("odpowiedź o innym numerze", "an answer about another number"))
        return ViesAnswer(country + rest, values["valid"], _text(values, "name"), _text(values, "address"))


def _error(values: dict[str, Any]) -> str:
    """The code of a refusal, empty without one."""
    wrappers = values.get("errorWrappers")
    if isinstance(wrappers, list) and wrappers and isinstance(wrappers[0], dict):
        code = str(wrappers[0].get("error", ""))
        return code if _CODE.fullmatch(code) else "?"
    return "" if values.get("actionSucceed", True) else "?"


def _text(values: dict[str, Any], name: str) -> str:
    value = values.get(name)
    tidy = " ".join(value.split())[:512] if isinstance(value, str) else ""
    return "" if tidy == "---" else tidy
