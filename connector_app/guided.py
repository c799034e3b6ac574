"""The guided setup of a seller: which steps a person has been through; nothing goes out before its end.

A seller that is made in the guided setup is held (:mod:`connector_app.pipeline.holds`): its orders are taken
in and decided, nothing is issued, online or offline, until a person starts sending. A seller that a command
adds is live at once.
"""

from __future__ import annotations

from datetime import datetime

from connector_app.store.models import Seller


def begin(seller: Seller, now: datetime) -> None:
    """A new seller is being set up.

    Args:
        seller: its row, inside a writing transaction.
        now: aware UTC.
    """
    seller.setup = {"since": now.isoformat(), "seen": []}


def seen(seller: Seller) -> frozenset[str]:
    """Names of the steps that a person saved or looked at; empty for a seller that is live."""
    return frozenset(seller.setup["seen"]) if seller.setup else frozenset()


def see(seller: Seller, step: str) -> None:
    """A person was through a step; nothing changes for a seller that is live.

    Args:
        seller: its row, inside a writing transaction.
        step: name of the step.
    """
    if seller.setup is not None and step not in seller.setup["seen"]:
        # a new value: changes inside a JSON column are not noticed
        seller.setup = seller.setup | {"seen": [*seller.setup["seen"], step]}


def finish(seller: Seller) -> None:
    """Start sending: what waits is issued from now on."""
    seller.setup = None
