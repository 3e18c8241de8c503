"""The register of electronic seals (电子印章) and of their uses."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from idservice.models import LOG, REFERENCE, SUBJECT, Base
from seals.owner_kinds import OwnerKind


class Owned:
    """Whose a seal is (印章所有人): a department's, an organisation's, or a person's.

    A person's with an organisation is the name seal of its legal representative (法定代表人名章).
    """

    department: Mapped[str | None] = mapped_column(ForeignKey("department.credit_code"))
    organisation: Mapped[str | None] = mapped_column(String(32), index=True)  # subjects
    person: Mapped[str | None] = mapped_column(String(32), index=True)

    @property
    def owner_kind(self) -> OwnerKind:
        """Return which of the three it is."""
        if self.department is not None:
            return OwnerKind.DEPARTMENT
        return OwnerKind.ORGANISATION if self.person is None else OwnerKind.PERSON


class Seal(Owned, Base):
    """One electronic seal; its private key is in the key ring under `seal_id`.

    Of a person's seal the name is masked, and what names him inside is encrypted: see `seals.contents`.
    """

    __tablename__ = "seal"
    __table_args__ = REFERENCE
    seal_id: Mapped[str] = mapped_column(String(32), primary_key=True)  # also the esID inside the seal structure
    name: Mapped[str] = mapped_column(String(256))
    state: Mapped[str] = mapped_column(String(12))  # in_force | suspended | lost | retired | destroyed
    seal_der: Mapped[bytes]  # SESeal (GB/T 38540), picture included
    signer_certificate: Mapped[bytes]  # DER, the certificate in the seal's list
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    kind: Mapped[str | None] = mapped_column(String(16))  # None: made before kinds were recorded
    custodian: Mapped[str | None] = mapped_column(String(32))  # subject of the keeper (保管人)
    purposes: Mapped[list[str] | None]  # None: for any purpose


class SealApplication(Owned, Base):
    """A seal that was applied for (刻制申请), under the number that it will have."""

    __tablename__ = "seal_application"
    __table_args__ = REFERENCE
    seal_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(256))  # of the owner when it applied, a person's masked
    design: Mapped[dict[str, Any]]  # seals.picture_kinds.Design
    state: Mapped[str] = mapped_column(String(12))  # applied | approved | refused | made
    reason: Mapped[str] = mapped_column(Text)
    custodian: Mapped[str | None] = mapped_column(String(32))
    purposes: Mapped[list[str] | None]
    valid_from: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]
    applicant: Mapped[str] = mapped_column(String(96))
    applied_at: Mapped[datetime]
    approver: Mapped[str | None] = mapped_column(String(96))
    changed_at: Mapped[datetime]


class SealUser(Base):
    """Somebody who may use a seal, from now to an end (用印人); a seal that names nobody is its officers' to use."""

    __tablename__ = "seal_user"
    __table_args__ = REFERENCE
    seal_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    who: Mapped[str] = mapped_column(String(96), primary_key=True)  # person:<subject> | client:<client_id>
    until: Mapped[datetime | None]
    named_by: Mapped[str] = mapped_column(String(96))
    named_at: Mapped[datetime]


class SealChange(Base):
    """One line in a seal's life: applied for, approved, made, suspended, ..., destroyed (印章状态变更)."""

    __tablename__ = "seal_change"
    __table_args__ = LOG
    change_id: Mapped[str] = mapped_column(String(32), primary_key=True)  # time-ordered
    seal_id: Mapped[str] = mapped_column(String(32))
    change: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str | None] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(String(96))
    at: Mapped[datetime]


class SealAuthority(Base):
    """A certificate whose key is in our key ring under `name`: the demonstration's root and its seal maker (制章者)."""

    __tablename__ = "seal_authority"
    __table_args__ = REFERENCE
    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    certificate: Mapped[bytes]
    created_at: Mapped[datetime]


class TrustAnchor(Base):
    """A certificate that seals may chain to: nothing is trusted that is not listed here or in the settings."""

    __tablename__ = "trust_anchor"
    __table_args__ = REFERENCE
    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)  # SM3 of the DER, hexadecimal
    certificate: Mapped[bytes]
    added_at: Mapped[datetime]


