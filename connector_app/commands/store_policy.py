"""``store set``, and the options of a store's policy that it shares with ``store add``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

import click

from adapters.contract import Channel
from connector_app.commands.app import App, BadInput, pass_app
from connector_app.commands.bilingual import Command, option
from connector_app.commands.find_store import find_store
from connector_app.policies import Corrections, Place, Recipients, StorePolicy, Trigger
from connector_app.store_rules import NoMailServer, change_policy
from core.findings import Text
from core.ksef.offline import OfflinePolicy

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])
_LONGEST = 45
_NONE = "none"
_YES_NO = ("yes", "no")
_PLACES = [one.value for one in Place]


class _Amount(click.ParamType[str]):
    """An amount with at most two decimals, or ``none``."""

    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text of a decimal number, or ``none``."""
        try:
            amount = Decimal(str(value).replace(",", ".")) if value != _NONE else None
        except InvalidOperation:
            amount = Decimal("NaN")
        if amount is None:
            return _NONE
        if not amount.is_finite() or amount < 0 or amount != amount.quantize(Decimal("0.01")):
            self.fail(f"{value!r} is not a valid float.", param, ctx)
        return f"{amount:f}"


def _choice(name: str, values: list[str], default: str, *, pl: str, en: str) -> Any:
    return option(name, type=click.Choice(values), default=None, show_default=default, pl=pl, en=en)


def _yes_no(name: str, *, pl: str, en: str) -> Any:
    return _choice(name, list(_YES_NO), "no", pl=pl, en=en)


_OPTIONS = (
    _choice(
        "--recipients",
        [one.value for one in Recipients],
        Recipients.NIP.value,
        pl="Komu wystawiać: nip (podał NIP lub firmę), asked (także kto poprosił o fakturę), everyone "
        "(każdemu).",
        en="Whom to invoice: nip (gave a NIP or a company), asked (also who asked for an invoice), everyone.",
    ),
    _choice(
        "--trigger",
        [one.value for one in Trigger],
        Trigger.PAID.value,
        pl="Kiedy wystawiać: paid (po zapłacie lub przyjęciu do realizacji), money (gdy sklep potwierdził "
        "wpłatę) lub completed (po zrealizowaniu).",
        en="When to invoice: paid (paid or accepted for fulfilment), money (the shop has confirmed it), or "
        "completed.",
    ),
    option(
        "--after-days",
        type=click.IntRange(0, _LONGEST),
        default=None,
        show_default="0",
        metavar="N",
        pl="Ile dni po tym, najpóźniej 15. dnia miesiąca po sprzedaży.",
        en="So many days after that, by the 15th of the month after the sale at the latest.",
    ),
    _choice(
        "--consumers",
        _PLACES,
        Place.KSEF.value,
        pl="Faktury konsumentów: ksef, albo outside (poza KSeF, wystawia je inny program).",
        en="Consumers' invoices: ksef, or outside (another program issues them outside KSeF).",
    ),
    _choice(
        "--oss",
        _PLACES,
        Place.OUTSIDE.value,
        pl="Sprzedaż OSS: outside (poza KSeF) albo ksef (wymaga też [treatments] oss = true).",
        en="OSS sales: outside KSeF, or ksef (needs [treatments] oss = true as well).",
    ),
    _yes_no(
        "--receipts",
        pl="Zamówienia z NIP do 450 zł dostają paragon z NIP: fakturę uproszczoną (do 31 grudnia 2026).",
        en="Orders with a NIP up to 450 PLN get a receipt with the NIP, a simplified invoice (until 31 "
        "December 2026).",
    ),
    _yes_no(
        "--relief",
        pl="Faktury poza KSeF, dopóki nie przekroczą 10 000 zł w miesiącu (do 31 grudnia 2026).",
        en="Invoices outside KSeF while they stay within 10 000 PLN a month (until 31 December 2026).",
    ),
    _choice(
        "--corrections",
        [one.value for one in Corrections],
        Corrections.AUTOMATIC.value,
        pl="Korekty zwrotów: automatic (same, gdy znany jest podział na stawki) lub ask (najpierw zapytaj).",
        en="Corrections of refunds: automatic (where the split by rate is known), or ask (a person first).",
    ),
    option(
        "--corrections-limit",
        type=_Amount(),
        default=None,
        metavar="AMOUNT|none",
        pl="O korektę zwrotu większego niż ta kwota zawsze pytaj; none: bez granicy.",
        en="Always ask about a refund of more than this amount; none: no limit.",
    ),
    _choice(
        "--offline",
        [one.value for one in OfflinePolicy],
        OfflinePolicy.ASK.value,
        pl="W ogłoszonej niedostępności KSeF: automatic (wystawiaj offline), ask (czekaj na decyzję), never.",
        en="In an announced outage of KSeF: automatic (issue offline), ask (wait for a person), never.",
    ),
    option(
        "--start",
        type=click.DateTime(["%Y-%m-%d"]),
        default=None,
        show_default="dziś / today",
        pl="Zamówień złożonych przed tym dniem nigdy nie fakturuj.",
        en="Orders placed before this day are never invoiced.",
    ),
    option(
        "--channel",
        "channels",
        type=click.Choice([*(one.value for one in Channel), _NONE]),
        multiple=True,
        pl="Gdzie w sklepie zapisywać wyniki; można podać kilka razy; none: nigdzie.",
        en="Where in the shop results are written; may be given several times; none: nowhere.",
    ),
    _yes_no(
        "--mail",
        pl="Łącznik sam wysyła nabywcom e-maile z fakturą (zob. mail set).",
        en="The connector itself sends buyers e-mails with the invoice (see mail set).",
    ),
    _yes_no(
        "--buyer-upo",
        pl="Nabywca może na stronie swojej faktury pobrać też UPO.",
        en="The buyer may download the UPO too, from the page of the invoice.",
    ),
    option(
        "--note-language",
        "language",
        type=click.Choice(["pl", "en"]),
        default=None,
        show_default="pl",
        pl="Język notatek w sklepie.",
        en="Language of notes in the shop.",
    ),
)


