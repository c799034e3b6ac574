"""Accounts as stored, see :mod:`connector_app.people.accounts`; features import them from here too."""

from __future__ import annotations

from connector_app.people.accounts import (
    SHORTEST_PASSWORD,
    add_user,
    by_email,
    digest,
    first_invitation,
    has_users,
    invitation,
    is_password,
)

__all__ = [
    "SHORTEST_PASSWORD",
    "add_user",
    "by_email",
    "digest",
    "first_invitation",
    "has_users",
    "invitation",
    "is_password",
]
