"""Show a licence (亮证): a random code that lives at most a minute and works once.

The code is no data and no signature: whoever photographs it holds nothing once it is used or old. Only its hash is
stored. Letters and digits alone, because a scanner gun is a keyboard and punctuation changes with its layout.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, exists, insert, not_, or_, select, update

from idservice import audit
from idservice.db import table_of
from idservice.errors import FieldProblem, Problem
from idservice.ids import secret_hash
from idservice.models import Client, Department
from idservice.oauth.authorization_details import demand
from idservice.statement import Statement
from keys.verdict import Reason
from licences import acting, catalogue, identifier
from licences.counter import matters
from licences.counter.matter_definition import GENERIC_FIELDS
from licences.deeds import Deed
from licences.detail_types import LICENCE_SHOW
from licences.lifecycle import State, state_at
from licences.models import Licence, Presentation
from licences.showing import identity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idservice.call import Call
    from licences.asker import Asker

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford base32: none of I L O U, which people misread
LENGTH = 26  # 130 bits
GROUP = 4
MAX_LICENCES = 20

_CODE = re.compile(rf"[{ALPHABET}]{{{LENGTH}}}|[{ALPHABET.lower()}]{{{LENGTH}}}")
_SCANNER_PREFIX = re.compile(r"\A\]Q[0-9]")  # ISO/IEC 15424 symbology identifier, which some scanners send first


@dataclass(frozen=True, slots=True)
class Shown:
    """A code as its holder gets it, once; `qr_text` is what the QR holds."""

    code: str
    qr_text: str
    expires_at: datetime
    licences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What a code showed when it was used up; `fields` None: the type's own masking decides."""

    subject: str
    licences: tuple[str, ...]
    fields: list[str] | None
    matter: str | None


_shown = table_of(Presentation).c
# An audience that is a department or a client binds; any other is a note of the holder's.
_BINDS = or_(
    exists().where(Department.credit_code == _shown.audience), exists().where(Client.client_id == _shown.audience)
)
_MEANT_FOR_READER = or_(
    _shown.audience.is_(None),
    _shown.audience == bindparam("department"),  # none equals nothing
    _shown.audience == bindparam("client"),
    not_(_BINDS),
)
_REDEEM = Statement(
    update(table_of(Presentation))
    .where(
        _shown.code_hash == bindparam("code"),
        _shown.used_at.is_(None),
        _shown.expires_at > bindparam("now"),
        _MEANT_FOR_READER,
    )
    .values(used_at=bindparam("now"), used_by=bindparam("reader"))
    .returning(_shown.subject, _shown.licences, _shown.fields, _shown.matter)
)

_WAITING = Statement(
    select(_shown.subject, _shown.licences).where(
        _shown.code_hash == bindparam("code"), _shown.used_at.is_(None), _shown.expires_at > bindparam("now")
    )
)
_LEFT = Statement(select(_shown.used_at, _shown.expires_at).where(_shown.code_hash == bindparam("code")))


def show(call: Call, body: dict[str, Any]) -> Shown:
    """Make a show code for some of the caller's own licences, or for those a matter needs.

    Raises:
        Problem: forbidden where the caller is no holder; not_found for a licence that is not his; invalid; or
            authorization_details_exceeded, where the token is for other types, fields or matters.
        StepUpNeeded, Problem: what `identity.demand` refuses.
    """
    holder = call.caller.holder
    if holder is None:
        raise Problem("forbidden", "Only a logged-in holder can show a licence.")
    matter = body.get("matter")
    wanted = body.get("licences") or []
    if bool(matter) == bool(wanted):
        raise Problem(
            "invalid", "", errors=[FieldProblem("/licences", "choice", "name licences or a matter, not both")]
        )
    acting.demand_matter(call, matter)
    chosen = _for_matter(call, holder, matter) if matter else own(call, holder, wanted)
    if not all(acting.reach(call).covers(identifier.type_code(code)) for code in chosen):
        raise Problem("not_found", "Your mandate does not reach one of these licences.")
    demand(call, LICENCE_SHOW.name, licence_types=_types(chosen), datatypes=body.get("fields") or (), matters=matter)
    identity.demand(call, _types(chosen))
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    expires_at = call.now + timedelta(seconds=call.settings.show_code_seconds)
    call.session.execute(
        insert(Presentation),
        {
            "code_hash": secret_hash(code),
            "subject": holder,
            "licences": chosen,
            "fields": _fields(call, chosen, body.get("fields")),
            "audience": body.get("audience"),
            "matter": matter,
            "created_at": call.now,
            "expires_at": expires_at,
            "used_at": None,
            "used_by": None,
        },
    )
    audit.record(call, Deed.SHOWN, subject=holder, licences=chosen, matter=matter)
    return Shown(code, code, expires_at, tuple(chosen))


