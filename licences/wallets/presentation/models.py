"""The tables of requests to wallets, of what apps may ask of them, and of issuers elsewhere that are believed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from idservice.models import HASHED, REFERENCE, Base


class WalletRequest(Base):
    """A request to a wallet (钱包出示请求): random, short-lived, fetched, answered and read once each."""

    __tablename__ = "wallet_request"
    __table_args__ = HASHED
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    asked_by: Mapped[str] = mapped_column(String(96))  # a pseudonym: who may read the answer
    asker_sealed: Mapped[bytes]  # licences.asker.Asker, as the holder's record will name it
    flow: Mapped[str] = mapped_column(String(12))  # licences.wallets.presentation.requests.Flow
    profile: Mapped[str] = mapped_column(String(8))  # licences.wallets.presentation.request.Profile
    matter: Mapped[str | None] = mapped_column(String(64))
    stated_sealed: Mapped[bytes]  # what was asked, with its nonce, state and response key
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    fetched_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(8))  # licences.wallets.presentation.requests.Outcome
    answered_at: Mapped[datetime | None]
    check_number: Mapped[str | None] = mapped_column(String(4))  # on both screens
    response_code_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    answer_sealed: Mapped[bytes | None]  # which licences were shown, and what of them
    read_at: Mapped[datetime | None]


class WalletRight(Base):
    """What an app may ask of wallets without naming a matter (登记的用证范围), by type of credential."""

    __tablename__ = "wallet_right"
    __table_args__ = REFERENCE
    client_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    type: Mapped[str] = mapped_column(String(200), primary_key=True)  # a licence type's code, or a foreign type
    fields: Mapped[list[str]]  # `*` for all
    entered_at: Mapped[datetime]
    entered_by: Mapped[str] = mapped_column(String(96))


class WalletIssuer(Base):
    """An issuer elsewhere whose credentials are believed, by a trust bundle of his that the operator entered."""

    __tablename__ = "wallet_issuer"
    __table_args__ = REFERENCE
    issuer: Mapped[str] = mapped_column(String(200), primary_key=True)
    bundle: Mapped[bytes]  # compact JWS: licences.trust.bundle
    pin: Mapped[str] = mapped_column(String(64))
    entered_at: Mapped[datetime]
    entered_by: Mapped[str] = mapped_column(String(96))
