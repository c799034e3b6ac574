"""The network: KSeF for each seller, each shop, each mail server, all with a short patience."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, Queue

from sqlalchemy import select

from adapters.contract import ShopError
from connector_app.checks.installation.said import Looked
from connector_app.ksef_access import environment_of
from connector_app.ksef_notices import noticed
from connector_app.mail.settings import MailSettings
from connector_app.mail.transport import MailError, Transport
from connector_app.mail.trial import mail_faults
from connector_app.pipeline.services import Services
from connector_app.store.models import Seller, Store
from connector_app.store.recovered import IS_OPEN
from connector_app.store_check import check_store
from connector_app.vault import VaultLocked
from core.findings import Text
from core.ksef import sign_ins
from core.ksef.errors import KsefError
from core.signing.keys import KeyMaterialError

PATIENCE = 20.0
"""Seconds that one server is waited for."""
_AT_ONCE = 4
_PAGE = 10

Tell = Callable[[int, int], None]
"""Told how many of how many servers were looked at."""


@dataclass(frozen=True, slots=True)
class _Probe:
    """One server to ask.

    Attributes:
        name: in words. ask: says what is wrong; raises nothing.
    """

    name: Text
    ask: Callable[[Looked], None]


def look_at_network(
    looked: Looked,
    services: Services,
    *,
    patience: float = PATIENCE,
    tell: Tell = lambda _done, _total: None,
) -> None:
    """Ask every server that the installation works with; nothing is issued or changed there.

    Args:
        looked: gets what is found.
        services: the installation.
        patience: seconds for each server.
        tell: told after each.
    """
    probes = _probes(services)
    for start in range(0, len(probes), _AT_ONCE):
        some = probes[start : start + _AT_ONCE]
        answers = [(one, _started(one)) for one in some]
        for one, answer in answers:
            try:
                found = answer.get(timeout=patience)
            except Empty:
                looked.error(
                    "no-answer",
                    Text(
                        f"{one.name.pl} nie odpowiada od {patience:.0f} s.",
                        f"{one.name.en} has not answered for {patience:.0f} s.",
                    ),
                    Text("Dokumenty czekają na odpowiedź.", "Documents wait for an answer."),
                    Text("Sprawdź sieć i adres; spróbuj później.", "Look at network and address; try later."),
                )
                continue
            looked.said += found.said
            looked.facts += found.facts
        tell(min(start + _AT_ONCE, len(probes)), len(probes))
    with services.database() as session:
        for said in noticed(session, services.clock()).findings():
            if said.code == "clock-off":
                looked.error(said.code, said.message, Text("Mówi to KSeF.", "KSeF says so."), said.hint)


def _started(probe: _Probe) -> Queue[Looked]:
    """Ask in a thread that nobody has to wait for."""
    answer: Queue[Looked] = Queue(1)

    def work() -> None:
        found = Looked()
        try:
            probe.ask(found)
        except Exception as error:  # one odd server must not hide the others
            found.error(
                "probe-failed",
                Text(
                    f"{probe.name.pl}: błąd programu ({type(error).__name__}).",
                    f"{probe.name.en}: an error of the program ({type(error).__name__}).",
                ),
                Text("Nie wiadomo, czy działa.", "It is not known whether it works."),
                Text("Zgłoś to autorom programu.", "Report it to the program's authors."),
            )
        answer.put(found)

    threading.Thread(target=work, name="check", daemon=True).start()
    return answer


def _probes(services: Services) -> list[_Probe]:
    with services.database() as session:
        sellers = list(session.scalars(select(Seller).order_by(Seller.id)))
        stores = list(session.scalars(select(Store).where(IS_OPEN).order_by(Store.id)))
    found = [_ksef(services, one) for one in sellers]
    found += [_shop(services, one) for one in stores]
    return found + [_mail(services, one) for one in stores if one.mail]


def _ksef(services: Services, seller: Seller) -> _Probe:
    place = environment_of(seller).name
    name = Text(f"KSeF ({place}) dla sprzedawcy {seller.nip}", f"KSeF ({place}) for seller {seller.nip}")

    def ask(looked: Looked) -> None:
        access = services.access(seller)
        try:
            access.call(lambda token: next(sign_ins.listing(access.client, token, page_size=_PAGE), None))
        except (KsefError, KeyMaterialError, VaultLocked) as error:
            hint = error.hint if isinstance(error, KsefError) else Text("", "")
            looked.error(
                "ksef-sign-in",
                Text(f"{name.pl}: {error}", f"{name.en}: {error}"),
                Text("Jego faktury nie dotrą do KSeF.", "Its invoices do not reach KSeF."),
                hint if hint.pl else Text("ksef-connector auth status", "ksef-connector auth status"),
            )
        else:
            looked.facts.append(Text(f"{name.pl}: zalogowano.", f"{name.en}: signed in."))

    return _Probe(name, ask)


def _shop(services: Services, store: Store) -> _Probe:
    name = Text(f"Sklep {store.code}", f"Store {store.code}")
    why = Text("Zamówienia lub numery KSeF nie przechodzą.", "Orders or KSeF numbers do not pass.")
    todo = Text(f"ksef-connector store check {store.code}", f"ksef-connector store check {store.code}")

    def ask(looked: Looked) -> None:
        try:
            lines = check_store(services, store)
        except (ShopError, VaultLocked) as error:
            said = error.said if isinstance(error, ShopError) else Text(str(error), str(error))
            looked.error("shop-trouble", Text(f"{name.pl}: {said.pl}", f"{name.en}: {said.en}"), why, todo)
            return
        for line in lines:
            said = Text(
                f"{name.pl}, {line.title.pl}: {line.detail.pl}",
                f"{name.en}, {line.title.en}: {line.detail.en}",
            )
            if line.ok is False:
                looked.error("shop-trouble", said, why, todo)
            elif line.ok is None:  # worth knowing, such as the shop's clock
                looked.facts.append(said)
        good = sum(line.ok is True for line in lines)
        looked.facts.append(Text(f"{name.pl}: dobrze {good}.", f"{name.en}: {good} good."))

    return _Probe(name, ask)


def _mail(services: Services, store: Store) -> _Probe:
    name = Text(f"Poczta sklepu {store.code}", f"Mail of store {store.code}")
    why = Text("Kupujący nie dostają wiadomości.", "Buyers get no messages.")
    todo = Text(f"ksef-connector mail set {store.code} …", f"ksef-connector mail set {store.code} …")

    def ask(looked: Looked) -> None:
        try:
            stored = services.vault.unseal(store.mail or "")
        except VaultLocked:
            return  # said of the secrets
        settings = MailSettings.from_json(stored if isinstance(stored, dict) else {})
        for fault in mail_faults(settings).values():
            looked.error("mail-settings", Text(f"{name.pl}: {fault.pl}", f"{name.en}: {fault.en}"), why, todo)
        transport = Transport(settings, timeout=PATIENCE / 2)
        try:
            transport.open()
        except MailError as error:
            looked.error("mail-server", Text(f"{name.pl}: {error}", f"{name.en}: {error}"), why, todo)
        else:
            looked.facts.append(Text(f"{name.pl}: działa.", f"{name.en}: works."))
        finally:
            transport.close()

    return _Probe(name, ask)
