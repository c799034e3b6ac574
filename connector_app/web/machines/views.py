"""Pages: tokens of the REST interface and hooks of a seller."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_login import login_required
from flask_wtf import FlaskForm
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import BooleanField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from connector_app.hooks import keeping
from connector_app.hooks.happenings import TRIAL, WORDS, Happening
from connector_app.outbound import LONGEST_URL, ForbiddenAddress
from connector_app.store.machines import ApiToken, Hook, HookDelivery
from connector_app.store.models import Seller
from connector_app.web.access import Right, audit, me, the_seller
from connector_app.web.api import tokens as api_tokens
from connector_app.web.here import here
from connector_app.web.language import lazy, say, t

machines = Blueprint("machines", __name__, template_folder="templates")

_SHOWN = 25
"""Messages of a hook on its page."""
_NEEDED = InputRequired(lazy("Wypełnij to pole.", "Fill this in."))


class TokenForm(FlaskForm):  # type: ignore[misc]  # the library ships no types
    """A new token."""

    name = StringField(
        lazy("Nazwa (który program go użyje)", "Name (which program will use it)"),
        [_NEEDED, Length(max=100, message=lazy("Najwyżej 100 znaków.", "At most 100 characters."))],
    )
    writes = BooleanField(lazy("Może też zmieniać (ponawiać, dodawać)", "May change too (retry, add)"))


class HookForm(FlaskForm):  # type: ignore[misc]
    """A hook: where, and about what."""

    url = StringField(
        lazy("Adres odbiorcy (https)", "Address of the receiver (https)"),
        [_NEEDED, Length(max=LONGEST_URL, message=lazy("Adres jest za długi.", "The address is too long."))],
        render_kw={"inputmode": "url", "placeholder": "https://erp.example/ksef"},
    )
    events = SelectMultipleField(
        lazy("O czym powiadamiać", "What to tell it of"),
        [InputRequired(lazy("Wybierz przynajmniej jedno.", "Choose at least one."))],
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.events.choices = [(one.value, say(words)) for one, words in WORDS.items()]

    def chosen(self) -> list[Happening]:
        """The events that were ticked."""
        return [Happening(one) for one in self.events.data or []]


@machines.get("/sellers/<nip>/machines")
@login_required  # type: ignore[untyped-decorator]
def tokens(nip: str) -> str:
    """Tokens and hooks of a seller."""
    return _page(nip)


def _page(nip: str, **more: Any) -> str:
    """The page with its forms as they stand; ``more`` holds filled ones, or what is shown once."""
    with here().services.database() as session:
        seller = the_seller(session, nip, Right.OWN)
        keys = session.scalars(
            select(ApiToken).where(ApiToken.seller_id == seller.id).order_by(ApiToken.id.desc())
        ).all()
        hooks = session.scalars(select(Hook).where(Hook.seller_id == seller.id).order_by(Hook.id)).all()
        waiting = _waiting(session, seller)
    values: dict[str, Any] = {
        "token_form": TokenForm(formdata=None),
        "hook_form": HookForm(formdata=None, data={"events": [one.value for one in _FIRST_CHOICE]}),
        "once": None,
    }
    return render_template(
        "machines/page.html",
        seller=seller,
        keys=sorted(keys, key=lambda one: one.revoked_at is not None),
        hooks=hooks,
        waiting=waiting,
        **(values | more),
    )


_FIRST_CHOICE = (Happening.ACCEPTED, Happening.REJECTED, Happening.ATTENTION)


def _waiting(session: Session, seller: Seller) -> dict[int, int]:
    """Messages on their way, by hook."""
    rows = session.execute(
        select(HookDelivery.hook_id, func.count())
        .join(Hook, Hook.id == HookDelivery.hook_id)
        .where(Hook.seller_id == seller.id, HookDelivery.done_at.is_(None))
        .group_by(HookDelivery.hook_id)
    ).all()
    return {row[0]: row[1] for row in rows}


@machines.post("/sellers/<nip>/machines/tokens")
@login_required  # type: ignore[untyped-decorator]
def add_token(nip: str) -> str:
    """Make a token and show it, this once: the answer to the form, never an address."""
    form = TokenForm()
    services = here().services
    with services.database() as session:
        the_seller(session, nip, Right.OWN)
    if not form.validate_on_submit():
        return _page(nip, token_form=form)
    with services.database.begin() as session:
        seller = the_seller(session, nip, Right.OWN)
        row, token = api_tokens.make(
            session,
            seller.id,
            str(form.name.data).strip(),
            services.clock(),
            writes=bool(form.writes.data),
            by=me().id,
        )
        audit(session, "token.add", f"token:{row.id}", seller.id, {"name": row.name, "writes": row.writes})
    title = t(f"Token „{row.name}”", f'Token "{row.name}"')
    return _page(nip, once={"title": title, "value": token})


@machines.post("/sellers/<nip>/machines/tokens/<int:token_id>/revoke")
@login_required  # type: ignore[untyped-decorator]
def revoke_token(nip: str, token_id: int) -> Response:
    """End a token."""
    services = here().services
    with services.database.begin() as session:
        seller = the_seller(session, nip, Right.OWN)
        row = session.get(ApiToken, token_id)
        if row is None or row.seller_id != seller.id:
            abort(404)
        if row.revoked_at is None:
            api_tokens.revoke(row, services.clock())
            audit(session, "token.revoke", f"token:{row.id}", seller.id, {"name": row.name})
    flash(t("Token unieważniono.", "The token is revoked."), "success")
    return redirect(url_for("machines.tokens", nip=nip))


@machines.post("/sellers/<nip>/machines/hooks")
@login_required  # type: ignore[untyped-decorator]
def add_hook(nip: str) -> str:
    """Add a hook and show its secret, this once."""
    form = HookForm()
    services = here().services
    with services.database() as session:
        the_seller(session, nip, Right.OWN)
    url = _checked(form) if form.validate_on_submit() else None
    if url is None:
        return _page(nip, hook_form=form)
    with services.database.begin() as session:
        seller = the_seller(session, nip, Right.OWN)
        try:
            row, secret = keeping.add(
                session, services.vault, seller.id, url, form.chosen(), services.clock()
            )
        except keeping.TooManyHooks:
            most = keeping.MOST_HOOKS
            form.url.errors = [t(f"Najwyżej {most} webhooków.", f"At most {most} hooks.")]
            return _page(nip, hook_form=form)
        audit(session, "hook.add", f"hook:{row.id}", seller.id, {"events": row.events})
    return _page(nip, once={"title": _secret_title(row), "value": secret})


def _secret_title(row: Hook) -> str:
    return t(f"Sekret webhooka {row.url}", f"Secret of the hook {row.url}")


def _checked(form: HookForm) -> str | None:
    """The tidied address, or none with the fault beside the field."""
    try:
        return keeping.checked_url(str(form.url.data), allow_private=here().options.private_addresses)
    except ForbiddenAddress as error:
        form.url.errors = [f"{say(error.text)} {say(error.hint)}".strip()]
        return None


def _hook(session: Session, nip: str, hook_id: int) -> Hook:
    """A hook of a seller of the person's, or 404."""
    seller = the_seller(session, nip, Right.OWN)
    row = session.get(Hook, hook_id)
    if row is None or row.seller_id != seller.id:
        abort(404)
    return row


