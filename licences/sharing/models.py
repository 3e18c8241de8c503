"""The tables of sharing: which app may read which type, links to files, and the annotated copies that were made."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from idservice.models import HASHED, REFERENCE, Base


class AnnotatedCopy(Base):
    """An annotated copy (加注件) that was made; it stays for good, so that an old one is known for what it was."""

    __tablename__ = "annotated_copy"
    __table_args__ = HASHED
    number: Mapped[str] = mapped_column("copy_number", String(32), primary_key=True)  # random; it stands on the copy
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)  # SHA-256 of the file
    identifier: Mapped[str] = mapped_column(String(128))
    form: Mapped[str] = mapped_column(String(8))  # licences.sharing.annotated.CopyForm
    seal_id: Mapped[str] = mapped_column(String(32), index=True)
    note_sealed: Mapped[bytes]  # purpose and who asked, in JSON
    made_by: Mapped[str] = mapped_column(String(96))
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class SharingPermission(Base):
    """That an app may read a type of licence for a matter, in the ways that are named (共享授权)."""

    __tablename__ = "sharing_permission"
    __table_args__ = REFERENCE
    client_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    type_code: Mapped[str] = mapped_column(String(21), primary_key=True)
    operations: Mapped[list[str]]  # licences.sharing.permissions.Operation
    department: Mapped[str] = mapped_column(String(18))  # whose app it is
    matter: Mapped[str] = mapped_column(String(64))
    ground: Mapped[str] = mapped_column(String(200))  # the provision the holder reads
    unattended: Mapped[bool]  # whether it reads without naming an operator
    asked_by: Mapped[str] = mapped_column(String(96))
    asked_at: Mapped[datetime]
    agreed_by: Mapped[str | None] = mapped_column(String(96))  # the second person; None: not in force yet
    agreed_at: Mapped[datetime | None]


class SharingLink(Base):
    """A link to one file (下载地址): ten minutes, once; the file is gone when it was fetched."""

    __tablename__ = "sharing_link"
    __table_args__ = HASHED
    link_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    content_sealed: Mapped[bytes | None]
    form: Mapped[str] = mapped_column(String(8))
    client_id: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
