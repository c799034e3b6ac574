"""The log: one line per event, for people or as JSON, without secrets and without buyers' data.

Libraries that would log whole addresses (shops sign them in the query), statements with their values or
every beat of the scheduler are held at a level at which they do not.
"""

from __future__ import annotations

import logging
import re
from typing import TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

_QUIET = {
    "urllib3": logging.INFO,
    "requests": logging.INFO,
    "werkzeug": logging.WARNING,
    "waitress": logging.INFO,
    "sqlalchemy": logging.WARNING,
    "alembic": logging.WARNING,
    "celery": logging.WARNING,
    "kombu": logging.WARNING,
    "amqp": logging.WARNING,
}
_SECRETS = re.compile(
    r"(?i)(oauth_[a-z_]+|ws_key|consumer_(?:key|secret)|access_?token|refresh_?token|signature|password)=[^&\s\"']+"
    r"|\bBearer\s+[\w.~+/-]+=*"
    r"|\beyJ[\w-]+\.[\w-]+(?:\.[\w-]+)?"
    r"|\bc[ks]_[0-9a-f]{16,}"
)


def configure(stream: TextIO, *, level: int = logging.INFO, as_json: bool = False) -> None:
    """Set up the log of this process; called once, by the command that runs for long.

    Args:
        stream: where lines go.
        level: least level of the program's own events.
        as_json: one JSON object per line instead of text.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=stream.isatty())
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(least, level))


def redact(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Take what looks like a credential out of every text of an event: the last line of defence."""
    return {key: without_secrets(value) if isinstance(value, str) else value for key, value in event.items()}


def without_secrets(text: str) -> str:
    """A text in which nothing is left that looks like a credential."""
    return _SECRETS.sub("[…]", text)
