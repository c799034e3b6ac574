"""No person sees or changes another seller's data, and roles do no more than they may: every route, every id.

Routes are found in the application, so a new feature is looked at by itself. What is open on purpose is
listed below with its reason; anything else that is open is a fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from connector_app.store.people import Role
from connector_app.web.safety import csrf
from tests.pipeline.world import World
from tests.web.conftest import hash_quickly
from tests.web.routes import CHANGING, Address, addresses, keys, rules
from tests.web.site import Browser
from tests.web.two_sellers import FOREIGN, MARKS, OWN, TOKENS, Side, Two, belongings, built, opened

Form = dict[str, list[str]]

PUBLIC = {
    "static": "the program's own style and script",
    "bootstrap.static": "the library's style and script",
    "health_json": "whether it works, for machines; details are for this machine and owners",
    "accounts.first": "the secret of the link decides",
    "accounts.sign_in": "nobody is signed in yet",
    "accounts.code": "nobody is signed in yet",
    "accounts.sign_out": "harmless without a sign-in, and needs a form token",
    "joining.join": "the secret of the link decides",
    "switch": "the language of this browser",
    "webhook": "the platform's signature decides",
    "stores.delivery": "keys that a shop posts: the state, which only it was told, decides",
}
"""Views that answer who is not signed in."""

PUBLIC_PATHS = {
    "/f/": "a buyer's page behind an unguessable link",
    "/api/": "machines, by their token",
    "/healthz": "whether the process lives, for machines",
    "/readyz": "whether it can work, for machines",
    "/metrics": "counters without names, for machines",
}
"""The same by how the path begins."""

OWN_BUSINESS = {
    "accounts.profile": "the own account",
    "accounts.password": "the own account",
    "accounts.end_others": "the own browsers",
    "accounts.second_factor_page": "the own account",
    "accounts.manage_second_factor": "the own account",
    "home.choose_seller": "what the own pages show",
}
"""Views that change something, and that any signed-in person may use."""

EXPORTS: dict[str, str] = {
    "documents.export": "a file of documents that one may read",
    "checks.numbers": "a report of what one may read",
}
"""Views that take a form, change nothing, and need the right to export."""

READS: dict[str, str] = {}
"""Views that take a form, change nothing, and need the right to look only, such as a preview."""

SAYS_NO_SUCH: dict[str, str] = {
    "ksef.use": "says that the own seller has no such certificate",
    "ksef.revoke": "says that the own seller has no such certificate",
}
"""Views that answer another seller's id behind an own address with a sentence; the address is the own one."""

FORMS: dict[str, dict[str, list[str]]] = {
    "documents.do_one": {"action": ["issue"]},
    "documents.do_many": {"action": ["issue"], "confirmed": ["yes"]},
    "ksef.enrol": {"kind": ["both"]},
}
"""Fields without which a view would refuse a form before it looks at who sends it."""

WITHOUT_TOKEN = {
    "webhook": "the platform's signature decides",
    "stores.delivery": "the state, which only the shop was told, decides",
}
"""Views that take a request without a form token; machines' addresses under /api/ do too."""


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Side, Side]]:
    """Two sellers with everything, built once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KSEF_CONNECTOR_NBP_URL", "off")
        hash_quickly(patch)
        with built(tmp_path_factory.mktemp("two")) as found:
            yield found


@pytest.fixture
def two(both: tuple[World, Side, Side], tmp_path: Path) -> Two:
    """A copy of it, for one test."""
    return opened(both, tmp_path)


def is_public(one: Address) -> bool:
    return one.endpoint in PUBLIC or one.path.startswith(tuple(PUBLIC_PATHS))


def is_api(one: Address) -> bool:
    return one.path.startswith("/api/")


def leaks(text: str, path: str) -> list[str]:
    """Marks of the other seller in an answer; what the asked address itself says is none."""
    rest = text.replace(path, "")
    return [mark for mark in MARKS if mark in rest]


def foreign_form(two: Two) -> Form:
    """The other seller's keys under every name that a form may use."""
    found = keys(two.other)
    ids = {name.removesuffix("_id"): value for name, value in found.items()}
    many = {name: [value] for name, value in (found | ids).items()}
    rows = {f"{name}s": [value] for name, value in ids.items()}
    return many | rows | {"ids": [ids["document"]], "id": [ids["document"]], "store": [two.other.code]}


