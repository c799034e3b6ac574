"""``people``: the way back for whoever cannot sign in: accounts, invitations, lost passwords and phones."""

from __future__ import annotations

import getpass
from collections.abc import Mapping

import click
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.commands.app import App, BadInput, pass_app
from connector_app.commands.bilingual import Group, option
from connector_app.commands.find_seller import find_seller
from connector_app.commands.public_url import public_address_of
from connector_app.people import links, second_factor, trail
from connector_app.people.accounts import by_email
from connector_app.people.links import Offer
from connector_app.people.roles import ROLE_NAMES
from connector_app.pipeline.services import Services
from connector_app.store.models import Seller
from connector_app.store.people import Membership, Role, User
from core.findings import Text

_LOCAL = "http://127.0.0.1:8080"
"""Where ``serve`` listens when nothing else is said."""

_base_option = option(
    "--base-url",
    "base",
    default=None,
    metavar="URL",
    pl=f"Początek odnośnika; bez tego KSEF_CONNECTOR_PUBLIC_URL albo {_LOCAL}.",
    en=f"How the link begins; without it KSEF_CONNECTOR_PUBLIC_URL or {_LOCAL}.",
)


@click.group(cls=Group, pl="Konta aplikacji: pokaż, zaproś, nowe hasło, wyłącz drugi krok logowania.")
def people() -> None:
    """Accounts of the application: list, invite, new password, switch the second step off."""


@people.command(name="list", pl="Pokazuje konta i ich role.")
@option("--json", "as_json", is_flag=True, pl="Lista jako JSON.", en="The list as JSON.")
@pass_app
def list_people(app: App, as_json: bool) -> None:
    """List accounts and their roles."""
    services = app.open()
    with services.database() as session:
        users = session.scalars(select(User).order_by(User.id)).all()
        rows = session.execute(
            select(Membership.user_id, Membership.role, Seller.nip)
            .join(Seller, Seller.id == Membership.seller_id)
            .order_by(Seller.nip)
        ).all()
    roles: dict[int, dict[str, str]] = {}
    for user_id, role, nip in rows:
        roles.setdefault(user_id, {})[nip] = role
    if as_json:
        app.json([_as_json(one, roles.get(one.id, {})) for one in users])
        return
    if not users:
        app.say(
            Text(
                "Nie ma jeszcze kont. Pierwsze zakłada odnośnik, który wypisuje ksef-connector serve.",
                "There are no accounts yet. The first is made by the link that ksef-connector serve prints.",
            )
        )
        return
    table = Table(box=None, pad_edge=False)
    for title in ("E-mail", app.text("Nazwa", "Name"), app.text("Role", "Roles"), app.text("Stan", "State")):
        table.add_column(title, overflow="fold")
    for one in users:
        table.add_row(one.email, one.name, _role_words(app, one, roles.get(one.id, {})), _state(app, one))
    app.table(table)


@people.command(
    pl="""Wypisuje jednorazowy odnośnik, którym osoba zakłada konto; działa 7 dni.

    Bez --seller zaprasza właściciela całej instalacji: to wyjście, gdy żaden nie może się zalogować.""",
)
@click.argument("email")
@option(
    "--seller", "nip", default=None, metavar="NIP", pl="Dostęp do tego sprzedawcy.", en="For this seller."
)
@option(
    "--role",
    type=click.Choice([one.value for one in Role]),
    default=Role.OPERATOR.value,
    show_default=True,
    pl="Rola u tego sprzedawcy.",
    en="The role for that seller.",
)
@_base_option
@pass_app
def invite(app: App, email: str, nip: str | None, role: str, base: str | None) -> None:
    """Print a one-time link by which a person makes an account; it works for 7 days.

    Without --seller it invites an owner of the whole installation: the way out when none can sign in.
    """
    if "@" not in email:
        raise BadInput(app.text(f"To nie jest adres e-mail: {email}.", f"This is no e-mail: {email}."))
    address = _base(app, base)
    services = app.open()
    with services.database.begin() as session:
        offer = Offer(is_admin=True)
        if nip is not None:
            offer = Offer(find_seller(app, session, nip).id, Role(role))
        token = links.invite(session, email, offer, services.clock(), None)
        details = {"email": email.strip().lower(), "role": offer.role or "installation"}
        _record(
            services, session, "people.invite", f"invitation:{details['email']}", offer.seller_id, details
        )
    _print_link(app, address, token, Text("Działa raz, przez 7 dni.", "It works once, for 7 days."))


