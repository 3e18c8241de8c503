"""Poll delivery of security events: RFC 8936. What was acknowledged is forgotten, what was not comes again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import delete, select

from idservice.errors import Problem
from idservice.events import emit, push, streams
from idservice.events.models import Notice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idservice.call import Call

log = structlog.get_logger(__name__)

AT_ONCE = 100


def poll(call: Call, members: Mapping[str, Any]) -> dict[str, Any]:
    """Take acknowledgements and errors, and return the oldest events that wait; it never waits for more.

    Raises:
        Problem: bad_request, not_found.
    """
    stream = streams.find(call, None)
    if stream.endpoint_url is not None:
        raise Problem("bad_request", "This stream is delivered by push.")
    taken, errors = members.get("ack", []), members.get("setErrs", {})
    if not isinstance(taken, list) or not isinstance(errors, dict):
        raise Problem("bad_request", "ack is an array, setErrs an object.")
    most = members.get("maxEvents", AT_ONCE)
    if not isinstance(most, int) or isinstance(most, bool) or most < 0:
        raise Problem("bad_request", "maxEvents is a number.")
    _forget(call, stream.client_id, [*taken, *errors])
    if errors:
        log.warning("events.refused", client=stream.client_id, count=len(errors))
    return _waiting(call, stream.client_id, min(most, AT_ONCE) if stream.status == streams.ENABLED else 0)


def _forget(call: Call, client_id: str, names: list[Any]) -> None:
    known = [name for name in names[:1000] if isinstance(name, str)]
    mine = delete(Notice).where(Notice.kind == emit.KIND, Notice.target == client_id, Notice.notice_id.in_(known))
    call.session.execute(mine.execution_options(synchronize_session=False))


def _waiting(call: Call, client_id: str, most: int) -> dict[str, Any]:
    query = select(Notice.notice_id, Notice.facts).where(
        Notice.kind == emit.KIND, Notice.target == client_id, Notice.expires_at > call.now
    )
    rows = call.session.execute(query.order_by(Notice.notice_id).limit(most + 1)).all()
    sets = {row.notice_id: push.signed(call.house, client_id, row.notice_id, row.facts) for row in rows[:most]}
    return {"sets": sets, "moreAvailable": len(rows) > most}
