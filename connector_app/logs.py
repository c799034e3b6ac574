"""The log: one line per event, for people or as JSON, with ids, without secrets and without personal data.

Lines say who was worked for by ids (:func:`bound`), what happened by a name of
:class:`~connector_app.log_events.Said`, and what went wrong by the kind of an error and its codes. Words of
shops, of KSeF and of mail servers, and messages of exceptions, may quote a buyer; they never come here.
People read them on the pages, which ask who they are.

Libraries that would log whole addresses (shops sign them in the query), statements with their values or
every beat of the scheduler are held at a level at which they do not.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import traceback
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from connector_app.log_events import Said

Fact = str | int | float | bool | None
"""What a line may say beside its name: ids, counts, codes; never what a person wrote."""

_QUIET = {
    "urllib3": logging.INFO,
    "requests": logging.INFO,
    "werkzeug": logging.WARNING,
    "waitress": logging.INFO,
    # a line for each request that waits for a thread, written by the very thread that accepts them
    "waitress.queue": logging.ERROR,
    "sqlalchemy": logging.WARNING,
    "alembic": logging.WARNING,
    "celery": logging.WARNING,
    # would name the addresses of who asks too often
    "flask-limiter": logging.ERROR,
    "kombu": logging.WARNING,
    "amqp": logging.WARNING,
    "PIL": logging.INFO,
    # its DEBUG lines hold what is signed
    "signxml": logging.INFO,
}
_SECRETS = re.compile(
    r"(?i)(oauth_[a-z_]+|ws_key|consumer_(?:key|secret)|access_?token|refresh_?token|signature|password)=[^&\s\"']+"
    r"|\bBearer\s+[\w.~+/-]+=*"
    r"|\beyJ[\w-]+\.[\w-]+(?:\.[\w-]+)?"
    r"|\bc[ks]_[0-9a-f]{16,}"
    # links that let whoever has them in
    r"|(?<=/f/)[\w-]{8,}|(?<=/join/)[\w-]{8,}|(?<=/start/)[\w-]{8,}|(?<=/webhooks/)[^/\s]+/[\w-]{8,}"
)
_PERSONAL = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    # a NIP by its name, and the seller's in a KSeF number: it may be a person's
    r"|(?<=NIP )\d{10}\b|\b\d{10}(?=-\d{8}-[0-9A-F]{6})"
)
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}|[A-Z]{3,6} /[A-Za-z/{}-]{1,100}")
"""Codes, and operations as KSeF's contract writes them."""
_GONE = "[…]"


def configure(stream: TextIO, *, level: int = logging.INFO, as_json: bool = False, process: str = "") -> None:
    """Set up the log of this process; called once, by the command that runs for long.

    Args:
        stream: where lines go.
        level: least level of the program's own events.
        as_json: one JSON object per line instead of text.
        process: what this process is, such as ``serve`` or ``worker``; JSON says it with host and pid.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named,
        _without_words_of_errors,
        redact,
    ]
    if as_json:
        shared.append(_of_process(process))
    renderer: Processor = (
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


def bound(**ids: Fact) -> AbstractContextManager[None]:
    """Have every line of a ``with`` block, those of libraries too, say whom and what it is about.

    Args:
        ids: such as ``seller_id``, ``store_id``, ``document_id``, ``order`` (the shop's id of it),
            ``session`` (KSeF's reference), ``task``; those that are ``None`` are left out.
    """
    return structlog.contextvars.bound_contextvars(
        **{name: one for name, one in ids.items() if one is not None}
    )


class Log:
    """Writes the program's own events.

    Args:
        name: of the module that writes.
    """

    def __init__(self, name: str) -> None:
        self._log = logging.getLogger(name)

    def debug(self, event: Said, **facts: Fact) -> None:
        """Of interest to whoever looks for a fault."""
        self._write(logging.DEBUG, event, facts)

    def info(self, event: Said, **facts: Fact) -> None:
        """All is well."""
        self._write(logging.INFO, event, facts)

    def warning(self, event: Said, error: BaseException | None = None, **facts: Fact) -> None:
        """Something did not work and is tried again; ``error`` says why by its kind and codes."""
        self._write(logging.WARNING, event, facts | (reason(error) if error is not None else {}))

    def failed(self, event: Said, error: BaseException, **facts: Fact) -> None:
        """An error that nobody expected: its kind, and where in the program it came up."""
        self._write(logging.ERROR, event, facts, error)

    def _write(
        self, level: int, event: Said, facts: Mapping[str, Fact], error: BaseException | None = None
    ) -> None:
        if not self._log.isEnabledFor(level):
            return
        known = {name: one for name, one in facts.items() if one is not None}
        said = "".join(f" {name}={one}" for name, one in known.items())
        self._log.log(
            level, "%s%s", event.value, said, exc_info=error, extra={"said": event.value, "facts": known}
        )


def reason(error: BaseException) -> dict[str, Fact]:
    """What an error is, without its words: kind, status, code, operation."""
    found: dict[str, Fact] = {"error": type(error).__name__}
    for name in ("operation", "status", "http_status", "code", "retry_after"):
        value = getattr(error, name, None)
        if isinstance(value, int | float) or (isinstance(value, str) and _CODE.fullmatch(value)):
            found[name] = value
    return found


def _named(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Give an event of :class:`Log` its name and its facts."""
    record = event.get("_record")
    said = getattr(record, "said", None)
    if said is not None:
        event["event"] = said
        event.update(getattr(record, "facts", {}))
    return event


def _without_words_of_errors(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Write down where an error came up and what it is, not what it says: that may quote an order."""
    found = event.pop("exc_info", None)
    if found is True:
        record = event.get("_record")
        found = getattr(record, "exc_info", None)
    error = found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["exception"] = trace(error)
    event.pop("exc_text", None)
    event.pop("stack_info", None)
    return event


def trace(error: BaseException) -> str:
    """The way to an error through the program, and those that led to it, without any message."""
    lines: list[str] = []
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        lines.append(_kind(one))
        lines += [
            f"  {frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(one.__traceback__)
        ]
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return "\n".join(lines)


def _kind(error: BaseException) -> str:
    facts = " ".join(f"{name}={value}" for name, value in reason(error).items() if name != "error")
    return f"{type(error).__module__}.{type(error).__qualname__} {facts}".rstrip()


def _of_process(process: str) -> Processor:
    host, pid = socket.gethostname(), os.getpid()

    def add(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
        event.update(process=process, host=host, pid=pid)
        return event

    return add


def redact(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Take what looks like a credential or a person out of every text: the last line of defence."""
    return {
        key: _PERSONAL.sub(_GONE, without_secrets(value)) if isinstance(value, str) else value
        for key, value in event.items()
    }


def without_secrets(text: str) -> str:
    """A text in which nothing is left that looks like a credential."""
    return _SECRETS.sub(_GONE, text)
