"""Values as a reader of one language expects them."""

from __future__ import annotations

import re
from typing import Final, Literal

from core.findings import Text
from core.visual.codes import CODES, STATEMENTS
from core.visual.labels import ALIASES, FIELDS, WORDS
from core.visual.model import Field
from core.visual.nodes import Node

Language = Literal["pl", "en"]

_NUMBER: Final = re.compile(r"([+-]?)(\d+)(?:\.(\d+))?")
_POLISH_ACCOUNT: Final = re.compile(r"\d{26}")
_IBAN: Final = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{8,30}")
_WEB: Final = re.compile(r"https?://[^\s\"<>]+", re.IGNORECASE)
# grouping of thousands, decimal sign
_SIGNS: Final = {"pl": ("\u00a0", ","), "en": (",", ".")}

# fmt: off
_AMOUNTS: Final = frozenset((
    "P_9A", "P_9B", "P_10", "P_11", "P_11A", "P_11Vat", "P_15", "P_15Z", "P_15ZK", "Kwota", "SumaObciazen",
    "SumaOdliczen", "DoZaplaty", "DoRozliczenia", "KwotaZaplatyCzesciowej", "WartoscZamowienia",
    "KwotaAkcyzy",
))
# fmt: on
_MOMENTS: Final = frozenset(("DataWytworzeniaFa", "DataGodzRozpTransportu", "DataGodzZakTransportu"))
# rates of exchange keep the decimals that the issuer wrote
_EXACT_NUMBERS: Final = frozenset(("KursWaluty", "KursWalutyZ", "KursWalutyZK", "KursWalutyZW", "KursUmowny"))
_PERCENT: Final = frozenset(("P_12_XII", "Udzial"))


class Tongue:
    """Words and number formats of one language."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language
        self._group, self._point = _SIGNS[language]

    def say(self, text: Text) -> str:
        """A text in this language."""
        return text.in_language(self.language)

    def word(self, key: str) -> str:
        """One of the picture's own words (:data:`core.visual.labels.WORDS`)."""
        return self.say(WORDS[key])

    def label(self, name: str) -> str:
        """The label of a schema field; an unknown field is called by its own name."""
        text = FIELDS.get(ALIASES.get(name, name))
        return self.say(text) if text else name

    def amount(self, value: str, decimals: int = 2) -> str:
        """A number with at least that many decimals; more where the document has them.

        Args:
            value: the schema's form, e.g. ``-1234.5``; a text that is no number stays as it is.
            decimals: least number of decimals.

        Returns:
            ``-1 234,50`` in Polish (with a non-breaking space), ``-1,234.50`` in English.
        """
        match = _NUMBER.fullmatch(value)
        if not match:
            return value
        sign, whole, fraction = match[1], match[2].lstrip("0") or "0", (match[3] or "").rstrip("0")
        grouped = f"{int(whole):,}".replace(",", self._group) if len(whole) <= 40 else whole
        fraction = fraction.ljust(decimals, "0")
        return f"{sign}{grouped}{self._point}{fraction}" if fraction else f"{sign}{grouped}"

    def exact(self, value: str) -> str:
        """A number with exactly the decimals that the document has."""
        match = _NUMBER.fullmatch(value)
        return self.amount(value, len(match[3] or "")) if match else value

    def show(self, name: str, value: str) -> str:
        """The value of a schema field for the reader: codes in words, numbers in the language's form."""
        name = ALIASES.get(name, name)
        if name in _AMOUNTS:
            return self.amount(value)
        if name == "P_8B":
            return self.amount(value, 0)
        if name in _EXACT_NUMBERS:
            return self.exact(value)
        return self._coded(name, value)

    def _coded(self, name: str, value: str) -> str:
        if name in _PERCENT:
            return f"{self.amount(value, 0)}%"
        if name in _MOMENTS:
            return moment(value)
        code = CODES.get(name, {}).get(value)
        if code:
            return self.say(code)
        return f"{value}%" if name == "P_12" and value.isdigit() else value

    def fact(self, name: str, value: str) -> Field:
        """A labelled value of a schema field."""
        return Field(self.label(name), self.show(name, value))

    def facts(self, node: Node, *names: str) -> tuple[Field, ...]:
        """Take the fields of these names out of a node, in this order; absent ones are left out."""
        return tuple(self.fact(name, value) for name in names for value in node.take_all(name))

    def statements(self, node: Node, *names: str) -> tuple[str, ...]:
        """Take the flags of these names; those that are set, in words."""
        return tuple(self.say(STATEMENTS[name]) for name in names if node.flag(name))


def moment(value: str) -> str:
    """A schema dateTime with a space for its T, and UTC for its Z."""
    day, _, clock = value.partition("T")
    return f"{day} {clock.removesuffix('Z')} UTC" if clock.endswith("Z") else f"{day} {clock}".strip()


def account(value: str) -> str:
    """A bank account number in groups of four, as banks print it; other texts stay as they are."""
    if _POLISH_ACCOUNT.fullmatch(value):
        return f"{value[:2]} {_fours(value[2:])}"
    return _fours(value) if _IBAN.fullmatch(value) else value


def web_address(value: str) -> str:
    """The value when it is an http(s) address that is safe to link to, else nothing."""
    return value if _WEB.fullmatch(value) else ""


def _fours(value: str) -> str:
    return " ".join(value[i : i + 4] for i in range(0, len(value), 4))
