"""What is wrong now: all rules, each for itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from connector_app.alerts import of_documents, of_ksef, of_others, of_place
from connector_app.alerts.condition import Archive, Condition, Look, Rule
from connector_app.alerts.kinds import Kind, Options
from connector_app.log_events import Said
from connector_app.logs import Log
from connector_app.pipeline.services import Services

_log = Log(__name__)

RULES: Mapping[Rule, tuple[Kind, ...]] = {
    of_documents.attention: (Kind.ATTENTION,),
    of_documents.deadlines: (Kind.DEADLINE,),
    of_documents.stuck: (Kind.STUCK,),
    of_documents.limits: (Kind.LIMIT,),
    of_ksef.credentials: (Kind.CREDENTIAL,),
    of_ksef.held: (Kind.SIGN_IN, Kind.HELD),
    of_ksef.outage: (Kind.OUTAGE,),
    of_others.silent_stores: (Kind.STORE_SILENT,),
    of_others.no_orders: (Kind.NO_ORDERS,),
    of_others.webhooks: (Kind.WEBHOOKS,),
    of_others.mails: (Kind.MAIL,),
    of_others.hooks: (Kind.HOOKS,),
    of_place.disk: (Kind.DISK,),
    of_place.runner: (Kind.RUNNER,),
    of_place.archive: (Kind.ARCHIVE,),
    of_place.backup: (Kind.BACKUP,),
}
"""Each rule with the kinds that it finds."""


@dataclass(slots=True)
class Found:
    """What a look found.

    Attributes:
        conditions: what is wrong now.
        unknown: kinds that could not be looked for; what was known of them stays.
    """

    conditions: list[Condition] = field(default_factory=list)
    unknown: set[Kind] = field(default_factory=set)


def find(services: Services, options: Options, archive: Archive) -> Found:
    """Look at everything that is switched on; a rule that fails hides no other.

    Args:
        services: the installation.
        options: what is set.
        archive: what the archive tells.
    """
    found = Found()
    for rule, kinds in RULES.items():
        if options.off.issuperset(kinds):
            continue
        try:
            with services.database() as session:
                seen = rule(Look(services, session, options, services.clock(), archive))
        except Exception as error:
            _log.failed(Said.WORK_FAILED, error, task=kinds[0].value)
            found.unknown.update(kinds)
            continue
        found.conditions += [one for one in seen if one.kind not in options.off]
    return found
