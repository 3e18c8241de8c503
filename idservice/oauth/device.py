"""Device authorization (设备授权), RFC 8628: a screen without a keyboard shows a code, a person enters it elsewhere.

A code is short, so guessing is what it must withstand (section 5.1): only people who are logged in may try, each try is
limited, and ten wrong ones within an hour end a person's tries. Whoever comes by a link has not looked at the screen
(section 5.4): he must say which of three endings it shows.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from authlib.oauth2.rfc6749 import InvalidScopeError, UnauthorizedClientError
from sqlalchemy import select, update

from idservice import audit
from idservice.db import add_if_new
from idservice.errors import Problem
from idservice.ids import secret_hash
from idservice.oauth import pending, scopes
from idservice.oauth.deeds import GrantDeed
from idservice.oauth.grant_policy import DEVICE_GRANT
from idservice.oauth.models import CodeTries, UserCode

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.oauth.clients import App
    from idservice.oauth.pending import Pending

LIFE = timedelta(minutes=10)
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"  # section 6.1: no vowels, so no words; nothing that looks like something else
LENGTH = 8
HALF = LENGTH // 2
INDEX_FIELD = "user_code.code"
MAX_WRONG = 10
WRONG_WITHIN = timedelta(hours=1)
PERSON_LIMIT = "20/minute"
CITY_LIMIT = "600/minute"  # codes are guessed from many accounts at once

_CODE = re.compile(f"[{ALPHABET}]{{{LENGTH}}}")


def start(call: Call, app: App, form: Mapping[str, str], *, origin: str | None) -> dict[str, Any]:
    """Enter a request and return the device authorization response (section 3.2).

    Raises:
        OAuth2Error: unauthorized_client, invalid_scope, invalid_target or invalid_authorization_details.
    """
    if not app.check_grant_type(DEVICE_GRANT):
        raise UnauthorizedClientError("This app is not registered for the device grant.")
    asked = scopes.split(form.get("scope"))
    if not asked or not set(asked) <= set(app.scope):
        raise InvalidScopeError("scope is unknown, or not registered for this app.")
    asked, more = pending.beyond_scope(call, app, asked, form)
    device_code = secrets.token_urlsafe(32)
    code = _new_code(call, secret_hash(device_code))
    endings = (code[HALF:], *_other_endings(code[HALF:]))
    pending.add(
        call,
        device_code,
        kind=pending.DEVICE,
        app=app,
        scope=asked,
        life=LIFE,
        origin=origin,
        choices=endings,
        granted=more,
    )
    page = f"{call.settings.issuer}/device"
    return {
        "device_code": device_code,
        "user_code": f"{code[:HALF]}-{code[HALF:]}",
        "verification_uri": page,
        "verification_uri_complete": f"{page}?user_code={code[:HALF]}-{code[HALF:]}",
        "expires_in": int(LIFE.total_seconds()),
        "interval": pending.POLL_SECONDS,
    }


def enter(call: Call, text: str) -> Pending | None:
    """Return the request that waits under a code which the person has entered; None for a wrong one, which is counted.

    Raises:
        Problem: too_many_requests.
    """
    person, address = call.caller.person or "", call.caller.address
    limiter = call.house.limiter
    limiter.check(PERSON_LIMIT, what="device.code", who=person, address=address)
    limiter.check(CITY_LIMIT, what="device.city", who="-", address=address)
    _refuse_guesser(call, person)
    code = fold(text)
    found = _find(call, code) if code is not None else None
    if found is None:
        _count_wrong(call, person)
    audit.record(
        call,
        GrantDeed.USER_CODE_ENTERED,
        outcome="refused" if found is None else "done",
        subject=person,
        request=pending.trace(found.request_hash) if found is not None else None,
    )
    return found


def fold(text: str) -> str | None:
    """Return a code as it is stored, whatever dashes, spaces and case it was entered with; None where it is none."""
    code = "".join(
        character for character in text[:64] if not character.isspace() and character not in "-‐‑–—－"
    ).upper()
    return code if _CODE.fullmatch(code) else None


def endings(asked: Pending) -> list[str]:
    """Return the endings to choose from, in an order that tells nothing."""
    return sorted(asked.choices)


def is_shown(asked: Pending, ending: str) -> bool:
    """Return whether the device shows a code with that ending."""
    return bool(asked.choices) and secrets.compare_digest(asked.choices[0], ending if ending.isascii() else "")


def _new_code(call: Call, request_hash: bytes) -> str:
    while True:
        code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        row = {
            "code_hash": call.cipher.index(INDEX_FIELD, code),
            "request_hash": request_hash,
            "expires_at": call.now + LIFE,
        }
        if add_if_new(call.session, UserCode, row):
            return code


def _other_endings(ending: str) -> list[str]:
    found: set[str] = set()
    while len(found) < 2:
        found |= {"".join(secrets.choice(ALPHABET) for _ in range(HALF))} - {ending}
    return sorted(found)


def _find(call: Call, code: str) -> Pending | None:
    hashes = call.cipher.indexes(INDEX_FIELD, code)
    row = call.session.scalars(
        select(UserCode).where(UserCode.code_hash.in_(hashes), UserCode.expires_at > call.now)
    ).first()
    return pending.find_waiting(call, row.request_hash) if row is not None else None


def _refuse_guesser(call: Call, person: str) -> None:
    tries = call.session.get(CodeTries, person)
    if tries is not None and tries.wrong >= MAX_WRONG and call.now < tries.since + WRONG_WITHIN:
        seconds = int((tries.since + WRONG_WITHIN - call.now).total_seconds()) + 1
        raise Problem(
            "too_many_requests", "Too many wrong codes: wait and try again.", headers={"Retry-After": str(seconds)}
        )


def _count_wrong(call: Call, person: str) -> None:
    """Count in one statement, so that parallel guesses gain nothing; an hour after the first, counting begins anew."""
    if add_if_new(call.session, CodeTries, {"subject": person, "wrong": 1, "since": call.now}):
        return
    mine, over = CodeTries.subject == person, CodeTries.since <= call.now - WRONG_WITHIN
    begun = call.session.execute(
        update(CodeTries).where(mine, over).values(wrong=1, since=call.now).returning(CodeTries.subject)
    ).first()
    if begun is None:
        call.session.execute(update(CodeTries).where(mine).values(wrong=CodeTries.wrong + 1))
