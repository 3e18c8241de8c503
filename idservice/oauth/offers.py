"""Offers to wallets (钱包邀约): OpenID4VCI 1.0 sections 3.5 and 4.1. What is offered is for other rooms to say.

A person who is logged in makes one. Either he allows at once what whoever brings its pre-authorized code will get, and
a short second code on his screen keeps the code worthless to those who only see it go by; or the offer has a state
that lets a wallet ask him, and nobody else. An offer is taken once, within minutes.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, case, insert, select, update

from idservice import audit
from idservice.db import table_of
from idservice.errors import Kind, Problem, register
from idservice.ids import secret_hash
from idservice.oauth import granted as grants
from idservice.oauth.deeds import GrantDeed
from idservice.oauth.families import Login
from idservice.oauth.models import Offer

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.oauth.granted import Granted

PARAMETER: Final = "issuer_state"
LIFE: Final = timedelta(minutes=5)
DIGITS: Final = 6  # of the second code
MAX_TRIES: Final = 3  # that an offer survives with wrong second codes
MAX_SECRET: Final = 256

_TABLE: Final = "offer"
_INDEX: Final = "offer.second"
_CODE, _STATE = "code", "state"

register({"offer_over": Kind(409, "这个邀约已过期或已被使用", "This offer has expired or was taken before")})

_offer = table_of(Offer)
#: Counts the try and uses the offer up where the second code is right: parallel guesses count one by one.
_TRY = (
    update(_offer)
    .where(
        _offer.c.secret_hash == bindparam("of"),
        _offer.c.kind == _CODE,
        _offer.c.used_at.is_(None),
        _offer.c.tries < MAX_TRIES,
        _offer.c.expires_at > bindparam("now", type_=_offer.c.expires_at.type),
    )
    .values(
        tries=_offer.c.tries + 1,
        used_at=case(
            (
                _offer.c.second_hash.in_(bindparam("second", expanding=True)),
                bindparam("now", type_=_offer.c.expires_at.type),
            )
        ),
    )
    .returning(
        _offer.c.used_at,
        _offer.c.subject,
        _offer.c.granted_sealed,
        _offer.c.session_hash,
        _offer.c.auth_time,
        _offer.c.amr,
        _offer.c.level,
        _offer.c.signals,
    )
)
_ACCEPT = (
    update(_offer)
    .where(
        _offer.c.secret_hash == bindparam("of"),
        _offer.c.kind == _STATE,
        _offer.c.used_at.is_(None),
        _offer.c.expires_at > bindparam("now", type_=_offer.c.expires_at.type),
    )
    .values(used_at=bindparam("now", type_=_offer.c.expires_at.type))
    .returning(_offer.c.subject)
)
_INVITED = select(_offer.c.subject).where(
    _offer.c.secret_hash == bindparam("of"),
    _offer.c.kind == _STATE,
    _offer.c.used_at.is_(None),
    _offer.c.expires_at > bindparam("now", type_=_offer.c.expires_at.type),
)


@dataclass(frozen=True, slots=True)
class Allowed:
    """A pre-authorized code as its maker gets it, once; `second` (digits) goes another way than the code."""

    code: str
    second: str


@dataclass(frozen=True, slots=True)
class Taken:
    """An offer that was just taken: whose it was, what for, and how he had logged in."""

    subject: str
    granted: Granted
    login: Login


def allow(call: Call, person: str, granted: Granted, login: Login) -> Allowed:
    """Enter a pre-authorized code for what a person allows, and return it with its second code."""
    code, second = secrets.token_urlsafe(32), f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    row = secret_hash(code)
    _enter(
        call,
        {
            "secret_hash": row,
            "kind": _CODE,
            "subject": person,
            "granted_sealed": grants.seal(call, granted, table=_TABLE, row=row.hex()),
            "second_hash": call.cipher.index(_INDEX, f"{code}|{second}"),
            "session_hash": login.session_hash,
            "auth_time": login.auth_time,
            "amr": login.amr,
            "level": login.level,
            "signals": list(login.signals) or None,
        },
    )
    return Allowed(code, second)


def invite(call: Call, person: str) -> str:
    """Enter an issuer state by which a wallet may ask that person, and return it."""
    state = secrets.token_urlsafe(32)
    empty = {"granted_sealed": None, "second_hash": None, "session_hash": None, "auth_time": None, "signals": None}
    _enter(call, {"secret_hash": secret_hash(state), "kind": _STATE, "subject": person, "amr": [], "level": 0, **empty})
    return state


def take(call: Call, code: str, second: str) -> Taken | None:
    """Use a pre-authorized code up, in one statement, so that of parallel uses exactly one gets it.

    None: unknown, expired, used, or the second code is wrong. What was written then must be kept: a wrong second code
    counts, and after `MAX_TRIES` of them the offer is over.
    """
    if len(code) > MAX_SECRET or len(second) > MAX_SECRET:
        return None
    key = secret_hash(code)
    asked = {"of": key, "now": call.now, "second": list(call.cipher.indexes(_INDEX, f"{code}|{second}"))}
    row = call.connection.execute(_TRY, asked).one_or_none()
    if row is None:
        return None
    if row.used_at is None:
        audit.record(call, GrantDeed.OFFER_GUESSED, outcome="refused", subject=row.subject, offer=_trace(key))
        return None
    audit.record(call, GrantDeed.OFFER_ACCEPTED, subject=row.subject, offer=_trace(key))
    granted = grants.unseal(call, row.granted_sealed, table=_TABLE, row=key.hex())
    login = Login(row.session_hash, row.auth_time, list(row.amr), row.level, tuple(row.signals or ()))
    return Taken(row.subject, granted, login)


def invited(call: Call, state: str) -> str | None:
    """Return the person an issuer state is for, if it may still be used."""
    asked = {"of": secret_hash(state[: MAX_SECRET + 1]), "now": call.now}
    subject: str | None = call.connection.execute(_INVITED, asked).scalar()
    return subject


def accept(call: Call, state: str) -> None:
    """Use an issuer state up.

    Raises:
        Problem: offer_over, if somebody was first.
    """
    key = secret_hash(state)
    subject = call.connection.execute(_ACCEPT, {"of": key, "now": call.now}).scalar()
    if subject is None:
        raise Problem("offer_over", "Make a new offer.")
    audit.record(call, GrantDeed.OFFER_ACCEPTED, subject=subject, offer=_trace(key))


def _enter(call: Call, row: dict[str, object]) -> None:
    life = {"tries": 0, "created_at": call.now, "expires_at": call.now + LIFE, "used_at": None}
    call.connection.execute(insert(_offer), row | life)
    key = row["secret_hash"]
    audit.record(call, GrantDeed.OFFER_MADE, subject=row["subject"], kind=row["kind"], offer=_trace(bytes(key)))  # type: ignore[call-overload]


def _trace(key: bytes) -> str:
    return key.hex()[:16]
