"""``store check`` for PrestaShop: what works, what is missing, what is worth knowing, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from adapters.contract import CheckLine, NotFound, ShopError
from adapters.prestashop.answers import KEY_PAGE
from adapters.prestashop.client import Answer, PrestaClient
from adapters.prestashop.config import zone_named
from adapters.prestashop.permissions import NAMES, missing, needed
from adapters.prestashop.settings import read_settings
from adapters.prestashop.times import TIME_ZONE

_NOTICEABLE_SKEW = 60
_SETTINGS = (
    TIME_ZONE,
    "PS_TAX",
    "PS_TAX_ADDRESS_TYPE",
    "PS_ROUND_TYPE",
    "PS_PRICE_ROUND_MODE",
    "PS_INVOICE",
)
_ROUND_TYPES = {"1": "each unit", "2": "each line", "3": "the whole order"}
_ROUND_MODES = {
    "0": "up",
    "1": "down",
    "2": "half up",
    "3": "half down",
    "4": "half to even",
    "5": "half to odd",
}
_TAX_ADDRESSES = {"id_address_invoice": "invoice", "id_address_delivery": "delivery"}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the store's configuration asks for, as far as it has to be checked.

    Attributes:
        notes: the order's own note is written.
        state: id of the order state with e-mail; empty for none.
        time_zone: that the configuration names; empty for the shop's own.
    """

    notes: bool = True
    state: str = ""
    time_zone: str = ""


def check_store(client: PrestaClient, wishes: Wishes, *, now: Callable[[], datetime]) -> list[CheckLine]:
    """Look at the connection, the key and the settings that invoices depend on; nothing is changed.

    Args:
        client: the shop.
        wishes: what the store's configuration asks for.
        now: the time now, aware UTC.
    """
    try:
        answer = client.get("")
    except ShopError as error:
        return [CheckLine(False, "connection", _sentence(error))]
    lines = [
        *_connection(client),
        _reading(client),
        *_permissions(answer, wishes),
        _version(answer, wishes),
        *_clock(answer, now()),
    ]
    try:
        settings = read_settings(client, _SETTINGS)
    except ShopError as error:
        why = f"the shop's settings cannot be read: {_sentence(error)}"
        lines.append(CheckLine(None if wishes.time_zone else False, "settings", why))
    else:
        lines += [
            _zone(settings.get(TIME_ZONE, ()), wishes.time_zone),
            *_taxes(settings),
            *_invoices(settings),
        ]
    lines.append(_messages())
    if wishes.state:
        lines.append(_state(client, wishes.state))
    return lines


def _connection(client: PrestaClient) -> Iterator[CheckLine]:
    yield CheckLine(True, "connection", "the shop answers and knows the key")
    if not client.is_https:
        yield CheckLine(
            None, "encryption", "plain http: everybody on the way can read the key and the orders; use https"
        )


def _reading(client: PrestaClient) -> CheckLine:
    title = "reading orders"
    try:
        client.get("orders", {"display": "[id]", "limit": "1"})
    except ShopError as error:
        return CheckLine(False, title, _sentence(error))
    return CheckLine(True, title, "the key may read orders")


def _permissions(answer: Answer, wishes: Wishes) -> Iterator[CheckLine]:
    wanted = needed(notes=wishes.notes, state=bool(wishes.state), time_zone=not wishes.time_zone)
    lacking = missing(answer.root, wanted)
    for collection, methods in lacking.items():
        words = ", ".join(NAMES[one] for one in methods)
        yield CheckLine(
            False, f"permission {collection}", f"the key lacks {words}: tick it in {KEY_PAGE}, the key"
        )
    if not lacking:
        yield CheckLine(True, "permissions", "the key may do everything that is needed")


