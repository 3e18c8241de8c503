"""The register of electronic seals (印章登记): make one, find one, list them.

A seal bears the name of its department as the register of departments has it, never one that the caller chose; a line
for a special purpose (专用章) may follow. Its number is six digits of the region and eight of its own, as the filing of
seals (印章备案) has it.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from idservice import audit
from idservice.call import Post
from idservice.errors import FieldProblem, Kind, Problem, register
from idservice.ids import timed_id
from idservice.models import Department
from keys.certificates import CertificateError
from keys.sm2 import sm3
from seals import lifecycle, signature
from seals.authority import authority_of, certify_signer
from seals.deeds import Deed
from seals.font import FontError, open_font
from seals.lifecycle import State
from seals.models import Seal, SealChange
from seals.picture import DIAMETER, PictureError, round_seal, to_png
from seals.structure import Picture, SealFormatError
from seals.verify import rehearse

if TYPE_CHECKING:
    from idservice.call import Call
    from seals.authority import Authority

register({"seal_impossible": Kind(422, "无法制作这枚印章", "Such a seal cannot be made")})

FONT = Path(__file__).parent / "fonts" / "NotoSerifSC-Bold.ttf"
VENDOR = "ONA-DEMO"  # Vid of the seal's header
SPECIAL = "专用章"
TERM = timedelta(days=5 * 365)
_NUMBER = re.compile(r"[0-9]{14}")
_SAMPLE = b"rehearsal, thrown away"


def make(
    call: Call,
    *,
    department: str,
    special: str | None = None,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
) -> str:
    """Make a department's seal, rehearse it, put it into the register, and return its number (14 digits).

    Args:
        call: the call; its caller acts for the department.
        department: credit code.
        special: the line for a special purpose, such as 行政审批专用章; it ends with 专用章, or it could read as
            another unit.
        valid_from: default now; not before.
        valid_until: default five years later; not after the end of the seal maker's own certificate.

    Raises:
        Problem: forbidden, invalid, seal_impossible, seal_rehearsal_failed, or unavailable where no authority is set
            up or the font is not installed.
    """
    refuse_stranger(call, department)
    unit = call.session.get(Department, department)
    if unit is None:
        raise Problem("invalid", "", errors=[FieldProblem("/department", "unknown", "There is no such department.")])
    if special is not None and not special.endswith(SPECIAL):
        raise Problem("invalid", "", errors=[FieldProblem("/special", "wording", f"The line ends with {SPECIAL}.")])
    authority = authority_of(call)
    term = _term(call.now, valid_from, valid_until, latest=authority.maker.certificate.not_after)
    try:
        seal = _make(call, authority, unit, special, term)
    except (PictureError, FontError, SealFormatError, CertificateError) as error:
        raise Problem("seal_impossible", f"{str(error)[:300]}.") from None
    _rehearse(call, seal)
    call.session.add(seal)
    call.session.flush()
    note_change(call, seal.seal_id, "make", State.IN_FORCE, reason=None)
    audit.record(call, Deed.MADE, seal=seal.seal_id, department=department)
    return seal.seal_id


def find(call: Call, seal_id: str) -> Seal:
    """Return the seal with that number, if the caller may use it.

    Raises:
        Problem: not_found; forbidden for a seal of another department.
    """
    seal = call.session.get(Seal, seal_id) if _NUMBER.fullmatch(seal_id) else None
    if seal is None:
        raise Problem("not_found", "The register holds no such seal.")
    refuse_stranger(call, seal.department)
    return seal


def listed(call: Call, *, limit: int, cursor: str | None = None) -> dict[str, Any]:
    """Return a page of the seals that the caller may use, by number, with the cursor of the next page."""
    query = select(Seal).order_by(Seal.seal_id).limit(limit + 1)
    if not call.caller.all_departments:
        query = query.where(Seal.department.in_(call.caller.departments_as(Post.OFFICER)))
    if cursor is not None:
        query = query.where(Seal.seal_id > cursor)
    rows = call.session.scalars(query).all()
    items = [shown(call, seal) for seal in rows[:limit]]
    return {"items": items, "next_cursor": items[-1]["id"] if len(rows) > limit else None}


def shown(call: Call, seal: Seal) -> dict[str, Any]:
    """Return what answers say of a seal; the state is that of this instant."""
    return {
        "id": seal.seal_id,
        "department": seal.department,
        "name": seal.name,
        "state": lifecycle.state_at(seal.state, seal.valid_from, seal.valid_until, call.now),
        "valid_from": seal.valid_from,
        "valid_until": seal.valid_until,
        "created_at": seal.created_at,
        "changed_at": seal.changed_at,
    }


def refuse_stranger(call: Call, department: str) -> None:
    """Refuse a caller who does not act for the department; of its people only officers (经办人) hold its seals.

    Raises:
        Problem: forbidden.
    """
    if not call.caller.may_act_for(department, Post.OFFICER):
        raise Problem("forbidden", "Only who acts for the department may make or use its seals.")


def note_change(call: Call, seal_id: str, change: str, state: State, *, reason: str | None) -> str:
    """Add one line to the seal's life and return its identifier."""
    change_id = timed_id(call.now)
    row = {"change_id": change_id, "seal_id": seal_id, "change": change, "state": state, "reason": reason}
    call.session.execute(insert(SealChange), row | {"actor": call.caller.name_for_log, "at": call.now})
    return change_id


