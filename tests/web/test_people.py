"""People of an installation and of its sellers: invited, given roles, helped, never locked out for good."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import select

from connector_app.people import second_factor
from connector_app.store.models import Seller
from connector_app.store.people import AuditEntry, Invitation, Membership, Role, User
from tests.pipeline.world import Installation
from tests.web.bare import add_seller, installation
from tests.web.site import EMAIL, PASSWORD, Browser, Site

OTHER_NIP = "5260250274"
NIP = "5265877635"
ANNA = "anna@biuro.example"
JAN = "jan@sklep.example"
_LINK = re.compile(r'id="link" value="([^"]+)"')


@pytest.fixture
def made(tmp_path: Path) -> Installation:
    """Two sellers, no shop and no KSeF."""
    one = installation(tmp_path)
    with one.services().database.begin() as session:
        add_seller(session, one, NIP, "Sklep Pierwszy")
        add_seller(session, one, OTHER_NIP, "Sklep Drugi")
    return one


def link_in(page: str) -> str:
    found = _LINK.search(page)
    assert found, page
    return found[1].replace("http://localhost", "")


def invite(browser: Browser, email: str, seller: str = NIP, role: Role = Role.OPERATOR) -> str:
    return link_in(browser.post("/people/invite", email=email, seller=seller, role=role.value))


def person(pages: Site, email: str) -> User:
    with pages.services.database() as session:
        return session.scalars(select(User).where(User.email == email)).one()


def roles(pages: Site, email: str) -> dict[str, str]:
    with pages.services.database() as session:
        rows = session.execute(
            select(Seller.nip, Membership.role)
            .join(Membership, Membership.seller_id == Seller.id)
            .join(User, User.id == Membership.user_id)
            .where(User.email == email)
        )
        return {row[0]: row[1] for row in rows}


def join(pages: Site, link: str, name: str = "Anna") -> Browser:
    browser = pages.browser()
    browser.post(link, name=name, password=PASSWORD, again=PASSWORD)
    return browser


def test_an_invitation_makes_an_account_with_its_role_once(pages: Site) -> None:
    """The link is kept nowhere, works once, and only its newest form does."""
    admin = pages.user()
    old = invite(admin, ANNA)
    link = invite(admin, f" {ANNA.upper()} ", role=Role.ACCOUNTANT)
    with pages.services.database() as session:
        (row,) = session.scalars(select(Invitation))
        assert link.rsplit("/", 1)[1] not in str(vars(row))
    assert "już nie działa" in pages.browser().get(old, 404)
    assert "Sklep Pierwszy: księgowość" in pages.browser().get(link)
    browser = join(pages, link)
    assert "Moje konto" in browser.get("/account")
    assert roles(pages, ANNA) == {NIP: "accountant"}
    assert not person(pages, ANNA).is_admin
    pages.browser().get(link, 404)
    browser.get("/people", 403)


def test_invitations_end_after_a_week_and_can_be_taken_back(made: Installation, pages: Site) -> None:
    """Whoever finds an old link finds nothing."""
    admin = pages.user()
    link = invite(admin, ANNA)
    made.clock.sleep(timedelta(days=7, seconds=1).total_seconds())
    pages.browser().get(link, 404)
    link = invite(admin, JAN)
    with pages.services.database() as session:
        row = session.scalars(select(Invitation).where(Invitation.email == JAN)).one()
    assert JAN in admin.get("/people")
    admin.post(f"/people/invitations/{row.id}/cancel", page="/people")
    pages.browser().get(link, 404)
    assert JAN not in admin.get("/people")


def test_who_has_an_account_accepts_signed_in_and_loses_no_higher_role(pages: Site) -> None:
    """Nobody else can take the role, and the inviter is not told that there is an account."""
    admin = pages.user()
    anna = pages.user(ANNA, is_admin=False, seller_1=Role.OWNER)
    stranger = pages.user(JAN, is_admin=False, seller_1=Role.VIEWER)
    lower, other = invite(admin, ANNA, role=Role.VIEWER), invite(admin, ANNA, OTHER_NIP)
    assert "już istnieje" in pages.browser().get(other)
    assert "inne konto" in stranger.get(other)
    assert "inne konto" in stranger.client.post(other, data={"csrf_token": stranger.token("/account")}).text
    anna.post(lower)
    anna.post(other)
    assert roles(pages, ANNA) == {NIP: "owner", OTHER_NIP: "operator"}
    assert roles(pages, JAN) == {NIP: "viewer"}


def test_owners_of_a_seller_look_after_its_people_only(pages: Site) -> None:
    """They give roles for their own seller; accounts, other sellers and their people are not theirs."""
    pages.user()
    owner = pages.user(ANNA, is_admin=False, seller_1=Role.OWNER)
    pages.user(JAN, is_admin=False, seller_1=Role.VIEWER, seller_2=Role.OPERATOR)
    pages.user("obcy@inny.example", is_admin=False, seller_2=Role.OWNER)
    jan, stranger = person(pages, JAN).id, person(pages, "obcy@inny.example").id
    page = owner.get("/people") + owner.get(f"/people/{jan}")
    assert JAN in page
    for hidden in ("obcy@inny.example", EMAIL, "Sklep Drugi", OTHER_NIP, "Wyłącz konto"):
        assert hidden not in page
    owner.post(f"/people/{jan}/role/{NIP}", page="/people/invite", role="accountant")
    owner.post(f"/people/{jan}/role/{OTHER_NIP}", 404, page="/people/invite", role="owner")
    owner.post(f"/people/{stranger}/role/{NIP}", 404, page="/people/invite", role="owner")
    owner.get(f"/people/{stranger}", 404)
    for action in ("owner", "disable", "enable", "totp-off", "reset-link"):
        owner.post(f"/people/{jan}/{action}", 404, page="/people/invite", value="1")
    assert roles(pages, JAN) == {NIP: "accountant", OTHER_NIP: "operator"}
    said = owner.post("/people/invite", email="x@y.example", seller=OTHER_NIP, role="owner")
    assert 'id="link"' not in said
    assert 'id="link"' not in owner.post(
        "/people/invite", email="x@y.example", seller="installation", role="owner"
    )
    owner.post(f"/people/{jan}/role/{NIP}", page="/people/invite", role="")
    owner.get(f"/people/{jan}", 404)
    assert roles(pages, JAN) == {OTHER_NIP: "operator"}


def test_a_seller_keeps_an_owner_unless_the_installation_says_otherwise(pages: Site) -> None:
    """The last owner can neither leave nor step down by mistake."""
    admin = pages.user()
    owner = pages.user(ANNA, is_admin=False, seller_1=Role.OWNER)
    anna = person(pages, ANNA).id
    for role in ("", "viewer"):
        said = owner.post(f"/people/{anna}/role/{NIP}", page="/people/invite", role=role)
        assert "ostatni właściciel tego sprzedawcy" in said
    assert roles(pages, ANNA) == {NIP: "owner"}
    admin.post(f"/people/{anna}/role/{NIP}", page="/people", role="viewer")
    assert roles(pages, ANNA) == {NIP: "viewer"}
    admin.post(f"/people/{anna}/role/{NIP}", 400, page="/people", role="emperor")


def test_the_installation_never_loses_its_last_owner(pages: Site) -> None:
    """Neither by disabling nor by taking the right away; a disabled owner does not count."""
    admin = pages.user()
    pages.user(ANNA)
    me, anna = person(pages, EMAIL).id, person(pages, ANNA).id
    admin.post(f"/people/{anna}/disable", page="/people")
    for action in ("disable", "owner"):
        said = admin.post(f"/people/{me}/{action}", page="/people", value="0")
        assert "ostatni właściciel instalacji" in said
    assert person(pages, EMAIL).is_admin
    assert person(pages, EMAIL).disabled_at is None
    admin.post(f"/people/{anna}/enable", page="/people")
    admin.post(f"/people/{me}/owner", 404, page="/people", value="0")  # the list is not theirs any more
    assert not person(pages, EMAIL).is_admin
    assert person(pages, ANNA).is_admin


def test_a_disabled_account_is_out_at_once(pages: Site) -> None:
    """Browsers, links that it made, and the sign-in."""
    admin = pages.user()
    owner = pages.user(ANNA, is_admin=False, seller_1=Role.OWNER)
    link = invite(owner, JAN)
    pages.browser().get(link)
    anna = person(pages, ANNA).id
    admin.post(f"/people/{anna}/disable", page="/people")
    assert "/sign-out" not in owner.get("/account")
    assert "/sign-out" not in pages.browser().post("/sign-in", email=ANNA, password=PASSWORD)
    pages.browser().get(link, 404)
    admin.post(f"/people/{anna}/reset-link", 404, page="/people")
    admin.post(f"/people/{anna}/enable", page="/people")
    pages.browser().sign_in(ANNA)


def test_who_is_no_owner_any_more_gives_nothing_away(pages: Site) -> None:
    """An invitation of before ends with the right of whoever made it."""
    admin = pages.user()
    owner = pages.user(ANNA, is_admin=False, seller_1=Role.OWNER)
    link = invite(owner, JAN, role=Role.OWNER)
    admin.post(f"/people/{person(pages, ANNA).id}/role/{NIP}", page="/people", role="operator")
    pages.browser().get(link, 404)


def test_a_lost_password_is_replaced_by_a_link_and_the_second_factor_stays(
    made: Installation, pages: Site
) -> None:
    """Browsers of before are out; a lost phone is a second step of its own."""
    admin = pages.user()
    anna = pages.user(ANNA, is_admin=False, seller_1=Role.VIEWER)
    secret = second_factor.new_secret()
    with pages.services.database.begin() as session:
        row = session.get_one(User, person(pages, ANNA).id)
        second_factor.switch_on(session, pages.services.vault, row, secret, 0)
        row.failures, row.locked_until = 9, pages.services.clock() + timedelta(minutes=50)
    anna_id = row.id
    link = link_in(admin.post(f"/people/{anna_id}/reset-link", page="/people"))
    fresh = "całkiem nowe hasło"
    browser = pages.browser()
    assert "co najmniej 10" in browser.post(link, password="krótkie", again="krótkie")
    assert "/sign-out" not in browser.post(link, password=fresh, again=fresh), "a code is still needed"
    pages.browser().get(link, 404)
    assert "/sign-out" not in anna.get("/account")
    assert "Drugi krok" in browser.post("/sign-in", email=ANNA, password=fresh)
    assert "/sign-out" in browser.post("/sign-in/code", code=pyotp.TOTP(secret).at(made.clock.now))
    admin.post(f"/people/{anna_id}/totp-off", page="/people")
    assert "/sign-out" in pages.browser().post("/sign-in", email=ANNA, password=fresh)


def test_everything_is_written_down(pages: Site) -> None:
    """Who, what, whose; no secret."""
    admin = pages.user()
    link = invite(admin, ANNA)
    join(pages, link)
    anna = person(pages, ANNA).id
    admin.post(f"/people/{anna}/role/{NIP}", page="/people", role="viewer")
    with pages.services.database() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    told = [(one.actor, one.action, one.seller_id) for one in entries if one.action.startswith("people.")]
    assert told == [(EMAIL, "people.invite", 1), (ANNA, "people.join", 1), (EMAIL, "people.role", 1)]
    assert entries[-1].details == {"person": ANNA, "before": "operator", "now": "viewer"}
    assert link.rsplit("/", 1)[1] not in str([vars(one) for one in entries])
