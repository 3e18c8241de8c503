"""Make a seal (制章): draw its picture, give it a key and a certificate, have the maker sign it, and try it out."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from idservice.errors import FieldProblem, Problem
from keys.certificates import CertificateError
from keys.errors import RingError
from keys.sm2 import sm3
from seals import contents, signature
from seals.authority import authority_of, certify_signer
from seals.font import FontError, open_font
from seals.lettering import PictureError
from seals.lifecycle import State
from seals.models import Seal, SealApplication
from seals.owner_kinds import OwnerKind
from seals.picture import render, to_png
from seals.picture_kinds import DesignError, full_name, layout_of
from seals.refusals import impossible
from seals.structure import VERSION_2025, Picture, SealFormatError
from seals.time_stamping import is_asked_elsewhere, token_over
from seals.verify import rehearse

if TYPE_CHECKING:
    from idservice.call import Call
    from keys.signer import PublicKey
    from seals.authority import Authority
    from seals.owners import Owner
    from seals.picture_kinds import Design

FONT = Path(__file__).parent / "fonts" / "NotoSerifSC-Bold.ttf"
VENDOR = "ONA-DEMO"  # Vid of the seal's header
TERM = timedelta(days=5 * 365)
REHEARSAL = "rehearsal"
_SAMPLE = b"rehearsal, thrown away"
Term = tuple[datetime, datetime]


def draw_svg(name: str, design: Design) -> str:
    """Return the picture of a seal as SVG, the master.

    Raises:
        Problem: invalid or seal_impossible; unavailable, where the font is not installed.
    """
    if not FONT.is_file():
        raise Problem("unavailable", f"The font {FONT.name} is not installed: run `make dev`.")
    try:
        return render(layout_of(name, design), font=open_font(FONT))
    except DesignError as error:
        raise Problem("invalid", "", errors=[FieldProblem(f"/{error.field}", "wording", str(error))]) from None
    except (PictureError, FontError) as error:
        raise impossible(error) from None


def draw(name: str, design: Design) -> Picture:
    """Return the picture of a seal as the seal carries it; raises what `draw_svg` does."""
    layout_svg = draw_svg(name, design)
    layout = layout_of(name, design)
    return Picture("PNG", to_png(layout_svg), round(layout.width), round(layout.height))


def make_seal(call: Call, owner: Owner, design: Design, term: Term, *, seal_id: str) -> Seal:
    """Return the row of a new seal, in force; trying it out and adding it is the caller's part.

    Raises:
        Problem: invalid, seal_impossible, timestamp_unavailable, or unavailable where no authority is set up or the
            font is not installed.
    """
    authority = authority_of(call)
    picture = draw(owner.name, design)
    try:
        seal = _make(call, authority, owner, full_name(owner.name, design), picture, term, seal_id)
    except (SealFormatError, CertificateError) as error:
        raise impossible(error) from None
    seal.kind, seal.name = str(design.kind), full_name(owner.name_kept, design)
    return seal


def waits(call: Call) -> bool:
    """Return whether making a seal waits for another program: GM/T 0031-2025 seals are stamped by its authority."""
    return call.settings.seal_version == VERSION_2025 and is_asked_elsewhere(call)


def term_of(call: Call, valid_from: datetime | None, valid_until: datetime | None) -> Term:
    """Return the period in whole seconds, as GeneralizedTime holds it.

    Raises:
        Problem: invalid, for a seal that is backdated or outlives its maker's certificate; unavailable.
    """
    latest = authority_of(call).maker.certificate.not_after
    today = call.now.replace(microsecond=0)
    begin = today if valid_from is None else valid_from.replace(microsecond=0)
    if begin < today:
        raise _out_of_range("valid_from", "too_early", "No seal is backdated.")
    if begin >= latest:
        raise _out_of_range("valid_from", "too_late", f"The seal maker's certificate ends on {latest.date()}.")
    end = min(begin + TERM, latest) if valid_until is None else valid_until.replace(microsecond=0)
    if not begin < end <= latest:
        raise _out_of_range("valid_until", "out_of_range", f"After valid_from, at latest {latest.isoformat()}.")
    return begin, end


def new_number(call: Call, region: str) -> str:
    """Return a filing number (印章备案编号): six digits of the region and eight of the seal's own.

    No seal, application or seal's key has it; it is random, so that databases need not share a counter.
    """
    taken = {key.name for key in call.keys.list()}
    while True:
        seal_id = f"{region}{secrets.randbelow(10**8):08d}"
        if seal_id not in taken and not _in_register(call, seal_id):
            return seal_id


def _in_register(call: Call, seal_id: str) -> bool:
    return any(call.session.get(kind, seal_id) is not None for kind in (Seal, SealApplication))


def _out_of_range(field: str, code: str, message: str) -> Problem:
    return Problem("invalid", "", errors=[FieldProblem(f"/{field}", code, message)])


def _make(
    call: Call, authority: Authority, owner: Owner, name: str, picture: Picture, term: Term, seal_id: str
) -> Seal:
    certificate = certify_signer(authority, owner, _key(call, seal_id), term=term)
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
        kind=signature.PERSONAL if owner.kind is OwnerKind.PERSON else signature.UNIT,
        version=call.settings.seal_version,
        timestamp=partial(token_over, call),
    )
    seal = Seal(
        **owner.columns,
        seal_id=seal_id,
        state=State.IN_FORCE,
        valid_from=term[0],
        valid_until=term[1],
        created_at=call.now,
        changed_at=call.now,
    )
    seal.seal_der = contents.kept(call, seal, contents.STRUCTURE, seal_der)
    seal.signer_certificate = contents.kept(call, seal, contents.CERTIFICATE, certificate)
    return seal


def _key(call: Call, seal_id: str) -> PublicKey:
    """Make the key of a seal that the register does not hold yet, or take the one that a failed attempt left behind.

    No register has a seal that its certificate is in.
    """
    try:
        return call.keys.new_seal_key(seal_id, now=call.now)
    except RingError:
        return call.keys.seal_signer(seal_id).public


def try_out(call: Call, seal: Seal) -> None:
    """Use a new seal on a sample as of the first second it will be in force, and throw the result away.

    The signer counts this one signature, so it is made once, by who enters the seal.

    Raises:
        Problem: seal_rehearsal_failed.
    """
    at, digest = seal.valid_from, sm3(_SAMPLE)
    structure, certificate = contents.structure(call, seal), contents.certificate(call, seal)
    value = call.keys.seal_signer(seal.seal_id).sign(signature.tbs(structure, at, digest, REHEARSAL))
    sealed = signature.assemble(structure, at, digest, REHEARSAL, signer_certificate=certificate, signature=value)
    rehearse(call, sealed, document=_SAMPLE, now=at)
