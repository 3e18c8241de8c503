"""The tables of factors and of what proves them. What is secret is sealed or hashed; see `idservice/models.py`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from idservice.models import HASHED, SUBJECT, Base

OF_A_DEVICE = text("gate NOT IN ('second', 'recovery')")


class Lock(Base):
    """Wrong answers at one gate other than the password's, which counts in its own row."""

    __tablename__ = "factor_lock"
    __table_args__ = (Index(None, "tried_at", postgresql_where=OF_A_DEVICE, sqlite_where=OF_A_DEVICE), SUBJECT)
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    gate: Mapped[str] = mapped_column(String(16), primary_key=True)  # second | recovery | of a known device
    failures: Mapped[int]
    locked_until: Mapped[datetime | None]
    tried_at: Mapped[datetime]  # the last try: by it the gate of a device is forgotten


class Totp(Base):
    """An authenticator app (动态口令). Nothing newer than `last_step` was ever accepted."""

    __tablename__ = "totp"
    __table_args__ = SUBJECT
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    secret_sealed: Mapped[bytes]
    last_step: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    begun_in: Mapped[bytes | None] = mapped_column(LargeBinary(32))  # the session that was shown the secret


class ActivationCode(Base):
    """The department's leave for staff to add a first second factor (激活码): good once, in one session."""

    __tablename__ = "activation_code"
    __table_args__ = SUBJECT
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_in: Mapped[bytes | None] = mapped_column(LargeBinary(32))


class RecoveryCode(Base):
    """A code on paper for the day the telephone is lost; each is good once."""

    __tablename__ = "recovery_code"
    __table_args__ = SUBJECT
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Passkey(Base):
    """A passkey (通行密钥): the public half of a key pair, and how often it says it signed."""

    __tablename__ = "passkey"
    __table_args__ = SUBJECT
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    credential_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    credential_id: Mapped[bytes]
    public_key: Mapped[bytes]  # COSE_Key
    sign_count: Mapped[int] = mapped_column(BigInteger)
    title: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SentCode(Base):
    """A code sent by SMS (短信验证码), found by the form that waits for it. An unknown number has a stand-in."""

    __tablename__ = "sent_code"
    __table_args__ = (Index(None, "subject", "sent_at"), HASHED)
    form_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    subject: Mapped[str] = mapped_column(String(32))
    purpose: Mapped[str] = mapped_column(String(16))
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    tries: Mapped[int]
    sent_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Recovery(Base):
    """A person on the way to a new password, found by his browser's secret; `level` is what he has proved."""

    __tablename__ = "recovery"
    __table_args__ = HASHED
    form_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    subject: Mapped[str] = mapped_column(String(32))
    level: Mapped[int]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Proofing(Base):
    """A question put to a checker of real persons (实人核验), found by its nonce; answered once."""

    __tablename__ = "proofing"
    __table_args__ = HASHED
    nonce_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    subject: Mapped[str] = mapped_column(String(32))
    checker: Mapped[str] = mapped_column(String(16))
    purpose: Mapped[str] = mapped_column(String(16))  # raise | recovery
    bound_to: Mapped[bytes] = mapped_column(LargeBinary(32))  # the browser that asked
    expires_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]  # when a checker said yes
    used_at: Mapped[datetime | None]


class PersonCheck(Base):
    """A check of the real person that raised somebody's level: what stands behind the level he has now."""

    __tablename__ = "person_check"
    __table_args__ = SUBJECT
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    check_id: Mapped[str] = mapped_column(String(32), primary_key=True)  # time-ordered
    level: Mapped[int]
    checker: Mapped[str] = mapped_column(String(16))  # "counter" for level 4
    at: Mapped[datetime]
