"""The shop's clock: its time zone, and where a list of changes has to begin on it.

The webservice writes and filters times of the shop's own clock without a zone.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from adapters.contract import ShopAuthFailed, ShopError
from adapters.prestashop.client import PrestaClient
from adapters.prestashop.config import TIME_ZONE_HINT, zone_named
from adapters.prestashop.settings import read_settings

TIME_ZONE = "PS_TIMEZONE"


def zone_of(client: PrestaClient) -> ZoneInfo:
    """The zone of the shop's clock, as the shop's configuration says.

    Raises:
        ShopAuthFailed: the key may not read ``configurations``.
        ShopError: the shop tells none, several, or one that is not known.
    """
    try:
        names = read_settings(client, (TIME_ZONE,)).get(TIME_ZONE, ())
    except ShopAuthFailed as error:
        raise ShopAuthFailed(
            error.said, code=error.code, status=error.status, hint=f"{error.hint} Or {TIME_ZONE_HINT}"
        ) from None
    if len(names) != 1:
        told = f"several time zones ({', '.join(names)})" if names else "no time zone"
        raise ShopError(f"the shop tells {told}", hint=TIME_ZONE_HINT)
    return zone_named(names[0])


def wall_time(moment: datetime, zone: ZoneInfo) -> str:
    """What the shop's clock shows at a moment, or earlier where it is set back meanwhile.

    In the hour that the end of summer time repeats, changes of the second pass bear smaller times than those
    of the first. So from a moment in that hour on, everything since an hour before has to be listed.

    Args:
        moment: aware.
        zone: of the shop's clock.

    Returns:
        ``2026-11-24 04:41:13``: nothing that happens at the moment or later bears a smaller time.
    """
    shown = moment.astimezone(zone).replace(tzinfo=None, microsecond=0)
    first, second = (shown.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    if first is not None and second is not None and first > second:
        shown -= first - second
    return f"{shown:%Y-%m-%d %H:%M:%S}"
