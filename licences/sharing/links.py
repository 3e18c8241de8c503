"""Links to a file (下载地址): random, for one file, ten minutes, once. The file is gone as soon as it was fetched.

Whoever holds the link gets the file: that is what it is for, and why it is as long as a key and as short-lived as a
code. Only its hash is stored, the file is encrypted, and what nobody fetched is swept away with its row. It leads
nowhere once the licence is not valid any more, or the app may not download its type.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, insert, update

from idservice import audit, expiry
from idservice.db import table_of
from idservice.errors import Kind, Problem, register
from idservice.ids import secret_hash
from licences import change, view
from licences.deeds import Deed
from licences.lifecycle import State
from licences.sharing import annotated, permissions
from licences.sharing.annotated import CopyForm
from licences.sharing.models import SharingLink
from licences.sharing.permissions import Operation

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.sharing.annotated import Annotated
    from seals.use import Place

register(
    {
        "sharing_link_over": Kind(
            404, "下载地址无效、已使用、已过期或不再提供", "The link never was, was used before, or has ended"
        )
    }
)

LIFE: Final = timedelta(seconds=600)
PATH: Final = "/v1/sharing/download"

expiry.sweep_also(SharingLink.link_hash, SharingLink.expires_at)

_links = table_of(SharingLink)
_TAKE = (
    update(_links)
    .where(
        _links.c.link_hash == bindparam("link"), _links.c.used_at.is_(None), _links.c.expires_at > bindparam("moment")
    )
    .values(used_at=bindparam("moment"))
    .returning(_links.c.content_sealed, _links.c.form, _links.c.client_id)
)
_EMPTY = update(_links).where(_links.c.link_hash == bindparam("link")).values(content_sealed=None)


@dataclass(frozen=True, slots=True)
class Link:
    """A link as whoever asked for it gets it, once."""

    secret: str
    url: str
    expires_at: datetime


def put(call: Call, copy: Annotated) -> Link:
    """Keep an annotated copy for whoever brings its link."""
    secret = secrets.token_urlsafe(32)
    expires_at = call.now + LIFE
    row = {
        "link_hash": secret_hash(secret),
        "content_sealed": call.cipher.seal(copy.content, **_place(secret)),
        "form": str(copy.form),
        "client_id": call.caller.client_id or "",
        "created_at": call.now,
        "expires_at": expires_at,
        "used_at": None,
    }
    call.connection.execute(insert(_links), row)
    return Link(secret, f"{call.settings.issuer}{PATH}?id={secret}", expires_at)


def take(call: Call, secret: str) -> tuple[bytes, CopyForm]:
    """Use a link up and return its file, which is not kept any longer.

    Raises:
        Problem: sharing_link_over, alike for one that never was, was used, or is old, and where what it rested on
            ended meanwhile: then it is not used up either.
    """
    link = secret_hash(secret)
    found = call.connection.execute(_TAKE, {"link": link, "moment": call.now}).one_or_none()
    if found is None:
        raise Problem("sharing_link_over", "Ask for a new link.")
    content = call.cipher.open(found.content_sealed, **_place(secret))
    if not _may_leave(call, content, found.client_id):
        raise Problem("sharing_link_over", "Ask for a new link.")
    call.connection.execute(_EMPTY, {"link": link})
    audit.record(call, Deed.LINK_USED, link=link.hex()[:16], form=found.form)
    return content, CopyForm(found.form)


def _may_leave(call: Call, content: bytes, client_id: str) -> bool:
    """Return whether the copied licence is valid, and the app that asked may still download its type."""
    copy = annotated.find(call, content)
    licence = None if copy is None else change.find_any(call, copy.identifier)
    if licence is None or view.state(call, licence) is not State.VALID:
        return False
    return permissions.of_client(call, client_id, licence.type_code, Operation.DOWNLOAD) is not None


def _place(secret: str) -> Place:
    return {"table": "sharing_link", "column": "content_sealed", "row": secret_hash(secret).hex()}
