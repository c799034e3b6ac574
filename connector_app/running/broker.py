"""Celery and the message broker: RabbitMQ or Redis carries tickets, which are ids and nothing else.

RabbitMQ's messages are acknowledged late and given back when their worker is lost, those of Redis early; a
broker that loses them all loses nothing, because a turn of which nothing is heard is given out again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from celery import Celery
from celery.signals import setup_logging
from kombu.exceptions import KombuError, OperationalError

from connector_app.running.turns import LOST_AFTER, Ticket
from connector_app.settings import Settings

TASK: Final = "ksef.turn"
_CONNECT = 4.0
_ANSWER = 10.0
"""Seconds for a broker to take a connection, and a message."""
_VISIBLE: Final = 3600
"""Seconds after which Redis gives a message to another worker: longer than any turn. A dead worker's turn is
not waited for so long, see :data:`connector_app.running.turns.LOST_AFTER`."""


class BrokerDown(Exception):
    """No message can be sent now."""


def queue_of(settings: Settings) -> str:
    """Name of the queue that an installation's turns wait in."""
    return f"{settings.queue}.turns"


def make_celery(settings: Settings, *, sends: bool = False) -> Celery:
    """The Celery application of an installation.

    Args:
        settings: with the broker's address.
        sends: made for sending: never waits long for a broker that does not answer.
    """
    app = Celery(settings.queue, broker=settings.broker_url, set_as_current=False)
    is_redis = settings.broker_url.startswith("redis")
    options: dict[str, object] = {}
    if is_redis:
        options = {"visibility_timeout": _VISIBLE, "global_keyprefix": f"{settings.queue}:"}
        if sends:
            options |= {"socket_timeout": _ANSWER, "socket_connect_timeout": _CONNECT}
    else:
        options = {"confirm_publish": True, "confirm_timeout": _ANSWER}
        if sends:
            options |= {"read_timeout": _ANSWER, "write_timeout": _ANSWER}
    app.conf.update(
        accept_content=["json"],
        broker_connection_max_retries=None,
        broker_connection_retry_on_startup=True,
        broker_connection_timeout=_CONNECT,
        broker_transport_options=options,
        enable_utc=True,
        result_backend=None,
        # a worker that Redis leaves between a ticket and its late acknowledgement counts the ticket for ever
        # and takes no other; a lost one is given out again anyway, long before Redis would
        task_acks_late=not is_redis,
        # a turn that fails says so in the database; its message is done with
        task_acks_on_failure_or_timeout=True,
        task_default_delivery_mode="transient",
        task_default_queue=queue_of(settings),
        task_ignore_result=True,
        task_reject_on_worker_lost=True,
        task_serializer="json",
        task_store_errors_even_if_ignored=False,
        timezone="UTC",
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_prefetch_multiplier=1,
        worker_proc_alive_timeout=60.0,
        worker_redirect_stdouts=False,
        worker_send_task_events=False,
    )
    return app


class Sender:
    """Sends tickets to the workers.

    Args:
        settings: with the broker's address.
    """

    def __init__(self, settings: Settings) -> None:
        self._app = make_celery(settings, sends=True)
        self._queue = queue_of(settings)
        self._failures = _failures(self._app)

    def __call__(self, ticket: Ticket) -> None:
        """Send one.

        Raises:
            BrokerDown: it is not known to have arrived.
        """
        try:
            self._app.send_task(
                TASK,
                args=[ticket.kind.value, ticket.subject, ticket.number],
                queue=self._queue,
                expires=2 * LOST_AFTER.total_seconds(),
                retry=False,
                ignore_result=True,
            )
        except self._failures as error:
            raise BrokerDown(type(error).__name__) from None

    def close(self) -> None:
        """Let the connections go."""
        self._app.close()


def _failures(app: Celery) -> tuple[type[BaseException], ...]:
    """What a broker's library raises when no message can be sent; nothing is connected."""
    with app.connection_for_write() as connection:
        return (
            OperationalError,
            KombuError,
            OSError,
            *connection.connection_errors,
            *connection.channel_errors,
        )


def keep_our_logging() -> Callable[..., None]:
    """Leave the log as the command set it up; hold on to the answer, the signal refers to it weakly."""

    def leave(**_named: object) -> None:
        return None

    setup_logging.connect(leave)
    return leave