@people.command(name="reset-link", pl="Wypisuje jednorazowy odnośnik do nowego hasła; działa dobę.")
@click.argument("email")
@_base_option
@pass_app
def reset_link(app: App, email: str, base: str | None) -> None:
    """Print a one-time link to a new password; it works for a day."""
    address = _base(app, base)
    services = app.open()
    with services.database.begin() as session:
        user = _user(app, session, email)
        was_closed = user.disabled_at is not None
        if was_closed:
            # whoever stands at the server may open what was closed, and this is how
            user.disabled_at = None
            _record(services, session, "people.enable", f"user:{user.id}", None, {"person": user.email})
        token = links.new_password(session, user, services.clock(), None)
        _record(services, session, "people.reset-link", f"user:{user.id}", None, {"person": user.email})
    if was_closed:
        app.err.print(
            app.text("Konto było wyłączone; znów działa.", "The account was disabled; it works again.")
        )
    _print_link(app, address, token, Text("Działa raz, przez dobę.", "It works once, for a day."))


@people.command(name="totp-off", pl="Wyłącza drugi krok logowania osobie, która zgubiła telefon i kody.")
@click.argument("email")
@pass_app
def totp_off(app: App, email: str) -> None:
    """Switch the second step of signing in off for who lost the phone and the codes."""
    services = app.open()
    with services.database.begin() as session:
        user = _user(app, session, email)
        was_on = user.totp is not None
        second_factor.switch_off(session, user)
        if was_on:
            details = {"person": user.email}
            _record(services, session, "people.second-factor-off", f"user:{user.id}", None, details)
    if was_on:
        app.say(
            Text(
                f"✓ {user.email} loguje się teraz samym hasłem.",
                f"✓ {user.email} signs in with the password alone now.",
            )
        )
    else:
        app.say(Text(f"{user.email} nie ma drugiego kroku.", f"{user.email} has no second step."))


def _base(app: App, given: str | None) -> str:
    return given.rstrip("/") if given else public_address_of(app, None) or _LOCAL


def _print_link(app: App, base: str, token: str, how_long: Text) -> None:
    app.out.print(f"{base}/join/{token}", markup=False)
    app.err.print(how_long.in_language(app.language), markup=False)


def _user(app: App, session: Session, email: str) -> User:
    row = by_email(session, email)
    if row is None:
        raise BadInput(
            app.text(f"Nie ma konta {email}.", f"There is no account {email}."), "ksef-connector people list"
        )
    return row


def _record(
    services: Services,
    session: Session,
    action: str,
    subject: str,
    seller_id: int | None,
    details: Mapping[str, object],
) -> None:
    """Write down that it was done at the server, and by which of its users."""
    try:
        who = getpass.getuser()
    except (OSError, KeyError, ImportError):
        who = "?"
    trail.record(
        session,
        services.clock(),
        action,
        subject,
        actor=f"command line: {who}",
        seller_id=seller_id,
        details=dict(details),
    )


def _as_json(user: User, roles: dict[str, str]) -> dict[str, object]:
    return {
        "email": user.email,
        "name": user.name,
        "installation_owner": user.is_admin,
        "roles": roles,
        "second_factor": user.totp is not None,
        "disabled": user.disabled_at is not None,
        "locked_until": user.locked_until.isoformat() if user.locked_until else None,
    }


def _role_words(app: App, user: User, roles: dict[str, str]) -> str:
    found = [f"{nip}: {ROLE_NAMES[Role(role)].in_language(app.language)}" for nip, role in roles.items()]
    if user.is_admin:
        found.insert(0, app.text("właściciel instalacji", "owner of the installation"))
    return ", ".join(found)


def _state(app: App, user: User) -> str:
    found = [app.text("wyłączone", "disabled")] if user.disabled_at else []
    if user.totp is not None:
        found.append(app.text("dwa kroki", "two steps"))
    return ", ".join(found)