@machines.get("/sellers/<nip>/machines/hooks/<int:hook_id>")
@login_required  # type: ignore[untyped-decorator]
def hook(nip: str, hook_id: int) -> str:
    """One hook with its last messages."""
    return _hook_page(nip, hook_id)


def _hook_page(nip: str, hook_id: int, **more: Any) -> str:
    with here().services.database() as session:
        row = _hook(session, nip, hook_id)
        messages = session.scalars(
            select(HookDelivery)
            .where(HookDelivery.hook_id == row.id)
            .order_by(HookDelivery.id.desc())
            .limit(_SHOWN)
        ).all()
    form = HookForm(formdata=None, data={"url": row.url, "events": row.events})
    values: dict[str, Any] = {"form": form, "once": None}
    return render_template(
        "machines/hook.html", nip=nip, hook=row, messages=messages, event_name=_event_name, **(values | more)
    )


def _event_name(event: str) -> str:
    if event == TRIAL:
        return t("próba", "trial")
    return say(WORDS[Happening(event)])


@machines.post("/sellers/<nip>/machines/hooks/<int:hook_id>")
@login_required  # type: ignore[untyped-decorator]
def change_hook(nip: str, hook_id: int) -> str | Response:
    """Change where it leads and what it is told of."""
    form = HookForm()
    with here().services.database() as session:
        _hook(session, nip, hook_id)
    url = _checked(form) if form.validate_on_submit() else None
    if url is None:
        return _hook_page(nip, hook_id, form=form)
    with here().services.database.begin() as session:
        row = _hook(session, nip, hook_id)
        row.url, row.events = url, keeping.names(form.chosen())
        audit(session, "hook.change", f"hook:{row.id}", row.seller_id, {"events": row.events})
    flash(t("Zapisano.", "Saved."), "success")
    return redirect(url_for("machines.hook", nip=nip, hook_id=hook_id))


