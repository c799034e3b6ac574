"""``seller`` and ``store``: what is accepted, what is refused and with which words."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from connector_app.profiles import TABLES, read
from core.invoices.model import PartyRole, VatCategory
from core.signing.keys import self_signed
from sandbox.woocommerce.recordings import demo_orders
from sandbox.woocommerce.server import (
    DEMO_CONSUMER_KEY,
    DEMO_CONSUMER_SECRET,
    READ_ONLY_CONSUMER_KEY,
    READ_ONLY_CONSUMER_SECRET,
    WooSandbox,
)
from tests.cli.conftest import Run
from tests.conftest import ROOT

EXAMPLE = ROOT / "docs" / "examples" / "seller.toml"
NIP = "5265877635"
PASSWORD = "correct horse"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with keys, good and bad."""
    key = self_signed(NIP, now=datetime.now(UTC))
    old = self_signed(NIP, now=datetime.now(UTC) - timedelta(days=900))
    weak = rsa.generate_private_key(65537, 1024)
    made = {
        "cert.pem": key.certificate_pem(),
        "key.pem": key.private_key_pem(PASSWORD),
        "old.pem": old.certificate_pem(),
        "old.key": old.private_key_pem(PASSWORD),
        "weak.key": weak.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        "both.p12": pkcs12.serialize_key_and_certificates(
            b"x", key.private_key, key.certificate, None, BestAvailableEncryption(PASSWORD.encode())
        ),
        "password": PASSWORD.encode() + b"\n",
        "wrong": b"wrong",
        "token": b"20261124-EC-0000000000-0000000000-00|nip-5265877635|abc\n",
        "empty": b"",
        "words": b"two words",
        "noise": b"\xff\xfe\x00" + os.urandom(64),
    }
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


P12 = ("--p12", "both.p12", "--password-file", "password")


@pytest.mark.parametrize(
    "way",
    [
        P12,
        ("--certificate", "cert.pem", "--key", "key.pem", "--password-file", "password"),
        ("--token-file", "token"),
    ],
)
def test_a_seller_is_added_with_each_way_to_sign_in(run: Run, files: Path, way: tuple[str, ...]) -> None:
    """PKCS#12, certificate with key, and token are all taken, and nothing of them is readable at rest."""
    result = run("seller", "add", EXAMPLE, *way)
    assert result.exit_code == 0, result.output
    assert f"✓ Sprzedawca {NIP}" in result.output
    listed = json.loads(run("seller", "list", "--json").output)
    assert [(one["nip"], one["environment"], one["schema"]) for one in listed] == [(NIP, "TEST", "FA3")]
    stored = (files / "home" / "connector.sqlite3").read_bytes()
    stored += b"".join(one.read_bytes() for one in (files / "home").glob("*-wal"))
    assert b"nip-5265877635|abc" not in stored
    assert b"PRIVATE KEY" not in stored


