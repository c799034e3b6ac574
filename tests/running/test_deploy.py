"""What ``deploy/`` says fits the program: commands, settings and secrets that exist."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from connector_app.commands.root import root
from connector_app.settings import Settings
from connector_app.vault import Vault
from tests.conftest import ROOT

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def options(words: list[str]) -> None:
    """A command line of the program that its help knows; raises nothing when it does."""
    command, *rest = words
    found = CliRunner().invoke(root, ["--lang", "en", command, "--help"])
    assert found.exit_code == 0, command
    for word in rest:
        assert not word.startswith("--") or word in found.output, (command, word)


def test_services_of_compose_run_commands_that_exist() -> None:
    """Each with a health check, secrets that are made, and no password in it."""
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    compose = yaml.safe_load(text)
    services = compose["services"]
    assert set(services) == {"postgres", "rabbitmq", "web", "worker", "beat"}
    for name in ("web", "worker", "beat"):
        options(services[name]["command"])
        assert set(services[name]["secrets"]) <= set(compose["secrets"])
    for one in services.values():
        assert one["healthcheck"]["test"]
        assert one["restart"] == "unless-stopped"
    assert services["worker"]["healthcheck"]["test"][1:] == ["ksef-connector", "worker", "--alive"]
    given = [name for one in services.values() for name in one.get("environment", {})]
    assert all(name.endswith("_FILE") for name in given if re.search("PASSWORD|TOKEN|KEY|URL", name))
    assert not re.search(r"://[^/\s]+@", text)


def test_secrets_are_made_once_and_fit_the_program(tmp_path: Path) -> None:
    """Addresses with the passwords of the others, a key for the vault; a second run changes nothing."""
    script = Path(shutil.copy(DEPLOY / "make-secrets.sh", tmp_path))
    subprocess.run([str(script)], check=True)
    made = {one.name: one.read_bytes() for one in (tmp_path / "secrets").iterdir()}
    files = {file["file"].removeprefix("secrets/") for file in _secrets().values()}
    assert set(made) == files
    subprocess.run([str(script)], check=True, stderr=subprocess.DEVNULL)
    assert made == {one.name: one.read_bytes() for one in (tmp_path / "secrets").iterdir()}
    secrets = tmp_path / "secrets"
    settings = Settings.from_environment(
        {
            "DATABASE_URL_FILE": str(secrets / "database_url"),
            "BROKER_URL_FILE": str(secrets / "broker_url"),
            "KSEF_CONNECTOR_METRICS_TOKEN_FILE": str(secrets / "metrics_token"),
            "KSEF_CONNECTOR_KEY_FILE": str(secrets / "secret.key"),
        }
    )
    assert settings.is_scaled
    assert made["postgres_password"].decode().strip() in settings.database
    assert made["rabbitmq_user.conf"].decode().split("default_pass = ")[1].strip() in settings.broker_url
    assert len(settings.metrics_token) == 48
    vault = Vault.open(settings.key_file)
    assert vault.unseal(vault.seal("x")) == "x"


def _secrets() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["secrets"]
    return found


@pytest.mark.parametrize("unit", UNITS, ids=lambda one: one.name)
def test_units_run_commands_that_exist_and_are_in_order(unit: Path, tmp_path: Path) -> None:
    """systemd itself finds no fault in them, where it is installed."""
    text = unit.read_text("utf-8")
    (line,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    program, *words = line.split()
    assert program == "/opt/ksef-connector/bin/ksef-connector"
    options(words)
    if shutil.which("systemd-analyze") is None:
        return
    copy = tmp_path / unit.name.replace("@", "@1")
    copy.write_text(text.replace(program, "/bin/true"), "utf-8")
    said = subprocess.run(
        ["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False
    )
    assert (said.returncode, said.stderr) == (0, "")


def test_example_settings_exist() -> None:
    """Every variable of the example is one that the program reads."""
    source = (ROOT / "connector_app" / "settings.py").read_text("utf-8")
    names = re.findall(r"^#?([A-Z][A-Z_]+)=", (DEPLOY / "env.example").read_text("utf-8"), re.MULTILINE)
    assert len(names) > 5
    for name in names:
        assert name.removesuffix("_FILE") in source
