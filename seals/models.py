"""The register of electronic seals (电子印章) and of their uses."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from idservice.models import LOG, REFERENCE, Base


class Seal(Base):
    """One electronic seal of a department; its private key is in the key ring under `seal_id`."""

    __tablename__ = "seal"
    __table_args__ = REFERENCE
    seal_id: Mapped[str] = mapped_column(String(32), primary_key=True)  # also the esID inside the seal structure
    department: Mapped[str] = mapped_column(ForeignKey("department.credit_code"))
    name: Mapped[str] = mapped_column(String(256))
    state: Mapped[str] = mapped_column(String(12))  # in_force | suspended | destroyed
    seal_der: Mapped[bytes]  # SESeal (GB/T 38540), picture included
    signer_certificate: Mapped[bytes]  # DER, the certificate in the seal's list
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class SealChange(Base):
    """One line in a seal's life: made, suspended, resumed, destroyed (印章状态变更)."""

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