def test_a_changed_seller_keeps_its_way_to_sign_in(run: Run, files: Path) -> None:
    """Adding a seller again without a key changes its data only."""
    run("seller", "add", EXAMPLE, *P12)
    (files / "new.toml").write_text(
        EXAMPLE.read_text("utf-8").replace("Sklep Przykładowy", "Nowy Sklep"), "utf-8"
    )
    assert run("seller", "add", "new.toml", "--environment", "demo").exit_code == 0
    (found,) = json.loads(run("seller", "list", "--json").output)
    assert found["name"].startswith("Nowy Sklep")
    assert found["environment"] == "DEMO"
    assert "DEMO" in run("seller", "list").output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("missing.toml",), "nie ma takiego pliku"),
        ((".",), "to jest folder"),
        (("noise",), "nie jest tekstem UTF-8"),
        (("empty",), "seller.nip: brakuje tego wpisu"),
        ((EXAMPLE,), "Brakuje sposobu logowania"),
        ((EXAMPLE, "--certificate", "cert.pem"), "podaje się razem"),
        ((EXAMPLE, "--key", "key.pem"), "podaje się razem"),
        ((EXAMPLE, "--p12", "both.p12", "--token-file", "token"), "jeden sposób"),
        ((EXAMPLE, "--p12", "both.p12"), "Hasło do klucza"),
        ((EXAMPLE, "--p12", "both.p12", "--password-file", "wrong"), "Hasło do klucza"),
        ((EXAMPLE, "--p12", "both.p12", "--password-file", "missing"), "nie ma takiego pliku"),
        ((EXAMPLE, "--p12", "noise"), "nie ma certyfikatu lub klucza"),
        ((EXAMPLE, "--certificate", "key.pem", "--key", "cert.pem"), "nie ma certyfikatu lub klucza"),
        (
            (EXAMPLE, "--certificate", "old.pem", "--key", "old.key", "--password-file", "password"),
            "nie jest teraz ważny",
        ),
        (
            (EXAMPLE, "--certificate", "old.pem", "--key", "key.pem", "--password-file", "password"),
            "innego klucza",
        ),
        ((EXAMPLE, "--certificate", "cert.pem", "--key", "weak.key"), "nie przyjmuje takiego klucza"),
        ((EXAMPLE, "--token-file", "empty"), "jednego wiersza z tokenem"),
        ((EXAMPLE, "--token-file", "token", "--sign-outside"), "jeden sposób logowania"),
        ((EXAMPLE, "--token-file", "token", "--allow-ip", "10.0.0"), "to nie jest IPv4"),
        ((EXAMPLE, "--token-file", "words"), "jednego wiersza z tokenem"),
        ((EXAMPLE, "--token-file", "noise"), "nie jest plikiem tekstowym"),
        ((EXAMPLE, "--environment", "PROD", "--token-file", "token"), "nie jest jednym z"),
        (
            (EXAMPLE, "--environment", "DEMO", "--schema", "FA2", "--token-file", "token"),
            "nie przyjmuje już FA(2)",
        ),
        (
            (EXAMPLE, "--api-url", "http://example.com", "--qr-url", "https://x.pl"),
            "Nieprawidłowy adres KSeF",
        ),
        ((EXAMPLE, "--api-url", "https://example.com"), "oba adresy"),
    ],
)
def test_what_a_seller_cannot_be_made_of(
    run: Run, files: Path, words: tuple[object, ...], sentence: str
) -> None:
    """Each bad file or option is refused with exit code 2 and its own sentence; nothing is stored."""
    result = run("seller", "add", *words)
    assert result.exit_code == 2
    assert sentence in result.output
    assert PASSWORD not in result.output
    assert json.loads(run("seller", "list", "--json").output) == []
    assert files.is_dir()


def test_every_fault_of_a_seller_file_is_named_at_once(run: Run, files: Path) -> None:
    """A file with many faults gives one line for each, in either language."""
    (files / "bad.toml").write_text(
        """
x = 1
[seller]
nip = "1234567890"
name = 5
adres = "x"
[invoices]
number_pattern = "FV/{mm}/{n}"
company_without_nip = "maybe"
[tax_classes]
standard = "24"
[exchange_rates]
EUR = 4.2
USD = {rate = "0", day = "x"}
[bank_account]
swift = "X"
""",
        "utf-8",
    )
    polish, english = run("seller", "add", "bad.toml"), run("seller", "add", "bad.toml", lang="en")
    assert polish.exit_code == english.exit_code == 2
    for entry in (
        "[x]",
        "seller.adres",
        "seller.nip",
        "seller.name",
        "seller.address.line1",
        "invoices.number_pattern",
        "invoices.company_without_nip",
        "tax_classes.standard",
        "[exchange_rates.EUR]",
        "exchange_rates.USD.rate",
        "exchange_rates.USD.day",
        "bank_account.number",
    ):
        assert f"  {entry}: " in polish.output
        assert f"  {entry}: " in english.output


def test_the_example_file_says_what_the_guide_says(run: Run) -> None:
    """docs/examples/seller.toml is valid, and both guides explain every entry of it."""
    assert run("--version").exit_code == 0
    profile = read(EXAMPLE.read_bytes(), EXAMPLE.name)
    assert profile.policy.tax_classes["zwolnione"] is VatCategory.EXEMPT
    assert set(profile.values) == set(TABLES)
    nested = [
        *profile.values["numbering"]["start"],
        *profile.values["products"].values(),
        *profile.values["buyers"].values(),
    ]
    for name in ("seller.md", "seller.pl.md"):
        guide = (ROOT / "docs" / name).read_text("utf-8")
        for table, values in profile.values.items():
            assert any(f"{begin}{table}{end}" in guide for begin in ("`[", "`[[") for end in ("]", ".")), (
                name,
                table,
            )
            if table in {"seller", "invoices", "bank_account", "treatments", "corrections"}:
                assert [one for one in values if f"`{one}`" not in guide and one != "address"] == []
        assert [one for table in nested for one in table if f"`{one}`" not in guide] == []
        for role in PartyRole:
            assert f"`{role.name.lower()}`" in guide
        for value in VatCategory:
            assert f"`{value.value}`" in guide


