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
from core.findings import Text

_NOTICEABLE_SKEW = 60
_CONNECTION = Text("połączenie", "connection")
_SETTINGS = (
    TIME_ZONE,
    "PS_TAX",
    "PS_TAX_ADDRESS_TYPE",
    "PS_ROUND_TYPE",
    "PS_PRICE_ROUND_MODE",
    "PS_INVOICE",
)
_ROUND_TYPES = {
    "1": Text("każdą sztukę", "each unit"),
    "2": Text("każdą pozycję", "each line"),
    "3": Text("całe zamówienie", "the whole order"),
}
_ROUND_MODES = {
    "0": Text("w górę", "up"),
    "1": Text("w dół", "down"),
    "2": Text("połówki w górę", "half up"),
    "3": Text("połówki w dół", "half down"),
    "4": Text("połówki do parzystej", "half to even"),
    "5": Text("połówki do nieparzystej", "half to odd"),
}
_TAX_ADDRESSES = {
    "id_address_invoice": Text("adresu faktury", "invoice"),
    "id_address_delivery": Text("adresu dostawy", "delivery"),
}


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
        return [CheckLine(False, _CONNECTION, error.words)]
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
        why = Text(
            f"nie da się odczytać ustawień sklepu: {error.words.pl}",
            f"the shop's settings cannot be read: {error.words.en}",
        )
        lines.append(CheckLine(None if wishes.time_zone else False, Text("ustawienia", "settings"), why))
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
    yield CheckLine(
        True, _CONNECTION, Text("sklep odpowiada i zna klucz", "the shop answers and knows the key")
    )
    if not client.is_https:
        yield CheckLine(
            None,
            Text("szyfrowanie", "encryption"),
            Text(
                "zwykłe http: klucz i zamówienia może po drodze czytać każdy; użyj https",
                "plain http: everybody on the way can read the key and the orders; use https",
            ),
        )


def _reading(client: PrestaClient) -> CheckLine:
    title = Text("odczyt zamówień", "reading orders")
    try:
        client.get("orders", {"display": "[id]", "limit": "1"})
    except ShopError as error:
        return CheckLine(False, title, error.words)
    return CheckLine(True, title, Text("klucz może czytać zamówienia", "the key may read orders"))


def _permissions(answer: Answer, wishes: Wishes) -> Iterator[CheckLine]:
    wanted = needed(notes=wishes.notes, state=bool(wishes.state), time_zone=not wishes.time_zone)
    lacking = missing(answer.root, wanted)
    for collection, methods in lacking.items():
        words = ", ".join(NAMES[one] for one in methods)
        yield CheckLine(
            False,
            Text(f"uprawnienie {collection}", f"permission {collection}"),
            Text(
                f"kluczowi brakuje {words}: zaznacz je przy kluczu, {KEY_PAGE.pl}",
                f"the key lacks {words}: tick it in {KEY_PAGE.en}, the key",
            ),
        )
    if not lacking:
        yield CheckLine(
            True,
            Text("uprawnienia", "permissions"),
            Text("klucz może wszystko, co potrzebne", "the key may do everything that is needed"),
        )


def _version(answer: Answer, wishes: Wishes) -> CheckLine:
    title = Text("PrestaShop", "PrestaShop")
    major = answer.version.partition(".")[0]
    if not major.isdigit():
        untold = Text("sklep nie podaje swojej wersji", "the shop does not tell its version")
        return CheckLine(None, title, untold)
    version = Text(f"wersja {answer.version}", f"version {answer.version}")
    if int(major) >= 8:
        return CheckLine(True, title, version)
    if not wishes.notes:
        unnoted = Text(f"{version.pl}; notatek się nie zapisuje", f"{version.en}; no notes are written")
        return CheckLine(True, title, unnoted)
    return CheckLine(
        False,
        title,
        Text(
            f"{version.pl} nie umie zmienić samej notatki zamówienia: wyłącz notatki w zamówieniach "
            "(private_note=no); wiadomości do kupującego działają",
            f"{version.en} cannot change an order's note alone: put private_note=no into the store's "
            "configuration; messages to the buyer work",
        ),
    )


def _clock(answer: Answer, ours: datetime) -> Iterator[CheckLine]:
    if answer.date is None:
        return
    apart = abs((answer.date - ours).total_seconds())
    title = Text("zegar", "clock")
    if apart >= _NOTICEABLE_SKEW:
        skewed = Text(
            f"zegar sklepu różni się od naszego o {apart:.0f} s",
            f"the shop's clock is {apart:.0f} s away from ours",
        )
        yield CheckLine(None, title, skewed)
    else:
        yield CheckLine(
            True, title, Text("zegar sklepu zgadza się z naszym", "the shop's clock agrees with ours")
        )


