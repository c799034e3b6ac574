"""The system's Chromium, driven by Playwright, and the application on a localhost port for it."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from waitress.server import create_server

from tests.web.site import EMAIL, PASSWORD, Site

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = ViewportSize(width=390, height=844)
DESK = ViewportSize(width=1280, height=900)


def executable() -> str:
    """Path of the system's Chromium.

    Raises:
        RuntimeError: there is none; says how to install it.
    """
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        raise RuntimeError("Chromium is missing: sudo apt-get install chromium")
    return found


@contextmanager
def browser() -> Iterator[Browser]:
    """A headless browser that talks to localhost only."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=executable(), args=_ARGUMENTS)
        try:
            yield running
        finally:
            running.close()


@contextmanager
def live(pages: Site) -> Iterator[str]:
    """Serve an application on a free port; its address without a trailing slash."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = create_server(pages.app, sockets=[listening], threads=4)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.close()
            thread.join(10)


def sign_in(page: Page, base: str, email: str = EMAIL, password: str = PASSWORD) -> None:
    """Sign in by the form, as a person does."""
    page.goto(f"{base}/sign-in")
    page.get_by_label("E-mail").fill(email)
    page.locator("input[name=password]").fill(password)
    page.locator("main form button").last.click()
    page.wait_for_url(f"{base}/")