@pytest.mark.parametrize(
    ("text", "entry", "sentence"),
    [
        (
            '[[numbering.start]]\nperiod = "2026-11"\nnext = 1',
            "numbering.start[1].kind",
            "brakuje tego wpisu",
        ),
        ('[[numbering.start]]\nkind = "invoice"\nnext = "7"', "numbering.start[1].next", "liczbą całkowitą"),
        ("[numbering.start]\nnext = 7", "numbering.start", "listą tabel"),
        ('[[numbering.start]]\nkind = "invoice"\nperiod = "2026"\nnext = 7', "invoices", "2026"),
        ('[treatments]\neu_goods = "23%"', "treatments.eu_goods", "nie jest jednym z"),
        ('[products.K]\nmargin = "P_PMarzy_2"', "products.K.margin", "tourism, used_goods"),
        ('[buyers."123"]\nvat_group = true', "buyers.123", "to nie jest NIP"),
        ('[corrections]\ntype = "2"', "corrections.type", "original_day, correction_day, other_day"),
        ('[corrections]\namount_only = "guess"', "corrections.amount_only", "attention, spread"),
        ('[invoices]\ncorrection_pattern = "FV/{yyyy}/{mm}/{n:04}"', "invoices", "ten sam numer"),
    ],
)
def test_each_table_names_its_faults(run: Run, files: Path, text: str, entry: str, sentence: str) -> None:
    """A wrong entry is refused with its name and what is allowed; nothing is kept."""
    seller = f'[seller]\nnip = "{NIP}"\nname = "S"\n[seller.address]\nline1 = "ul. Przykładowa 1"\n'
    (files / "faulty.toml").write_text(seller + text, "utf-8")
    refused = run("seller", "add", "faulty.toml", *P12)
    assert refused.exit_code == 2
    assert f"  {entry}: " in refused.output
    assert sentence in refused.output
    assert NIP not in run("seller", "list").output


def test_a_store_asks_before_corrections_when_told_so(run: Run, with_seller: Path) -> None:
    """The choice is kept when the store is changed later."""
    assert with_seller
    assert _add_store(run, corrections="ask")
    assert json.loads(run("store", "list", "--json").output)[0]["corrections"] == "ask"
    assert _add_store(run, trigger="completed")
    assert json.loads(run("store", "list", "--json").output)[0]["corrections"] == "ask"


def _add_store(
    run: Run, url: str = "https://shop.example", config: str = "shop.conf", **options: str
) -> object:
    words = [
        f"--{name}={value}" for name, value in {"seller": NIP, "platform": "woocommerce", **options}.items()
    ]
    return run("store", "add", "shop", "--url", url, "--config-file", config, *words)