@machines.post("/sellers/<nip>/machines/hooks/<int:hook_id>/<action>")
@login_required  # type: ignore[untyped-decorator]
def act(nip: str, hook_id: int, action: str) -> str | Response:
    """Test, switch on or off, renew the secret, or remove."""
    if action not in _DONE:
        abort(404)
    services = here().services
    secret = ""
    with services.database.begin() as session:
        row = _hook(session, nip, hook_id)
        now = services.clock()
        if action == "test" and row.disabled_at is None:
            keeping.try_out(session, row, now)
        elif action == "on" and row.disabled_at is not None:
            keeping.switch_on(session, row, now)
        elif action == "off" and row.disabled_at is None:
            keeping.switch_off(row, keeping.BY_PERSON, now)
        elif action == "secret":
            secret = keeping.renew_secret(row, services.vault, now)
        audit(session, f"hook.{action}", f"hook:{row.id}", row.seller_id)
        if action == "remove":
            keeping.remove(session, row)
    here().wake()
    if secret:
        return _hook_page(nip, hook_id, once={"title": _secret_title(row), "value": secret})
    flash(t(*_DONE[action]), "success")
    if action == "remove":
        return redirect(url_for("machines.tokens", nip=nip))
    return redirect(url_for("machines.hook", nip=nip, hook_id=hook_id))


_DONE = {
    "test": (
        "Wiadomość próbna wyrusza; odśwież stronę za chwilę.",
        "The trial message is on its way; reload the page in a moment.",
    ),
    "on": ("Webhook włączono.", "The hook is on."),
    "off": ("Webhook wyłączono.", "The hook is off."),
    "secret": ("", ""),
    "remove": ("Webhook usunięto.", "The hook is removed."),
}


@machines.post("/sellers/<nip>/machines/hooks/<int:hook_id>/messages/<int:message_id>/again")
@login_required  # type: ignore[untyped-decorator]
def send_again(nip: str, hook_id: int, message_id: int) -> Response:
    """Send a message once more, under the id that it has."""
    services = here().services
    with services.database.begin() as session:
        hook_row = _hook(session, nip, hook_id)
        row = session.get(HookDelivery, message_id)
        if row is None or row.hook_id != hook_row.id:
            abort(404)
        try:
            keeping.send_again(row, services.clock())
        except keeping.HookIsOff:
            said = t("Najpierw włącz webhook.", "Switch the hook on first."), "warning"
        else:
            audit(session, "hook.again", f"hook:{hook_row.id}", hook_row.seller_id, {"message": row.id})
            said = t("Wiadomość wyrusza ponownie.", "The message goes out again."), "success"
    here().wake()
    flash(*said)
    return redirect(url_for("machines.hook", nip=nip, hook_id=hook_id))
