"""Numbers of invoices from a pattern such as ``FV/{yyyy}/{mm}/{n:04}``.

A pattern says both how a number looks and when counting starts anew: with ``{mm}`` each month, with a
year alone each year, without either never. The counter itself lives where it can be locked (the store);
this module is pure. P_2 takes up to 256 characters (TZnakowy); art. 106e ust. 1 pkt 2 of the VAT act asks
for a consecutive number in one or more series that identifies the invoice uniquely.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from core.invoices.texts import TEXT_LIMIT, clean

_FIELD = re.compile(r"\{(yyyy|yy|mm|store|n(?::0?(\d{1,2}))?)\}")


class BadPattern(ValueError):
    """A pattern that cannot make unique numbers; the message shows it and says why."""


@dataclass(frozen=True, slots=True)
class NumberPattern:
    """A checked pattern.

    Attributes:
        text: the pattern as the seller wrote it. Fields: ``{yyyy}``, ``{yy}``, ``{mm}`` of the issue
            day, ``{store}`` the store's code, ``{n}`` or ``{n:04}`` the counter.
    """

    text: str

    def __post_init__(self) -> None:
        fields = [match[1] for match in _FIELD.finditer(self.text)]
        rest = _FIELD.sub("", self.text)
        counters = [name for name in fields if name.startswith("n")]
        if "{" in rest or "}" in rest:
            raise BadPattern(f"{self.text!r}: only {{yyyy}} {{yy}} {{mm}} {{store}} {{n}} are known fields")
        if len(counters) != 1:
            raise BadPattern(f"{self.text!r}: exactly one counter {{n}} or {{n:04}} is needed")
        if "mm" in fields and not {"yyyy", "yy"} & set(fields):
            raise BadPattern(f"{self.text!r}: a month without a year repeats every year")
        if clean(self.text) != self.text:
            raise BadPattern(
                f"{self.text!r}: spaces at the ends, line ends and control characters do not fit"
            )

    def period(self, day: date) -> str:
        """The key of the counting period that a Warsaw day falls into: ``2026-11``, ``2026`` or ``""``."""
        if "{mm}" in self.text:
            return f"{day:%Y-%m}"
        return f"{day:%Y}" if "{yy" in self.text else ""

    def format(self, n: int, day: date, store: str = "") -> str:
        """The number with counter ``n`` (from 1) on a Warsaw day.

        Raises:
            BadPattern: the result is longer than P_2 takes.
        """
        values = {"yyyy": f"{day:%Y}", "yy": f"{day:%y}", "mm": f"{day:%m}", "store": store}

        def fill(match: re.Match[str]) -> str:
            if not match[1].startswith("n"):
                return values[match[1]]
            return str(n).zfill(int(match[2])) if match[2] else str(n)

        number = _FIELD.sub(fill, self.text)
        if len(number) > TEXT_LIMIT:
            raise BadPattern(f"{number!r} has more than {TEXT_LIMIT} characters")
        return number
