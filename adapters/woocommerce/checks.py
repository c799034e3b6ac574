"""``store check`` for WooCommerce: what works, what is missing, what is worth knowing, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from adapters.contract import CheckLine, ShopAuthFailed, ShopError, ShopRefused
from adapters.woocommerce.client import WooClient, as_list
from core.findings import Text

# the shop refuses signatures that are older or younger than this
_OAUTH_WINDOW = 15 * 60
_NOTICEABLE_SKEW = 60
_NO_ORDER = "orders/0"
_BASES = {"shipping": "adres wysyłki", "billing": "adres płatności", "base": "adres sklepu"}


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
    title = Text("odczyt zamówień", "reading orders")
    try:
        fields = "id,date_created,date_created_gmt"
        answer = client.get("orders", {"per_page": 1, "_fields": fields, "status": "any"})
        orders = as_list(answer)
    except ShopError as error:
        yield CheckLine(False, title, error.words)
        return
    yield CheckLine(
        True, title, Text("sklep odpowiada, a klucz może czytać", "the shop answers and the key may read")
    )
    if not client.is_https:
        yield CheckLine(
            None,
            Text("połączenie", "connection"),
            Text(
                "zwykłe http: zapytania są podpisane, ale zamówienia może po drodze czytać każdy; użyj https",
                "plain http: requests are signed, but everybody on the way can read the orders; use https",
            ),
        )
    if answer.date is not None:
        yield _clock(answer.date, now())
    yield from _zone(orders)


def _clock(theirs: datetime, ours: datetime) -> CheckLine:
    apart = abs((theirs - ours).total_seconds())
    title = Text("zegar", "clock")
    said = Text(
        f"zegar sklepu różni się od naszego o {apart:.0f} s",
        f"the shop's clock is {apart:.0f} s away from ours",
    )
    if apart >= _OAUTH_WINDOW:
        return CheckLine(
            False, title, Text(f"{said.pl}; popraw jeden z nich", f"{said.en}; correct one of them")
        )
    if apart >= _NOTICEABLE_SKEW:
        return CheckLine(None, title, said)
    return CheckLine(
        True, title, Text("zegar sklepu zgadza się z naszym", "the shop's clock agrees with ours")
    )


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
        zone = f"UTC{hours:+03d}:{minutes:02d}"
        yield CheckLine(
            None,
            Text("strefa czasowa", "time zone"),
            Text(f"{zone}; zamówienia są czytane w UTC", f"{zone}; orders are read in UTC"),
        )


def _write_permission(client: WooClient) -> CheckLine:
    title = Text("zapis notatek i metadanych", "writing notes and metadata")
    try:
        client.put(_NO_ORDER, {})
    except ShopAuthFailed as error:
        return CheckLine(False, title, error.words)
    except ShopRefused as error:
        if error.code.endswith("_invalid_id") or error.status == 404:
            return CheckLine(True, title, Text("klucz może zapisywać", "the key may write"))
        return CheckLine(None, title, error.words)
    except ShopError as error:
        return CheckLine(None, title, error.words)
    return CheckLine(
        None,
        title,
        Text("sklep nieoczekiwanie odpowiedział na próbę", "the shop gave an unexpected answer to the probe"),
    )


def _version(client: WooClient) -> Iterator[CheckLine]:
    title = Text("WooCommerce", "WooCommerce")
    try:
        data = client.get("system_status", {"_fields": "environment,settings"}).data
    except ShopError as error:
        yield CheckLine(
            None, title, _unread("nie da się odczytać wersji", "the version cannot be read", error)
        )
        return
    environment = data.get("environment") if isinstance(data, dict) else None
    if not isinstance(environment, dict):
        yield CheckLine(
            None, title, Text("sklep nie podaje swojej wersji", "the shop does not tell its version")
        )
        return
    version, wordpress = environment.get("version"), environment.get("wp_version")
    yield CheckLine(
        True,
        title,
        Text(f"wersja {version} na WordPressie {wordpress}", f"version {version} on WordPress {wordpress}"),
    )


def _tax_settings(client: WooClient) -> Iterator[CheckLine]:
    title = Text("podatki", "taxes")
    try:
        values = _settings(client, "settings/tax")
    except ShopError as error:
        yield CheckLine(
            None,
            title,
            _unread("nie da się odczytać ustawień podatków", "the tax settings cannot be read", error),
        )
        return
    gross = values.get("woocommerce_prices_include_tax") == "yes"
    with_tax = Text("ceny są wpisywane z podatkiem", "prices are entered with tax")
    without = Text("ceny są wpisywane bez podatku", "prices are entered without tax")
    yield CheckLine(None, title, with_tax if gross else without)
    at_subtotal = Text(
        "podatek jest zaokrąglany na poziomie podsumy: brane są sumy sklepu według stawek",
        "tax is rounded at subtotal level: the shop's totals per rate are taken",
    )
    per_line = Text("podatek jest zaokrąglany w pozycjach", "tax is rounded per line")
    by_subtotal = values.get("woocommerce_tax_round_at_subtotal") == "yes"
    yield CheckLine(None, Text("zaokrąglanie", "rounding"), at_subtotal if by_subtotal else per_line)
    base = str(values.get("woocommerce_tax_based_on"))
    yield CheckLine(
        None,
        Text("miejsce opodatkowania", "tax location"),
        Text(
            f"podatek liczy się według: {_BASES.get(base, base)}", f"tax is calculated by the {base} address"
        ),
    )


def _customer_notes(client: WooClient) -> CheckLine:
    title = Text("e-mail z notatką do klienta", "e-mail of customer notes")
    try:
        enabled = _settings(client, "settings/email_customer_note").get("enabled")
    except ShopError as error:
        return CheckLine(
            None, title, _unread("nie da się odczytać ustawienia", "the setting cannot be read", error)
        )
    if enabled == "yes":
        on = Text(
            "włączony: sklep wysyła notatki kupującemu", "on: the shop sends customer notes to the buyer"
        )
        return CheckLine(True, title, on)
    return CheckLine(
        False,
        title,
        Text(
            "wyłączony: kupujący nie dostaną e-maila z fakturą; włącz: WooCommerce, Ustawienia, E-maile, "
            "Notatka do klienta",
            "off: buyers get no e-mail with the invoice; turn it on in WooCommerce, Settings, Emails, "
            "Customer note",
        ),
    )


def _settings(client: WooClient, endpoint: str) -> dict[str, object]:
    """The values of a group of settings by their ids."""
    values: dict[str, object] = {}
    for item in as_list(client.get(endpoint)):
        if isinstance(item, dict) and isinstance(item.get("id"), str):
            values[item["id"]] = item.get("value")
    return values


def _unread(pl: str, en: str, error: ShopError) -> Text:
    return Text(f"{pl}: {error.words.pl}", f"{en}: {error.words.en}")
