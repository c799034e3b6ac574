"""KSeF certificates of a seller: asking for them so that a crash loses nothing, using them, ending them.

The key is made and stored before anything is sent, and each step is stored before the next one begins. An
enrolment that was cut short is taken up where it stopped; where it is not known whether the request arrived,
KSeF's list is searched for a certificate of our key first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from connector_app.credentials import seal_certificate, seal_key, seal_tokens, unseal_certificate, unseal_key
from connector_app.ksef_access import SellerAccess
from connector_app.pipeline.services import Services
from connector_app.store.locks import lock
from connector_app.store.models import Certificate, CertificateStage, Seller
from core.findings import Text
from core.ksef import auth, certificates
from core.ksef.certificates import CertificateKind, EnrollmentStatus, RevocationReason
from core.ksef.errors import EnrollmentRefused, Expired, KsefRefused, KsefUnavailable
from core.ksef.waiting import DEFAULT_PATIENCE
from core.signing.csr import certification_request
from core.signing.keys import KeyKind, KeyMaterial, PrivateKey, generate_key, public_bytes

Say = Callable[[Text], None]

_CLOCKS_DIFFER = timedelta(hours=1)
"""How much KSeF's clock and ours may differ when an earlier request is looked for."""
_UNDER_WAY = timedelta(seconds=30)
"""For how long after it was sent a request may bring a certificate that is not in the list yet."""
_REFUSED = 400
_UNKNOWN_REFERENCE = 25005


def find(
    session: Session, seller: Seller, kind: CertificateKind, stage: CertificateStage
) -> list[Certificate]:
    """A seller's certificates of one kind and stage in its present environment, newest first."""
    rows = session.scalars(
        select(Certificate)
        .where(Certificate.seller_id == seller.id, Certificate.kind == kind, Certificate.stage == stage)
        .order_by(Certificate.id.desc())
    )
    return [row for row in rows if row.environment == seller.environment]


