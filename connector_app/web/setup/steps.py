"""The steps of the guided setup, each with its real state."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flask import current_app, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connector_app import guided
from connector_app.pipeline.services import Services
from connector_app.policies import StorePolicy
from connector_app.profiles import BadProfile
from connector_app.store.desk import Job, JobState
from connector_app.store.models import Document, DocumentState, Seller, Store
from connector_app.store.recovered import IS_OPEN
from connector_app.web.access import me
from connector_app.web.ksef.reading import certificate_state, sign_in_state
from core.calendar import warsaw_day
from core.findings import Text
from core.invoices.model import InvoiceKind


class State(StrEnum):
    """How a step stands."""

    DONE = "done"
    TO_DO = "to-do"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        name: stable name, kept with the seller when the step is done.
        title: for people.
        state: see :class:`State`.
        says: the state in a sentence.
        url: its page; empty when it cannot be opened yet.
        may_skip: a person may say that it is fine as it is.
    """

    name: str
    title: Text
    state: State
    says: Text
    url: str
    may_skip: bool = False


_Found = tuple[State, Text]


def flow_needed(session: Session) -> bool:
    """Whether the current person should be led to the guided setup: no seller yet, and theirs to add one."""
    return me().is_admin and session.scalar(select(Seller.id).limit(1)) is None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a step is made: its page, whether that is a store's, whether it may be left out."""

    name: str
    title: Text
    endpoint: str
    of_store: bool = False
    may_skip: bool = False


_PLACES = (
    _Place("company", Text("Firma i środowisko", "Company and environment"), "settings.company"),
    _Place("sign-in", Text("Logowanie do KSeF", "Signing in to KSeF"), "ksef.sign_in"),
    _Place("certificates", Text("Certyfikaty KSeF", "KSeF certificates"), "ksef.certificates", may_skip=True),
    _Place("store", Text("Połączenie ze sklepem", "Store connection"), "stores.connect"),
    _Place("taxes", Text("Podatki", "Taxes"), "taxes.page", of_store=True, may_skip=True),
    _Place("numbering", Text("Numeracja", "Numbering"), "settings.numbering", may_skip=True),
    _Place("policy", Text("Zasady sklepu", "Store policy"), "stores.policy", of_store=True, may_skip=True),
    _Place(
        "texts",
        Text("Teksty dla kupujących", "Texts for buyers"),
        "stores.texts",
        of_store=True,
        may_skip=True,
    ),
    _Place("dry-run", Text("Próba na sucho", "Dry run"), "dryrun.page", of_store=True, may_skip=True),
)
_SAVED = frozenset({"taxes", "numbering", "policy", "texts", "dry-run"})
"""Steps that are done when a person saved their page; the others' state shows itself."""
_PAGES = {one.endpoint: one.name for one in _PLACES} | {"stores.page": "store"}
_NO_STORE: _Found = (State.TO_DO, Text("Najpierw połącz sklep.", "Connect a store first."))


def step_of_page(endpoint: str | None) -> str | None:
    """The step that a page belongs to; None for others."""
    return _PAGES.get(endpoint or "")


def saved_step(endpoint: str | None) -> str | None:
    """The step that is done when the form of a page was saved; None where the state shows itself."""
    name = step_of_page(endpoint)
    return name if name in _SAVED else None


def steps(services: Services, session: Session, seller: Seller) -> list[Step]:
    """All steps of a seller in their order."""
    store = session.scalar(
        select(Store).where(Store.seller_id == seller.id, IS_OPEN).order_by(Store.id).limit(1)
    )
    code = store.code if store else ""
    found = {
        "company": _company(services, seller),
        "sign-in": _as_step(sign_in_state(services, session, seller)),
        "certificates": _as_step(certificate_state(services, session, seller)),
        "store": _store(session, seller, store),
        "taxes": (State.TO_DO, _TAXES),
        "numbering": (State.TO_DO, _numbers(services, seller, code)),
        "policy": (State.TO_DO, _policy(store)) if store else _NO_STORE,
        "texts": (State.TO_DO, _TEXTS),
        "dry-run": _dry_run(session, seller),
    }
    return [_step(place, found[place.name], seller, store) for place in _PLACES]


