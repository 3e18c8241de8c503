"""The tables of authorization requests that wait for their person, and of what is granted beside them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from idservice.models import HASHED, REFERENCE, SUBJECT, Base


class PushedRequest(Base):
    """An authorization request that an app pushed ahead (RFC 9126), found by the hash of its `request_uri`."""

    __tablename__ = "pushed_request"
    __table_args__ = HASHED
    request_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    client_id: Mapped[str] = mapped_column(String(64))
    parameters_sealed: Mapped[bytes]  # a hint in it may name a person
    browser_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))  # of the browser that opened it first
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class InitialAccessToken(Base):
    """A token with which somebody may register clients (RFC 7591 section 3), a number of times, until a day."""

    __tablename__ = "initial_access_token"
    __table_args__ = HASHED
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))  # who has it
    scope: Mapped[str] = mapped_column(Text)  # all that its clients may ask for
    uses_left: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class ClientGrant(Base):
    """What a client's registration says about CIBA and token exchange; a client without a row has neither."""

    __tablename__ = "client_grant"
    __table_args__ = REFERENCE
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id"), primary_key=True)
    delivery: Mapped[str] = mapped_column(String(8))  # poll | ping
    notification_endpoint: Mapped[str | None] = mapped_column(Text)
    audiences: Mapped[list[str]]  # for whom it may exchange tokens, beside our own API
    actor: Mapped[str | None] = mapped_column(String(64))  # the client that may act with its tokens: `may_act`


class PendingRequest(Base):
    """A request that waits for a person on another device: RFC 8628 (device), OpenID CIBA Core 1.0 (ciba)."""

    __tablename__ = "pending_request"
    __table_args__ = (Index(None, "subject"), HASHED)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)  # of device_code or auth_req_id
    kind: Mapped[str] = mapped_column(String(8))  # device | ciba
    client_id: Mapped[str] = mapped_column(String(64))
    scope: Mapped[str] = mapped_column(Text)
    granted_sealed: Mapped[bytes | None]  # what is asked for beyond the scope: see oauth.granted
    state: Mapped[str] = mapped_column(String(12))  # waiting | allowed | denied
    subject: Mapped[str | None] = mapped_column(String(32))  # whose answer is waited for; of a device, who answered
    family_id: Mapped[str | None] = mapped_column(String(32))
    origin_sealed: Mapped[bytes | None]  # the network address that asked
    message_sealed: Mapped[bytes | None]  # the binding message
    notice_sealed: Mapped[bytes | None]  # with what a client is told that there is an answer (ping)
    choices_sealed: Mapped[bytes | None]  # half of the user code, and two that it is not
    acr_values: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    poll_seconds: Mapped[int]
    polled_at: Mapped[datetime | None]
    wrong_codes: Mapped[int]
    used_at: Mapped[datetime | None]


class Offer(Base):
    """What a person, logged in, offers a wallet (OpenID4VCI 1.0 section 4.1): to be taken once, within minutes.

    With a pre-authorized code the person has allowed it already, and whoever brings the code must know a second one;
    with an issuer state the wallet still has to ask him.
    """

    __tablename__ = "offer"
    __table_args__ = HASHED
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)  # of the code, or of the state
    kind: Mapped[str] = mapped_column(String(8))  # code | state
    subject: Mapped[str] = mapped_column(String(32))
    granted_sealed: Mapped[bytes | None]  # what the code is good for: see oauth.granted
    second_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))  # keyed, of the transaction code
    tries: Mapped[int]
    session_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))  # how the person had logged in
    auth_time: Mapped[datetime | None]
    amr: Mapped[list[str]]
    signals: Mapped[list[str] | None]
    level: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class UserCode(Base):
    """The short code a device shows, found by its keyed hash: it is too short for an ordinary one."""

    __tablename__ = "user_code"
    __table_args__ = HASHED
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    expires_at: Mapped[datetime]


class CodeTries(Base):
    """How many wrong device codes a person has entered of late."""

    __tablename__ = "code_tries"
    __table_args__ = SUBJECT
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    wrong: Mapped[int]
    since: Mapped[datetime]


class ExchangedToken(Base):
    """An access token got for another one (RFC 8693): to whom it was given, and which one it came from."""

    __tablename__ = "exchanged_token"
    __table_args__ = HASHED
    jti_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    client_id: Mapped[str] = mapped_column(String(64))
    parent_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    expires_at: Mapped[datetime]


class ConsentReceipt(Base):
    """The signed receipt of a consent or a withdrawal (同意凭证). It outlives the app it names."""

    __tablename__ = "consent_receipt"
    __table_args__ = SUBJECT
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    receipt_id: Mapped[str] = mapped_column(String(32), primary_key=True)  # time-ordered, for keyset paging
    client_id: Mapped[str] = mapped_column(String(64))
    event: Mapped[str] = mapped_column(String(12))  # given | withdrawn
    at: Mapped[datetime]
    receipt_sealed: Mapped[bytes]  # see oauth.consent_receipt: pack


class ResourceServer(Base):
    """An API of somebody else whose tokens are made here (RFC 8707): what it is called, and how it reads them."""

    __tablename__ = "resource_server"
    __table_args__ = REFERENCE
    identifier: Mapped[str] = mapped_column(String(512), primary_key=True)
    name: Mapped[str] = mapped_column(String(128))
    name_en: Mapped[str] = mapped_column(String(128))
    client_id: Mapped[str | None] = mapped_column(ForeignKey("client.client_id"))  # as which it asks about tokens
    scope: Mapped[str] = mapped_column(Text)  # the scopes that mean something to it
    is_opaque: Mapped[bool]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class OpaqueToken(Base):
    """An access token that tells nothing by itself, found by its hash; what it stands for is kept here."""

    __tablename__ = "opaque_token"
    __table_args__ = HASHED
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    claims_sealed: Mapped[bytes]
    expires_at: Mapped[datetime] = mapped_column(index=True)
