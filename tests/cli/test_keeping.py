"""``backup``, ``restore``, ``verify-archive`` and ``documents expired`` as commands."""

from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy import text

from connector_app.store.database import open_database
from tests.cli.conftest import Run
from tests.cli.test_recover import _services, issued

__all__ = ["issued"]
PASSPHRASE = "bardzo tajne hasło kopii"


def spoil(home: Path) -> None:
    with _services(home).database.begin() as session:
        session.execute(text("UPDATE documents SET xml = CAST(xml || ' ' AS BLOB) WHERE id = 1"))


def test_there_and_back(run: Run, issued: Path, tmp_path: Path) -> None:
    """Made, checked, restored into another folder, finished with KSeF; then nothing waits."""
    secret = tmp_path / "passphrase"
    secret.write_text(PASSPHRASE + "\n", "utf-8")
    with_secret = ("--passphrase-file", secret)
    made = run("backup", "--to", tmp_path / "copies", "--json", "--keep", 2, *with_secret)
    told = json.loads(made.stdout)
    assert (told["documents"], told["encrypted"], told["with_key"]) == (2, True, True)
    assert "free space" in run("backup", "--to", tmp_path / "copies", *with_secret, lang="en").stderr
    file = told["path"]
    assert run("restore", file, "--check", *with_secret).exit_code == 0
    refused = run("restore", file, *with_secret, lang="en")
    assert refused.exit_code == 1
    assert "--replace" in refused.stderr
    secret.write_text("a wrong passphrase\n", "utf-8")
    wrong = run("restore", file, "--into", tmp_path / "new", *with_secret, lang="en")
    assert wrong.exit_code == 2
    assert "Nothing was changed" in wrong.stderr
    assert not (tmp_path / "new").exists()
    secret.write_text(PASSPHRASE, "utf-8")
    back = run("restore", file, "--into", tmp_path / "new", "--recover", *with_secret, lang="en")
    assert back.exit_code == 0, back.output
    assert "KSeF has 2 documents" in back.stdout
    replaced = run("restore", file, "--into", tmp_path / "new", "--replace", *with_secret, lang="en")
    assert replaced.exit_code == 0, replaced.output
    assert "ksef-connector recover --seller" in replaced.stdout
    assert list((tmp_path / "new").glob("replaced-*"))
    listed = run("documents", "list", "--json")
    assert len(json.loads(listed.stdout)) == 2


def test_a_backup_without_a_passphrase_has_no_key(run: Run, issued: Path, tmp_path: Path) -> None:
    """It says so, and what that means; with --with-key it warns."""
    plain = run("backup", lang="en")
    assert "no secret.key" in plain.stdout
    assert len(list((issued / "backups").iterdir())) == 1
    open_one = run("backup", "--to", tmp_path / "a.ksefbackup", "--with-key", lang="en")
    assert "whoever reads it" in open_one.stdout
    assert run("backup", "--encrypt", stdin=b"").exit_code == 2
    assert run("backup", "--to", tmp_path / "b.ksefbackup", "--keep", 1).exit_code == 2


def test_the_archive_is_verified_and_repaired(run: Run, issued: Path) -> None:
    """Exit code 2 and the document by name; --repair fetches it from KSeF."""
    assert run("verify-archive").exit_code == 0
    spoil(issued)
    found = run("verify-archive", "--json")
    assert found.exit_code == 2
    (one,) = json.loads(found.stdout)["damaged"]
    assert (one["document"], one["part"]) == (1, "xml")
    shown = run("documents", "show", 1, "--xml", "-", lang="en")
    assert shown.exit_code == 1
    assert "--repair" in shown.stderr
    repaired = run("verify-archive", "--repair", lang="en")
    assert repaired.exit_code == 0, repaired.output
    assert "repaired: 1" in repaired.stdout
    assert run("verify-archive", "--schema").exit_code == 0
    assert run("verify-archive", "--seller", "1111111111").exit_code == 2


def test_expired_documents(run: Run, issued: Path) -> None:
    """None of today; of long ago only with the right number."""
    assert "no such documents" in run("documents", "expired", "--delete", lang="en").stdout
    database = open_database(f"sqlite:///{issued / 'connector.sqlite3'}")
    with database.begin() as session:
        session.execute(text("UPDATE documents SET issued_on = '2004-02-01' WHERE id = 1"))
    database.close()
    assert run("documents", "expired").exit_code == 0
    assert run("documents", "expired", "--delete", "--confirm", 2).exit_code == 2
    gone = run("documents", "expired", "--delete", "--confirm", 1, lang="en")
    assert "deleted: 1" in gone.stdout
