"""Checks of real persons (实人核验): a checker looks at the face, or asks 网证, and signs what it found.

Our question is a nonce: good once, for ten minutes, for one checker, and for the browser that asked. The checker finds
out by itself whom it sees; its answer is a JWS by its own key (`iss` its name, `aud` our issuer, `nonce`, `alive`,
`who`), where `who` is HMAC-SHA-256 by the nonce over number and name: it tells nobody anything who does not know both.
"""

from __future__ import annotations

import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from idservice import audit
from idservice.ids import secret_hash, timed_id
from idservice.login import demo_checker
from idservice.login.deeds import Deed
from idservice.login.models import PersonCheck, Proofing
from idservice.models import LoginSession, Person
from idservice.register import people
from keys import claims
from keys.jwk import parse
from keys.jws import JWSError, decode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from idservice.call import Call, House
    from keys.signer import PublicKey

LIFE = timedelta(minutes=10)
TYPE = "ona-proofing+jwt"
REAL_PERSON = 3  # the level that a check of the real person proves
AT_COUNTER, COUNTER = 4, "counter"  # the level of who was there himself with his identity card, and who checked it
RAISE, RECOVERY = "raise", "recovery"


@dataclass(frozen=True, slots=True)
class Checker:
    """Somebody whose word counts: where a browser finds him, and the key he signs with."""

    name: str
    zh: str
    en: str
    url: str
    key: PublicKey


@dataclass(frozen=True, slots=True)
class Question:
    """What the browser carries to a checker."""

    checker: Checker
    nonce: str


def checkers(house: House) -> dict[str, Checker]:
    """Return by name the checkers of the settings; a demonstration has two of its own."""
    found = _configured(house.settings.person_checkers) if house.settings.person_checkers else {}
    if house.settings.demo:
        found = {**_demonstration(house), **found}
    return found


def begin(call: Call, subject: str, checker: str, *, purpose: str, browser: str) -> Question | None:
    """Enter a question about a person; None where there is no such checker."""
    chosen = checkers(call.house).get(checker)
    if chosen is None:
        return None
    nonce = secrets.token_urlsafe(32)
    call.session.execute(
        insert(Proofing),
        {
            "nonce_hash": secret_hash(nonce),
            "subject": subject,
            "checker": chosen.name,
            "purpose": purpose,
            "bound_to": secret_hash(browser),
            "expires_at": call.now + LIFE,
            "answered_at": None,
            "used_at": None,
        },
    )
    return Question(chosen, nonce)


def answer(call: Call, result: str) -> str | None:
    """Take a checker's word, once; return the name under which the browser fetches what follows from it.

    None for everything that is not the word of the asked checker that this very person is there, alive.
    """
    for checker in checkers(call.house).values():
        payload = _payload(call, checker, result)
        if payload is not None:
            return _accept(call, checker, payload)
    return None


def claim(call: Call, name: str, *, browser: str) -> Proofing | None:
    """Use an answered question up, in the browser that asked it; None in any other, or a second time."""
    try:
        nonce_hash = bytes.fromhex(name)
    except ValueError:
        return None
    used = update(Proofing).where(
        Proofing.nonce_hash == nonce_hash,
        Proofing.bound_to == secret_hash(browser),
        Proofing.answered_at.is_not(None),
        Proofing.used_at.is_(None),
        Proofing.expires_at > call.now,
    )
    return call.session.scalar(used.values(used_at=call.now).returning(Proofing))


def raise_level(call: Call, subject: str, checker: str, *, level: int = REAL_PERSON) -> bool:
    """Enter that a person has been checked as real; the same or a higher level stays."""
    raised = update(Person).where(Person.subject == subject, Person.level < level, Person.status == "active")
    if call.session.scalar(raised.values(level=level).returning(Person.subject)) is None:
        return False
    made = {"subject": subject, "check_id": timed_id(call.now), "level": level}
    call.session.execute(insert(PersonCheck), {**made, "checker": checker, "at": call.now})
    live = (LoginSession.subject == subject, LoginSession.ended_at.is_(None))
    call.session.execute(update(LoginSession).where(*live).values(level=level))
    audit.record(call, Deed.LEVEL_RAISED, subject=subject, level=level, checker=checker)
    return True


def checks_of(call: Call, subject: str) -> Sequence[PersonCheck]:
    """Return the checks that raised somebody's level, the oldest first."""
    query = select(PersonCheck).where(PersonCheck.subject == subject).order_by(PersonCheck.check_id)
    return call.session.scalars(query).all()


def who(nonce: str, number: str, name: str) -> str:
    """Return what a checker says of the person it saw, under this nonce."""
    return hmac.digest(nonce.encode(), f"{number}|{name}".encode(), "sha256").hex()


def _payload(call: Call, checker: Checker, result: str) -> dict[str, Any] | None:
    try:
        payload = decode(result, keys={checker.key.kid: checker.key}, typ=TYPE).payload
        lifetime = int(LIFE.total_seconds())
        issuer = call.settings.issuer
        claims.check(payload, issuer=checker.name, audience=issuer, now=call.now, max_lifetime=lifetime)
    except JWSError:
        return None
    return payload


def _accept(call: Call, checker: Checker, payload: dict[str, Any]) -> str | None:
    nonce, seen = payload.get("nonce"), payload.get("who")
    if not isinstance(nonce, str) or not isinstance(seen, str) or payload.get("alive") is not True:
        return None
    row = call.session.get(Proofing, secret_hash(nonce))
    person = people.facts(call, row.subject) if row is not None else None
    if row is None or person is None or row.checker != checker.name or row.expires_at <= call.now:
        return None
    if not seen.isascii() or not hmac.compare_digest(seen, who(nonce, person.number, person.name)):
        return None
    once = update(Proofing).where(Proofing.nonce_hash == row.nonce_hash, Proofing.answered_at.is_(None))
    taken = call.session.scalar(once.values(answered_at=call.now).returning(Proofing.purpose))
    return row.nonce_hash.hex() if taken is not None else None


@lru_cache(maxsize=4)
def _configured(path: Path) -> dict[str, Checker]:
    """Read the file of ONA_PERSON_CHECKERS: a list of objects with name, zh, en, url and jwk."""
    listed = json.loads(path.read_text("utf-8"))
    return {
        one["name"]: Checker(one["name"], one["zh"], one["en"], one["url"], parse({**one["jwk"], "kid": one["name"]}))
        for one in listed
    }


def _demonstration(house: House) -> dict[str, Checker]:
    key = demo_checker.signer(house.keys).public
    words = {
        "face": ("人脸核验（演示）", "Face check (demonstration)"),
        "ctid": ("网证（演示）", "网证 (demonstration)"),
    }
    return {name: Checker(name, zh, en, demo_checker.PATH, key) for name, (zh, en) in words.items()}
