"""Changing a seller's values: read, change, check by the one parser, keep; all in one transaction."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from connector_app.ksef_access import environment_json
from connector_app.profiles import BadProfile, Profile, parse
from connector_app.sellers import SellerRefused, check_schema, check_stays
from connector_app.store.models import Seller
from connector_app.web import access
from connector_app.web.access import Right, audit
from connector_app.web.here import here
from core.fa import registry
from core.findings import Text
from core.ksef.environments import Environment

Values = dict[str, Any]
Change = Callable[[Values], None]


def change(
    nip: str, section: str, edit: Change, check: Callable[[Seller, Profile], list[Text]] | None = None
) -> list[Text]:
    """Change a seller's values.

    Args:
        nip: of the seller; the current person has to own it.
        section: what is changed, for the audit log.
        edit: changes a copy of the values in place.
        check: finds further faults.

    Returns:
        What is wrong, each with the name of its entry; nothing was kept then.
    """
    with here().services.database.begin() as session:
        seller = access.the_seller(session, nip, Right.OWN)
        values = copy.deepcopy(seller.profile)
        edit(values)
        values.setdefault("seller", {})["nip"] = seller.nip
        try:
            profile = parse(values)
        except BadProfile as error:
            return list(error.faults)
        faults = check(seller, profile) if check else []
        if faults:
            return faults
        changed = changed_names(seller.profile, profile.values)
        if changed:
            seller.name, seller.profile = profile.seller.name, profile.values
            details = {"section": section, "changed": changed[:_MOST_NAMES]}
            audit(session, "seller.settings", f"seller:{nip}", seller.id, details)
    here().wake(seller.id)
    return []


_MOST_NAMES = 50


def changed_names(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Names of entries that differ, such as ``seller.address.line1``; never their values."""
    found: list[str] = []
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += [f"{name}.{one}" for one in changed_names(old, new)]
        else:
            found.append(name)
    return found


def move(nip: str, environment: Environment, version: str) -> Text | None:
    """Change where a seller issues, and the structure of its documents.

    Args:
        nip: of the seller; the current person has to own it.
        environment: the new one.
        version: ``FA3`` or ``FA2``.

    Returns:
        Why it cannot be changed; ``None`` when it was.
    """
    schema = registry.schema_for(version)
    with here().services.database.begin() as session:
        seller = access.the_seller(session, nip, Right.OWN)
        try:
            check_schema(schema, environment)
            check_stays(session, seller, environment)
        except SellerRefused as error:
            return error.text
        stored = environment_json(environment)
        if seller.environment != stored:
            # what signs in there is another thing; a sign-in and a session of here are worth nothing there
            seller.tokens = seller.session = seller.session_reference = None
        details = {"environment": environment.name, "schema": version}
        seller.environment, seller.schema_version = stored, schema.version.value
        audit(session, "seller.environment", f"seller:{nip}", seller.id, details)
    here().wake(seller.id)
    return None
