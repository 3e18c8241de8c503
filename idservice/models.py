"""The tables of people, organisations, apps, tokens and the audit log.

Every table states in `info["owner"]` to which of four kinds it belongs, and `tests/contract` holds it to the rules of
that kind, so that the database can later be sharded by subject:

- `subject`: owned by one citizen or organisation; every primary and unique key begins with `subject`.
- `hashed`: found by a hash or a random identifier that is the whole primary key (a route or a one-use secret).
- `reference`: small, read everywhere, changed by administrators.
- `log`: append-only records in time order.

Personal data (`*_sealed`) is AES-256-GCM under keys outside the database (`keys.fields`); numbers are found through
`SubjectIndex` by keyed hash.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, MetaData, String, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from idservice.db import UTCDateTime

SUBJECT = {"info": {"owner": "subject"}}
HASHED = {"info": {"owner": "hashed"}}
REFERENCE = {"info": {"owner": "reference"}}
LOG = {"info": {"owner": "log"}}

_WAITING = text("log_index IS NULL")


class Base(DeclarativeBase):
    """All tables of the house share one metadata, so that alembic sees one schema."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads this class attribute as it stands
        datetime: UTCDateTime,
        dict[str, Any]: JSON,
        list[str]: JSON,
        bytes: LargeBinary,
    }


# --- people and organisations ------------------------------------------------------------------------------------


class SubjectIndex(Base):
    """The route from a number's keyed hash to the subject who bears it."""

    __tablename__ = "subject_index"
    __table_args__ = HASHED
    number_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    subject: Mapped[str] = mapped_column(String(32))
    kind: Mapped[str] = mapped_column(String(12))  # person | organisation


class Person(Base):
    """A citizen (自然人)."""

    __tablename__ = "person"
    __table_args__ = SUBJECT
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    number_sealed: Mapped[bytes]
    name_sealed: Mapped[bytes]
    phone_sealed: Mapped[bytes | None]
    level: Mapped[int]  # real-name level 1..4
    status: Mapped[str] = mapped_column(String(12))  # active | locked | deceased | closed
    created_at: Mapped[datetime]


class Password(Base):
    """A person's password hash (Argon2id) and the count that locks the account."""

    __tablename__ = "password"
    __table_args__ = SUBJECT
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    hash: Mapped[str] = mapped_column(String(256))
    changed_at: Mapped[datetime]
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]


class Organisation(Base):
    """A legal person or other organisation (法人和其他组织). Its name and credit code are public facts."""

    __tablename__ = "organisation"
    __table_args__ = SUBJECT
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    credit_code: Mapped[str] = mapped_column(String(18))
    name: Mapped[str] = mapped_column(String(256))
    status: Mapped[str] = mapped_column(String(12))  # active | locked | closed
    created_at: Mapped[datetime]


class Mandate(Base):
    """A grant to a named person to act for an organisation or a person (授权委托). Owned by the person who acts."""

    __tablename__ = "mandate"
    __table_args__ = (Index(None, "principal"), SUBJECT)
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    mandate_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    principal: Mapped[str] = mapped_column(String(32))
    principal_kind: Mapped[str] = mapped_column(String(12))  # organisation | person
    role: Mapped[str] = mapped_column(String(32))  # see register.grants
    granted_by: Mapped[str | None] = mapped_column(String(32))  # who granted it; None: it comes from a register
    parent_id: Mapped[str | None] = mapped_column(
        String(32)
    )  # the grantor's own mandate, with which it stands or falls
    depth: Mapped[int]  # links between it and the register
    licence_types: Mapped[list[str]]  # codes it is limited to; none: every type
    matters: Mapped[list[str]]  # the same of matters
    grantee_sealed: Mapped[bytes | None]  # name and number as the grantor wrote them
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    suspended_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]


class Department(Base):
    """A government department that issues, seals or verifies (颁证机构、用证机构)."""

    __tablename__ = "department"
    __table_args__ = REFERENCE
    credit_code: Mapped[str] = mapped_column(String(18), primary_key=True)
    name: Mapped[str] = mapped_column(String(256))
    name_en: Mapped[str] = mapped_column(String(256))
    region: Mapped[str] = mapped_column(String(6))


