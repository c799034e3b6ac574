"""What a document holds and the model has no field for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Extra:
    """One element kept as it stands.

    Attributes:
        name: the schema's name of the element.
        xml: the element as XML text without a namespace declaration.
    """

    name: str
    xml: str