class SealUse(Base):
    """One use of a seal on a document that is not a licence (用章记录)."""

    __tablename__ = "seal_use"
    __table_args__ = LOG
    use_id: Mapped[str] = mapped_column(String(32), primary_key=True)  # time-ordered
    seal_id: Mapped[str] = mapped_column(String(32))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))  # SM3 of the document
    purpose: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(String(96))
    signature: Mapped[bytes]
    at: Mapped[datetime]


class SealIntent(Base):
    """A use that was announced (用章意图), recorded before the key is used; without `done_at` it never ended."""

    __tablename__ = "seal_intent"
    __table_args__ = LOG
    use_id: Mapped[str] = mapped_column(String(32), primary_key=True)  # time-ordered
    seal_id: Mapped[str] = mapped_column(String(32))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))  # SM3 of the document
    purpose: Mapped[str] = mapped_column(Text)
    on_behalf_sealed: Mapped[bytes | None]  # for whom
    actor: Mapped[str] = mapped_column(String(96))
    at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class SealReconciliation(Base):
    """One comparison of what a seal's signer counted with what is on record (用章对账)."""

    __tablename__ = "seal_reconciliation"
    __table_args__ = LOG
    reconciliation_id: Mapped[str] = mapped_column(String(32), primary_key=True)  # time-ordered
    seal_id: Mapped[str] = mapped_column(String(32))
    counted: Mapped[int]
    recorded: Mapped[int]
    unfinished: Mapped[int]
    result: Mapped[str] = mapped_column(String(12))  # ok | more | fewer
    reason: Mapped[str | None] = mapped_column(Text)  # why the operator accepted a difference
    actor: Mapped[str] = mapped_column(String(96))
    at: Mapped[datetime]


class SealDraft(Base):
    """A document that waits for an officer's confirmation (用章确认), encrypted, for minutes; several make a batch."""

    __tablename__ = "seal_draft"
    __table_args__ = SUBJECT
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    draft_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    batch_id: Mapped[str] = mapped_column(String(32))
    place: Mapped[int]  # in its batch, from 0
    seal_id: Mapped[str] = mapped_column(String(32))
    name_sealed: Mapped[bytes]
    document_sealed: Mapped[bytes]
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    purpose: Mapped[str] = mapped_column(Text)
    on_behalf_sealed: Mapped[bytes | None]
    expires_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    use_id: Mapped[str | None] = mapped_column(String(32))
    failure: Mapped[str | None] = mapped_column(String(64))
    result_sealed: Mapped[bytes | None]


class DocumentCertificate(Base):
    """The certificate of a seal's P-256 key, for seals on PDF (PAdES); the key is in the key ring under `seal_id`."""

    __tablename__ = "document_certificate"
    __table_args__ = REFERENCE
    seal_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    certificate: Mapped[bytes]  # encrypted where it names a person: see `seals.contents`
    created_at: Mapped[datetime]


class PermittedMaker(Base):
    """Who may make seals (准许的制章者) under the anchors he is certified by; nobody else may there."""

    __tablename__ = "permitted_maker"
    __table_args__ = REFERENCE
    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)  # SM3 of the DER, hexadecimal
    certificate: Mapped[bytes]
    added_at: Mapped[datetime]


class StoredRevocationList(Base):
    """A certificate revocation list (证书撤销列表) that verification consults; lists are added, never fetched."""

    __tablename__ = "revocation_list"
    __table_args__ = REFERENCE
    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)  # SM3 of the DER, hexadecimal
    issuer: Mapped[str] = mapped_column(Text)
    this_update: Mapped[datetime]
    next_update: Mapped[datetime | None]
    der: Mapped[bytes]
    added_at: Mapped[datetime]


class CertificateRevocation(Base):
    """One certificate of the demonstration's authority that was revoked (证书吊销); the next list names it."""

    __tablename__ = "certificate_revocation"
    __table_args__ = LOG
    authority: Mapped[str] = mapped_column(String(32), primary_key=True)  # the name of the root that certified
    certificate_number: Mapped[str] = mapped_column(String(40), primary_key=True)  # hexadecimal
    reason: Mapped[str] = mapped_column(String(24))
    actor: Mapped[str] = mapped_column(String(96))
    at: Mapped[datetime]
