"""Codes that open one licence to one app (用证码), after the consent model of Guangdong (DB44/T 2167.3).

They are the codes of look-ups (`licences.counter.authorisation_codes`), with the same three ways to one, the same ten
minutes and the same table. Each is of one licence, matter, case and app; it works once for each of three steps: read,
look at the file by a link, fetch the file. What is stored is the hash of step, app and code together, so a code of
another app, or one of a look-up, is simply not there.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, update

from idservice.db import table_of
from idservice.errors import Kind, Problem, register
from idservice.ids import secret_hash
from licences.asker import Asker
from licences.counter import authorisation_codes
from licences.counter.authorisation_codes import Mode
from licences.counter.lookup_models import LookupAuthorisation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idservice.call import Call
    from licences.counter.matter_definition import Matter
    from licences.models import Licence
    from seals.use import Place

register(
    {
        "auth_code_refused": Kind(
            403, "用证码无效、已使用、已过期或属于其他应用", "The code is void, used, or of another app"
        )
    }
)


class Step(StrEnum):
    """What a code can be used for, once each."""

    READ = "get_license"
    VIEW = "token"
    FILE = "archive"


@dataclass(frozen=True, slots=True)
class Issued:
    """A code as the app gets it, once, and the licence it opens."""

    code: str
    licence: Licence


@dataclass(frozen=True, slots=True)
class Opened:
    """What a code opens: whose licence, in which way it was authorised, and who reads it for which purpose."""

    subject: str
    identifier: str
    mode: Mode
    matter: str
    ground: str | None
    agent: str | None
    mandate: str | None
    asker: Asker


_codes = table_of(LookupAuthorisation)
_REDEEM = (
    update(_codes)
    .where(
        _codes.c.code_hash == bindparam("code"),
        _codes.c.used_at.is_(None),
        _codes.c.expires_at > bindparam("moment"),
        _codes.c.identifier.is_not(None),
    )
    .values(used_at=bindparam("moment"))
    .returning(
        _codes.c.subject,
        _codes.c.identifier,
        _codes.c.mode,
        _codes.c.matter,
        _codes.c.ground,
        _codes.c.agent,
        _codes.c.mandate,
        _codes.c.asker_sealed,
    )
)


def issue(
    call: Call,
    mode: Mode,
    matter: Matter,
    whose: dict[str, Any],
    *,
    case_number: str,
    licences: Sequence[Licence],
    who: Asker,
) -> list[Issued]:
    """Make a code for each of some licences, for the caller's app; `whose` is as `row_of` of the codes has it."""
    issued = []
    for licence in licences:
        code = authorisation_codes.random_code()
        row = authorisation_codes.row_of(call, mode, matter, whose, case_number)
        for step in Step:
            code_hash = _hash(call, step, code)
            sealed = call.cipher.seal(json.dumps(dataclasses.asdict(who)).encode(), **_place(code_hash))
            own = {"code_hash": code_hash, "identifier": licence.identifier, "asker_sealed": sealed}
            call.connection.execute(insert(_codes), row | own)
        issued.append(Issued(code, licence))
    return issued


def redeem(call: Call, text: str, step: Step) -> Opened:
    """Use a code up for one step and return what it opens.

    Raises:
        Problem: auth_code_refused, alike for a code that never was, is old, was used, or is of another app.
    """
    code_hash = _hash(call, step, authorisation_codes.folded(text))
    found = call.connection.execute(_REDEEM, {"code": code_hash, "moment": call.now}).one_or_none()
    if found is None:
        raise Problem("auth_code_refused", "Ask for a new one.")
    *facts, sealed = found
    who = Asker(**json.loads(call.cipher.open(sealed, **_place(code_hash))))
    subject, identifier, mode, matter, ground, agent, mandate = facts
    return Opened(subject, identifier, Mode(mode), matter, ground, agent, mandate, who)


def _hash(call: Call, step: Step, code: str) -> bytes:
    return secret_hash(f"{step}|{call.caller.client_id}|{code}")


def _place(code_hash: bytes) -> Place:
    return {"table": "lookup_authorisation", "column": "asker_sealed", "row": code_hash.hex()}
