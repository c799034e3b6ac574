"""Which mark a document has in JPK_V7M(3): exactly one of NrKSeF, OFF, BFK and DI.

It is decided by how the document was issued and by what is known on the day of the export, not on the day of
sale. That a document has no KSeF number does not mean OFF.

=================================================  ==========
document                                           mark
=================================================  ==========
has a KSeF number, whatever its mode               ``NrKSeF``
issued in a failure (art. 106nf), no number yet    ``OFF``
offline24 (106nda), unavailability (106nh)         ``DI``
issued in a total failure (106ng)                  ``BFK``
issued online, KSeF has not accepted it            undecided
=================================================  ==========

Once a ``DI`` document has its number, JPK_V7M of that month has to be corrected; after ``OFF`` it has not.
Sources: JPK_V7M(3) SprzedazWiersz; the articles of the VAT act.
"""

from __future__ import annotations

from enum import StrEnum

from core.ksef.offline import OfflineMode


class Marker(StrEnum):
    """The words of the schema."""

    KSEF = "NrKSeF"
    OFF = "OFF"
    BFK = "BFK"
    DI = "DI"

    @property
    def asks_for_correction(self) -> bool:
        """Whether JPK_V7M has to be corrected once the document has its KSeF number."""
        return self is Marker.DI


_WITHOUT_NUMBER = {
    OfflineMode.EMERGENCY: Marker.OFF,
    OfflineMode.OFFLINE24: Marker.DI,
    OfflineMode.MAINTENANCE: Marker.DI,
    OfflineMode.TOTAL_FAILURE: Marker.BFK,
}


def marker_of(ksef_number: str | None, offline_mode: str | None) -> Marker | None:
    """The mark of a document.

    Args:
        ksef_number: what KSeF gave it, if it has.
        offline_mode: value of :class:`~core.ksef.offline.OfflineMode`; ``None`` when it was issued online.

    Returns:
        ``None`` when it cannot be decided: issued online and not accepted.
    """
    if ksef_number:
        return Marker.KSEF
    return _WITHOUT_NUMBER[OfflineMode(offline_mode)] if offline_mode else None