@dataclass(frozen=True, slots=True)
class Enroller:
    """Asks KSeF for a seller's certificates.

    Attributes:
        services: the installation.
        seller: for whom.
        access: the seller's way into KSeF, signed in by a signature.
        say: told about each step.
    """

    services: Services
    seller: Seller
    access: SellerAccess
    say: Say

    def enroll(self, kind: CertificateKind, name: str, key_kind: KeyKind) -> Certificate:
        """Get a certificate: a new one, or the one whose enrolment was cut short.

        Args:
            kind: what it is for.
            name: see :data:`core.ksef.certificates.NAME_PATTERN`.
            key_kind: ``ec`` (P-256) or ``rsa`` (2048 bits).

        Returns:
            The issued certificate's row.

        Raises:
            EnrollmentRefused: KSeF did not issue it.
            KsefUnavailable: there is no result in time; the next call goes on from here.
            KsefError: whatever else went wrong; the next call goes on from here.
        """
        with lock(self.services.database, f"certificates-{self.seller.id}"):
            row = self._unfinished(kind) or self._begin(kind, name, key_kind)
            serial_number = row.serial_number or self._serial_number(row)
            return self._store(row, serial_number)

    def _unfinished(self, kind: CertificateKind) -> Certificate | None:
        with self.services.database() as session:
            found = find(session, self.seller, kind, CertificateStage.PENDING)
        if not found:
            return None
        self.say(
            Text(
                f"Kończę przerwany wniosek „{found[0].name}” (ten sam klucz).",
                f'Going on with the request "{found[0].name}" that was cut short (the same key).',
            )
        )
        return found[0]

    def _begin(self, kind: CertificateKind, name: str, key_kind: KeyKind) -> Certificate:
        row = Certificate(
            seller_id=self.seller.id,
            environment=self.seller.environment,
            kind=kind.value,
            name=name,
            stage=CertificateStage.PENDING,
            secret=seal_key(self.services.vault, generate_key(key_kind)),
            created_at=self.services.clock(),
        )
        with self.services.database.begin(self.seller.id) as session:
            session.add(row)
        self.say(Text("Klucz powstał i jest zapisany.", "The key is made and stored."))
        return row

    def _serial_number(self, row: Certificate) -> str:
        if row.reference is None:
            known = self._lost(row)
            if known is not None:
                self._change(row, serial_number=known)
                return known
            self._send(row)
        return self._wait(row)

    def _lost(self, row: Certificate) -> str | None:
        """The number of the certificate that a request brought whose answer was lost, if any.

        A request of a moment ago may still be under way, hence the list is looked at for some time.
        """
        if row.sent_at is None:
            return None
        self.say(Text("Sprawdzam, czy wniosek dotarł do KSeF", "Looking whether the request reached KSeF"))
        client, until = self.access.client, row.sent_at + _UNDER_WAY
        pause = DEFAULT_PATIENCE.first_pause
        while (found := self._issued_for(row, row.sent_at - _CLOCKS_DIFFER)) is None:
            if client.clock() >= until:
                return None
            client.sleep(pause)
            pause = min(pause * DEFAULT_PATIENCE.growth, DEFAULT_PATIENCE.longest_pause)
        return found

    def _issued_for(self, row: Certificate, since: datetime) -> str | None:
        """The number of the certificate in KSeF's list that is for our key."""
        ours = public_bytes(self._key(row))
        client, kind = self.access.client, CertificateKind(row.kind)
        found = self.access.call(
            lambda access: [
                one.serial_number
                for one in certificates.listing(client, access, kind=kind, name=row.name)
                if one.requested >= since
            ]
        )
        issued = (
            self.access.call(lambda access: certificates.retrieve(client, access, found)) if found else ()
        )
        return next((one.serial_number for one in issued if public_bytes(one.certificate) == ours), None)

    def _send(self, row: Certificate) -> None:
        client = self.access.client
        subject = self.access.call(lambda access: certificates.enrollment_data(client, access))
        request = certification_request(subject, self._key(row))
        self._change(row, sent_at=self.services.clock())
        try:
            reference = self.access.call(
                lambda access: certificates.enroll(
                    client, access, name=row.name, kind=CertificateKind(row.kind), request=request
                )
            )
        except KsefRefused:
            self._change(row, sent_at=None)
            raise
        except KsefUnavailable as error:
            if not error.outcome_ambiguous:
                self._change(row, sent_at=None)
            raise
        self._change(row, reference=reference)
        self.say(Text(f"Wniosek wysłany: {reference}", f"The request is sent: {reference}"))

    def _wait(self, row: Certificate) -> str:
        client, reference = self.access.client, row.reference or ""
        asked = 0

        def ask() -> EnrollmentStatus:
            nonlocal asked
            asked += 1
            if asked == 2:
                self.say(Text("Czekam na certyfikat", "Waiting for the certificate"))
            return self.access.call(lambda access: certificates.enrollment_status(client, access, reference))

        try:
            serial_number = certificates.wait_for_certificate(ask, sleep=client.sleep)
        except EnrollmentRefused as error:
            if error.code == _REFUSED:
                said = "; ".join((error.description, *error.details))
                self._change(row, stage=CertificateStage.REFUSED, refusal=said)
            else:
                # KSeF's own failure: the next call asks again
                self._change(row, reference=None, sent_at=None)
            raise
        except KsefRefused as error:
            if isinstance(error, Expired) or error.code == _UNKNOWN_REFERENCE:
                self._change(row, reference=None)
            raise
        self._change(row, serial_number=serial_number)
        return serial_number

    def _store(self, row: Certificate, serial_number: str) -> Certificate:
        client = self.access.client
        issued = self.access.call(lambda access: certificates.retrieve(client, access, [serial_number]))
        found = next((one for one in issued if one.serial_number == serial_number), None)
        if found is None:
            raise KsefUnavailable("the issued certificate is not there yet")
        material = KeyMaterial(found.certificate, self._key(row))
        self._change(
            row,
            secret=seal_certificate(self.services.vault, material),
            stage=CertificateStage.ISSUED,
            valid_from=material.valid_from,
            valid_until=material.valid_until,
        )
        return row

    def _key(self, row: Certificate) -> PrivateKey:
        return unseal_key(self.services.vault, row.secret)

    def _change(self, row: Certificate, **values: object) -> None:
        with self.services.database.begin(row.seller_id) as session:
            stored = session.get_one(Certificate, row.id)
            for name, value in values.items():
                setattr(stored, name, value)
        for name, value in values.items():
            setattr(row, name, value)


def use(services: Services, seller: Seller, access: SellerAccess, certificate: Certificate) -> None:
    """Make an Authentication certificate the seller's way to sign in, after it has signed in once.

    Args:
        services: the installation.
        seller: whose.
        access: the seller's way into KSeF.
        certificate: issued.

    Raises:
        KsefError: KSeF did not let it in; the seller signs in as before.
        KeyMaterialError: it is not valid now.
    """
    key = unseal_certificate(services.vault, certificate.secret, access.client.clock())
    tokens = auth.sign_in_with_certificate(access.client, seller.nip, key)
    with services.database.begin(seller.id) as session:
        row = session.get_one(Seller, seller.id)
        row.credential, row.tokens, row.hold = certificate.secret, seal_tokens(services.vault, tokens), None


def revoke(
    services: Services,
    seller: Seller,
    access: SellerAccess,
    serial_number: str,
    reason: RevocationReason,
) -> None:
    """End a certificate at KSeF and here.

    Args:
        services: the installation.
        seller: whose.
        access: the seller's way into KSeF.
        serial_number: 16 hexadecimal digits.
        reason: for KSeF.

    Raises:
        KsefError: KSeF did not do it.
    """
    access.call(lambda token: certificates.revoke(access.client, token, serial_number, reason))
    mark_revoked(services, seller, {serial_number})


def mark_revoked(services: Services, seller: Seller, serial_numbers: set[str]) -> None:
    """Keep that certificates work no more; their keys stay as they are."""
    with services.database.begin(seller.id) as session:
        for row in session.scalars(select(Certificate).where(Certificate.seller_id == seller.id)):
            if row.serial_number in serial_numbers and row.environment == seller.environment:
                row.stage = CertificateStage.REVOKED