class Staff(Base):
    """A person's post in a department: what he may do there, and at which window."""

    __tablename__ = "staff"
    __table_args__ = SUBJECT
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    department: Mapped[str] = mapped_column(ForeignKey("department.credit_code"), primary_key=True)
    role: Mapped[str] = mapped_column(String(16), primary_key=True)  # officer | clerk
    counter: Mapped[str | None] = mapped_column(String(64))


# --- sessions, apps, tokens --------------------------------------------------------------------------------------


class LoginSession(Base):
    """A browser's login, kept here and not in the cookie so that it can be listed and ended."""

    __tablename__ = "login_session"
    __table_args__ = (Index(None, "subject"), HASHED)
    id_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    subject: Mapped[str] = mapped_column(String(32))
    auth_time: Mapped[datetime]
    amr: Mapped[list[str]]
    signals: Mapped[list[str] | None]  # what was unusual about it: see login.risk
    level: Mapped[int]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    first_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))  # of the session that a new login carried on
    device: Mapped[str | None] = mapped_column(String(64))  # words for browser and system
    place: Mapped[str | None] = mapped_column(String(64))  # masked address

    @property
    def chain(self) -> bytes:
        """Return what names the session to apps: a new login of the same person carries it on."""
        return self.first_hash or self.id_hash


class Client(Base):
    """An app that logs people in, or a system that calls the API (接入应用)."""

    __tablename__ = "client"
    __table_args__ = REFERENCE
    client_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(128))
    unit: Mapped[str] = mapped_column(String(256))  # the organisation answerable for it, shown at consent
    auth_method: Mapped[str] = mapped_column(String(32))
    secret_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    previous_secret_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))  # of a rotated secret, good until:
    previous_secret_until: Mapped[datetime | None]
    jwks: Mapped[dict[str, Any] | None]
    redirect_uris: Mapped[list[str]]
    post_logout_redirect_uris: Mapped[list[str]]
    grant_types: Mapped[list[str]]
    scope: Mapped[str] = mapped_column(Text)
    profile: Mapped[str] = mapped_column(String(16))
    sector: Mapped[str | None] = mapped_column(String(256))
    departments: Mapped[list[str]]  # credit codes; ["*"] = any, in the demonstration only
    about: Mapped[dict[str, Any] | None]  # of RFC 7591 section 2, what is told and not acted on
    logout: Mapped[dict[str, Any] | None]  # where it wants to hear of a logout
    jwks_uri: Mapped[str | None] = mapped_column(Text)
    jwks_fetched_at: Mapped[datetime | None]  # when it was last asked for there
    jwks_read_at: Mapped[datetime | None]  # when it was last found there
    registration_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))  # of its registration access token
    demands: Mapped[list[str] | None]  # of oauth.demands, beyond those of its profile
    certificate: Mapped[dict[str, Any] | None]  # by which name or hash its TLS certificate is known (RFC 8705)
    authorization_details_types: Mapped[list[str] | None]  # which it may ask for (RFC 9396 section 10)
    resources: Mapped[list[str] | None]  # resource servers it may ask tokens for, beside our own API (RFC 8707)
    settled: Mapped[list[str] | None]  # settings that an administrator has changed: its own updates leave them
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class Consent(Base):
    """What a person lets one app know (授权同意)."""

    __tablename__ = "consent"
    __table_args__ = SUBJECT
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id"), primary_key=True)
    scope: Mapped[str] = mapped_column(Text)
    given_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class AuthorizationCode(Base):
    """A one-use authorization code, found by its hash (RFC 6749 section 4.1)."""

    __tablename__ = "authorization_code"
    __table_args__ = HASHED
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    client_id: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(32))
    family_id: Mapped[str] = mapped_column(String(32))
    redirect_uri: Mapped[str] = mapped_column(Text)
    scope: Mapped[str] = mapped_column(Text)
    nonce: Mapped[str | None] = mapped_column(Text)
    code_challenge: Mapped[str] = mapped_column(String(64))
    bound_to: Mapped[str | None] = mapped_column(String(64))  # the key that must redeem it: see oauth.confirmation
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    kept_until: Mapped[datetime] = mapped_column(index=True)  # while a second use can still end something


