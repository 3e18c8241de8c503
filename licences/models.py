"""The tables of licences, what is shown of them, and what counters look up.

A licence row keeps the sealed record (encrypted), the time and value of the seal, and the signature of the credential;
the `SES_Signature` and the SD-JWT are rebuilt from these on export, so that a row stays small. Of those issued in bulk
the seal is that of a portion (`licences.portion_models`), and the credential is made when somebody first asks for it.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Date, ForeignKey, Index, LargeBinary, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from idservice.column_types import HexId, Instant
from idservice.models import HASHED, REFERENCE, SUBJECT, Base
from licences.identifier_column import IdentifierType
from seals.models import Seal

SMALL_ROWS = {"sqlite_with_rowid": False}  # small rows with a long key: SQLite keeps it once


class LicenceType(Base):
    """A catalogue entry (证照目录, GB/T 36902): its definition as data, read by `licences.definition_file`."""

    __tablename__ = "licence_type"
    __table_args__ = REFERENCE
    code: Mapped[str] = mapped_column(String(21), primary_key=True)
    version: Mapped[int] = mapped_column(default=1)  # licences.catalogue_models keeps all of them
    definition: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime]


class IssuingAuthority(Base):
    """Which department issues a type, and with which of its seals; the lowest rank is the default issuer."""

    __tablename__ = "issuing_authority"
    __table_args__ = REFERENCE
    type_code: Mapped[str] = mapped_column(ForeignKey("licence_type.code"), primary_key=True)
    department: Mapped[str] = mapped_column(ForeignKey("department.credit_code"), primary_key=True)
    seal_id: Mapped[str] = mapped_column(ForeignKey(Seal.seal_id))
    rank: Mapped[int]


class Licence(Base):
    """One version of one electronic licence (电子证照), owned by its first holder."""

    __tablename__ = "licence"
    __table_args__ = SUBJECT
    subject: Mapped[str] = mapped_column(HexId, primary_key=True)
    identifier: Mapped[str] = mapped_column(IdentifierType, primary_key=True)
    type_code: Mapped[str] = mapped_column(String(21))
    issuer_code: Mapped[str] = mapped_column(String(18))
    state: Mapped[str] = mapped_column(String(12))  # licences.lifecycle.STORED
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date | None] = mapped_column(Date)
    issued_at: Mapped[datetime] = mapped_column(Instant)
    changed_at: Mapped[datetime] = mapped_column(Instant)
    record_sealed: Mapped[bytes]  # canonical bytes of the metadata record, and the seed of its disclosures
    seal_id: Mapped[str] = mapped_column(String(32))
    seal_signature: Mapped[bytes | None]  # the SM2 value over the TBS_Sign made at `issued_at`; None: of its portion
    credential_kid: Mapped[str | None] = mapped_column(String(64))  # with the next: None until somebody first asks
    credential_signature: Mapped[bytes | None]
    next_identifier: Mapped[str | None] = mapped_column(IdentifierType)  # the version that replaced this one
    record_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))  # SM3, as its intent announced it
    issued_by: Mapped[str | None] = mapped_column(String(96))  # officer or client; None: no longer known
    # Of its credential; None: it has none, or is older than the lists.
    status_place: Mapped[int | None] = mapped_column(BigInteger)
    portion_id: Mapped[bytes | None] = mapped_column(LargeBinary(16))  # licences.portion_models
    portion_place: Mapped[int | None] = mapped_column(SmallInteger)  # its leaf, from 0


class LicenceRoute(Base):
    """The route from an identifier to the subject who holds it; in its order, those of one issuer lie together."""

    __tablename__ = "licence_route"
    __table_args__ = HASHED | SMALL_ROWS
    identifier: Mapped[str] = mapped_column(IdentifierType, primary_key=True)
    subject: Mapped[str] = mapped_column(HexId)


class IssueIntent(Base):
    """What is about to be signed, recorded before it is (签发意图); gone once it was, the audit log keeps both."""

    __tablename__ = "issue_intent"
    __table_args__ = SUBJECT | SMALL_ROWS
    subject: Mapped[str] = mapped_column(HexId, primary_key=True)
    intent_id: Mapped[str] = mapped_column(HexId, primary_key=True)
    identifier: Mapped[str] = mapped_column(IdentifierType)
    record_digest: Mapped[bytes] = mapped_column(LargeBinary(32))  # SM3 of the canonical record
    at: Mapped[datetime] = mapped_column(Instant)


class LicenceChange(Base):
    """One change in a licence's life after its issue, with its reason and the officer or client who made it."""

    __tablename__ = "licence_change"
    __table_args__ = SUBJECT | SMALL_ROWS
    subject: Mapped[str] = mapped_column(HexId, primary_key=True)
    identifier: Mapped[str] = mapped_column(IdentifierType, primary_key=True)
    change_id: Mapped[str] = mapped_column(HexId, primary_key=True)  # time-ordered
    change: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(12))
    reason_sealed: Mapped[bytes | None]
    ground: Mapped[str | None] = mapped_column(String(24))  # licences.grounds; None: before grounds were kept
    actor: Mapped[str] = mapped_column(String(96))
    at: Mapped[datetime] = mapped_column(Instant)
    effective_on: Mapped[date | None] = mapped_column(Date)  # at the source that states it; None: made here


class Presentation(Base):
    """A show code (亮证码): random, short-lived, used once; found by its hash."""

    __tablename__ = "presentation"
    __table_args__ = HASHED
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    subject: Mapped[str] = mapped_column(String(32))
    licences: Mapped[list[str]]
    fields: Mapped[list[str] | None]  # None: the type's own masking decides
    audience: Mapped[str | None] = mapped_column(String(128))
    matter: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_by: Mapped[str | None] = mapped_column(String(300))  # the unit and window, for the holder's screen


class PaperCode(Base):
    """The code on a paper licence (纸质证照二维码): the signed message as it was made, found by what it says itself."""

    __tablename__ = "paper_code"
    __table_args__ = HASHED
    paper_id: Mapped[bytes] = mapped_column(LargeBinary(8), primary_key=True)  # licences.formats.lc1.licence_id
    identifier: Mapped[str] = mapped_column(String(128))
    kid: Mapped[str] = mapped_column(String(64))
    content_sealed: Mapped[bytes]
    signed_at: Mapped[datetime]


class Matter(Base):
    """A matter of government and the proofs it needs (证明事项), as data."""

    __tablename__ = "matter"
    __table_args__ = REFERENCE
    code: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[int]  # the newest; licences.counter.lookup_models.MatterVersion keeps all
    definition: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime]


class LookupConsent(Base):
    """A holder's consent, given in an app, that a matter's proofs be looked up (用证授权)."""

    __tablename__ = "lookup_consent"
    __table_args__ = SUBJECT
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    consent_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    matter: Mapped[str] = mapped_column(String(64))
    department: Mapped[str | None] = mapped_column(String(18))  # None: any unit that handles the matter
    given_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class Lookup(Base):
    """One look-up at a counter (免提交核验): who asked for whom, for what, and which proofs were met."""

    __tablename__ = "lookup"
    __table_args__ = (Index(None, "department", "at"), SUBJECT)
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    lookup_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    matter: Mapped[str] = mapped_column(String(64))
    matter_version: Mapped[int | None]  # None: before matters had versions
    department: Mapped[str] = mapped_column(String(18))
    outcomes: Mapped[dict[str, Any]]  # proof -> outcome
    basis: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
