"""Where an installation lives and what the environment says about it.

Everything that is read from environment variables is read here, once, and handed on as arguments.
"""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

from platformdirs import user_data_path

from connector_app.nbp.client import NBP_API
from connector_app.registers.vat_list import VAT_LIST_API
from connector_app.registers.vies import VIES_API
from core.findings import SaidError, Text
from core.law import TOKENS_END

APP = "ksef-connector"

_QUEUE = "ksef-connector"
_BROKERS = ("amqp", "amqps", "redis", "rediss")
_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


class BadSetting(SaidError, ValueError):
    """An environment variable whose value cannot be used.

    Attributes:
        text: which and why, for a person.
    """


@dataclass(frozen=True, slots=True)
class Settings:
    """An installation.

    Values that are secret may lie in files instead (``DATABASE_URL_FILE``, ``BROKER_URL_FILE``,
    ``KSEF_CONNECTOR_REDIS_URL_FILE``, ``KSEF_CONNECTOR_METRICS_TOKEN_FILE``): their first line counts.

    Attributes:
        home: folder of the database, the secret key and everything else that must survive
            (``KSEF_CONNECTOR_HOME``; default: the platform's user data folder).
        nbp_url: address of the NBP's Web API (``KSEF_CONNECTOR_NBP_URL``; ``off`` asks nobody for exchange
            rates).
        vat_list_url: address of the Ministry's list of VAT payers (``KSEF_CONNECTOR_VAT_LIST_URL``), and
        vies_url: of VIES (``KSEF_CONNECTOR_VIES_URL``); ``off`` asks nobody.
        schema_dir: folder with the Ministry's XSD files to check with instead of the project's own
            (``KSEF_SCHEMA_DIR``).
        database_url: address of the database (``DATABASE_URL``, e.g. ``postgresql://user@server/name``;
            default: SQLite in ``home``). It may hold a password, so it is never shown.
        tokens_end: last day on which KSeF tokens sign in (``KSEF_CONNECTOR_TOKENS_END``, YYYY-MM-DD; default:
            the law in force).
        upo_certificates: file or folder with the certificates that may sign UPOs, or their issuers'
            (``KSEF_UPO_CERTIFICATES``; default: none, see :mod:`connector_app.upo_trust`).
        public_url: address under which shops and buyers reach this installation, without a trailing slash
            (``KSEF_CONNECTOR_PUBLIC_URL``; empty: they do not, and shops are only asked).
        proxies: how many reverse proxies stand before it (``KSEF_CONNECTOR_PROXIES``; default: none).
        hsts: tell browsers to come by https only (``KSEF_CONNECTOR_HSTS``, 1 or 0; default: not).
        private_addresses: shops and hooks named in the browser may be inside the local network
            (``KSEF_CONNECTOR_PRIVATE_ADDRESSES``, 1 or 0; default: not).
        metrics_token: bearer token of ``/metrics`` (``KSEF_CONNECTOR_METRICS_TOKEN``; without one it is for
            this machine only).
        backup_passphrase: encrypts backups (``KSEF_CONNECTOR_BACKUP_PASSPHRASE``, or the first line of the
            file that ``KSEF_CONNECTOR_BACKUP_PASSPHRASE_FILE`` names; without one, backups that the program
            makes by itself are not encrypted and leave the key out).
        broker_url: ``amqp://`` or ``redis://`` address of the message broker (``BROKER_URL``). With one the
            installation is scaled out: ``serve`` only serves pages, ``worker`` and ``beat`` work; the
            database is PostgreSQL then. Without one a single ``serve`` does everything.
        queue: beginning of the names of this installation's queues (``KSEF_CONNECTOR_QUEUE``; default:
            ``ksef-connector``); installations that share a broker have different ones.
        redis_url: Redis that counts requests of each address for all web processes
            (``KSEF_CONNECTOR_REDIS_URL``; default: the broker, where that is Redis; without one each process
            counts by itself).
        secret_key_file: file with the key that encrypts secrets at rest (``KSEF_CONNECTOR_KEY_FILE``;
            default: ``secret.key`` in ``home``). All machines of an installation have the same key.
        log_json: the log of what runs for long is JSON (``KSEF_CONNECTOR_LOG``, ``json`` or ``text``).
        log_level: least level of its lines (``KSEF_CONNECTOR_LOG_LEVEL``: ``debug``, ``info``, ``warning`` or
            ``error``; default: info).
    """

    home: Path
    schema_dir: Path | None = None
    nbp_url: str = NBP_API
    vat_list_url: str = VAT_LIST_API
    vies_url: str = VIES_API
    database_url: str = field(default="", repr=False)
    tokens_end: date = TOKENS_END.day
    upo_certificates: Path | None = None
    public_url: str = ""
    proxies: int = 0
    hsts: bool = False
    private_addresses: bool = False
    metrics_token: str = field(default="", repr=False)
    backup_passphrase: str = field(default="", repr=False)
    # addresses may carry passwords
    broker_url: str = field(default="", repr=False)
    queue: str = _QUEUE
    redis_url: str = field(default="", repr=False)
    secret_key_file: Path | None = None
    log_json: bool = False
    log_level: int = logging.INFO

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the settings of this process.

        Args:
            environment: variables to read instead of the process's own.

        Raises:
            BadSetting: a value cannot be used.
        """
        values = _with_files(os.environ if environment is None else environment)
        home = values.get("KSEF_CONNECTOR_HOME")
        schema_dir = values.get("KSEF_SCHEMA_DIR")
        trusted = values.get("KSEF_UPO_CERTIFICATES")
        key_file = values.get("KSEF_CONNECTOR_KEY_FILE")
        database_url = values.get("DATABASE_URL", "")
        broker_url = _broker(values.get("BROKER_URL", "").strip(), database_url)
        return cls(
            home=Path(home).expanduser() if home else user_data_path(APP, appauthor=False),
            schema_dir=Path(schema_dir).expanduser() if schema_dir else None,
            nbp_url=values.get("KSEF_CONNECTOR_NBP_URL") or NBP_API,
            vat_list_url=_register("KSEF_CONNECTOR_VAT_LIST_URL", values, VAT_LIST_API),
            vies_url=_register("KSEF_CONNECTOR_VIES_URL", values, VIES_API),
            database_url=database_url,
            tokens_end=_day(values, "KSEF_CONNECTOR_TOKENS_END", TOKENS_END.day),
            upo_certificates=Path(trusted).expanduser() if trusted else None,
            public_url=public_address(
                "KSEF_CONNECTOR_PUBLIC_URL", values.get("KSEF_CONNECTOR_PUBLIC_URL", "")
            ),
            proxies=_count(values, "KSEF_CONNECTOR_PROXIES", most=9),
            hsts=bool(_count(values, "KSEF_CONNECTOR_HSTS", most=1)),
            private_addresses=bool(_count(values, "KSEF_CONNECTOR_PRIVATE_ADDRESSES", most=1)),
            metrics_token=values.get("KSEF_CONNECTOR_METRICS_TOKEN", "").strip(),
            backup_passphrase=_secret(values, "KSEF_CONNECTOR_BACKUP_PASSPHRASE"),
            broker_url=broker_url,
            queue=_queue(values.get("KSEF_CONNECTOR_QUEUE") or _QUEUE),
            redis_url=_redis(values.get("KSEF_CONNECTOR_REDIS_URL", "").strip(), broker_url),
            secret_key_file=Path(key_file).expanduser() if key_file else None,
            log_json=_choice(values, "KSEF_CONNECTOR_LOG", {"text": 0, "json": 1}, "text") == 1,
            log_level=_choice(values, "KSEF_CONNECTOR_LOG_LEVEL", _LEVELS, "info"),
        )

    @property
    def is_scaled(self) -> bool:
        """Whether many workers share the work; see ``broker_url``."""
        return bool(self.broker_url)

    @property
    def database(self) -> str:
        """The SQLAlchemy address in force."""
        return self.database_url or f"sqlite:///{self.home / 'connector.sqlite3'}"

    @property
    def key_file(self) -> Path:
        """The file with the key that encrypts secrets at rest."""
        return self.secret_key_file or self.home / "secret.key"

    def prepare(self) -> None:
        """Make the home folder, readable by its owner only.

        A folder that holds an installation already is closed to others when it stands open; any other
        folder that somebody made keeps its mode.
        """
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.key_file.exists() and stat.S_IMODE(self.home.stat().st_mode) & 0o077:
            with suppress(PermissionError):  # another owner's folder: its mode is the owner's business
                self.home.chmod(0o700)


_IN_FILES = ("DATABASE_URL", "BROKER_URL", "KSEF_CONNECTOR_REDIS_URL", "KSEF_CONNECTOR_METRICS_TOKEN")


def _with_files(values: Mapping[str, str]) -> Mapping[str, str]:
    """The variables, with those that name files read."""
    read = {}
    for name in _IN_FILES:
        file = values.get(f"{name}_FILE")
        if not file:
            continue
        if values.get(name):
            raise BadSetting(
                Text(
                    f"{name} i {name}_FILE: ustaw tylko jedną z nich.",
                    f"{name} and {name}_FILE: set only one of them.",
                )
            )
        try:
            lines = Path(file).expanduser().read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            raise BadSetting(
                Text(f"{name}_FILE: nie można odczytać {file}.", f"{name}_FILE: {file} cannot be read.")
            ) from None
        read[name] = lines[0].strip() if lines else ""
    return {**values, **read}


def public_address(name: str, raw: str) -> str:
    """Check and tidy the address under which this installation is reached from outside.

    Args:
        name: of the variable or option, for the message.
        raw: e.g. ``https://ksef.shop.example``; plain http on this machine only.

    Returns:
        The address without a trailing slash; empty for an empty one.

    Raises:
        BadSetting: it is no such address.
    """
    text = raw.strip().rstrip("/")
    if not text:
        return ""
    if _is_public_address(text):
        return text
    raise BadSetting(
        Text(
            f"{name}: podaj adres https://, pod którym ten program widać z internetu.",
            f"{name}: give the https:// address under which this program is seen from the internet.",
        )
    )


def _is_public_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not host or parts.query or parts.fragment or "@" in parts.netloc:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in _THIS_MACHINE)


def _broker(raw: str, database_url: str) -> str:
    if not raw:
        return ""
    if urlsplit(raw).scheme not in _BROKERS:
        raise BadSetting(
            Text(
                "BROKER_URL: podaj adres amqp:// (RabbitMQ) albo redis://.",
                "BROKER_URL: give an amqp:// (RabbitMQ) or redis:// address.",
            )
        )
    if not database_url.startswith("postgresql"):
        raise BadSetting(
            Text(
                "BROKER_URL: wiele procesów pracuje tylko na PostgreSQL; ustaw też "
                "DATABASE_URL=postgresql+psycopg://… albo usuń BROKER_URL.",
                "BROKER_URL: many processes work on PostgreSQL only; set "
                "DATABASE_URL=postgresql+psycopg://… as well, or remove BROKER_URL.",
            )
        )
    return raw


def _redis(raw: str, broker_url: str) -> str:
    if not raw:
        return broker_url if broker_url.startswith("redis") else ""
    if urlsplit(raw).scheme in {"redis", "rediss"}:
        return raw
    raise BadSetting(
        Text(
            "KSEF_CONNECTOR_REDIS_URL: podaj adres redis://.",
            "KSEF_CONNECTOR_REDIS_URL: give a redis:// address.",
        )
    )


def _queue(raw: str) -> str:
    if re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}", raw):
        return raw
    raise BadSetting(
        Text(
            "KSEF_CONNECTOR_QUEUE: do 64 liter, cyfr, kropek i kresek.",
            "KSEF_CONNECTOR_QUEUE: up to 64 letters, digits, dots and dashes.",
        )
    )


def _register(name: str, values: Mapping[str, str], default: str) -> str:
    raw = values.get(name) or default
    if raw == "off" or _is_public_address(raw):
        return raw
    raise BadSetting(
        Text(f"{name}: podaj adres https:// albo off.", f"{name}: give an https:// address, or off.")
    )


def _secret(values: Mapping[str, str], name: str) -> str:
    """A secret from a variable, or from the file that the variable with ``_FILE`` names."""
    file = values.get(f"{name}_FILE")
    if not file:
        return values.get(name, "")
    try:
        return Path(file).expanduser().read_text("utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError):
        raise BadSetting(
            Text(f"{name}_FILE: pliku {file} nie da się odczytać.", f"{name}_FILE: {file} cannot be read.")
        ) from None


def _day(values: Mapping[str, str], name: str, default: date) -> date:
    raw = values.get(name)
    try:
        return date.fromisoformat(raw) if raw else default
    except ValueError:
        raise BadSetting(
            Text(f"{name}: „{raw}” nie jest datą RRRR-MM-DD.", f'{name}: "{raw}" is no date YYYY-MM-DD.')
        ) from None


def _choice(values: Mapping[str, str], name: str, known: Mapping[str, int], default: str) -> int:
    raw = (values.get(name) or default).strip().lower()
    if raw in known:
        return known[raw]
    words = ", ".join(known)
    raise BadSetting(Text(f"{name}: podaj jedno z: {words}.", f"{name}: give one of: {words}."))


def _count(values: Mapping[str, str], name: str, *, most: int) -> int:
    raw = values.get(name) or "0"
    if raw.isascii() and raw.isdigit() and int(raw) <= most:
        return int(raw)
    raise BadSetting(
        Text(f"{name}: podaj liczbę od 0 do {most}.", f"{name}: give a number from 0 to {most}.")
    )
