"""What a seal was used for (用章台账): intents with their outcome, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from seals import custody
from seals.lifecycle import State
from seals.models import SealChange, SealIntent
from seals.register import find, find_application, look_up
from seals.use import on_behalf_of

if TYPE_CHECKING:
    from idservice.call import Call


def listed_uses(call: Call, seal_id: str, *, limit: int, cursor: str | None = None) -> dict[str, Any]:
    """Return a page of a seal's uses, newest first, those announced but not done among them.

    Raises:
        Problem: not_found or forbidden.
    """
    find(call, seal_id)
    query = select(SealIntent).where(SealIntent.seal_id == seal_id).order_by(SealIntent.use_id.desc()).limit(limit + 1)
    if cursor is not None:
        query = query.where(SealIntent.use_id < cursor)
    rows = call.session.scalars(query).all()
    items = [_shown(call, row) for row in rows[:limit]]
    return {"items": items, "next_cursor": items[-1]["id"] if len(rows) > limit else None}


def history(call: Call, seal_id: str) -> list[dict[str, Any]]:
    """Return the lines of a seal's life, or of its application's, oldest first.

    Raises:
        Problem: not_found or forbidden.
    """
    if find_application(call, seal_id) is None:
        look_up(call, seal_id)
    rows = call.session.scalars(
        select(SealChange).where(SealChange.seal_id == seal_id).order_by(SealChange.at, SealChange.change_id)
    )
    return [
        {
            "at": row.at,
            "change": row.change,
            "state": State(row.state),
            "reason": row.reason,
            "who": _who(call, row.actor),
        }
        for row in rows
    ]


def _shown(call: Call, row: SealIntent) -> dict[str, Any]:
    on_behalf = row.on_behalf_sealed
    return {
        "id": row.use_id,
        "at": row.at,
        "digest": row.digest.hex(),
        "purpose": row.purpose or None,
        "on_behalf": None if on_behalf is None else call.cipher.open(on_behalf, **on_behalf_of(row.use_id)).decode(),
        "who": _who(call, row.actor),
        "outcome": "done" if row.done_at is not None else "unfinished",
    }


def _who(call: Call, actor: str) -> str:
    return custody.shown_as(call, actor)
