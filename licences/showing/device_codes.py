"""Devices that show offline (离线亮证): give a device its minimal licences, end them, and redeem the codes it makes.

A credential is bound to a key that the device alone holds, so it is of no use to who copies it; it lives for a week,
and its place in the status lists dies when its holder gives the device up, signs out everywhere or changes his
password. A code is used up here by one insert: of two counters that redeem it at once, one is told that it is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select, update

from idservice import audit, expiry
from idservice.db import add_if_new
from idservice.errors import FieldProblem, Kind, Problem, register
from idservice.oauth import signing_out
from idservice.oauth.authorization_details import demand
from keys.base64url import b64u, unb64u
from keys.ring import Purpose
from keys.ring import State as KeyState
from keys.signer import KeyMaterialError, es256_public
from keys.verdict import Check, Reason, Result
from licences import artefacts, catalogue, change, identifier, show, view
from licences.deeds import Deed
from licences.detail_types import LICENCE_SHOW
from licences.formats import device_code, lc1
from licences.formats.device_code import Code, DeviceCodeError, Minimal
from licences.lifecycle import CHINA_STANDARD_TIME, State
from licences.showing import identity
from licences.showing.models import DeviceCredential, UsedDeviceCode
from licences.status import entries

if TYPE_CHECKING:
    from idservice.call import Call
    from keys.signer import PublicKey
    from licences.asker import Asker
    from licences.models import Licence

LIFE: Final = timedelta(days=7)
MAX_DEVICES: Final = 5

expiry.sweep_also(DeviceCredential.digest, DeviceCredential.expires_at, expiry.A_DAY)
expiry.sweep_also(UsedDeviceCode.name_hash, UsedDeviceCode.expires_at, expiry.A_DAY)
register({"too_many_devices": Kind(409, "离线亮证的设备已达上限", "No further device may show offline: end one first")})


@dataclass(frozen=True, slots=True)
class Given:
    """A credential as a device gets it: `credential` is base64url of its bytes, the names are those of its type."""

    licence: str
    name: str
    name_en: str
    credential: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What a device is given at once; by `at` it learns how far its clock is from ours."""

    device: str
    items: tuple[Given, ...]
    at: datetime


def enrol(call: Call, body: dict[str, Any], *, title: str | None) -> Enrolled:
    """Give a device minimal licences bound to its key, or give them anew; `title` is the kind of device.

    That the caller holds the private half is not asked: without it he was given nothing.

    Raises:
        Problem: forbidden, where the caller is no person who acts for himself; invalid; not_found;
            licence_not_in_force; too_many_devices; or authorization_details_exceeded.
        StepUpNeeded, Problem: what `identity.demand` refuses.
    """
    holder, key = _holder(call), _key(body["public_key"])
    chosen = show.own(call, holder, body["licences"])
    types = {identifier.type_code(code) for code in chosen}
    demand(call, LICENCE_SHOW.name, licence_types=types, datatypes=(), matters=None)
    identity.demand(call, types)
    live = _live(call, holder)
    if key.kid not in (devices := {row.device for row in live}) and len(devices) >= MAX_DEVICES:
        raise Problem("too_many_devices", f"At most {MAX_DEVICES}.")
    places = {row.identifier: row.place for row in live if row.device == key.kid}
    given = tuple(_give(call, holder, code, key, title=title, place=places.get(code)) for code in chosen)
    audit.record(call, Deed.DEVICE_ENROLLED, subject=holder, licences=chosen, device=key.kid)
    return Enrolled(key.kid, given, call.now)


def listed(call: Call) -> list[dict[str, Any]]:
    """Return the caller's devices that can show offline now, the newest first.

    Raises:
        Problem: forbidden.
    """
    found: dict[str, dict[str, Any]] = {}
    for row in _live(call, _holder(call)):
        device = found.setdefault(
            row.device,
            {"device": row.device, "title": row.title, "made_at": row.made_at, "expires_at": row.expires_at, "of": {}},
        )
        device["of"][row.identifier] = None
    return [{**device, "licences": sorted(device.pop("of"))} for device in found.values()]


def end(call: Call, device: str) -> None:
    """End a device of the caller's own: the status lists say so, here it is known at once.

    Raises:
        Problem: forbidden or not_found.
    """
    holder = _holder(call)
    if not _end(call, holder, device):
        raise Problem("not_found", "You have no such device.")


def end_all(call: Call, subject: str) -> None:
    """End every device of a person: he has signed out everywhere, or may have lost one."""
    _end(call, subject, None)


def redeem(call: Call, text: str, asker: Asker) -> tuple[Check, DeviceCredential | None]:
    """Use a code up and return the credential it shows, or say why it shows nothing."""
    try:
        code = device_code.authenticate(text, call.keys.public(Purpose.LICENCE).values())
    except DeviceCodeError as error:
        is_revoked = error.code == "unknown_key" and _is_key_revoked(call, text)
        return _refusal(error.code, Reason.KEY_REVOKED if is_revoked else error.reason), None
    found = call.session.get(DeviceCredential, sha256(code.content).digest())
    refused = _refused(call, code, found, asker)
    if refused is not None or found is None:
        return refused or _refusal("not a credential we made", Reason.SIGNATURE_INVALID), None
    used = {
        "name_hash": code.name,
        "used_at": call.now,
        "expires_at": code.made_at + timedelta(seconds=device_code.SECONDS),
    }
    if not add_if_new(call.session, UsedDeviceCode, used):
        return _refusal("used before", Reason.REPLAYED), None
    return Check("code", Result.OK), found


