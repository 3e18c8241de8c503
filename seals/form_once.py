"""A form that is posted twice is one deed: the second time it leads to what it made the first time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flask import request

from idservice.http import idempotency

if TYPE_CHECKING:
    from collections.abc import Callable

    from idservice.call import Call


def made_before(call: Call) -> str | None:
    """Return the identifier of what this form made when it was posted before.

    Raises:
        Problem: the same form with other content is another request and is refused.
    """
    key = _key(call)
    done = idempotency.replay(call, key) if key is not None else None
    if done is None:
        return None
    (made,) = json.loads(done[1]).values()  # its one member was called otherwise by older versions
    return str(made)


def once(call: Call, make: Callable[[], str]) -> str:
    """Return the identifier of what `make` makes, unless this form has made it before."""
    before = made_before(call)
    if before is not None:
        return before
    made, key = make(), _key(call)
    if key is not None:
        idempotency.remember(call, key, 303, json.dumps({"id": made}).encode())
    return made


def _key(call: Call) -> idempotency.Key | None:
    given = request.form.get("idempotency_key")
    if not given:
        return None
    asked = json.dumps(sorted((name, value) for name, value in request.form.items() if name != "csrf_token"))
    caller = f"page|{call.caller.person}"
    return idempotency.key_of(given, caller=caller, method="POST", path=request.path, body=asked.encode())
