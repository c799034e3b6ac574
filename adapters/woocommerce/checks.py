"""``store check`` for WooCommerce: what works, what is missing, what is worth knowing, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from adapters.contract import CheckLine, ShopAuthFailed, ShopError, ShopRefused
from adapters.woocommerce.client import WooClient, as_list

# the shop refuses signatures that are older or younger than this
_OAUTH_WINDOW = 15 * 60
_NOTICEABLE_SKEW = 60
_NO_ORDER = "orders/0"


def check_store(client: WooClient, *, now: Callable[[], datetime]) -> list[CheckLine]:
    """Look at the connection, the key and the settings that invoices depend on.

    Nothing is changed: the right to write is probed by changing an order that cannot exist.

    Args:
        client: the shop.
        now: the time now, aware UTC.
    """
    lines = list(_read_permission(client, now))
    if lines[0].ok:
        lines += [
            _write_permission(client),
            *_version(client),
            *_tax_settings(client),
            _customer_notes(client),
        ]
    return lines


def _read_permission(client: WooClient, now: Callable[[], datetime]) -> Iterator[CheckLine]:
    title = "reading orders"
    try:
        fields = "id,date_created,date_created_gmt"
        answer = client.get("orders", {"per_page": 1, "_fields": fields, "status": "any"})
        orders = as_list(answer)
    except ShopError as error:
        yield CheckLine(False, title, _sentence(error))
        return
    yield CheckLine(True, title, "the shop answers and the key may read")
    if not client.is_https:
        yield CheckLine(
            None,
            "connection",
            "plain http: requests are signed, but everybody on the way can read the orders; use https",
        )
    if answer.date is not None:
        yield _clock(answer.date, now())
    yield from _zone(orders)


def _clock(theirs: datetime, ours: datetime) -> CheckLine:
    apart = abs((theirs - ours).total_seconds())
    if apart >= _OAUTH_WINDOW:
        return CheckLine(
            False, "clock", f"the shop's clock is {apart:.0f} s away from ours; correct one of them"
        )
    if apart >= _NOTICEABLE_SKEW:
        return CheckLine(None, "clock", f"the shop's clock is {apart:.0f} s away from ours")
    return CheckLine(True, "clock", "the shop's clock agrees with ours")


def _zone(orders: Sequence[object]) -> Iterator[CheckLine]:
    """The shop's time zone, which it shows only in the two times of its newest order."""
    for order in orders:
        if not isinstance(order, dict):
            return
        try:
            local = datetime.fromisoformat(order["date_created"])
            offset = local - datetime.fromisoformat(order["date_created_gmt"])
        except (KeyError, TypeError, ValueError):
            return
        hours, minutes = divmod(int(offset.total_seconds()) // 60, 60)
        yield CheckLine(None, "time zone", f"UTC{hours:+03d}:{minutes:02d}; orders are read in UTC")


def _write_permission(client: WooClient) -> CheckLine:
    title = "writing notes and metadata"
    try:
        client.put(_NO_ORDER, {})
    except ShopAuthFailed as error:
        return CheckLine(False, title, _sentence(error))
    except ShopRefused as error:
        if error.code.endswith("_invalid_id") or error.status == 404:
            return CheckLine(True, title, "the key may write")
        return CheckLine(None, title, _sentence(error))
    except ShopError as error:
        return CheckLine(None, title, _sentence(error))
    return CheckLine(None, title, "the shop gave an unexpected answer to the probe")


def _version(client: WooClient) -> Iterator[CheckLine]:
    title = "WooCommerce"
    try:
        data = client.get("system_status", {"_fields": "environment,settings"}).data
    except ShopError as error:
        yield CheckLine(None, title, f"the version cannot be read: {_sentence(error)}")
        return
    environment = data.get("environment") if isinstance(data, dict) else None
    if not isinstance(environment, dict):
        yield CheckLine(None, title, "the shop does not tell its version")
        return
    version, wordpress = environment.get("version"), environment.get("wp_version")
    yield CheckLine(True, title, f"version {version} on WordPress {wordpress}")


def _tax_settings(client: WooClient) -> Iterator[CheckLine]:
    title = "taxes"
    try:
        values = _settings(client, "settings/tax")
    except ShopError as error:
        yield CheckLine(None, title, f"the tax settings cannot be read: {_sentence(error)}")
        return
    gross = values.get("woocommerce_prices_include_tax") == "yes"
    yield CheckLine(None, title, f"prices are entered {'with' if gross else 'without'} tax")
    if values.get("woocommerce_tax_round_at_subtotal") == "yes":
        yield CheckLine(
            None, "rounding", "tax is rounded at subtotal level: the shop's totals per rate are taken"
        )
    else:
        yield CheckLine(None, "rounding", "tax is rounded per line")
    base = values.get("woocommerce_tax_based_on")
    yield CheckLine(None, "tax location", f"tax is calculated by the {base} address")


def _customer_notes(client: WooClient) -> CheckLine:
    title = "e-mail of customer notes"
    try:
        enabled = _settings(client, "settings/email_customer_note").get("enabled")
    except ShopError as error:
        return CheckLine(None, title, f"the setting cannot be read: {_sentence(error)}")
    if enabled == "yes":
        return CheckLine(True, title, "on: the shop sends customer notes to the buyer")
    return CheckLine(
        False,
        title,
        "off: buyers get no e-mail with the invoice;"
        " turn it on in WooCommerce, Settings, Emails, Customer note",
    )


def _settings(client: WooClient, endpoint: str) -> dict[str, object]:
    """The values of a group of settings by their ids."""
    values: dict[str, object] = {}
    for item in as_list(client.get(endpoint)):
        if isinstance(item, dict) and isinstance(item.get("id"), str):
            values[item["id"]] = item.get("value")
    return values


def _sentence(error: ShopError) -> str:
    return f"{error.message}. {error.hint}" if error.hint else error.message
