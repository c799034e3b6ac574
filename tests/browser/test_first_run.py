"""From the printed link to the first accepted invoice, as a person does it, in the running program."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.chromium import DESK
from tests.pipeline.test_serve import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
_LINK = re.compile(r"http\S+/start/\S+")
_STEPS = 12
"""More than the setup has."""


@contextmanager
def program(home: Path) -> Iterator[str]:
    """The program with its sandboxes, as ``make try`` runs it; the first account's link."""
    said = home / "said.txt"
    code = "from connector_app.cli import main; main()"
    with (
        said.open("w") as out,
        subprocess.Popen(
            [sys.executable, "-c", code, "serve", "--sandbox", "--port", str(free_port()), "--every", "1"],
            cwd=ROOT,
            env=os.environ | {"KSEF_CONNECTOR_HOME": str(home / "home")},
            stdout=out,
            stderr=subprocess.STDOUT,
        ) as running,
    ):
        try:
            deadline = time.monotonic() + 60
            while (found := _LINK.search(said.read_text())) is None:
                assert running.poll() is None, said.read_text()
                assert time.monotonic() < deadline, said.read_text()
                time.sleep(0.1)
            yield found[0]
        finally:
            running.terminate()
            running.wait(40)
    assert "Traceback" not in said.read_text()


def test_a_new_installation_comes_to_its_first_accepted_invoice(chromium: Browser, tmp_path: Path) -> None:
    """Account, company, sign-in, certificates, shop, taxes, policy, texts, dry run, sending switched on."""
    with program(tmp_path) as link:
        base = link.partition("/start/")[0]
        context = chromium.new_context(viewport=DESK, locale="pl-PL")
        page = context.new_page()
        errors: list[str] = []
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(link)
        page.get_by_label("Imię i nazwisko").fill("Jan Testowy")
        page.get_by_label("E-mail").fill("jan@sklep.example")
        page.locator("#password").fill("bardzo długie hasło")
        page.locator("#again").fill("bardzo długie hasło")
        page.get_by_role("button", name="Załóż konto").click()
        _company(page)
        page.get_by_role("link", name="Następny krok: Logowanie").click()
        page.get_by_role("button", name="Utwórz i zaloguj").click()
        expect(page.locator("main")).to_contain_text("Logowanie działa", timeout=30_000)
        setup = f"{base}/setup/5265877635"
        page.goto(setup)
        page.get_by_role("link", name="Następny krok: Certyfikaty").click()
        page.get_by_role("button", name="Poproś KSeF").click()
        expect(page.get_by_role("link", name=re.compile("Następny krok|Wszystkie kroki"))).to_be_visible()
        expect(page.locator("[data-job]")).to_have_count(0, timeout=30_000)
        page.goto(setup)
        page.get_by_role("link", name="Następny krok: Połączenie").click()
        page.get_by_role("link", name="WooCommerce").click()
        page.get_by_role("button", name="Zapisz i sprawdź").click()
        expect(page.locator("main")).to_contain_text("klucz może zapisywać", timeout=30_000)
        _the_rest(page, setup)
        page.get_by_role("button", name="Włącz wysyłanie").click()
        page.goto(f"{base}/documents?state=published")
        deadline = time.monotonic() + 60
        while not page.locator("table a").filter(has_text="FV").count():
            assert time.monotonic() < deadline, page.locator("main").inner_text()
            page.wait_for_timeout(500)
            page.reload()
        expect(page.locator("main")).to_contain_text(re.compile(r"5265877635-\d{8}-[0-9A-F]{12}-[0-9A-F]{2}"))
        assert errors == []
        context.close()


def _company(page: Page) -> None:
    """The first page of the setup; a wrong number is told, and nothing is lost."""
    page.get_by_label("NIP firmy").fill("5265877636")
    page.get_by_role("button", name="Dalej").click()
    expect(page.locator("main")).to_contain_text("Cyfra kontrolna się nie zgadza")
    page.get_by_label("NIP firmy").fill("526-587-76-35")
    page.get_by_role("button", name="Dalej").click()
    page.get_by_label("Pełna nazwa").fill("Sklep Przykładowy sp. z o.o.")
    page.get_by_label("Ulica i numer").fill("ul. Przykładowa 1")
    page.get_by_label("Kod i miejscowość").fill("00-001 Warszawa")
    page.get_by_role("button", name="Zapisz i przejdź dalej").click()
    expect(page.get_by_role("heading", name="Konfiguracja")).to_be_visible()


def _the_rest(page: Page, setup: str) -> None:
    """The steps that may stay as they are, and the dry run, which is looked at."""
    looked = False
    for _ in range(_STEPS):
        page.goto(setup)
        step = page.get_by_role("link", name=re.compile("^Następny krok"))
        if not step.count():
            break
        step.click()
        if "dry-run" in page.url:
            page.get_by_role("button", name="Sprawdź zamówienia").click()
            expect(page.locator("main")).to_contain_text("Gotowe do wysłania faktury: 1", timeout=30_000)
            looked = True
        else:
            page.get_by_role("button", name="Tak zostaje").first.click()
    assert looked