@pytest.fixture
def with_seller(run: Run, files: Path) -> Path:
    """An installation with a seller, and a shop's key file."""
    run("seller", "add", EXAMPLE, *P12)
    key = f"# key\nconsumer_key = {DEMO_CONSUMER_KEY}\nconsumer_secret={DEMO_CONSUMER_SECRET}\n"
    (files / "shop.conf").write_text(key, "utf-8")
    reading = f"consumer_key={READ_ONLY_CONSUMER_KEY}\nconsumer_secret={READ_ONLY_CONSUMER_SECRET}\n"
    (files / "reading.conf").write_text(reading, "utf-8")
    (files / "unknown.conf").write_text(f"password={DEMO_CONSUMER_SECRET}\n", "utf-8")
    (files / "line.conf").write_text(f"{DEMO_CONSUMER_SECRET}\n", "utf-8")
    (files / "twice.conf").write_text("consumer_key=a\nconsumer_key=b\n", "utf-8")
    (files / "half.conf").write_text(f"consumer_key={DEMO_CONSUMER_KEY}\n", "utf-8")
    return files


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ("unknown.conf", "wiersz 1: nieznany wpis"),
        ("line.conf", "wiersz 1: nieznany wpis"),
        ("twice.conf", "wiersz 2: wpis jest drugi raz"),
        ("half.conf", "consumer_secret"),
        ("noise", "nie jest plikiem tekstowym"),
        ("missing", "nie ma takiego pliku"),
    ],
)
def test_a_bad_key_file_is_refused_without_showing_it(
    run: Run, with_seller: Path, config: str, sentence: str
) -> None:
    """A key file's fault is told by its line; what stands in the line is not shown."""
    assert with_seller.is_dir()
    result = run(
        "store", "add", "shop", "--seller", NIP, "--platform", "woocommerce", "--url", "https://shop.example",
        "--config-file", config,
    )  # fmt: skip
    assert result.exit_code == 2
    assert sentence in result.output
    assert DEMO_CONSUMER_SECRET not in result.output
    assert json.loads(run("store", "list", "--json").output) == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"url": "shop"}, "adres sklepu"),
        ({"code": "zły kod"}, "kod sklepu"),
        ({"code": "x" * 33}, "kod sklepu"),
        ({"seller": "5260250274"}, "Nie ma sprzedawcy"),
        ({"platform": "shopware"}, "Nieznana platforma: shopware"),
        ({"start": "2026-13-01"}, "nie ma postaci RRRR-MM-DD"),
        ({"recipients": "x"}, "'nip', 'asked', 'everyone'"),
    ],
)
def test_what_a_store_cannot_be_made_of(
    run: Run, with_seller: Path, words: dict[str, str], sentence: str
) -> None:
    """Each bad option is refused with exit code 2 and its own sentence."""
    assert with_seller.is_dir()
    options = {"seller": NIP, "platform": "woocommerce", "url": "https://shop.example"} | words
    code = options.pop("code", "shop")
    result = run(
        "store",
        "add",
        code,
        "--config-file",
        "shop.conf",
        *(f"--{key}={value}" for key, value in options.items()),
    )
    assert result.exit_code == 2
    assert sentence in result.output


def test_a_changed_store_keeps_its_policy(run: Run, with_seller: Path) -> None:
    """Adding a store again with a new address keeps the day from which orders are invoiced, and the rest."""
    assert with_seller.is_dir()
    base = [
        "store",
        "add",
        "shop",
        "--seller",
        NIP,
        "--platform",
        "woocommerce",
        "--config-file",
        "shop.conf",
    ]
    options = ["--start", "2026-10-01", "--recipients", "everyone", "--trigger", "completed"]
    assert run(*base, "--url", "https://old.example", *options).exit_code == 0
    assert run(*base, "--url", "https://new.example", "--note-language", "en").exit_code == 0
    (found,) = json.loads(run("store", "list", "--json").output)
    assert found["url"] == "https://new.example"
    assert found["start_day"] == "2026-10-01"
    assert (found["recipients"], found["trigger"], found["language"]) == ("everyone", "completed", "en")
    assert "2026-10-01" in run("store", "list").output


def test_check_and_sync_of_a_real_shop(run: Run, with_seller: Path) -> None:
    """check says what works with a full key and what does not with a reading one; sync takes orders in."""
    assert with_seller.is_dir()
    base = ["store", "add", "shop", "--seller", NIP, "--platform", "woocommerce", "--start", "2027-01-01"]
    with WooSandbox(demo_orders()) as shop:
        assert run(*base, "--url", shop.url, "--config-file", "shop.conf").exit_code == 0
        good = run("store", "check", "shop")
        assert good.exit_code == 0
        assert "✗" not in good.output
        taken = run("store", "sync", "--json")
        assert taken.exit_code == 0
        assert [one["state"] for one in json.loads(taken.stdout)["changed"]] == ["cancelled"] * 5
        assert run("store", "sync", "shop").output.startswith("Nic nowego.")
        run(*base, "--url", shop.url, "--config-file", "reading.conf")
        weak = run("store", "check", "shop", "--json")
        assert weak.exit_code == 1
        assert [one["title"] for one in json.loads(weak.stdout) if one["ok"] is False] == [
            "writing notes and metadata"
        ]
    away = run("store", "check", "shop")
    assert away.exit_code == 1
    assert "✗" in away.output
    assert run("store", "sync").exit_code == 1


@pytest.mark.parametrize("words", [("check", "nope"), ("sync", "nope")])
def test_an_unknown_store_is_answered_with_the_known_ones(
    run: Run, with_seller: Path, words: tuple[str, ...]
) -> None:
    """A wrong code is exit code 2, and the codes that exist are shown."""
    assert with_seller.is_dir()
    assert run("store", *words).exit_code == 2
    _add_store(run)
    result = run("store", *words)
    assert result.exit_code == 2
    assert "Są: shop" in result.output
