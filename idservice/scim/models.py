"""The table of staff accounts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from idservice.models import REFERENCE, Base


class StaffAccount(Base):
    """A staff account in one department (工作人员账号), as its department's own directory describes it.

    The posts (`staff`) are those of the person whom `subject` names; an account without one holds none. What describes
    him is sealed.
    """

    __tablename__ = "staff_account"
    __table_args__ = (
        UniqueConstraint("user_name_folded"),
        UniqueConstraint("subject", "department"),
        Index(None, "department"),
        REFERENCE,
    )
    account_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    department: Mapped[str] = mapped_column(ForeignKey("department.credit_code"))
    user_name: Mapped[str] = mapped_column(String(64))
    user_name_folded: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str | None] = mapped_column(String(32))
    active: Mapped[bool]
    facts_sealed: Mapped[bytes]  # name, title, contacts, counter, the directory's own identifier
    version: Mapped[int]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