def policy_options(command: _Decorated) -> _Decorated:
    """Give a command the options of a store's policy; :func:`changed` reads them."""
    for one in reversed(_OPTIONS):
        command = one(command)
    return command


def changed(policy: StorePolicy, choices: Mapping[str, Any]) -> StorePolicy:
    """A policy with the options that were given.

    Args:
        policy: as it is.
        choices: values of the options of :func:`policy_options`; what was not given stays.
    """
    given: dict[str, Any] = {key: value for key, value in choices.items() if value is not None}
    start: datetime | None = given.pop("start", None)
    channels: tuple[str, ...] = given.pop("channels", ())
    for name in ("receipts", "relief", "mail", "buyer_upo"):
        if name in given:
            given[name] = given[name] == "yes"
    if given.get("corrections_limit") == _NONE:
        given["corrections_limit"] = None
    if start is not None:
        given["start_day"] = start.date().isoformat()
    if channels:
        given["channels"] = [one for one in channels if one != _NONE]
    return StorePolicy.from_json(policy.as_json() | given)


@click.command(
    name="set",
    cls=Command,
    pl="""Zmienia zasady sklepu; czego nie podano, zostaje. Bez opcji: pokazuje zasady.

    Zamówienia, do których nie wystawiono faktury, są od razu rozstrzygane od nowa; te, które oddano do
    wystawienia poza KSeF, zostają oddane.""",
)
@click.argument("code", metavar="CODE")
@policy_options
@option("--json", "as_json", is_flag=True, pl="Zasady jako JSON.", en="The policy as JSON.")
@pass_app
def set_policy(app: App, /, code: str, as_json: bool, **choices: Any) -> None:
    """Change a store's policy; what is not given stays. Without options: show it.

    Orders that were not invoiced are decided anew at once; those left to another program, outside KSeF, stay
    with it.
    """
    services = app.open()
    with services.database() as session:
        store_id = find_store(session, app, code).id
    try:
        done = change_policy(services, store_id, lambda policy: changed(policy, choices))
    except NoMailServer as error:
        raise BadInput(
            error.text.in_language(app.language), f"ksef-connector mail set {code} --host ..."
        ) from None
    policy = done.after
    if as_json:
        app.json(policy.as_json())
    else:
        for name, value in policy.as_json().items():
            app.out.print(f"{name}: {_shown(value)}", markup=False)
    if policy != done.before and not as_json:
        app.say(
            Text(
                f"✓ Zasady sklepu {code} zmienione. Rozstrzygnięto od nowa: {done.settled}.",
                f"✓ The policy of store {code} is changed. Decided anew: {done.settled}.",
            )
        )


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(value) or _NONE
    return _NONE if value is None else str(value)
