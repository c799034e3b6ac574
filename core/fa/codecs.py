"""Texts of the schema's types to values and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from core.fa.binding import Codec, escape
from core.invoices.model import VatCategory
from core.orders import PaymentForm

_MIDNIGHT = "T24:00:00"


def _number(value: Decimal) -> str:
    text = str(value)
    return text if "E" not in text else f"{value:f}"


def _moment(text: str) -> datetime:
    """``xsd:dateTime``; a time without a zone is taken for UTC, 24:00:00 for the next day's start."""
    late = _MIDNIGHT in text
    moment = datetime.fromisoformat(text.replace(_MIDNIGHT, "T00:00:00"))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment + timedelta(days=1) if late else moment


def _moment_text(value: datetime) -> str:
    # isoformat takes a tenth of the time of strftime
    return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


TOKEN = Codec(escape, str)
"""Text whose white space means nothing."""
STRING = Codec(escape, str, token=False)
"""Text kept letter for letter."""
NUMBER = Codec(_number, Decimal)
INTEGER = Codec(str, int)
DAY = Codec(date.isoformat, date.fromisoformat)
MOMENT = Codec(_moment_text, _moment)


def short_token(limit: int) -> Codec:
    """Text that is cut to a limit when written, with an ellipsis."""

    def encode(text: str) -> str:
        return escape(text if len(text) <= limit else text[: limit - 1].rstrip() + "…")

    return Codec(encode, str)


def code(kind: type[StrEnum]) -> Codec:
    """One of a closed list of texts."""
    return Codec(lambda value: str(value.value), kind)


def integer_code(kind: type[StrEnum]) -> Codec:
    """One of a closed list of whole numbers, which may be written with a sign or leading zeros."""
    return Codec(lambda value: str(value.value), lambda text: kind(str(int(text))))


def mapped(texts: Mapping[Any, str]) -> Codec:
    """Values by a table; of several values with the same text the first is read."""
    values: dict[str, Any] = {}
    for value, text in texts.items():
        values.setdefault(text, value)

    def decode(text: str) -> Any:
        try:
            return values[text]
        except KeyError:
            raise ValueError(text) from None

    return Codec(texts.__getitem__, decode)


_FORMS = {
    PaymentForm.CASH: "1",
    PaymentForm.CARD: "2",
    PaymentForm.VOUCHER: "3",
    PaymentForm.CHEQUE: "4",
    PaymentForm.CREDIT: "5",
    PaymentForm.TRANSFER: "6",
    PaymentForm.MOBILE: "7",
}
PAYMENT_FORM = Codec(_FORMS.__getitem__, lambda text: {v: k for k, v in _FORMS.items()}[str(int(text))])
"""TFormaPlatnosci."""


def vat_category(codes: Mapping[VatCategory, str]) -> Codec:
    """P_12 in the words of one schema version."""
    return mapped(codes)