def groups(code: str) -> list[str]:
    """Return a code in groups of four, as it is shown to people."""
    return [code[start : start + GROUP] for start in range(0, LENGTH, GROUP)]


def find_code(text: str) -> str | None:
    """Return the show code among the words of `text` in its own form, or None.

    Caps Lock turns all letters into small ones and an input method widens all of them, a person types the groups as
    he sees them: all that is undone. A text in which only some characters are changed is no code.
    """
    if not re.search("[0-9A-Za-z]", text):
        text = unicodedata.normalize("NFKC", text)
    words = _SCANNER_PREFIX.sub("", text.strip()).split()
    joined = "".join(words)
    if _CODE.fullmatch(joined) and words == groups(joined):
        return joined.upper()
    return next((word.upper() for word in words if _CODE.fullmatch(word)), None)


def redeem(call: Call, code: str, asker: Asker) -> Redeemed | Reason:
    """Use a code up and return what it shows, or say why it shows nothing.

    A code that never was and one that is old are answered alike, so that guessing teaches nothing. One that lives and
    is meant for another unit is told apart: who has it has it from its holder, or from whom he gave it to.
    """
    code_hash = secret_hash(code)
    who = {"department": asker.department or None, "client": asker.client or None, "reader": asker.shown_to_holder}
    asked = {"code": code_hash, "now": call.now, **who}
    spent = _REDEEM.first(call.connection, asked)
    if spent is not None:
        return Redeemed(spent.subject, tuple(spent.licences), spent.fields, spent.matter)
    found = _LEFT.first(call.connection, {"code": code_hash})
    if found is not None and found.used_at is not None:
        return Reason.REPLAYED
    return Reason.WRONG_AUDIENCE if found is not None and found.expires_at > call.now else Reason.CODE_EXPIRED


def waiting(call: Call, code: str) -> Any | None:
    """Return `subject` and `licences` of a code that has not been used, and leave it so; None for any other code."""
    return _WAITING.first(call.connection, {"code": secret_hash(code), "now": call.now})


def type_waiting(call: Call, code: str) -> str | None:
    """Return the type of the one licence that a code shows, and leave the code unused; None for any other code."""
    found = waiting(call, code)
    is_one = found is not None and len(found.licences) == 1
    return identifier.type_code(found.licences[0]) if found is not None and is_one else None


def status(call: Call, code_hash: bytes) -> Presentation:
    """Return the caller's own show code by its hash, for the screen that says who has looked.

    Raises:
        Problem: not_found or authorization_details_exceeded.
    """
    shown = call.session.get(Presentation, code_hash)
    if shown is None or shown.subject != call.caller.holder:
        raise Problem("not_found", "You have shown no such code.")
    demand(call, LICENCE_SHOW.name, licence_types=_types(shown.licences), matters=shown.matter)
    return shown


def _types(identifiers: Sequence[str]) -> set[str]:
    return {identifier.type_code(code) for code in identifiers}


def own(call: Call, holder: str, identifiers: Sequence[str]) -> list[str]:
    """Return these identifiers, each once, if all are of the holder's own licences.

    Raises:
        Problem: invalid or not_found.
    """
    wanted = list(dict.fromkeys(identifiers))
    if len(wanted) > MAX_LICENCES:
        raise Problem("invalid", "", errors=[FieldProblem("/licences", "length", f"at most {MAX_LICENCES}")])
    held = set(
        call.session.scalars(
            select(Licence.identifier).where(Licence.subject == holder, Licence.identifier.in_(wanted))
        )
    )
    if held != set(wanted):
        raise Problem("not_found", "You hold no licence with one of these identifiers.")
    return wanted


def _for_matter(call: Call, holder: str, code: str) -> list[str]:
    types = matters.find(call, code).types
    rows = call.session.scalars(
        select(Licence).where(Licence.subject == holder, Licence.type_code.in_(types)).order_by(Licence.identifier)
    )
    held = [
        row.identifier
        for row in rows
        if state_at(State(row.state), valid_from=row.valid_from, valid_until=row.valid_until, now=call.now)
        is State.VALID
    ]
    if not held:
        raise Problem("not_found", "You hold none of the licences this matter needs.")
    return held


def _fields(call: Call, identifiers: Sequence[str], names: Sequence[str] | None) -> list[str] | None:
    """Return the fields the holder lets be read in full; a name no shown licence has is refused."""
    if names is None:
        return None
    known = set(GENERIC_FIELDS)
    for code in identifiers:
        kind = catalogue.find(call, identifier.type_code(code)).type
        known |= {field.name for field in kind.fields} | {field.name for field in kind.derived}
    if strangers := [name for name in names if name not in known]:
        raise Problem("invalid", "", errors=[FieldProblem("/fields", "unknown", f"no such field: {strangers[0][:40]}")])
    return list(dict.fromkeys(names))
