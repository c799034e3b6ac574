"""Who has a NIP, as a public register says: a proposal for the form, never more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app

from connector_app.registers import RegisterDown
from connector_app.web.here import here
from connector_app.web.language import t
from core.calendar import warsaw_day

_KEY = "find_company"


class RegisterSilent(Exception):
    """The register cannot be reached, or there is none here."""


@dataclass(frozen=True, slots=True)
class Company:
    """What a register says of a taxpayer.

    Attributes:
        name: full name.
        line1: street and number.
        line2: postcode and town.
        remark: what else a person should know, such as that the taxpayer is not an active VAT payer.
    """

    name: str
    line1: str = ""
    line2: str = ""
    remark: str = ""

    @classmethod
    def at(cls, name: str, address: str, remark: str = "") -> Company:
        """A company whose address is one line, as ``UL. PROSTA 1, 00-001 WARSZAWA``."""
        line1, _, line2 = address.rpartition(",")
        if not line1:
            line1, line2 = line2, ""
        return cls(name.strip(), line1.strip(), line2.strip(), remark)


FindCompany = Callable[[str], "Company | None"]
"""Asks a register for a NIP; ``None`` when it knows no such taxpayer.

Raises:
    RegisterSilent: it cannot be asked.
"""


def add_register(app: Flask, find: FindCompany) -> None:
    """Let an application's guided setup ask a register."""
    app.extensions[_KEY] = find


def find_company(nip: str) -> Company | None:
    """What the application's register says of a NIP.

    Raises:
        RegisterSilent: it cannot be asked; people type the data then.
    """
    find = cast("FindCompany | None", current_app.extensions.get(_KEY))
    return _in_vat_list(nip) if find is None else find(nip)


def _in_vat_list(nip: str) -> Company | None:
    """What the Ministry's list of VAT payers says."""
    services = here().services
    if services.registers.vat_list is None:
        raise RegisterSilent("the list of VAT payers is switched off")
    try:
        found = services.registers.vat_list.lookup(nip, warsaw_day(services.clock()))
    except RegisterDown as error:
        raise RegisterSilent(error.text.en) from None
    if found is None:
        return None
    remark = "" if found.is_active else t(f"Status VAT: {found.status}.", f"VAT status: {found.status}.")
    return Company(found.name, found.line1, found.line2, remark)