def _refused(call: Call, code: Code, found: DeviceCredential | None, asker: Asker) -> Check | None:
    """Return why a code that is well signed shows nothing now; None if it does."""
    if call.session.get(UsedDeviceCode, code.name) is not None:
        return _refusal("used before", Reason.REPLAYED)
    if (reason := device_code.judge_time(code, call.now)) is not None:
        return _refusal(f"made {int((call.now - code.made_at).total_seconds())} s before now", reason)
    if found is not None and found.ended_at is not None:
        return _refusal("its holder has ended this device", Reason.DEVICE_ENDED)
    readers = {device_code.audience_of(unit) for unit in (asker.department, asker.client) if unit}
    if code.audience is not None and code.audience not in readers:
        return _refusal("made for another unit", Reason.WRONG_AUDIENCE)
    return None


def _refusal(detail: str, reason: Reason) -> Check:
    return Check("code", Result.FAIL, detail, reason)


def _is_key_revoked(call: Call, text: str) -> bool:
    named = device_code.short_kid(text).hex()
    infos = call.keys.list()
    return any(i.purpose is Purpose.LICENCE and i.state is KeyState.REVOKED and i.kid.startswith(named) for i in infos)


def _give(call: Call, holder: str, code: str, key: PublicKey, *, title: str | None, place: int | None) -> Given:
    """Make one credential; a device's next one of the same licence keeps its place, for its key links them anyway."""
    licence = change.find_held(call, holder, code)
    if licence is None or view.state(call, licence) is not State.VALID:
        raise Problem("licence_not_in_force", "Only a licence that holds can be shown offline.")
    metadata = artefacts.open_record(call, licence).metadata
    kind = catalogue.type_of(call, metadata)
    named = metadata.holders[0]
    face = Minimal(
        lc1.template(kind).identifier,
        view.masked_name(named),
        view.masked_number(named)[-device_code.TAIL :],
        metadata.valid_until,
    )
    if place is None:
        place = entries.allocate_place(call, licence, form="device")
    expires_at = _end_of_life(call, licence)
    signer = call.keys.signer(Purpose.LICENCE)
    made = device_code.issue(face, key=key, place=place, expires_at=expires_at, signer=signer)
    device_code.read_credential(made, [signer.public])
    row = {
        "digest": sha256(made).digest(),
        "subject": holder,
        "identifier": code,
        "device": key.kid,
        "title": title,
        "place": place,
        "made_at": call.now,
        "expires_at": expires_at,
        "ended_at": None,
    }
    add_if_new(call.session, DeviceCredential, row)
    return Given(code, kind.name, kind.name_en, b64u(made), expires_at)


def _end_of_life(call: Call, licence: Licence) -> datetime:
    """Return until when a credential is shown: a week, and no longer than its licence holds."""
    ends = (call.now + LIFE).replace(microsecond=0)
    if licence.valid_until is None:
        return ends
    return min(ends, datetime.combine(licence.valid_until + timedelta(days=1), time(), CHINA_STANDARD_TIME))


def _live(call: Call, holder: str) -> list[DeviceCredential]:
    query = select(DeviceCredential).where(
        DeviceCredential.subject == holder, DeviceCredential.ended_at.is_(None), DeviceCredential.expires_at > call.now
    )
    return list(call.session.scalars(query.order_by(DeviceCredential.made_at.desc(), DeviceCredential.digest)))


def _end(call: Call, subject: str, device: str | None) -> bool:
    """End the credentials of one device, or of all; return whether there were any."""
    mine = [DeviceCredential.subject == subject, DeviceCredential.ended_at.is_(None)]
    if device is not None:
        mine.append(DeviceCredential.device == device)
    statement = update(DeviceCredential).where(*mine).values(ended_at=call.now).returning(DeviceCredential.place)
    places = set(call.session.scalars(statement.execution_options(synchronize_session=False)))
    if not places:
        return False
    entries.end(call, places)
    audit.record(call, Deed.DEVICE_ENDED, subject=subject, device=device)
    return True


def _holder(call: Call) -> str:
    if call.caller.person is None or call.caller.principal is not None:
        raise Problem("forbidden", "Only a person who acts for himself shows from a device of his own.")
    return call.caller.person


def _key(jwk: dict[str, str]) -> PublicKey:
    try:
        return es256_public(unb64u(jwk["x"]), unb64u(jwk["y"]))
    except (ValueError, KeyMaterialError):
        raise Problem("invalid", "", errors=[FieldProblem("/public_key", "invalid", "no P-256 key")]) from None


signing_out.end_also(end_all)
