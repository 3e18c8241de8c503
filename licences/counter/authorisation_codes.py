"""Codes that authorise one look-up (用证码), after the consent model of Guangdong (DB44/T 2167.3).

Three ways to one: `auth`, a clerk by his duty and a provision the matter names (依职能查验); `holder`, the holder
himself in an app (网上申办用证); `entrust`, whoever holds his mandate (委托授权用证). A code is for one matter, and for
one unit and one case where these are named; it lives ten minutes and works once. Only its hash is stored.
"""

from __future__ import annotations

import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, insert, or_, select, update

from idservice import audit, expiry
from idservice.db import table_of
from idservice.errors import FieldProblem, Problem
from idservice.ids import secret_hash
from idservice.models import Department
from idservice.register import mandates
from idservice.statement import Statement
from licences import acting, show
from licences.counter import applicant, clerk, legal_grounds, matters
from licences.counter.lookup_models import LookupAuthorisation
from licences.deeds import Deed
from licences.guard import touches
from licences.guard.admit import admit

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.asker import Asker
    from licences.counter.matter_definition import Matter

LIFE: Final = timedelta(minutes=10)
LENGTH: Final = 32  # 160 bits: longer than a show code, so that neither is taken for the other
CASE_FIELD: Final = "lookup_authorisation.case"

expiry.sweep_also(LookupAuthorisation.code_hash, LookupAuthorisation.expires_at, expiry.A_DAY)


class Mode(StrEnum):
    """By whom a code was made."""

    AUTH = "auth"
    HOLDER = "holder"
    ENTRUST = "entrust"


@dataclass(frozen=True, slots=True)
class Made:
    """A code as its maker gets it, once."""

    code: str
    mode: Mode
    matter: str
    expires_at: datetime


_codes = table_of(LookupAuthorisation).c
_OPENS = (
    _codes.code_hash == bindparam("code"),
    _codes.used_at.is_(None),
    _codes.expires_at > bindparam("now"),
    _codes.matter == bindparam("of_matter"),
    or_(_codes.department.is_(None), _codes.department == bindparam("of_department")),
    or_(_codes.case_hash.is_(None), _codes.case_hash == bindparam("of_case")),
)
_MODE = Statement(select(_codes.mode).where(*_OPENS))
_REDEEM = (
    update(table_of(LookupAuthorisation))
    .where(*_OPENS)
    .values(used_at=bindparam("now"))
    .returning(_codes.subject, _codes.mode, _codes.ground, _codes.agent, _codes.mandate)
)


def make_for_holder(call: Call, body: dict[str, Any]) -> Made:
    """Make a code for the caller's own proofs, or by a mandate for those of whom he acts for.

    Raises:
        Problem: forbidden, where the caller is nobody's holder or the mandate does not reach; not_found, for the matter
            or the mandate; invalid, for the department or a mode that does not fit the caller.
    """
    matter = matters.find(call, body["matter"])
    subject, agent, mandate = for_whom(call, body, matter)
    department = body.get("department")
    if department is not None and call.session.get(Department, department) is None:
        raise Problem("invalid", "", errors=[FieldProblem("/department", "unknown", "no such department")])
    whose = {"subject": subject, "agent": agent, "mandate": mandate}
    mode = Mode.HOLDER if agent is None else Mode.ENTRUST
    return _make(call, mode, matter, whose | {"department": department}, body.get("case_number"))


def make_by_duty(call: Call, body: dict[str, Any]) -> Made:
    """Make a code by a provision that the matter names, for the clerk's own unit and the one case.

    Raises:
        Problem: what `clerk.demand`, `legal_grounds.demand` and `admit` refuse; not_found, for the matter; invalid.
    """
    with touches.watched(call, body, body["subject"]["number"]):
        who = clerk.demand(call, body)
        matter = matters.find(call, body["matter"])
        ground = legal_grounds.demand(matter, who, body["legal_basis"])
        whom = applicant.find(call, body["subject"]["number"])
    known = whom.subject if whom.known else None
    admit(call, who, matter=matter.code, subject=known, number=whom.number, by_law=True)
    whose = {"subject": whom.subject, "department": who.department, "ground": ground.code}
    return _make(call, Mode.AUTH, matter, whose, body["case_number"])