def ask(browser: Browser, path: str, method: str = "GET", **request: Any) -> tuple[int, str]:
    """Status and text of one answer; where it leads to stands in the text."""
    answer = browser.client.open(path, method=method, **request)
    data = answer.get_data()
    answer.close()
    if data.startswith(b"PK"):
        with ZipFile(BytesIO(data)) as archive:
            data = b"".join(one.encode() + archive.read(one) for one in archive.namelist())
    return answer.status_code, data.decode("utf-8", "replace")


@dataclass
class Visitor:
    """Somebody who sends forms with a right form token, signed in once.

    Attributes:
        two: both sellers. role: who it is.
    """

    two: Two
    role: Role | str
    _browser: Browser | None = None
    _token: str = ""

    def send(self, one: Address, method: str, form: Form | None = None) -> tuple[int, str]:
        """The answer to a form."""
        if self._browser is None:
            self._browser = self.two.browser(self.role)
            self._token = self._browser.token("/account")
        browser, token = self._browser, self._token
        if one.endpoint.startswith(("accounts.", "joining.")):
            self._browser = None  # it may be signed in otherwise now
        return ask(
            browser,
            one.path,
            method,
            data=(form or {}) | FORMS.get(one.endpoint, {}) | {"csrf_token": [token]},
        )


def test_the_marks_are_seen_where_they_belong(two: Two) -> None:
    """An owner of the installation sees both sellers: the other tests look for what can be found."""
    admin = two.browser("admin")
    text = admin.get("/people") + admin.get("/audit") + admin.get("/")
    assert leaks(text, "") == [mark for mark in MARKS if mark != FOREIGN.upper()]
    assert OWN in text


def test_nobody_comes_in_without_a_sign_in(two: Two) -> None:
    """Every address that is not open on purpose sends to the sign-in, and says nothing."""
    faults, browser, visitor = [], two.browser("nobody"), Visitor(two, "nobody")
    for one in addresses(two, {"GET", *CHANGING}, foreign=None):
        for method in sorted({"GET", *CHANGING} & (one.rule.methods or set())):
            status, text = ask(browser, one.path) if method == "GET" else visitor.send(one, method)
            closed = status in {401, 404} or (status == 302 and "/sign-in" in text)
            if not is_public(one) and not closed:
                faults.append(f"{method} {one}: {status}")
            if leaks(text, one.path):
                faults.append(f"{method} {one}: tells {leaks(text, one.path)}")
    assert faults == []


@pytest.mark.parametrize("role", list(Role))
def test_another_sellers_pages_do_not_exist(two: Two, role: Role) -> None:
    """Whatever the role, whatever the id, alone or beside an own one: not found, and not a word of it."""
    browser = two.browser(role)
    faults = []
    for one in addresses(two, {"GET"}, foreign=True):
        status, text = ask(browser, one.path)
        if not is_public(one) and status not in {403, 404}:
            faults.append(f"{one}: {status}")
        if leaks(text, one.path):
            faults.append(f"{one}: tells {leaks(text, one.path)}")
    assert faults == []


@pytest.mark.parametrize("role", list(Role))
def test_own_pages_tell_nothing_of_another_seller(two: Two, role: Role) -> None:
    """Lists, counts, notices, files; also when an address asks for the other seller."""
    browser = two.browser(role)
    asked = {name: values[0] for name, values in foreign_form(two).items()}
    faults, seen = [], 0
    for one in addresses(two, {"GET"}, foreign=False):
        for query in ({}, asked):
            status, shown = ask(browser, one.path, query_string=query, follow_redirects=True)
            for value in asked.values() if query else ():
                # a filter shows what was asked for
                shown = shown.replace(f'value="{value}"', "").replace(f"={value}", "")
            seen += status == 200
            if status >= 500:
                faults.append(f"{one}: {status}")
            if leaks(shown, one.path):
                faults.append(f"{one} {'?…' if query else ''}: tells {leaks(shown, one.path)}")
    assert faults == []
    assert seen > 8


