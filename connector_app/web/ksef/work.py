"""Work with KSeF that a page starts and a thread does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from connector_app import certificates as ours
from connector_app.ksef_access import SellerAccess
from connector_app.pipeline import holds
from connector_app.pipeline.services import Services
from connector_app.plain_words import page_words
from connector_app.store.models import Certificate, CertificateStage, Seller
from connector_app.vault import VaultLocked
from connector_app.web.here import Wake
from connector_app.web.jobs import JobFailed, Progress, Work
from connector_app.web.ksef.reading import LOCKED, permissions_json
from core.calendar import warsaw_day
from core.findings import Text
from core.ksef import auth
from core.ksef import certificates as in_ksef
from core.ksef.certificates import CertificateKind, CertificateState, RevocationReason
from core.ksef.errors import KsefError
from core.ksef.permissions import personal
from core.signing.keys import KeyMaterialError

_ENDED = frozenset({CertificateState.BLOCKED, CertificateState.REVOKED})
_NAMES = {CertificateKind.AUTHENTICATION: "authentication", CertificateKind.OFFLINE: "offline"}


@contextmanager
def in_words() -> Iterator[None]:
    """Errors of KSeF and keys as what a job says.

    Raises:
        JobFailed: in words, with what to do.
    """
    try:
        yield
    except (KsefError, KeyMaterialError) as error:
        raise JobFailed(page_words(error)) from error
    except VaultLocked as error:
        raise JobFailed(LOCKED) from error


def _open(services: Services, seller_id: int) -> tuple[Seller, SellerAccess]:
    with services.database() as session:
        seller = session.get_one(Seller, seller_id)
    return seller, services.access(seller)


def check(seller_id: int, wake: Wake, signed: bytes | None = None) -> Work:
    """Really sign in, and read what whoever signed in may do.

    Args:
        seller_id: whose.
        wake: called after the sign-in; what waited for it can go on.
        signed: a request that a person signed elsewhere; without one the kept credential signs in.
    """

    def work(services: Services, progress: Progress) -> dict[str, Any]:
        with in_words():
            seller, access = _open(services, seller_id)
            progress(0, 2, Text("Loguję do KSeF", "Signing in to KSeF"))
            if signed is not None:
                access.sign_in.keep(auth.sign_in_with_signed_request(access.client, signed))
            access.sign_in.access()
            progress(1, 2, Text("Czytam uprawnienia", "Reading the permissions"))
            found = access.call(lambda token: personal(access.client, token, seller.nip))
            holds.lift(services, seller_id)
            wake(seller_id)
            return permissions_json(found)

    return work


def enrol(seller_id: int, kinds: Sequence[CertificateKind], wake: Wake, *, use: bool = False) -> Work:
    """Get KSeF certificates, one after the other.

    Args:
        seller_id: whose.
        kinds: what for.
        wake: called when the way to sign in has changed.
        use: sign in with the Authentication one from now on.
    """

    def work(services: Services, progress: Progress) -> dict[str, Any]:
        got = []
        with in_words():
            seller, access = _open(services, seller_id)
            for place, kind in enumerate(kinds):
                progress(place, len(kinds), Text("Przygotowuję wniosek", "Preparing the request"))
                name = f"ksef-connector {_NAMES[kind]} {warsaw_day(services.clock())}"
                say = partial(progress, place, len(kinds))
                enroller = ours.Enroller(services, seller, access, say)
                row = enroller.enroll(kind, name, "ec")
                got.append(row.serial_number)
                if use and kind is CertificateKind.AUTHENTICATION:
                    ours.use(services, seller, access, row)
                    wake(seller_id)
                    seller, access = _open(services, seller_id)
        return {"serial_numbers": got}

    return work


def listing(seller_id: int) -> Work:
    """Read KSeF's list of the seller's certificates; those that ended there end here."""

    def work(services: Services, _progress: Progress) -> dict[str, Any]:
        with in_words():
            seller, access = _open(services, seller_id)
            entries = access.call(lambda token: list(in_ksef.listing(access.client, token)))
            ours.mark_revoked(services, seller, {one.serial_number for one in entries if one.state in _ENDED})
        return {
            "entries": [
                {
                    "serial_number": one.serial_number,
                    "kind": one.kind.value,
                    "name": one.name,
                    "state": one.state.value,
                    "valid_until": one.valid_until.isoformat() if one.valid_until else None,
                }
                for one in entries
            ]
        }

    return work


def use(seller_id: int, certificate_id: int, wake: Wake) -> Work:
    """Sign in with one of the seller's own certificates from now on, if it lets in."""

    def work(services: Services, _progress: Progress) -> dict[str, Any]:
        with in_words():
            seller, access = _open(services, seller_id)
            with services.database() as session:
                row = session.get_one(Certificate, certificate_id)
            if row.stage != CertificateStage.ISSUED or row.kind != CertificateKind.AUTHENTICATION:
                raise JobFailed(
                    Text("Tym certyfikatem nie można logować.", "This certificate cannot sign in.")
                )
            ours.use(services, seller, access, row)
        wake(seller_id)
        return {"serial_number": row.serial_number}

    return work


def revoke(seller_id: int, serial_number: str, reason: RevocationReason) -> Work:
    """End a certificate at KSeF and here."""

    def work(services: Services, _progress: Progress) -> dict[str, Any]:
        with in_words():
            seller, access = _open(services, seller_id)
            ours.revoke(services, seller, access, serial_number, reason)
        return {"revoked": serial_number}

    return work