def redeem(call: Call, text: str, *, matter: Matter, who: Asker, case_number: str) -> Any | None:
    """Use a code up and return what it authorises: subject, mode, ground, agent, mandate.

    None for one that never was, is old or used, or is for another matter, unit or case: all alike.
    """
    return call.connection.execute(_REDEEM, _asked(call, text, matter, who, case_number)).one_or_none()


def mode(call: Call, text: str, *, matter: Matter, who: Asker, case_number: str) -> Mode | None:
    """Return by whom a code was made, and leave it unused; None for one that `redeem` would refuse."""
    found = _MODE.first(call.connection, _asked(call, text, matter, who, case_number))
    return Mode(found.mode) if found is not None else None


def for_whom(call: Call, body: dict[str, Any], matter: Matter) -> tuple[str, str | None, str | None]:
    """Return whose proofs the code opens and, of an entrusted one, who acts by which mandate.

    Raises:
        Problem: see `make_for_holder`.
    """
    caller = call.caller
    if caller.holder is None or caller.person is None:
        raise Problem("forbidden", "Only a logged-in holder can authorise.")
    named = body.get("mandate")
    is_entrusted = named is not None or caller.principal is not None
    if body["mode"] != (Mode.ENTRUST if is_entrusted else Mode.HOLDER):
        raise Problem("invalid", "", errors=[FieldProblem("/mode", "choice", "entrust with a mandate, else holder")])
    if caller.principal is not None or named is None:
        acting.demand_matter(call, matter.code)
        if not all(map(acting.reach(call).covers, matter.types)):
            raise Problem("forbidden", "This matter needs licences that your mandate does not reach.")
        return caller.holder, *((caller.person, caller.mandate) if is_entrusted else (None, None))
    live = mandates.find_live(call, caller.person, named)
    if live is None:
        raise Problem("not_found", "You hold no such mandate.")
    if (live.matters and matter.code not in live.matters) or (
        live.licence_types and not matter.types <= set(live.licence_types)
    ):
        raise Problem("forbidden", "This mandate is for other matters or licences.")
    return live.principal, caller.person, named


def _make(call: Call, mode: Mode, matter: Matter, whose: dict[str, Any], case_number: str | None) -> Made:
    code = random_code()
    row = row_of(call, mode, matter, whose, case_number)
    call.session.execute(insert(LookupAuthorisation), row | {"code_hash": secret_hash(code)})
    return Made(code, mode, matter.code, row["expires_at"])


def random_code() -> str:
    """Return a new code, as it is told to its maker once."""
    return "".join(secrets.choice(show.ALPHABET) for _ in range(LENGTH))


def row_of(call: Call, mode: Mode, matter: Matter, whose: dict[str, Any], case_number: str | None) -> dict[str, Any]:
    """Return the row of a new code but for its hash, and put it into the audit log."""
    row = {
        "mode": str(mode),
        "matter": matter.code,
        "case_hash": _case(call, case_number) if case_number else None,
        "ground": None,
        "agent": None,
        "mandate": None,
        "created_at": call.now,
        "expires_at": call.now + LIFE,
        "used_at": None,
        "identifier": None,
        "asker_sealed": None,
    }
    facts: dict[str, Any] = {name: whose.get(name) for name in ("department", "ground", "mandate")}
    audit.record(call, Deed.LOOKUP_AUTHORISED, subject=whose["subject"], mode=str(mode), matter=matter.code, **facts)
    return row | whose


def _asked(call: Call, text: str, matter: Matter, who: Asker, case_number: str) -> dict[str, Any]:
    return {
        "code": secret_hash(folded(text)),
        "now": call.now,
        "of_matter": matter.code,
        "of_department": who.department,
        "of_case": _case(call, case_number),
    }


def _case(call: Call, case_number: str) -> bytes:
    return call.cipher.index(CASE_FIELD, case_number.strip())


def folded(text: str) -> str:
    """Return a typed or scanned code in its own form."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()
