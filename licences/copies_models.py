"""The tables of stored copies: a licence in one of its further forms, made once and the same ever after."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from idservice.models import HASHED, SUBJECT, Base


class ArtefactCopy(Base):
    """The copy of a licence in one form that is handed out now; `source` says from what it was made."""

    __tablename__ = "artefact_copy"
    __table_args__ = SUBJECT
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    identifier: Mapped[str] = mapped_column(String(128), primary_key=True)
    form: Mapped[str] = mapped_column(String(24), primary_key=True)  # licences.copies.Form
    source: Mapped[bytes] = mapped_column(LargeBinary(32))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))  # of the ArtefactRoute
    content_sealed: Mapped[bytes]
    made_at: Mapped[datetime]


class ArtefactRoute(Base):
    """The route from a copy that somebody brings to its licence; a copy that was made anew keeps its route."""

    __tablename__ = "artefact_route"
    __table_args__ = HASHED
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)  # SHA-256 of the copy
    identifier: Mapped[str] = mapped_column(String(128))
    form: Mapped[str] = mapped_column(String(24))
    kid: Mapped[str | None] = mapped_column(String(64))  # of the licence key that signed it
    seal_id: Mapped[str | None] = mapped_column(String(32), index=True)  # of the seal that was put on it
    made_at: Mapped[datetime]
