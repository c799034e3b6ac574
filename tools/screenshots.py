"""Write docs/img/*.png, the pictures of the application's main pages: ``make screenshots``.

An installation with invented sellers, shops and orders runs against the sandboxes for a month of simulated
time; then Chromium looks at its pages. Ports and the sandbox's KSeF numbers differ from run to run, all else
is the same.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from benchmarks.documents import order_json
from connector_app import buyer_links
from connector_app.credentials import seal_certificate
from connector_app.pipeline.runner import Runner
from connector_app.policies import Recipients, StorePolicy
from connector_app.profiles import parse
from connector_app.sellers import fill
from connector_app.store.models import Seller, Store
from core.fa import registry
from core.ksef import environments
from core.signing.keys import self_signed
from sandbox.woocommerce import WooSandbox
from tests.browser.chromium import DESK, PHONE, browser, live, sign_in
from tests.pipeline.world import NIP, START, WOO_CONFIG, World, world
from tests.web.setup_world import add_store, empty_site, make_company, sign_in_by_test_certificate
from tests.web.site import Site, site

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "img"
LARGEST = 150_000
"""Bytes of a picture in the repository at most."""
_COLOURS = (256, 128, 64, 32)
_FIRST = START
"""When the sandbox's keys begin."""
_DAYS = 29
_OFFICE = "5260250274"
_QR = "https://qr-test.ksef.mf.gov.pl"

BUYERS = (
    ("", "Anna", "Przykładowa", "", "ul. Lipowa 4/2", "30-002", "Kraków"),
    ("Pracownia Ceramiki Glina", "Ewa", "Wzorcowa", "5213017228", "ul. Garncarska 8", "61-101", "Poznań"),
    ("", "Jan", "Zmyślony", "", "ul. Słoneczna 12", "80-180", "Gdańsk"),
    ("Kawiarnia Pod Lipą", "Piotr", "Próbny", "7010353442", "Rynek 3", "50-101", "Wrocław"),
    ("", "Maria", "Wymyślona", "", "ul. Polna 7", "20-002", "Lublin"),
    ("Biuro Projektowe Linia", "Adam", "Niby", _OFFICE, "ul. Prosta 1", "00-838", "Warszawa"),
)
"""Company, first and last name, NIP, street, postcode and town of invented buyers."""


@dataclass(frozen=True, slots=True)
class Shop:
    """One invented shop.

    Attributes:
        nip, seller: whose it is. code: its name in the program. host: of the address that is shown.
    """

    nip: str
    seller: str
    code: str
    host: str


SHOPS = (
    Shop(NIP, "Sklep Przykładowy sp. z o.o.", "sklep-lesny", "sklep-lesny.example"),
    Shop(NIP, "Sklep Przykładowy sp. z o.o.", "herbaty", "herbaty.example"),
    Shop("7010353442", "Dom i Ogród S.A.", "dom-i-ogrod", "dom-i-ogrod.example"),
    Shop("5213017228", "Księgarnia Okładka", "okladka", "okladka.example"),
)


def order(number: int, at: datetime, shop: Shop, tax_id: str | None = None) -> dict[str, Any]:
    """A paid order of an invented buyer.

    Args:
        number: of the order; the buyer and the goods come of it.
        at: when it was placed and paid, aware UTC.
        shop: where; nobody buys from itself.
        tax_id: as the buyer typed it; the buyer's right one when not given.
    """
    company, first, last, nip, street, postcode, town = BUYERS[number % len(BUYERS)]
    made = order_json(1 + number % 3, number)
    when = at.replace(tzinfo=None).isoformat(timespec="seconds")
    place = {"company": company, "first_name": first, "last_name": last, "address_1": street}
    place |= {"address_2": "", "postcode": postcode, "city": town, "country": "PL", "state": "", "phone": ""}
    right = _OFFICE if nip == shop.nip else nip
    typed = right if tax_id is None else tax_id
    return made | {
        "id": 1000 + number,
        "number": str(1000 + number),
        "status": "processing",
        "customer_note": "",
        "billing": place | {"email": f"kupujacy{number}@poczta.example"},
        "shipping": place,
        "meta_data": [{"id": number, "key": "_billing_nip", "value": typed}] if typed else [],
        **{f"date_{name}{zone}": when for name in ("created", "modified", "paid") for zone in ("", "_gmt")},
    }


def add_shops(made: World, session: Session, sandboxes: Sequence[WooSandbox]) -> None:
    """Sellers and their shops, each in front of its own sandbox."""
    services = made.services()
    for shop, sandbox in zip(SHOPS, sandboxes, strict=True):
        seller = session.scalar(select(Seller).where(Seller.nip == shop.nip))
        if seller is None:
            address = {"line1": "ul. Przykładowa 1", "line2": "00-001 Warszawa"}
            profile = parse({"seller": {"nip": shop.nip, "name": shop.seller, "address": address}})
            seller = Seller(nip=shop.nip, created_at=services.clock())
            session.add(seller)
            place = environments.custom(made.ksef.api_url, _QR, name="SANDBOX")
            sealed = seal_certificate(services.vault, self_signed(shop.nip, now=services.clock()))
            fill(seller, profile, place, registry.schema_for("FA3"), sealed)
            session.flush()
        session.add(
            Store(
                code=shop.code,
                seller_id=seller.id,
                platform="woocommerce",
                url=f"https://{shop.host}",
                config=services.vault.seal({"url": sandbox.url, **WOO_CONFIG}),
                policy=StorePolicy(recipients=Recipients.EVERYONE).as_json(),
                created_at=services.clock(),
            )
        )


