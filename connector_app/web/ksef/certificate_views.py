"""Pages: a seller's KSeF certificates."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import flash, redirect, render_template, request
from flask_login import login_required
from werkzeug.wrappers import Response

from connector_app.credentials import CredentialKind
from connector_app.renewals import due
from connector_app.store.desk import JobState
from connector_app.store.models import Certificate, CertificateStage
from connector_app.store.types import LARGEST_ID
from connector_app.web import access, jobs
from connector_app.web.access import Right, audit
from connector_app.web.here import here
from connector_app.web.jobs import Work
from connector_app.web.ksef import reading, work
from connector_app.web.ksef.base import ksef, onward
from connector_app.web.language import t
from connector_app.web.safety import limiter
from core.findings import Text
from core.ksef.certificates import CertificateKind, CertificateState, RevocationReason

_KINDS = {
    "authentication": (CertificateKind.AUTHENTICATION,),
    "offline": (CertificateKind.OFFLINE,),
    "both": (CertificateKind.AUTHENTICATION, CertificateKind.OFFLINE),
}
_REASONS = {
    "unspecified": RevocationReason.UNSPECIFIED,
    "superseded": RevocationReason.SUPERSEDED,
    "key-compromise": RevocationReason.KEY_COMPROMISE,
}
_STATES = {
    CertificateState.ACTIVE: Text("czynny", "active"),
    CertificateState.BLOCKED: Text("unieważnianie trwa", "being revoked"),
    CertificateState.REVOKED: Text("unieważniony", "revoked"),
    CertificateState.EXPIRED: Text("wygasł", "expired"),
}
PURPOSES = {
    CertificateKind.AUTHENTICATION.value: Text("logowanie", "signing in"),
    CertificateKind.OFFLINE.value: Text("tryb offline", "offline modes"),
}


@ksef.get("/sellers/<nip>/certificates")
@login_required  # type: ignore[untyped-decorator]
def certificates(nip: str) -> str:
    """Which certificates there are, what ends soon, and what can be done."""
    services = here().services
    with services.database() as session:
        seller = access.the_seller(session, nip, Right.OWN)
        mine = reading.held(session, seller)
        found = reading.way(services, seller)
        enrolment = reading.last_job(session, seller, reading.ENROLMENT)
        listed = reading.last_job(session, seller, reading.LISTING)
    used = found.info.serial_number if found.info else ""
    running = next(
        (one for one in (enrolment, listed) if one is not None and one.state == JobState.RUNNING), None
    )
    # a failure is shown until the next try; other ends are told by the page itself
    failed = next((one for one in (enrolment, listed) if one is not None and one.state in _FAILED), None)
    kinds = {one.kind for one in mine}
    return render_template(
        "ksef/certificates.html",
        seller=seller,
        mine=mine,
        used=used,
        foreign=_foreign(listed.result if listed else None, {one.serial_number for one in mine}),
        listed=listed,
        job=running or failed,
        signed_in=found.until is not None,
        by_token=found.info is not None and found.info.kind is CredentialKind.TOKEN,
        signs=CertificateKind.AUTHENTICATION.value in kinds,
        offline=CertificateKind.OFFLINE.value in kinds,
        notices=due(services, nip),
        purposes=PURPOSES,
        onward=onward,
    )


_FAILED = frozenset({JobState.FAILED.value, JobState.BROKEN_OFF.value})


def _foreign(result: dict[str, Any] | None, mine: set[str | None]) -> list[dict[str, Any]]:
    """Certificates in KSeF's list whose keys are not here, ready to show."""
    return [
        {
            **one,
            "kind": PURPOSES.get(one["kind"], Text(one["kind"], one["kind"])),
            "state": _STATES[CertificateState(one["state"])],
            "valid_until": datetime.fromisoformat(one["valid_until"]) if one["valid_until"] else None,
        }
        for one in (result or {}).get("entries", [])
        if one["serial_number"] not in mine
    ]


@ksef.post("/sellers/<nip>/certificates/enrol")
@limiter.limit("30/hour")
@login_required  # type: ignore[untyped-decorator]
def enrol(nip: str) -> Response:
    """Ask KSeF for certificates; a request that was cut short is finished."""
    kinds = _KINDS.get(request.form.get("kind", ""), ())
    if not kinds:
        return redirect(onward("ksef.certificates", nip=nip))
    use = request.form.get("use") == "1"
    return _start(
        nip, reading.ENROLMENT, lambda one: work.enrol(one, kinds, here().wake, use=use), request.form["kind"]
    )


@ksef.post("/sellers/<nip>/certificates/refresh")
@limiter.limit("60/hour")
@login_required  # type: ignore[untyped-decorator]
def refresh(nip: str) -> Response:
    """Read KSeF's list."""
    return _start(nip, reading.LISTING, work.listing, "")


@ksef.post("/sellers/<nip>/certificates/<int:certificate_id>/use")
@limiter.limit("60/hour")
@login_required  # type: ignore[untyped-decorator]
def use(nip: str, certificate_id: int) -> Response:
    """Sign in with one of ours from now on."""
    row = _mine(nip, certificate_id)
    if row is None:
        return redirect(onward("ksef.certificates", nip=nip))
    return _start(
        nip, reading.ENROLMENT, lambda one: work.use(one, row.id, here().wake), row.serial_number or ""
    )


@ksef.post("/sellers/<nip>/certificates/<int:certificate_id>/revoke")
@limiter.limit("60/hour")
@login_required  # type: ignore[untyped-decorator]
def revoke(nip: str, certificate_id: int) -> Response:
    """End one of ours at KSeF; not the one that the seller signs in with."""
    services = here().services
    row = _mine(nip, certificate_id)
    reason = _REASONS.get(request.form.get("reason", ""), RevocationReason.UNSPECIFIED)
    if row is None or row.serial_number is None:
        return redirect(onward("ksef.certificates", nip=nip))
    number = row.serial_number
    with services.database() as session:
        found = reading.way(services, access.the_seller(session, nip, Right.OWN))
    if found.info is not None and found.info.serial_number == number:
        flash(
            t(
                "Tym certyfikatem loguje się sprzedawca. Najpierw uzyskaj następny i zacznij nim logować.",
                "The seller signs in with this certificate. First get the next one and sign in with it.",
            ),
            "danger",
        )
        return redirect(onward("ksef.certificates", nip=nip))
    return _start(nip, reading.ENROLMENT, lambda one: work.revoke(one, number, reason), number, "revoke")


def _mine(nip: str, certificate_id: int) -> Certificate | None:
    """A certificate of the seller whose key is here."""
    with here().services.database() as session:
        seller = access.the_seller(session, nip, Right.OWN)
        row = session.get(Certificate, certificate_id) if certificate_id <= LARGEST_ID else None
        if row is None or row.seller_id != seller.id or row.stage != CertificateStage.ISSUED:
            flash(t("Tego certyfikatu już tu nie ma.", "This certificate is here no more."), "info")
            return None
        return row


def _start(nip: str, kind: str, make: Any, what: str, action: str = "") -> Response:
    """Begin work with certificates and go back to their page."""
    with here().services.database.begin() as session:
        seller = access.the_seller(session, nip, Right.OWN)
        seller_id = seller.id
        audit(session, f"{kind}.{action}" if action else kind, f"seller:{nip}", seller_id, {"what": what})
    begun: Work = make(seller_id)
    jobs.start(kind, f"seller:{nip}", seller_id, begun)
    return redirect(onward("ksef.certificates", nip=nip))
