"""Public registers: the Ministry's list of VAT payers and the Commission's VIES.

Their answers are advice and block nothing: a register that is down, slow or used up for today means that
nothing is known, never that something is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from connector_app.registers.checks import buyer_check
from connector_app.registers.errors import RegisterDown
from connector_app.registers.vat_list import Company, VatList
from connector_app.registers.vies import Vies, ViesAnswer
from connector_app.store.sessions import Sessions

__all__ = [
    "OFF",
    "Company",
    "RegisterDown",
    "Registers",
    "VatList",
    "Vies",
    "ViesAnswer",
    "buyer_check",
    "open_registers",
]

OFF = "off"
"""Instead of an address: nobody is asked."""


@dataclass(frozen=True, slots=True)
class Registers:
    """The registers that an installation may ask.

    Attributes:
        vat_list, vies: ``None`` when the operator switched it off.
    """

    vat_list: VatList | None = None
    vies: Vies | None = None


def open_registers(
    vat_list_url: str, vies_url: str, database: Sessions, clock: Callable[[], datetime]
) -> Registers:
    """The registers by their addresses; nothing is contacted yet.

    Args:
        vat_list_url: base address, or :data:`OFF`.
        vies_url: the same.
        database: where answers are kept.
        clock: the time now, aware UTC.

    Raises:
        ValueError: an address is neither https nor on this machine.
    """
    return Registers(
        vat_list=None if vat_list_url == OFF else VatList(vat_list_url, database, clock),
        vies=None if vies_url == OFF else Vies(vies_url, database, clock),
    )
