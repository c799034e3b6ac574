"""Page: a store's policy as a readable form, with a preview on its last orders."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, cast

from flask import flash, redirect, render_template, request, url_for
from flask_login import login_required
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import BooleanField, DateField, DecimalField, IntegerField, RadioField, SelectField
from wtforms.validators import NumberRange, Optional

from adapters.contract import Channel, ShopError
from connector_app.policies import Corrections, Place, Recipients, StorePolicy, Trigger
from connector_app.store.models import Store
from connector_app.store_rules import NoMailServer, PolicyChange, change_policy, preview
from connector_app.vault import VaultLocked
from connector_app.web.access import Right, audit
from connector_app.web.flow import after_save
from connector_app.web.here import here
from connector_app.web.language import lazy, say, t
from connector_app.web.stores.blueprint import stores, the_shop
from connector_app.web.stores.forms import choices_of
from connector_app.web.stores.policy_words import CHANNELS, WORDS
from core.ksef.offline import OfflinePolicy

_MOST_DAYS = 45
_CHANNEL = "channel_"


def _words(field: str, values: Iterable[StrEnum]) -> Any:
    return choices_of(*((one.value, lazy(*WORDS[field, one])) for one in values))


class PolicyForm(FlaskForm):  # type: ignore[misc]  # the library ships no types
    """Everything of :class:`~connector_app.policies.StorePolicy` but the channels."""

    recipients = RadioField(
        lazy("Komu wystawiać faktury", "Whom to invoice"),
        choices=_words("recipients", Recipients),
    )
    trigger = RadioField(
        lazy("Kiedy wystawiać", "When to invoice"),
        choices=_words("trigger", Trigger),
    )
    after_days = IntegerField(
        lazy("Ile dni po tym", "So many days after that"),
        [NumberRange(0, _MOST_DAYS, lazy("Od 0 do 45 dni.", "From 0 to 45 days."))],
        description=lazy(
            "Nigdy później niż 15. dnia miesiąca po sprzedaży (art. 106i ust. 1 ustawy o VAT).",
            "Never later than the 15th of the month after the sale (art. 106i sec. 1 of the VAT act).",
        ),
        render_kw={"min": 0, "max": _MOST_DAYS},
    )
    start_day = DateField(
        lazy("Pierwszy dzień", "First day"),
        [Optional()],
        description=lazy(
            "Zamówień złożonych przed tym dniem nigdy się nie fakturuje.",
            "Orders placed before this day are never invoiced.",
        ),
    )
    consumers = RadioField(
        lazy("Faktury konsumentów", "Consumers' invoices"),
        choices=_words("consumers", Place),
    )
    oss = RadioField(
        lazy("Sprzedaż OSS (konsumenci z innych krajów UE)", "OSS sales (consumers in other EU countries)"),
        choices=_words("oss", Place),
    )
    receipts = BooleanField(
        lazy("Paragon z NIP do 450 zł zamiast faktury", "Receipt with NIP up to 450 PLN"),
        description=lazy(
            "Zamówienia z NIP do 450 zł dostają paragon z NIP (fakturę uproszczoną). Do 31 grudnia 2026.",
            "Orders with a NIP up to 450 PLN get a receipt with the NIP, a simplified invoice. Until "
            "31 December 2026.",
        ),
    )
    relief = BooleanField(
        lazy("Ulga 10 000 zł miesięcznie", "Relief of 10 000 PLN a month"),
        description=lazy(
            "Faktury zostają poza KSeF, dopóki nie przekroczą 10 000 zł w miesiącu. Do 31 grudnia 2026.",
            "Invoices stay outside KSeF while they do not exceed 10 000 PLN a month. Until 31 December 2026.",
        ),
    )
    corrections = RadioField(
        lazy("Korekty zwrotów", "Corrections of refunds"),
        choices=_words("corrections", Corrections),
    )
    corrections_limit = DecimalField(
        lazy("Zawsze pytaj powyżej kwoty", "Always ask above this amount"),
        [Optional(), NumberRange(0, 10**12, lazy("Kwota od zera w górę.", "An amount from zero up."))],
        places=2,
        description=lazy(
            "W walucie zamówienia; puste: bez granicy.", "In the order's currency; empty: no limit."
        ),
        render_kw={"inputmode": "decimal"},
    )
    offline = RadioField(
        lazy("Gdy KSeF ogłosi niedostępność", "When KSeF announces an outage"),
        choices=_words("offline", OfflinePolicy),
    )
    mail = BooleanField(
        lazy("Wysyłaj kupującym e-maile z fakturą", "Send buyers e-mails with the invoice"),
        description=lazy(
            "Wysyła je sam łącznik, z PDF w załączniku, przez serwer poczty tego sklepu.",
            "The connector itself sends them, with the PDF attached, by this store's mail server.",
        ),
    )
    language = SelectField(
        lazy("Język tekstów, gdy kupującego jest nieznany", "Language of texts when the buyer's is unknown"),
        choices=choices_of(("pl", "Polski"), ("en", "English")),
    )

    @property
    def channels(self) -> list[Any]:
        """The boxes of the places in the shop."""
        return [one for one in self if one.name.startswith(_CHANNEL)]


@stores.route("/stores/<code>/policy", methods=["GET", "POST"])
@login_required  # type: ignore[untyped-decorator]
def policy(code: str) -> str | Response:
    """Show the policy, preview another one, or change it."""
    services = here().services
    with services.database() as session:
        store = the_shop(session, code, Right.OWN)
        seller = store.seller
    own = StorePolicy.from_json(store.policy)
    offered = _offered(store)
    form = _form(own, offered)
    wanted = own
    shows = request.args.get("preview") == "1"
    if form.validate_on_submit():
        wanted = policy_of(form, own, offered)
        if wanted.mail and store.mail is None:
            form.mail.errors = [
                t("Ten sklep nie ma jeszcze serwera poczty.", "This store has no mail server yet.")
            ]
        elif request.form.get("action") == "preview":
            shows = True
        else:
            return _save(store, seller.nip, wanted)
    return render_template(
        "stores/policy.html",
        form=form,
        store=store,
        seller=seller,
        has_mail=store.mail is not None,
        rows=preview(services, store.id, wanted) if shows and not form.errors else None,
        is_same=wanted == own,
    )


def policy_of(form: PolicyForm, before: StorePolicy, offered: frozenset[Channel]) -> StorePolicy:
    """The policy that a valid form asks for; channels that the shop does not offer stay as they are.

    Args:
        form: with boxes for the offered channels.
        before: the policy in force.
        offered: by the shop, as it is connected now.
    """
    ticked = {Channel(one.name.removeprefix(_CHANNEL)) for one in form.channels if one.data}
    hidden = set(before.channels) - offered
    return StorePolicy(
        recipients=Recipients(form.recipients.data),
        trigger=Trigger(form.trigger.data),
        after_days=int(form.after_days.data or 0),
        corrections=Corrections(form.corrections.data),
        corrections_limit=form.corrections_limit.data,
        consumers=Place(form.consumers.data),
        oss=Place(form.oss.data),
        receipts=bool(form.receipts.data),
        relief=bool(form.relief.data),
        mail=bool(form.mail.data),
        offline=OfflinePolicy(form.offline.data),
        start_day=form.start_day.data,
        channels=tuple(one for one in Channel if one in ticked | hidden),
        language=str(form.language.data),
    )


def _form(own: StorePolicy, offered: frozenset[Channel]) -> PolicyForm:
    boxes = {
        f"{_CHANNEL}{one.value}": BooleanField(lazy(*CHANNELS[one])) for one in Channel if one in offered
    }
    form = type("StorePolicyForm", (PolicyForm,), boxes)
    ticked = {f"{_CHANNEL}{one.value}": one in own.channels for one in offered}
    values = own.as_json() | {"start_day": own.start_day, "corrections_limit": own.corrections_limit}
    return cast(PolicyForm, form(data=values | ticked))


def _offered(store: Store) -> frozenset[Channel]:
    """Where the shop can show results, as it is connected now; nothing is contacted."""
    try:
        shop = here().services.shop(store)
    except (ShopError, VaultLocked):
        return frozenset(Channel)
    try:
        return frozenset(shop.channels)
    finally:
        shop.close()


def _save(store: Store, nip: str, wanted: StorePolicy) -> Response:
    place = here()
    target = after_save(url_for("stores.page", code=store.code), nip)

    def note(session: Session, change: PolicyChange) -> None:
        old, new = change.before.as_json(), change.after.as_json()
        details = {name: {"from": old[name], "to": new[name]} for name in new if old[name] != new[name]}
        audit(session, "store.policy", f"store:{store.code}", store.seller_id, details)

    try:
        done = change_policy(place.services, store.id, lambda _before: wanted, note)
    except NoMailServer as error:
        flash(say(error.text), "danger")
        return redirect(url_for("stores.mail", code=store.code))
    if done.before == done.after:
        flash(t("Zasady bez zmian.", "The policy is unchanged."), "info")
    else:
        place.wake(store.seller_id)
        flash(
            t(
                f"Zasady zmienione. Zamówienia rozstrzygnięte inaczej: {done.settled}.",
                f"The policy is changed. Orders decided otherwise: {done.settled}.",
            ),
            "success",
        )
    return redirect(target)