class TokenFamily(Base):
    """One login of one person to one app: everything issued from it lives and dies together."""

    __tablename__ = "token_family"
    __table_args__ = SUBJECT
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    family_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    client_id: Mapped[str] = mapped_column(String(64))
    principal: Mapped[str | None] = mapped_column(String(32))
    mandate_id: Mapped[str | None] = mapped_column(String(32))
    scope: Mapped[str] = mapped_column(Text)
    granted_sealed: Mapped[bytes | None]  # what is granted beyond the scope: see oauth.granted
    session_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    auth_time: Mapped[datetime]
    amr: Mapped[list[str]]
    signals: Mapped[list[str] | None]  # what was unusual about the login: see login.risk
    level: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(index=True)
    revoked_at: Mapped[datetime | None]
    revoked_for: Mapped[str | None] = mapped_column(String(32))


class RefreshToken(Base):
    """A refresh token, found by its hash; kept after use so that a second use is recognised."""

    __tablename__ = "refresh_token"
    __table_args__ = HASHED
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    subject: Mapped[str] = mapped_column(String(32))
    family_id: Mapped[str] = mapped_column(String(32))
    client_id: Mapped[str] = mapped_column(String(64))
    bound_to: Mapped[str | None] = mapped_column(String(64))  # the key that alone may use it
    answer_sealed: Mapped[bytes | None]  # what its holder got for it, in case that was lost on the way
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


class AccessToken(Base):
    """A person's access token, found by the hash of its `jti`; client-credentials tokens leave no row."""

    __tablename__ = "access_token"
    __table_args__ = HASHED
    jti_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    subject: Mapped[str] = mapped_column(String(32))
    family_id: Mapped[str] = mapped_column(String(32))
    expires_at: Mapped[datetime] = mapped_column(index=True)


class RevokedToken(Base):
    """An access token ended before its time."""

    __tablename__ = "revoked_token"
    __table_args__ = HASHED
    jti_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    expires_at: Mapped[datetime]


class UsedIdentifier(Base):
    """A `jti` or other one-use identifier of somebody else's making, remembered until it would be refused anyway."""

    __tablename__ = "used_identifier"
    __table_args__ = HASHED
    value_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


# --- plumbing ----------------------------------------------------------------------------------------------------


class IdempotentRequest(Base):
    """The stored answer to a keyed request, so that a retry gets the same answer and not a second deed."""

    __tablename__ = "idempotent_request"
    __table_args__ = HASHED
    key_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    status: Mapped[int]
    body_sealed: Mapped[bytes]
    created_at: Mapped[datetime]


class AccessRecord(Base):
    """Who looked at a holder's data, when and why (用证留痕). The holder reads it."""

    __tablename__ = "access_record"
    __table_args__ = SUBJECT
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    record_id: Mapped[str] = mapped_column(String(32), primary_key=True)  # time-ordered, for keyset paging
    at: Mapped[datetime]
    act: Mapped[str] = mapped_column(String(48))
    facts_sealed: Mapped[bytes]  # who, unit, purpose, matter, case number, fields, basis
    audit_id: Mapped[str] = mapped_column(String(32))


class AuditEntry(Base):
    """One deed or refusal (审计记录). Written in the deed's own transaction; ordered by the sequencer afterwards."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_waiting", "entry_id", postgresql_where=_WAITING, sqlite_where=_WAITING),
        Index(None, "log_index"),
        LOG,
    )
    entry_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    at: Mapped[datetime]
    deed: Mapped[str] = mapped_column(String(64))  # room:thing:deed
    outcome: Mapped[str] = mapped_column(String(12))  # done | refused
    actor: Mapped[str] = mapped_column(String(96))
    facts: Mapped[str] = mapped_column(Text)  # canonical JSON, pseudonyms only
    salt: Mapped[bytes] = mapped_column(LargeBinary(16))
    log_index: Mapped[int | None] = mapped_column(BigInteger)


class LogTile(Base):
    """A tile of the Merkle tree (C2SP tlog-tiles): up to 256 hashes of one level."""

    __tablename__ = "log_tile"
    __table_args__ = LOG
    level: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    hashes: Mapped[bytes]


class LogCheckpoint(Base):
    """A signed checkpoint (C2SP tlog-checkpoint) of the log at one size."""

    __tablename__ = "log_checkpoint"
    __table_args__ = LOG
    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    note: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
