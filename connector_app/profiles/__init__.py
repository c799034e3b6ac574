"""SELLER.toml: who the seller is and what it decided, as a file a person can read and keep.

The same values are stored with the seller in the database. Every fault of a file is reported at once,
with the name of the entry.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from connector_app.profiles.issuers import issuer
from connector_app.profiles.policies import correction_policy, invoice_policy, numbering, sending_policy
from connector_app.profiles.reader import BadProfile, Reader
from core.findings import Text
from core.invoices.corrections.policy import CorrectionPolicy
from core.invoices.model import Issuer, Seller
from core.invoices.numbering import Numbering
from core.invoices.policy import InvoicePolicy
from core.ksef.planning import SendingPolicy

__all__ = ["TABLES", "BadProfile", "Profile", "parse", "read"]

TABLES = (
    "seller",
    "invoices",
    "numbering",
    "treatments",
    "tax_classes",
    "payment_forms",
    "bank_account",
    "exchange_rates",
    "products",
    "buyers",
    "corrections",
    "sending",
)
"""Tables of a seller file; docs/seller.md describes their entries."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A seller with its choices, and the plain values they were read from."""

    issuer: Issuer
    policy: InvoicePolicy
    corrections: CorrectionPolicy
    numbering: Numbering
    sending: SendingPolicy
    values: dict[str, Any]

    @property
    def seller(self) -> Seller:
        """Podmiot1."""
        return self.issuer.seller


def read(data: bytes, name: str) -> Profile:
    """Read a seller file.

    Args:
        data: its bytes.
        name: what to call it in a fault.

    Raises:
        BadProfile: it is no TOML, or entries are missing or wrong.
    """
    try:
        values = tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise BadProfile([Text(f"{name} nie jest tekstem UTF-8", f"{name} is not UTF-8 text")]) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadProfile(
            [Text(f"{name} nie jest plikiem TOML: {error}", f"{name} is not a TOML file: {error}")]
        ) from None
    return parse(values)


def parse(values: Mapping[str, Any]) -> Profile:
    """Check the values of a seller file.

    Args:
        values: see :data:`TABLES`.

    Raises:
        BadProfile: with every fault found.
    """
    reader = Reader()
    for name in values:
        if name not in TABLES:
            reader.fault(f"[{name}]", Text("nieznana tabela", "unknown table"))
    profile = Profile(
        issuer=issuer(reader, reader.table(values, "seller")),
        policy=invoice_policy(reader, values),
        corrections=correction_policy(reader, values),
        numbering=numbering(reader, values),
        sending=sending_policy(reader, values),
        values=_plain(values),
    )
    if reader.faults:
        raise BadProfile(reader.faults)
    return profile


def _plain(value: Any) -> Any:
    """The same values with days as texts, so that they can be kept as JSON."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value