def _version(answer: Answer, wishes: Wishes) -> CheckLine:
    title = "PrestaShop"
    major = answer.version.partition(".")[0]
    if not major.isdigit():
        return CheckLine(None, title, "the shop does not tell its version")
    if int(major) >= 8:
        return CheckLine(True, title, f"version {answer.version}")
    if not wishes.notes:
        return CheckLine(True, title, f"version {answer.version}; no notes are written")
    return CheckLine(
        False,
        title,
        f"version {answer.version} cannot change an order's note alone: put private_note=no into the store's"
        " configuration; messages to the buyer work",
    )


def _clock(answer: Answer, ours: datetime) -> Iterator[CheckLine]:
    if answer.date is None:
        return
    apart = abs((answer.date - ours).total_seconds())
    if apart >= _NOTICEABLE_SKEW:
        yield CheckLine(None, "clock", f"the shop's clock is {apart:.0f} s away from ours")
    else:
        yield CheckLine(True, "clock", "the shop's clock agrees with ours")


def _zone(told: tuple[str, ...], chosen: str) -> CheckLine:
    title = "time zone"
    if chosen:
        if told in {(), (chosen,)}:
            return CheckLine(True, title, f"{chosen}, as the store's configuration says")
        shown = ", ".join(told)
        return CheckLine(
            False, title, f"the store's configuration says {chosen}, the shop {shown}: take time_zone out"
        )
    if len(told) != 1:
        shown = ", ".join(told) or "none"
        return CheckLine(
            False, title, f"the shop tells {shown}: put time_zone into the store's configuration"
        )
    try:
        zone_named(told[0])
    except ShopError as error:
        return CheckLine(False, title, _sentence(error))
    return CheckLine(True, title, f"{told[0]}; times are read as the shop's own")


def _taxes(settings: Mapping[str, tuple[str, ...]]) -> Iterator[CheckLine]:
    if settings.get("PS_TAX") == ("1",):
        by = " and ".join(_TAX_ADDRESSES.get(one, one) for one in settings.get("PS_TAX_ADDRESS_TYPE", ()))
        yield CheckLine(True, "taxes", "on" + (f", by the {by} address" if by else ""))
    else:
        yield CheckLine(
            None, "taxes", "off: the shop charges no tax, and the seller's file has to say what that means"
        )
    kinds = [_ROUND_TYPES.get(one, one) for one in settings.get("PS_ROUND_TYPE", ())]
    modes = [_ROUND_MODES.get(one, one) for one in settings.get("PS_PRICE_ROUND_MODE", ())]
    if kinds:
        how = f", {' and '.join(modes)}" if modes else ""
        yield CheckLine(None, "rounding", f"the shop rounds {' and '.join(kinds)}{how}")


def _invoices(settings: Mapping[str, tuple[str, ...]]) -> Iterator[CheckLine]:
    own = settings.get("PS_INVOICE")
    if own == ("0",):
        yield CheckLine(True, "the shop's own invoices", "off")
    elif own:
        yield CheckLine(
            None,
            "the shop's own invoices",
            "on: buyers get a second invoice, which is not in KSeF; turn them off in Orders, Invoices,"
            " Enable invoices",
        )


def _messages() -> CheckLine:
    return CheckLine(
        None,
        "messages to buyers",
        "buyers read them in My account, at the order; PrestaShop sends no e-mail for them",
    )


def _state(client: PrestaClient, key: str) -> CheckLine:
    title = "order state with e-mail"
    try:
        found = client.get(f"order_states/{key}").resources()
    except NotFound:
        return CheckLine(False, title, f"the shop has no order state {key}: correct invoice_state")
    except ShopError as error:
        return CheckLine(None, title, _sentence(error))
    state = found[0]
    if not state.flag("send_email"):
        return CheckLine(
            False, title, f"{state.text('name')} sends no e-mail: Shop Parameters, Order Settings, Statuses"
        )
    return CheckLine(True, title, f"{state.text('name')}: the shop sends its e-mail once an order")


def _sentence(error: ShopError) -> str:
    return f"{error.message}. {error.hint}" if error.hint else error.message
