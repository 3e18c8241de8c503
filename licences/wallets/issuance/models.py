"""The tables of copies in wallets: offers by reference, the copies themselves, and requests that have to wait."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from idservice.models import HASHED, SUBJECT, Base


class WalletOffer(Base):
    """An offer that a wallet fetches by its reference (OpenID4VCI 1.0 section 4.1.3), found by the reference's hash."""

    __tablename__ = "wallet_offer"
    __table_args__ = HASHED
    reference_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    content_sealed: Mapped[bytes]  # it holds the pre-authorized code
    expires_at: Mapped[datetime]


class WalletCopy(Base):
    """One copy of a licence in a wallet (钱包副本). What it says is kept nowhere; its place in the status lists is."""

    __tablename__ = "wallet_copy"
    __table_args__ = (Index(None, "place"), Index(None, "expires_at"), SUBJECT)
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)  # the holder who took it
    copy_id: Mapped[str] = mapped_column(String(32), primary_key=True)  # time-ordered
    identifier: Mapped[str] = mapped_column(String(128))
    client_id: Mapped[str] = mapped_column(String(64))  # the wallet
    configuration: Mapped[str] = mapped_column(String(40))
    delivery_hash: Mapped[bytes] = mapped_column(LargeBinary(32))  # of the notification_id: what came together
    place: Mapped[int] = mapped_column(BigInteger)  # licences.status.entries
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    event: Mapped[str | None] = mapped_column(String(24))  # what the wallet said became of it
    ended_at: Mapped[datetime | None]
    ended_for: Mapped[str | None] = mapped_column(String(16))


class WalletDeferral(Base):
    """A credential request that waits until the issuing department issues again; found by its transaction's hash."""

    __tablename__ = "wallet_deferral"
    __table_args__ = HASHED
    transaction_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    subject: Mapped[str] = mapped_column(String(32))
    client_id: Mapped[str] = mapped_column(String(64))
    wanted_sealed: Mapped[bytes]  # which licence, in which form, bound to which keys
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