def test_nothing_of_another_seller_can_be_changed(two: Two) -> None:
    """An owner sends every form with the other seller's ids, in the address and in the fields."""
    services = two.pages.services
    with services.database() as session:
        before = belongings(session, two.other)
    form, faults, visitor = foreign_form(two), [], Visitor(two, Role.OWNER)
    for one in addresses(two, CHANGING, foreign=None):
        if one.endpoint == "accounts.sign_out":
            continue
        for method in sorted(CHANGING & (one.rule.methods or set())):
            status, text = visitor.send(one, method, form)
            says = one.endpoint in SAYS_NO_SUCH and "nip" not in one.foreign
            if one.foreign and not is_public(one) and status not in {401, 403, 404} and not says:
                faults.append(f"{method} {one}: {status}")
            shown = text
            for value in {values[0] for values in form.values()}:
                shown = shown.replace(f'value="{value}"', "")
            if leaks(shown, one.path):
                faults.append(f"{method} {one}: tells {leaks(shown, one.path)}")
    with services.database() as session:
        after = belongings(session, two.other)
    faults += [f"table {name} changed" for name in before if before[name] != after[name]]
    assert faults == []
    assert all(before[name] for name in ("documents", "stores", "orders", "users", "jobs", "memberships"))


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ACCOUNTANT])
def test_who_only_looks_changes_nothing(two: Two, role: Role) -> None:
    """Viewers and accountants send every form of their own seller: refused, and nothing is changed."""
    services = two.pages.services
    allowed = OWN_BUSINESS | READS | (EXPORTS if role is Role.ACCOUNTANT else {})
    with services.database() as session:
        before = belongings(session, two.own)
    faults, visitor = [], Visitor(two, role)
    for one in addresses(two, CHANGING, foreign=False):
        if is_public(one) or one.endpoint in allowed:
            continue
        for method in sorted(CHANGING & (one.rule.methods or set())):
            status, _ = visitor.send(one, method, _own_form(two))
            if status not in {403, 404}:
                faults.append(f"{method} {one}: {status}")
    with services.database() as session:
        after = belongings(session, two.own)
    theirs = {"web_sessions"}  # each request signed in anew
    faults += [f"table {one} changed" for one in before.keys() - theirs if not before[one] <= after[one]]
    assert faults == []


def _own_form(two: Two) -> Form:
    found = keys(two.own)
    return {name: [value] for name, value in found.items()} | {"ids": [found["document_id"]]}


def test_forms_without_their_token_are_refused(two: Two) -> None:
    """Every one, for whoever may do everything, unless it is listed above; nothing is changed."""
    services = two.pages.services
    admin = two.browser("admin")
    with services.database() as session:
        before = belongings(session, two.own)
    faults, seen = [], 0
    for one in addresses(two, CHANGING, foreign=False):
        if one.endpoint in WITHOUT_TOKEN or is_api(one):
            continue
        for method in sorted(CHANGING & (one.rule.methods or set())):
            seen += 1
            for token in ({}, {"csrf_token": "forged"}):
                status, text = ask(admin, one.path, method, data=_own_form(two) | token)
                if status != 400 or "stracił ważność" not in text:
                    faults.append(f"{method} {one}: {status}")
    with services.database() as session:
        assert belongings(session, two.own) == before
    assert faults == []
    assert seen > 15


def test_only_listed_views_take_requests_without_a_token(two: Two) -> None:
    """What the protection was told to leave alone is what the list says."""
    app = two.pages.app
    free = set()
    for rule in rules(app, CHANGING):
        view = app.view_functions[str(rule.endpoint)]
        blueprint = str(rule.endpoint).rpartition(".")[0]
        name = f"{view.__module__}.{view.__name__}"
        exempt = name in csrf._exempt_views or app.blueprints.get(blueprint) in csrf._exempt_blueprints
        if exempt and not rule.rule.startswith("/api/"):
            free.add(str(rule.endpoint))
    assert free == set(WITHOUT_TOKEN)


def test_a_machines_token_opens_its_own_seller_only(two: Two) -> None:
    """Addresses of the interface: by the own token the other seller's are not found, nor told of."""
    machine = two.browser("nobody")
    asked = {name: values[0] for name, values in foreign_form(two).items()}
    header = {"Authorization": f"Bearer {TOKENS[OWN]}"}
    services = two.pages.services
    with services.database() as session:
        before = belongings(session, two.other)
    faults = []
    found = [one for one in addresses(two, {"GET", *CHANGING}, foreign=None) if is_api(one)]
    if not found:
        pytest.skip("this application has no interface for machines")
    for one in found:
        for method in sorted({"GET", *CHANGING} & (one.rule.methods or set())):
            body: dict[str, Any] = {} if method == "GET" else {"json": asked}
            status, text = ask(machine, one.path, method, headers=header, **body)
            # a body that cannot be used is refused before anything is looked up
            if one.foreign and status not in {403, 404} and (method == "GET" or status not in {400, 422}):
                faults.append(f"{method} {one}: {status}")
            if leaks(text, one.path):
                faults.append(f"{method} {one}: tells {leaks(text, one.path)}")
    with services.database() as session:
        assert belongings(session, two.other) == before
    assert faults == []