def _step(place: _Place, found: _Found, seller: Seller, store: Store | None) -> Step:
    endpoint, of_store = place.endpoint, place.of_store
    if place.name == "store" and store is not None:
        endpoint, of_store = "stores.page", True
    built = endpoint in current_app.view_functions
    if of_store and store is None:
        built, found = False, _NO_STORE
    values: dict[str, Any] = {"setup": 1}
    values |= {"code": store.code} if of_store and store is not None else {"nip": seller.nip}
    state, says = found
    accepted = seller.setup is None or place.name in guided.seen(seller)
    if place.may_skip and state is State.TO_DO and accepted:
        state = State.DONE
    url = url_for(endpoint, **values) if built else ""
    return Step(place.name, place.title, state, says, url, may_skip=place.may_skip and found != _NO_STORE)


def next_step(found: list[Step]) -> Step | None:
    """The first step that is to do; steps that cannot be opened yet are left out."""
    return next((one for one in found if one.state is not State.DONE and one.url), None)


def missing(found: list[Step]) -> list[Step]:
    """What has to be done before anything can be sent."""
    return [
        one for one in found if one.name in {"company", "sign-in", "store"} and one.state is not State.DONE
    ]


def waiting_orders(session: Session, seller: Seller) -> int:
    """How many documents are due and wait for the start."""
    return (
        session.scalar(
            select(func.count()).where(Document.seller_id == seller.id, Document.state == DocumentState.READY)
        )
        or 0
    )


_TAXES = Text(
    "Sprawdź, co stawki ze sklepu znaczą na fakturze.", "Check what the shop's rates mean on an invoice."
)
_TEXTS = Text(
    "Obowiązują teksty programu; możesz je zmienić.", "The program's texts hold; you may change them."
)


def _as_step(found: tuple[bool | None, Text]) -> _Found:
    state, says = found
    return State.PROBLEM if state is False else State.DONE if state else State.TO_DO, says


def _company(services: Services, seller: Seller) -> _Found:
    try:
        services.profile(seller)
    except BadProfile as error:
        return State.PROBLEM, error.faults[0]
    return State.DONE, Text(f"{seller.name}, NIP {seller.nip}.", f"{seller.name}, NIP {seller.nip}.")


def _store(session: Session, seller: Seller, store: Store | None) -> _Found:
    if store is None:
        return State.TO_DO, Text("Nie ma jeszcze sklepu.", "There is no store yet.")
    count = session.scalar(select(func.count()).where(Store.seller_id == seller.id, IS_OPEN)) or 0
    more = Text(f" i {count - 1} więcej", f" and {count - 1} more") if count > 1 else Text("", "")
    return State.DONE, Text(f"Połączony: {store.url}{more.pl}.", f"Connected: {store.url}{more.en}.")


def _numbers(services: Services, seller: Seller, code: str) -> Text:
    day = warsaw_day(services.clock())
    try:
        numbering = services.profile(seller).numbering
    except BadProfile as error:
        return error.faults[0]
    series = numbering.series(InvoiceKind.VAT, day, code or "sklep")
    first = series.number(series.following(0))
    return Text(f"Pierwsza faktura: {first}.", f"First invoice: {first}.")


def _policy(store: Store) -> Text:
    start = StorePolicy.from_json(store.policy).start_day
    if start is None:
        return Text(
            "Faktury dostaną wszystkie zamówienia, także dawne: nie ma dnia początku.",
            "All orders get invoices, old ones too: there is no start day.",
        )
    return Text(
        f"Faktury do zamówień złożonych od {start:%d.%m.%Y}.", f"Invoices for orders placed from {start}."
    )


def _dry_run(session: Session, seller: Seller) -> _Found:
    made = session.scalar(
        select(Job.id)
        .where(Job.kind == "dry-run", Job.seller_id == seller.id, Job.state == JobState.DONE)
        .limit(1)
    )
    if made is not None:
        return State.DONE, Text("Próba zrobiona.", "The dry run was made.")
    return State.TO_DO, Text(
        "Zobacz faktury z ostatniego kwartału, zanim cokolwiek wyjdzie.",
        "See the invoices of the last quarter before anything goes out.",
    )
