"""The table of portions: many licences under one seal."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from idservice.models import HASHED, Base


class SealPortion(Base):
    """Licences that are sealed together (批量签章): announced before the seal's key is used, sealed by one use of it.

    `Licence.portion_id` and `portion_place` lead here. It is what was about to be signed for each of them, as
    `IssueIntent` is for a licence that is issued alone.
    """

    __tablename__ = "seal_portion"
    __table_args__ = HASHED
    portion_id: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    seal_id: Mapped[str] = mapped_column(String(32), index=True)
    size: Mapped[int]  # licences announced; those that were refused before they were stored among them
    root: Mapped[bytes] = mapped_column(LargeBinary(32))  # of the tree; the head that is sealed names it
    announced_at: Mapped[datetime]
    sealed_at: Mapped[datetime | None]  # None: announced, and not sealed
    seal_signature: Mapped[bytes | None]  # the SM2 value over the TBS_Sign of the head
    nodes: Mapped[bytes]  # licences.formats.portion.Tree
