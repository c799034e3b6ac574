"""``demo`` as a process: it ends in the same table however often it runs and whenever it is killed."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from core.fa import registry, schema
from sandbox.ksef.server import KsefSandbox
from tests.cli.conftest import Run, environment, execute, program

TOTALS = {"15": "246.55", "26": "1.07", "27": "1.08"}
_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"


def _files(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in sorted(folder.glob("*.*")) if one.is_file()}


def _in_ksef(home: Path) -> list[str]:
    """Numbers of the documents that the sandbox accepted, one for each document."""
    with KsefSandbox(database=home / "sandbox-ksef.sqlite3") as ksef:
        return [str(row["number"]) for row in ksef.state.all("SELECT number FROM invoices WHERE code = 200")]


@pytest.mark.parametrize(
    ("version", "more"),
    [
        ("FA3", 1),
        pytest.param("FA2", 2, marks=pytest.mark.faults),
        pytest.param("FA3", 4, marks=pytest.mark.faults),
    ],
)
def test_all_runs_are_one(tmp_path: Path, official_ksef: Path, version: str, more: int) -> None:
    """Run again and again: one table, the same bytes, one document per order, valid by the Ministry's XSD."""
    first = execute("demo", "--schema", version, cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert "Wymagają człowieka:" in first.stdout
    out = tmp_path / "demo-output"
    files = _files(out)
    assert len(files) == 9
    for _ in range(more):
        again = execute("demo", "--schema", version, cwd=tmp_path)
        assert (again.returncode, again.stdout) == (0, first.stdout)
        assert _files(out) == files
    assert sorted(_in_ksef(out / "home")) == sorted(set(_in_ksef(out / "home")))
    assert len(_in_ksef(out / "home")) == 3
    declared = registry.schema_for(version)
    totals = []
    for name in files:
        if re.fullmatch(r"FA[23]-FV-\d{4}-\d\d-\d{4}\.xml", name):
            tree = schema.parse(files[name])
            assert schema.check(tree, declared, official_ksef / "schemas") == []
            totals.append(Decimal(tree.findtext(f".//{{{declared.namespace}}}P_15") or "0"))
    assert sorted(totals) == sorted(Decimal(one) for one in TOTALS.values())
    _check_upos(out, official_ksef)


def _check_upos(out: Path, official_ksef: Path) -> None:
    (xsd,) = (official_ksef / "upo").glob("*.xsd")
    official = etree.XMLSchema(etree.parse(xsd))
    proofs = list(out.glob("*-UPO.xml"))
    assert len(proofs) == 3
    for file in proofs:
        tree = etree.parse(file)
        signatures = tree.findall(_SIGNATURE)
        assert len(signatures) == 1
        # the schema describes the confirmation without its signature
        tree.getroot().remove(signatures[0])
        official.assertValid(tree)


def test_every_command_works_on_the_installation_of_the_demo(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """list, show, retry, store and seller read what the demo left, with files byte for byte the same."""
    assert execute("demo", "--output", "out put", cwd=tmp_path).returncode == 0
    out = tmp_path / "out put"
    monkeypatch.setenv("KSEF_CONNECTOR_HOME", str(out / "home"))
    rows = json.loads(run("documents", "list", "--json").output)
    assert {row["order"]: row["state"] for row in rows} == {
        "15": "published",
        "23": "attention",
        "26": "published",
        "27": "published",
        "28": "attention",
    }
    assert {row["order"]: row["total"] for row in rows if row["ksef_number"]} == TOTALS
    one = next(row for row in rows if row["order"] == "15")
    written = ("--xml", "a.xml", "--pdf", "a.pdf", "--upo", "a-upo.xml")
    shown = run("documents", "show", one["id"], *written)
    assert shown.exit_code == 0
    assert one["ksef_number"] in shown.output
    stem = f"FA3-{one['invoice_number'].replace('/', '-')}"
    for mine, theirs in (("a.xml", ".xml"), ("a.pdf", ".pdf"), ("a-upo.xml", "-UPO.xml")):
        assert (tmp_path / mine).read_bytes() == (out / f"{stem}{theirs}").read_bytes()
    events = json.loads(run("documents", "show", one["id"], "--json").output)["events"]
    assert [event["state"] for event in events][:3] == ["ready", "issued", "sent"]
    asked = next(row for row in rows if row["order"] == "23")
    assert run("documents", "show", asked["id"], "--xml", "b.xml").exit_code == 1
    assert run("documents", "show", asked["id"], "--xml", "-", "--json").exit_code == 2
    assert run("documents", "retry", one["id"]).exit_code == 1
    assert run("documents", "retry", asked["id"]).exit_code == 0
    # nobody answers now: the order waits and says for what
    waiting = run("store", "sync", "--patience", "0")
    assert waiting.exit_code == 1
    assert "Sklep demo" in waiting.output
    assert run("documents", "list", "--state", "ready").exit_code == 0
    assert "demo" in run("store", "list").output
    assert "5265877635" in run("seller", "list").output


@pytest.mark.parametrize("document_id", ["999", "1"])
def test_a_document_that_does_not_exist(run: Run, document_id: str) -> None:
    """An unknown id is exit code 2 and the way to the list."""
    for command in ("show", "retry"):
        result = run("documents", command, document_id)
        assert result.exit_code == 2
        assert "ksef-connector documents list" in result.output


@pytest.mark.parametrize("steps", [(1, 4, 6), pytest.param(tuple(range(8)), marks=pytest.mark.faults)])
def test_a_killed_demo_goes_on_where_it_was(tmp_path: Path, steps: tuple[int, ...]) -> None:
    """SIGKILL at some moments, always going on with the same installation: one table, one document each."""
    for step in steps:
        made = subprocess.Popen(
            program("demo"),
            cwd=tmp_path,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert made.stderr
        # the sandboxes run from here on; kills before are of no interest to documents but must do no harm
        if step % 4:
            made.stderr.readline()
        time.sleep(0.12 * step)
        made.send_signal(signal.SIGKILL)
        made.communicate(timeout=20)
    last = execute("demo", cwd=tmp_path)
    assert last.returncode == 0, last.stderr
    rows = [line.split() for line in last.stdout.splitlines() if re.match(r"(15|26|27) ", line)]
    assert [(row[0], next(one for one in row if "." in one and one[0].isdigit())) for row in rows] == list(
        TOTALS.items()
    )
    numbers = sorted(_in_ksef(tmp_path / "demo-output" / "home"))
    assert [one[-4:] for one in numbers] == ["0001", "0002", "0003"]
    shop = json.loads((tmp_path / "demo-output" / "home" / "sandbox-demo.json").read_text("utf-8"))
    for order in TOTALS:
        ours = [one for one in shop["notes"][order] if "KSeF" in one["note"]]
        assert [one["customer_note"] for one in ours] == [False, True]
        assert len([mail for mail in shop["emails"] if str(mail["order_id"]) == order]) == 1
    assert execute("demo", cwd=tmp_path).stdout == last.stdout


@pytest.mark.parametrize("name", ["sandbox-ksef.sqlite3", "sandbox-demo.json"])
def test_a_damaged_sandbox_memory(tmp_path: Path, name: str) -> None:
    """A sandbox file that is none ends in a sentence that says what to remove."""
    home = tmp_path / "demo-output" / "home"
    home.mkdir(parents=True)
    (home / name).write_bytes(b"\xff noise" * 200)
    made = execute("demo", cwd=tmp_path)
    assert made.returncode == 1
    assert "Traceback" not in made.stderr
    assert "Pamięci piaskownicy nie da się odczytać" in made.stderr


def test_an_output_folder_that_cannot_be_used(tmp_path: Path) -> None:
    """A file in the folder's place is named."""
    (tmp_path / "demo-output").write_text("x")
    made = execute("demo", cwd=tmp_path)
    assert made.returncode == 1
    assert "Folderu demo-output nie można użyć" in made.stderr
