"""The table of imports: how far each has come, so that one that was killed goes on where it stopped."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from idservice.models import HASHED, Base


class RegisterImport(Base):
    """One file on its way into a register (数据导入), found by the hash of its first lines."""

    __tablename__ = "register_import"
    __table_args__ = HASHED
    import_id: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))  # people | organisations
    lines_done: Mapped[int] = mapped_column(BigInteger)  # every line up to here is in the register or in the rejects
    lines_digest: Mapped[bytes] = mapped_column(LargeBinary(32))  # of those lines: another file does not go on here
    rejects_size: Mapped[int] = mapped_column(BigInteger)
    counts: Mapped[dict[str, int]] = mapped_column(JSON)
    started_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
