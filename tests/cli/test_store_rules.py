"""``store set``, ``store texts`` and ``mail``: what is accepted, what is refused and with which words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.conftest import ROOT
from tests.mail.server import Postbox, mail_server

NIP = "5265877635"
SENDER = "Sklep <faktury@sklep.example>"


@pytest.fixture
def shop(run: Run, tmp_path: Path) -> Path:
    """A seller and a store called ``shop``; the folder that commands run in."""
    (tmp_path / "token").write_text("20261124-EC-0000000000-0000000000-00|nip-5265877635|abc\n", "utf-8")
    (tmp_path / "shop.conf").write_text("consumer_key=ck_1\nconsumer_secret=cs_1\n", "utf-8")
    (tmp_path / "password").write_text("sesame opens\n", "utf-8")
    assert run("seller", "add", ROOT / "docs/examples/seller.toml", "--token-file", "token").exit_code == 0
    words = ("--seller", NIP, "--platform", "woocommerce", "--url", "https://shop.example")
    assert run("store", "add", "shop", *words, "--config-file", "shop.conf").exit_code == 0
    return tmp_path


def policy(run: Run) -> dict[str, object]:
    """The store's policy."""
    found: dict[str, object] = json.loads(run("store", "set", "shop", "--json").stdout)
    return found


def test_a_policy_is_changed_option_by_option(run: Run, shop: Path) -> None:
    """What is not given stays, and every choice can be taken back."""
    before = policy(run)
    words = (
        "--trigger=money",
        "--after-days=3",
        "--consumers=outside",
        "--receipts=yes",
        "--relief=yes",
        "--corrections-limit=500,50",
        "--channel=metadata",
        "--start=2026-10-01",
    )
    assert run("store", "set", "shop", *words).exit_code == 0
    assert policy(run) == before | {
        "trigger": "money",
        "after_days": 3,
        "consumers": "outside",
        "receipts": True,
        "relief": True,
        "corrections_limit": "500.50",
        "channels": ["metadata"],
        "start_day": "2026-10-01",
    }
    back = run("store", "set", "shop", "--receipts=no", "--corrections-limit=none", "--channel=none")
    assert "receipts: no" in back.output
    changed = policy(run)
    assert (changed["receipts"], changed["corrections_limit"], changed["channels"]) == (False, None, [])
    assert changed["relief"] is True
    assert before["buyer_upo"] is False
    assert run("store", "set", "shop", "--buyer-upo=yes").exit_code == 0
    assert policy(run)["buyer_upo"] is True


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("nope", "--relief=yes"), "Nie ma sklepu nope"),
        (("shop", "--mail=yes"), "nie ma jeszcze ustawień poczty"),
        (("shop", "--after-days=46"), "nie mieści się w przedziale"),
        (("shop", "--corrections-limit=dużo"), "nie jest liczbą"),
        (("shop", "--corrections-limit=-1"), "nie jest liczbą"),
        (("shop", "--consumers=nowhere"), "nie jest jednym z"),
    ],
)
def test_a_wrong_choice_is_refused(run: Run, shop: Path, words: tuple[str, ...], sentence: str) -> None:
    """Exit code 2 and its own sentence; the policy stays."""
    before = policy(run)
    result = run("store", "set", *words)
    assert result.exit_code == 2
    assert sentence in result.output
    assert policy(run) == before


def test_texts_are_set_shown_with_a_preview_and_reset(run: Run, shop: Path) -> None:
    """The merchant sees what the buyer will."""
    own = '[buyer.accepted]\npl = "Mamy numer {ksef_number}!"\n'
    (shop / "texts.toml").write_text(own, "utf-8")
    assert "własnych tekstów 1" in run("store", "texts", "shop", "texts.toml").output
    shown = run("store", "texts", "shop", "--show").output
    assert "[buyer.accepted] pl (własny)" in shown
    assert "→ Mamy numer 5265877635-20261124-0100001AF629-AF!" in shown
    assert "[buyer.accepted] en (programu)" in shown
    assert json.loads(run("store", "texts", "shop", "--json").stdout)["buyer.accepted"]["pl"] == (
        "Mamy numer {ksef_number}!"
    )
    assert run("store", "texts", "shop", "--reset").exit_code == 0
    assert "(własny)" not in run("store", "texts", "shop").output


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('[buyer.accepted]\npl = "Numer {numer}"\n', "[buyer.accepted] pl: nieznane pole {numer}"),
        ('[buyer.accepted]\npl = "Dziękujemy"\n', "brakuje pola {ksef_number}"),
        ('[buyer.rejected]\npl = "{file_mark}"\n', "tylko sprzedawca, nigdy nabywca"),
        ("buyer = ", "nie jest plikiem TOML"),
    ],
)
def test_a_file_with_a_fault_changes_no_text(run: Run, shop: Path, content: str, sentence: str) -> None:
    """Refused when it is set, not when it is sent."""
    (shop / "texts.toml").write_text(content, "utf-8")
    result = run("store", "texts", "shop", "texts.toml")
    assert result.exit_code == 2
    assert sentence in result.output
    assert "(własny)" not in run("store", "texts", "shop").output


def test_a_mail_server_is_set_and_tried_and_its_password_is_not_readable(run: Run, shop: Path) -> None:
    """A real server gets the trial message; at rest nothing of the password can be read."""
    box = Postbox()
    with mail_server(box):
        words = ("--host=127.0.0.1", f"--port={box.port}", "--security=none", "--from", SENDER)
        assert run("mail", "set", "shop", *words).exit_code == 0
        tried = run("mail", "test", "shop", "ja@sklep.example")
        assert tried.exit_code == 0, tried.output
    assert [one["To"] for one in box.messages] == ["ja@sklep.example"]
    away = run("mail", "test", "shop", "ja@sklep.example")
    assert away.exit_code == 1
    assert "Poczta nie działa" in away.output
    words = ("--host=smtp.example", "--user=u", "--password-file=password", "--from", SENDER)
    assert run("mail", "set", "shop", *words).exit_code == 0
    assert run("store", "set", "shop", "--mail=yes").exit_code == 0
    stored = b"".join(one.read_bytes() for one in (shop / "home").glob("connector.sqlite3*"))
    assert b"sesame" not in stored
    assert b"smtp.example" not in stored
    assert run("mail", "list").output.startswith("Wszystkie e-maile wyszły.")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--host=smtp.example", "--security=none", "--from", SENDER), "otwartym tekstem"),
        (("--host=smtp example", "--from", SENDER), "nie jest nazwą serwera"),
        (("--host=smtp.example", "--from=sklep"), "nie jest adresem e-mail"),
        (("--host=smtp.example", "--from", SENDER, "--reply-to=biuro"), "nie jest adresem e-mail"),
        (("--host=smtp.example", "--from", SENDER, "--user=u"), "podaje się razem"),
        (("--host=smtp.example", "--from", SENDER, "--password-file=password"), "podaje się razem"),
    ],
)
def test_a_mail_server_that_cannot_be_right_is_refused(
    run: Run, shop: Path, words: tuple[str, ...], sentence: str
) -> None:
    """Exit code 2, and nothing is set."""
    result = run("mail", "set", "shop", *words)
    assert result.exit_code == 2
    assert sentence in result.output
    assert "nie ma ustawień poczty" in run("mail", "test", "shop", "ja@sklep.example").output


def test_there_is_nothing_to_send_again(run: Run, shop: Path) -> None:
    """A document without such an e-mail is named."""
    result = run("mail", "again", "1")
    assert result.exit_code == 2
    assert "nie ma e-maila do ponowienia" in result.output
