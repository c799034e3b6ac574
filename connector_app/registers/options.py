"""What the owner of an installation lets it ask registers about buyers; nothing by default.

A buyer's tax number that is asked about leaves the house, and of a sole trader it is a person's. So nobody
is asked until the owner wants it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy.orm import Session

from connector_app.store.desk import InstallationSetting

_NAME = "buyer-checks"


@dataclass(frozen=True, slots=True)
class BuyerChecks:
    """Which registers are asked about the buyers of new documents.

    Attributes:
        vat_list: the list of VAT payers, about Polish NIPs.
        vies: VIES, about VAT numbers of other EU countries.
    """

    vat_list: bool = False
    vies: bool = False


def checks_wanted(session: Session) -> BuyerChecks:
    """What is switched on."""
    row = session.get(InstallationSetting, _NAME)
    values = row.value if row else {}
    return BuyerChecks(values.get("vat_list") is True, values.get("vies") is True)


def want_checks(session: Session, wanted: BuyerChecks) -> None:
    """Switch on and off, inside the caller's transaction."""
    row = session.get(InstallationSetting, _NAME)
    if row is None:
        session.add(InstallationSetting(name=_NAME, value=asdict(wanted)))
    else:
        row.value = asdict(wanted)