def draw(name: str, special: str | None = None) -> Picture:
    """Return the picture of a department's round seal.

    Raises:
        Problem: unavailable, where the font is not installed.
        PictureError, FontError: the text does not fit, or the font lacks a character.
    """
    if not FONT.is_file():
        raise Problem("unavailable", f"The font {FONT.name} is not installed: run `make dev`.")
    font = open_font(FONT)
    return Picture("PNG", to_png(round_seal(name, font=font, special=special), font=font), DIAMETER, DIAMETER)


def _make(
    call: Call, authority: Authority, unit: Department, special: str | None, term: tuple[datetime, datetime]
) -> Seal:
    picture = draw(unit.name, special)
    seal_id = _new_number(call, unit.region)
    # A key that a failed transaction leaves behind signs nothing: its number is in no register and not drawn again.
    public = call.keys.new_seal_key(seal_id, now=call.now)
    certificate = certify_signer(authority, unit, public, term=term)
    name = unit.name + (special or "")
    seal_der = signature.make_seal(
        seal_id=seal_id,
        vendor=VENDOR,
        name=name,
        picture=picture,
        signer_certificates=[certificate],
        created_at=call.now.replace(microsecond=0),
        valid_from=term[0],
        valid_until=term[1],
        maker_certificate=authority.maker.certificate.der,
        sign=authority.maker.sign,
    )
    return Seal(
        seal_id=seal_id,
        department=unit.credit_code,
        name=name,
        state=State.IN_FORCE,
        seal_der=seal_der,
        signer_certificate=certificate,
        valid_from=term[0],
        valid_until=term[1],
        created_at=call.now,
        changed_at=call.now,
    )


def _rehearse(call: Call, seal: Seal) -> None:
    """Use the seal on a sample as of the first second it will be in force, and throw the result away."""
    at, digest = seal.valid_from, sm3(_SAMPLE)
    value = call.keys.seal_signer(seal.seal_id).sign(signature.tbs(seal.seal_der, at, digest, "rehearsal"))
    sealed = signature.assemble(
        seal.seal_der, at, digest, "rehearsal", signer_certificate=seal.signer_certificate, signature=value
    )
    rehearse(call, sealed, document=_SAMPLE, now=at)


def _term(
    now: datetime, valid_from: datetime | None, valid_until: datetime | None, *, latest: datetime
) -> tuple[datetime, datetime]:
    """Return the period in whole seconds, as GeneralizedTime holds it."""
    today = now.replace(microsecond=0)
    begin = today if valid_from is None else valid_from.replace(microsecond=0)
    if begin < today:
        raise Problem("invalid", "", errors=[FieldProblem("/valid_from", "too_early", "No seal is backdated.")])
    if begin >= latest:
        fault = FieldProblem("/valid_from", "too_late", f"The seal maker's certificate ends on {latest.date()}.")
        raise Problem("invalid", "", errors=[fault])
    end = min(begin + TERM, latest) if valid_until is None else valid_until.replace(microsecond=0)
    if not begin < end <= latest:
        fault = FieldProblem("/valid_until", "out_of_range", f"After valid_from, at latest {latest.isoformat()}.")
        raise Problem("invalid", "", errors=[fault])
    return begin, end


def _new_number(call: Call, region: str) -> str:
    """Return a number that no seal and no seal's key has; random, so that databases need not share a counter."""
    taken = {key.name for key in call.keys.list()}
    while True:
        seal_id = f"{region}{secrets.randbelow(10**8):08d}"
        if seal_id not in taken and call.session.get(Seal, seal_id) is None:
            return seal_id
