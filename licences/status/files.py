"""Published files (已签名的静态文件): kept as they were signed, and handed out byte for byte."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from sqlalchemy import bindparam, insert, select, update

from idservice.db import table_of
from licences.status.models import PublishedFile

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

_files = table_of(PublishedFile)
_FIND = select(_files).where(_files.c.name == bindparam("named"))


def find(session: Session, name: str) -> PublishedFile | None:
    """Return the newest edition of a file, to be read and not to be set; None before the first."""
    return cast("PublishedFile | None", session.connection().execute(_FIND, {"named": name}).one_or_none())


def store(session: Session, name: str, content: bytes, *, kid: str, now: datetime) -> None:
    """Put a file in the place of its former edition; the caller is the only one to publish it."""
    stated = {"content": content, "kid": kid, "published_at": now}
    replaced = session.connection().execute(update(_files).where(_files.c.name == name).values(**stated))
    if not replaced.rowcount:
        session.connection().execute(insert(_files), {"name": name, **stated})
