"""Pages: signing in to KSeF, and the sign-ins that are in force."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask_login import login_required
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from connector_app import credentials
from connector_app.credential_reading import read_key
from connector_app.credentials import CredentialKind
from connector_app.ksef_access import environment_of
from connector_app.plain_words import key_words, page_words
from connector_app.sellers import takes_test_certificates
from connector_app.store.models import Seller
from connector_app.vault import VaultLocked
from connector_app.web import access, jobs
from connector_app.web.access import Right, audit
from connector_app.web.here import here
from connector_app.web.ksef import certificate_views, reading, work
from connector_app.web.ksef.base import ksef, onward
from connector_app.web.ksef.forms import CertificateForm, SignedForm, TokenForm
from connector_app.web.language import say, t
from connector_app.web.safety import limiter
from core.calendar import warsaw_day
from core.findings import Text
from core.ksef import sign_ins
from core.ksef.auth import SubjectType
from core.ksef.errors import KsefError
from core.ksef.outside import SignedRequestError, check_signed, unsigned_request
from core.signing.keys import KeyMaterial, KeyMaterialError, WrongPasswordError, self_signed

__all__ = ["certificate_views", "ksef"]

_TEST_DAYS = 730


@ksef.get("/sellers/<nip>/sign-in")
@login_required  # type: ignore[untyped-decorator]
def sign_in(nip: str) -> str:
    """How the seller signs in, whether it works, and the ways to change it."""
    return _page(nip)


def _page(nip: str, way: str = "", form: Any = None) -> str:
    services = here().services
    with services.database() as session:
        seller = access.the_seller(session, nip, Right.OWN)
        found = reading.way(services, seller)
        works, says = reading.sign_in_state(services, session, seller)
        check = reading.last_job(session, seller, reading.CHECK)
    forms: dict[str, Any] = {
        "certificate": CertificateForm(formdata=None),
        "outside": SignedForm(formdata=None),
        "token": TokenForm(formdata=None),
    }
    if form is not None:
        forms[way] = form
    has = found.info is not None and (
        found.info.kind is not CredentialKind.OUTSIDE or found.until is not None
    )
    return render_template(
        "ksef/sign_in.html",
        seller=seller,
        environment=reading.environment_name(seller),
        found=found,
        kind=reading.KINDS[found.info.kind] if found.info else None,
        works=works,
        says=says,
        job=check,
        forms=forms,
        way=way,
        has=has,
        takes_test=takes_test_certificates(environment_of(seller)),
        tokens_end=services.tokens_end,
        tokens_ended=warsaw_day(services.clock()) > services.tokens_end,
        onward=onward,
    )


@ksef.post("/sellers/<nip>/sign-in/certificate")
@limiter.limit("60/hour")
@login_required  # type: ignore[untyped-decorator]
def give_certificate(nip: str) -> str | AnyResponse:
    """Keep a certificate and its key, and sign in with them."""
    services = here().services
    with services.database() as session:
        access.the_seller(session, nip, Right.OWN)
    form = CertificateForm()
    if not form.validate_on_submit():
        return _page(nip, "certificate", form)
    try:
        key = read_key(
            form.first_bytes or b"",
            form.second_bytes,
            str(form.password.data or "") or None,
            services.clock(),
        )
    except KeyMaterialError as error:
        said, hint = key_words(error)
        field = form.password if isinstance(error, WrongPasswordError) else form.first
        field.errors = [*field.errors, f"{say(said)} {say(hint)}"]
        return _page(nip, "certificate", form)
    _keep_key(nip, key)
    if key.nip and key.nip != nip:
        flash(
            t(
                f"Certyfikat jest na NIP {key.nip}, nie {nip}: zadziała tylko wtedy, gdy firma nadała mu "
                "uprawnienia w KSeF.",
                f"The certificate is for NIP {key.nip}, not {nip}: it works only if the company granted it "
                "permissions at KSeF.",
            ),
            "warning",
        )
    return _check(nip)


@ksef.post("/sellers/<nip>/sign-in/test-certificate")
@login_required  # type: ignore[untyped-decorator]
def make_test_certificate(nip: str) -> AnyResponse:
    """A self-signed certificate, where KSeF lets such ones in."""
    services = here().services
    with services.database() as session:
        seller = access.the_seller(session, nip, Right.OWN)
    if not takes_test_certificates(environment_of(seller)):
        flash(
            t(
                "To środowisko nie przyjmuje certyfikatów testowych.",
                "This environment takes no test certificates.",
            ),
            "danger",
        )
        return redirect(onward("ksef.sign_in", nip=nip))
    _keep_key(nip, self_signed(nip, now=services.clock(), valid_days=_TEST_DAYS))
    return _check(nip)


@ksef.post("/sellers/<nip>/sign-in/token")
@limiter.limit("60/hour")
@login_required  # type: ignore[untyped-decorator]
def give_token(nip: str) -> str | AnyResponse:
    """Keep a KSeF token, and sign in with it."""
    services = here().services
    with services.database() as session:
        access.the_seller(session, nip, Right.OWN)
    form = TokenForm()
    if not form.validate_on_submit():
        return _page(nip, "token", form)
    sealed = credentials.seal_token(services.vault, str(form.token.data).strip())
    _keep(nip, sealed, {"kind": "token"})
    return _check(nip)


@ksef.post("/sellers/<nip>/sign-in/request")
@limiter.limit("60/hour")
@login_required  # type: ignore[untyped-decorator]
def download_request(nip: str) -> AnyResponse:
    """The sign-in request, to be signed elsewhere within ten minutes."""
    services = here().services
    with services.database() as session:
        seller = access.the_seller(session, nip, Right.OWN)
    try:
        made = unsigned_request(services.connections.client(seller), nip)
    except KsefError as error:
        flash(say(page_words(error)), "danger")
        return redirect(onward("ksef.sign_in", nip=nip))
    return Response(
        made.xml,
        mimetype="application/xml",
        headers={"Content-Disposition": f'attachment; filename="ksef-{nip}.xml"'},
    )


@ksef.post("/sellers/<nip>/sign-in/signed")
@limiter.limit("60/hour")
@login_required  # type: ignore[untyped-decorator]
def give_signed(nip: str) -> str | AnyResponse:
    """Sign in with the request that a person signed elsewhere."""
    with here().services.database() as session:
        seller = access.the_seller(session, nip, Right.OWN)
    form = SignedForm()
    if not form.validate_on_submit():
        return _page(nip, "outside", form)
    data = form.signed_bytes or b""
    try:
        check_signed(data, seller.nip)
    except SignedRequestError as error:
        form.signed.errors = [*form.signed.errors, say(error.text)]
        return _page(nip, "outside", form)
    with here().services.database.begin() as session:
        row = access.the_seller(session, nip, Right.OWN)
        audit(session, "ksef.sign-in", f"seller:{nip}", row.id, {"kind": "outside"})
    return _check(nip, data)


@ksef.post("/sellers/<nip>/sign-in/check")
@limiter.limit("60/hour")
@login_required  # type: ignore[untyped-decorator]
def check(nip: str) -> AnyResponse:
    """Sign in now and show what is allowed."""
    return _check(nip)


def _keep_key(nip: str, key: KeyMaterial) -> None:
    subject = SubjectType.SUBJECT if key.identifier else SubjectType.FINGERPRINT
    sealed = credentials.seal_certificate(here().services.vault, key, subject_type=subject)
    _keep(nip, sealed, {"kind": "certificate", "serial": key.serial_number})


def _keep(nip: str, sealed: str, details: dict[str, Any]) -> None:
    """Another credential; tokens and session of the one before end with it."""
    with here().services.database.begin() as session:
        seller = access.the_seller(session, nip, Right.OWN)
        seller.credential = sealed
        seller.tokens = seller.session = seller.session_reference = None
        audit(session, "ksef.credential", f"seller:{nip}", seller.id, details)


def _check(nip: str, signed: bytes | None = None) -> AnyResponse:
    with here().services.database() as session:
        seller = access.the_seller(session, nip, Right.OWN)
    # the same check runs once at a time; of another credential or file it is another one
    what = hashlib.sha256(signed or seller.credential.encode()).hexdigest()[:12]
    begun = work.check(seller.id, here().wake, signed)
    jobs.start(reading.CHECK, f"seller:{nip}:{what}", seller.id, begun)
    return redirect(onward("ksef.sign_in", nip=nip))


@ksef.get("/sellers/<nip>/sign-ins")
@login_required  # type: ignore[untyped-decorator]
def list_sign_ins(nip: str) -> str:
    """Sign-ins that are in force at KSeF now; KSeF is asked."""
    with here().services.database() as session:
        seller = access.the_seller(session, nip, Right.OWN)
    entries, trouble = _sign_ins(seller)
    return render_template("ksef/sign_ins.html", seller=seller, entries=entries, trouble=trouble)


def _sign_ins(seller: Seller) -> tuple[list[sign_ins.SignInEntry], Text | None]:
    try:
        way_in = here().services.access(seller)
        return way_in.call(lambda token: list(sign_ins.listing(way_in.client, token))), None
    except (KsefError, KeyMaterialError) as error:
        return [], page_words(error)
    except VaultLocked:
        return [], reading.LOCKED


@ksef.post("/sellers/<nip>/sign-ins/end")
@login_required  # type: ignore[untyped-decorator]
def end_sign_in(nip: str) -> AnyResponse:
    """End one sign-in at KSeF."""
    services = here().services
    reference = request.form.get("reference", "")
    with services.database() as session:
        seller = access.the_seller(session, nip, Right.OWN)
    known = {one.reference: one.is_current for one in _sign_ins(seller)[0]}
    if reference not in known:
        flash(t("Tego logowania już nie ma.", "This sign-in is over already."), "info")
        return redirect(url_for("ksef.list_sign_ins", nip=nip))
    way_in = services.access(seller)
    try:
        way_in.call(lambda token: sign_ins.revoke(way_in.client, token, reference))
    except KsefError as error:
        flash(say(page_words(error)), "danger")
        return redirect(url_for("ksef.list_sign_ins", nip=nip))
    if known[reference]:
        way_in.sign_in.forget()
    with services.database.begin() as session:
        _note(session, nip, "ksef.sign-in.end", reference)
    flash(t("Logowanie zakończone.", "The sign-in is ended."), "success")
    return redirect(url_for("ksef.sign_in" if known[reference] else "ksef.list_sign_ins", nip=nip))


def _note(session: Session, nip: str, action: str, what: str) -> None:
    seller = access.the_seller(session, nip, Right.OWN)
    audit(session, action, f"seller:{nip}", seller.id, {"what": what})