def _zone(told: tuple[str, ...], chosen: str) -> CheckLine:
    title = Text("strefa czasowa", "time zone")
    if chosen:
        if told in {(), (chosen,)}:
            fits = Text(
                f"{chosen}, jak w ustawieniach połączenia", f"{chosen}, as the store's configuration says"
            )
            return CheckLine(True, title, fits)
        shown = ", ".join(told)
        differs = Text(
            f"ustawienia połączenia mówią {chosen}, a sklep {shown}: usuń strefę (time_zone)",
            f"the store's configuration says {chosen}, the shop {shown}: take time_zone out",
        )
        return CheckLine(False, title, differs)
    if len(told) != 1:
        unclear = Text(
            f"sklep podaje {', '.join(told) or 'żadną'}: wpisz strefę (time_zone) w ustawieniach połączenia",
            f"the shop tells {', '.join(told) or 'none'}: put time_zone into the store's configuration",
        )
        return CheckLine(False, title, unclear)
    try:
        zone_named(told[0])
    except ShopError as error:
        return CheckLine(False, title, error.words)
    return CheckLine(
        True,
        title,
        Text(
            f"{told[0]}; czasy są czytane jako czasy sklepu", f"{told[0]}; times are read as the shop's own"
        ),
    )


def _taxes(settings: Mapping[str, tuple[str, ...]]) -> Iterator[CheckLine]:
    title = Text("podatki", "taxes")
    if settings.get("PS_TAX") == ("1",):
        by = _named(_TAX_ADDRESSES, settings.get("PS_TAX_ADDRESS_TYPE", ()))
        on = Text(
            "włączone" + (f", według {by.pl}" if by.pl else ""),
            "on" + (f", by the {by.en} address" if by.en else ""),
        )
        yield CheckLine(True, title, on)
    else:
        off = Text(
            "wyłączone: sklep nie nalicza podatku, a ustawienia sprzedawcy muszą mówić, co to znaczy",
            "off: the shop charges no tax, and the seller's file has to say what that means",
        )
        yield CheckLine(None, title, off)
    kinds = _named(_ROUND_TYPES, settings.get("PS_ROUND_TYPE", ()))
    modes = _named(_ROUND_MODES, settings.get("PS_PRICE_ROUND_MODE", ()))
    if kinds.en:
        rounds = Text(
            f"sklep zaokrągla {kinds.pl}" + (f", {modes.pl}" if modes.pl else ""),
            f"the shop rounds {kinds.en}" + (f", {modes.en}" if modes.en else ""),
        )
        yield CheckLine(None, Text("zaokrąglanie", "rounding"), rounds)


def _named(words: Mapping[str, Text], values: tuple[str, ...]) -> Text:
    """Settings of a multistore in words, which may differ by shop."""
    found = [words.get(one, Text(one, one)) for one in values]
    return Text(" i ".join(one.pl for one in found), " and ".join(one.en for one in found))


def _invoices(settings: Mapping[str, tuple[str, ...]]) -> Iterator[CheckLine]:
    own = settings.get("PS_INVOICE")
    title = Text("własne faktury sklepu", "the shop's own invoices")
    if own == ("0",):
        yield CheckLine(True, title, Text("wyłączone", "off"))
    elif own:
        on = Text(
            "włączone: kupujący dostają drugą fakturę, której nie ma w KSeF; wyłącz: Zamówienia, Faktury, "
            "Włącz faktury",
            "on: buyers get a second invoice, which is not in KSeF; turn them off in Orders, Invoices, "
            "Enable invoices",
        )
        yield CheckLine(None, title, on)


def _messages() -> CheckLine:
    return CheckLine(
        None,
        Text("wiadomości do kupujących", "messages to buyers"),
        Text(
            "kupujący czytają je w Moim koncie, przy zamówieniu; PrestaShop nie wysyła o nich e-maili",
            "buyers read them in My account, at the order; PrestaShop sends no e-mail for them",
        ),
    )


def _state(client: PrestaClient, key: str) -> CheckLine:
    title = Text("stan zamówienia z e-mailem", "order state with e-mail")
    try:
        found = client.get(f"order_states/{key}").resources()
    except NotFound:
        unknown = Text(
            f"sklep nie ma stanu zamówienia {key}: popraw jego numer (invoice_state)",
            f"the shop has no order state {key}: correct invoice_state",
        )
        return CheckLine(False, title, unknown)
    except ShopError as error:
        return CheckLine(None, title, error.words)
    state = found[0]
    name = state.text("name")
    if not state.flag("send_email"):
        silent = Text(
            f"{name} nie wysyła e-maila: Preferencje, Zamówienia, Statusy",
            f"{name} sends no e-mail: Shop Parameters, Order Settings, Statuses",
        )
        return CheckLine(False, title, silent)
    mails = Text(
        f"{name}: sklep wysyła jego e-mail raz na zamówienie",
        f"{name}: the shop sends its e-mail once an order",
    )
    return CheckLine(True, title, mails)
