"""Gather what the trust bundle says, and publish it (信任包发布) whenever it would say something else."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from idservice.call import Call, Caller
from keys.base64url import b64u, unb64u
from keys.ring import Purpose, State
from licences import catalogue
from licences.catalogue_models import LicenceTypeVersion
from licences.formats import lc1
from licences.status import files
from licences.status.edition import name_of, uri_of
from licences.status.publish import LOCK, RENEW, numbers
from licences.trust import bundle

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from idservice.call import House
    from keys.ring import KeyInfo
    from licences.definition import LicenceType

NAME: Final = "trust-bundle"
LIFE: Final = timedelta(days=7)
PUBLISHER: Final = Caller(channel="cli", client_id="publisher")
#: The purposes whose keys a verifier needs, and how the bundle calls them.
USES: Final = {
    Purpose.LICENCE: bundle.LICENCE,
    Purpose.LICENCE_SM2: bundle.LICENCE_SM2,
    Purpose.TRUST: bundle.TRUST,
}

_EDITION = ("sequence", "iat", "exp")


def publish(house: House, now: datetime) -> bool:
    """Sign the bundle anew if it would say something else, is an hour old, or was signed by another key.

    Raises:
        RingError: there is no active key of the purpose `trust`.
    """

    def is_due(session: Session) -> bool:
        found, signer = files.find(session, NAME), house.keys.signer(Purpose.TRUST)
        if found is None or found.kid != signer.kid or found.published_at <= now - RENEW:
            return True
        stated = _payload(found.content)
        return {name: value for name, value in stated.items() if name not in _EDITION} != body(house, session, now)

    return house.database.run(is_due, write=False) and house.database.run(partial(_sign, house, now), write=True)


def body(house: House, session: Session, now: datetime) -> dict[str, Any]:
    """Return what a bundle would say now, beside its number and dates."""
    issuer = house.settings.signs_as
    infos = [info for info in house.keys.list() if info.purpose in USES]
    call = Call(house, session, PUBLISHER, now)
    entries = catalogue.entries(call).values()
    dictionary = {"id": "D1", "sha256": lc1.DICTIONARY_SHA256, "data": b64u(lc1.dictionary())}
    issuers = {each.department: each.name for entry in entries for each in entry.authorities}
    stated = {
        "issuer": issuer,
        "keys": [found for info in infos for found in _key(house, info, issuer)],
        "revoked_keys": [{"kid": i.kid, "use": USES[i.purpose]} for i in infos if i.state is State.REVOKED],
        "dictionaries": [dictionary],
        "templates": _templates(call),
        "issuers": [{"code": code, "name": name} for code, name in sorted(issuers.items())],
    }
    room = bundle.MAX_PAYLOAD - len(json.dumps(stated, ensure_ascii=False).encode())
    return {**stated, "status_lists": _lists(session, issuer, room)}


def _key(house: House, info: KeyInfo, issuer: str) -> list[dict[str, Any]]:
    """Return a key as the bundle states it; nothing where it was revoked, perhaps this moment."""
    key = house.keys.public(info.purpose).get(info.kid)
    if key is None:
        return []
    begins = info.activated_at or info.created_at
    return [
        {
            "kid": info.kid,
            "jwk": {**key.jwk(), "alg": str(key.algorithm)},
            "issuer": issuer,
            "use": USES[info.purpose],
            "not_before": int(begins.timestamp()),
            "not_after": None,  # what a retired key signed goes on being true
        }
    ]


def _templates(call: Call) -> list[dict[str, Any]]:
    """Return the template of every version of every type: what was printed under an old one is still about."""
    every = select(LicenceTypeVersion.code, LicenceTypeVersion.version).order_by("code", "version")
    kinds = [catalogue.type_at(call, code, version) for code, version in call.session.execute(every)]
    kinds += [entry.type for entry in catalogue.entries(call).values()]
    return list({found["id"]: found for found in map(_template, kinds)}.values())


def _template(kind: LicenceType) -> dict[str, Any]:
    template = lc1.template(kind)
    fields = [{"name": f.name, "title": f.title, "title_en": f.title_en, "type": str(f.type)} for f in template.fields]
    named = {"type": kind.code, "name": kind.name, "name_en": kind.name_en}
    return {"id": template.identifier.hex(), **named, "fields": fields}


def _lists(session: Session, issuer: str, room: int) -> list[dict[str, Any]]:
    """Return all lists with their tokens, newest first; beyond so many bytes the tokens are left out."""
    listed: list[dict[str, Any]] = []
    for number in reversed(numbers(session)):
        found = files.find(session, name_of(number, "jwt"))
        entry: dict[str, Any] = {"number": number, "uri": uri_of(issuer, number)}
        if found is not None and len(found.content) <= room:
            room -= len(found.content)
            entry["token"] = found.content.decode("ascii")
        listed.append(entry)
    return listed


def _sign(house: House, now: datetime, session: Session) -> bool:
    if not house.database.try_lock(session, LOCK):
        return False
    former, signer = files.find(session, NAME), house.keys.signer(Purpose.TRUST)
    following = _payload(former.content)["sequence"] + 1 if former is not None else 0
    moment = int(now.timestamp())
    made = bundle.write(
        body(house, session, now),
        sequence=max(moment, following),  # rises also where the database was lost
        issued_at=moment,
        expires_at=moment + int(LIFE.total_seconds()),
        signer=signer,
    )
    files.store(session, NAME, made.encode("ascii"), kid=signer.kid, now=now)
    return True


def _payload(content: bytes) -> dict[str, Any]:
    """Return what our own bundle says."""
    found: dict[str, Any] = json.loads(unb64u(content.split(b".")[1].decode("ascii")))
    return found