def live_a_month(made: World, sandboxes: Sequence[WooSandbox]) -> None:
    """A month of shops, day by day: orders come and become invoices, and two ask for a person."""
    with made.services().database.begin() as session:
        add_shops(made, session, sandboxes)
    number = 0
    for day in range(_DAYS):
        today = _FIRST + timedelta(days=day)
        made.clock.sleep(max(0.0, (today - made.clock.now).total_seconds()))
        placed = made.clock.now - timedelta(minutes=30)
        for _ in range(2 + day * 5 % 4 if today.weekday() < 5 else 1):
            number += 1
            # half of all orders are the first shop's
            at = number // 2 % len(SHOPS) if number % 2 else 0
            sandboxes[at].state.add_orders([order(number, placed, SHOPS[at])], {})
        if day == _DAYS - 1:
            sandboxes[0].state.add_orders([order(number + 5, placed, SHOPS[0], "5213017229")], {})
            sandboxes[2].state.add_orders([order(number + 7, placed, SHOPS[2], "70103534")], {})
        made.run()
    # what was sent took its time; shops are read all the while
    Runner(made.services(), sleep=made.clock.sleep, monotonic=made.clock.seconds).take_in()


def shrink(png: bytes) -> bytes:
    """A picture with as few colours as it takes to be small; pages have few, and small dots keep theirs."""
    image = Image.open(BytesIO(png)).convert("RGB")
    for colours in _COLOURS:
        out = BytesIO()
        image.quantize(colours, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
            out, "PNG", optimize=True
        )
        if out.tell() <= LARGEST:
            break
    return out.getvalue()


class Camera:
    """Writes pictures of pages.

    Args:
        page: of a browser. base: the application's address. folder: where pictures go.
    """

    def __init__(self, page: Page, base: str, folder: Path) -> None:
        self._page, self._base, self._folder = page, base, folder

    def take(self, name: str, path: str, size: ViewportSize = DESK, *, tallest: int = 1100) -> None:
        """One picture, of the page from its top.

        Args:
            name: of the file, without its ending.
            path: of the page.
            size: of the window.
            tallest: pixels of height at most; a shorter page gives a shorter picture.
        """
        self._page.set_viewport_size(size)
        self._page.goto(self._base + path)
        self._page.wait_for_load_state("networkidle")
        height: int = self._page.evaluate("document.body.scrollHeight")
        self._page.set_viewport_size({"width": size["width"], "height": min(tallest, height)})
        # pictures of a page far down load only when they are seen
        self._page.wait_for_load_state("networkidle")
        (self._folder / f"{name}.png").write_bytes(shrink(self._page.screenshot()))


def busy_pages(chromium: Browser, home: Path, folder: Path) -> None:
    """Pictures of an installation that has worked for a month."""
    with world(home, [], now=_FIRST) as made, ExitStack() as shops:
        sandboxes = [made.shop] + [
            shops.enter_context(WooSandbox([], clock=made.clock, sleep=lambda _seconds: None))
            for _ in SHOPS[1:]
        ]
        live_a_month(made, sandboxes)
        pages: Site = site(made.services())
        someone = pages.user()
        someone.post("/stores/sklep-lesny/dry-run", first="2026-11-24", last="2026-12-22")
        shown = [
            one
            for one in made.documents()
            if one.state == "published" and one.buyer_tax_id and one.seller.nip == NIP
        ][-1]
        with live(pages) as base:
            page = chromium.new_context(viewport=DESK, locale="pl-PL", timezone_id="Europe/Warsaw").new_page()
            sign_in(page, base)
            camera = Camera(page, base, folder)
            camera.take("home", "/")
            camera.take("documents", "/documents")
            camera.take("document", f"/documents/{shown.id}", tallest=1300)
            camera.take("stores", "/stores")
            page.goto(f"{base}/stores/sklep-lesny/dry-run")
            page.locator("[data-job]").wait_for(state="detached", timeout=60_000)
            camera.take("dry-run", "/stores/sklep-lesny/dry-run")
            key = buyer_links.key_of(made.services().vault, shown)
            camera.take("buyer-phone", f"/f/{key}", PHONE, tallest=1500)


def setup_page(chromium: Browser, home: Path, folder: Path) -> None:
    """The list of steps of a setup that has begun."""
    with world(home, [], now=_FIRST + timedelta(days=_DAYS)) as made:
        pages = empty_site(made)
        someone = pages.user()
        make_company(someone, name=SHOPS[0].seller)
        sign_in_by_test_certificate(pages, someone)
        add_store(made, pages)
        with pages.services.database.begin() as session:
            session.execute(update(Store).values(url=f"https://{SHOPS[0].host}", code=SHOPS[0].code))
        with live(pages) as base:
            page = chromium.new_context(viewport=DESK, locale="pl-PL").new_page()
            sign_in(page, base)
            Camera(page, base, folder).take("setup", f"/setup/{NIP}")


def main(folder: Path = IMAGES) -> None:
    """Take all pictures.

    Args:
        folder: where they go.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with browser() as chromium, TemporaryDirectory() as one, TemporaryDirectory() as other:
        busy_pages(chromium, Path(one), folder)
        setup_page(chromium, Path(other), folder)


if __name__ == "__main__":
    main(*[Path(one) for one in sys.argv[1:2]])
