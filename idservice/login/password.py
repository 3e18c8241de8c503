"""Passwords (口令): Argon2id (RFC 9106), at most a few at a time.

Unknown number, wrong password and locked account cost the same work: one key derivation, the same queries, one audit
row. Which of them it was is decided in one statement after the derivation, so that parallel guesses gain nothing.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, insert

from idservice.errors import Problem
from idservice.models import Password

if TYPE_CHECKING:
    from idservice.call import Call, House
    from idservice.db import Database

MIN_CHARACTERS = 8  # NIST SP 800-63B-4 section 3.1.1.2
MAX_BYTES = 1024
WAIT_SECONDS = 3.0

# OWASP's parameters for Argon2id: 19 MiB, two passes, one lane.
_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
# The hash of a random value nobody kept: what a number without a password is checked against.
NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$JM1qWLNEIVTHVGH6VEdzAQ$V79O7PeAqBKjYG3R+l1B2KWyti+A/Im+/R6kqy5Ehms"
_gates: WeakKeyDictionary[Database, threading.BoundedSemaphore] = WeakKeyDictionary()


class PasswordRefused(ValueError):
    """The password may not be set: too short, or longer than is ever hashed."""


def set_password(call: Call, subject: str, password: str) -> None:
    """Give a person a password, replacing the old one and lifting its lock.

    Raises:
        PasswordRefused: fewer than 8 characters or more than 1024 bytes.
    """
    refuse_length(password)
    derived = _hasher.hash(password.encode())  # before the first write: it takes tens of milliseconds
    call.session.execute(delete(Password).where(Password.subject == subject))
    call.session.execute(
        insert(Password),
        {
            "subject": subject,
            "hash": derived,
            "changed_at": call.now,
            "failures": 0,
            "locked_until": None,
        },
    )


def refuse_length(password: str) -> None:
    """Raise PasswordRefused for fewer than 8 characters or more than 1024 bytes."""
    if len(password) < MIN_CHARACTERS or len(password.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise PasswordRefused("a password has at least 8 characters and at most 1024 bytes")


def matches(house: House, known: str | None, given: str) -> bool:
    """Return whether `given` is the password whose hash is `known`; without one, do the same work and return False.

    Must be called outside a transaction: it takes tens of milliseconds and may wait for its turn.

    Raises:
        Problem: unavailable, if no turn comes within some seconds.
    """
    secret = given.encode("utf-8", "surrogatepass")
    if not 0 < len(secret) <= MAX_BYTES:
        known, secret = None, b"refused for its length"
    gate = _gate(house)
    if not gate.acquire(timeout=WAIT_SECONDS):
        raise Problem("unavailable", "Too many people log in right now.", headers={"Retry-After": "5"})
    try:
        return _verify(known or NOBODY, secret) and known is not None
    finally:
        gate.release()


def _verify(known: str, secret: bytes) -> bool:
    try:
        return _hasher.verify(known, secret)
    except (VerificationError, InvalidHashError):
        return False


def _gate(house: House) -> threading.BoundedSemaphore:
    gate = _gates.get(house.database)
    if gate is None:
        gate = _gates.setdefault(house.database, threading.BoundedSemaphore(house.settings.password_hashes_at_once))
    return gate
