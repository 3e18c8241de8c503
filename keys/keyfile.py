"""One key, one file: `<directory>/<purpose>/<kid>.json`, readable by its owner alone, replaced atomically.

The ring (`keys/ring.py`) says what keys mean; this file says how they lie on disk.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from keys.errors import RingError
from keys.safe import Safe
from keys.signer import Algorithm
from keys.strict_json import StrictJSONError, strict_json

if TYPE_CHECKING:
    from pathlib import Path

_KID = re.compile(r"[0-9a-f]{16}\Z")
_MAX_FILE = 16_384
_PLAIN = Safe()


class Purpose(StrEnum):
    """What a key is for. The list is closed, and no key serves two purposes."""

    ID_TOKEN = "id-token"
    ACCESS_TOKEN = "access-token"
    LICENCE = "licence"
    LICENCE_SM2 = "licence-sm2"  # codes on paper for readers that trust SM2 alone
    CHECKPOINT = "checkpoint"
    TRUST = "trust"
    RECEIPT = "receipt"  # receipts of consents
    VERIFIER = "verifier"  # requests to wallets
    SEAL = "seal"  # SM2 keys of electronic seals (电子印章), one per name
    DOCUMENT = "document"  # P-256 keys that the same seals use on a PDF (PAdES), one per name
    TIMESTAMP = "timestamp"  # P-256 keys of a time-stamp authority (RFC 3161), by name
    INDEX = "index"  # blind index of personal data
    FIELDS = "fields"  # key-encryption key of personal data
    SESSION = "session"  # cookies and CSRF
    SUBJECT = "subject"  # pairwise subjects
    TOKEN = "token"  # keyed hashes of client secrets and tokens

    @property
    def algorithm(self) -> Algorithm | None:
        """The one signature algorithm of the purpose; None for a secret of 32 random bytes."""
        return _ALGORITHMS.get(self)


_ALGORITHMS = {
    Purpose.ID_TOKEN: Algorithm.ES256,
    Purpose.ACCESS_TOKEN: Algorithm.ES256,
    Purpose.LICENCE: Algorithm.ES256,
    Purpose.LICENCE_SM2: Algorithm.SM2,
    Purpose.CHECKPOINT: Algorithm.EDDSA,
    Purpose.TRUST: Algorithm.ES256,
    Purpose.RECEIPT: Algorithm.ES256,
    Purpose.VERIFIER: Algorithm.ES256,
    Purpose.SEAL: Algorithm.SM2,
    Purpose.DOCUMENT: Algorithm.ES256,
    Purpose.TIMESTAMP: Algorithm.ES256,
}

NAMED = frozenset(
    {Purpose.SEAL, Purpose.DOCUMENT, Purpose.TIMESTAMP}
)  # these keys have names; of others a purpose has one active key


class State(StrEnum):
    """The life of a key: published ahead, in use, still trusted for what it made, no longer trusted at all."""

    PENDING = "pending"
    ACTIVE = "active"
    RETIRED = "retired"
    REVOKED = "revoked"
    ERASED = "erased"  # a seal's: its private half is gone for good; its certificate says what it made


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What may be shown of a key; times are UTC. `name` is set for the keys of seals only."""

    purpose: Purpose
    kid: str
    algorithm: str  # an Algorithm, or "secret"
    state: State
    created_at: datetime
    activated_at: datetime | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A key with its private material: PKCS #8 PEM, or base64 of a secret or of an SM2 key pair."""

    info: KeyInfo
    private: str = field(repr=False)

    def become(self, state: State, *, now: datetime | None = None) -> KeyFile:
        """Return the same key in another state; `now` is when it became active."""
        return replace(self, info=replace(self.info, state=state, activated_at=now or self.info.activated_at))


def read_all(directory: Path, safe: Safe = _PLAIN) -> list[KeyFile]:
    """Read every key below `directory`; RingError for one that others may read or that is damaged."""
    return [
        _read(path, purpose, safe)
        for purpose in Purpose
        if (directory / purpose).is_dir()
        for path in sorted((directory / purpose).glob("*.json"))
    ]


def write(directory: Path, key: KeyFile, safe: Safe = _PLAIN) -> None:
    """Write or replace the key's file."""
    folder = directory / key.info.purpose
    folder.mkdir(mode=0o700, exist_ok=True)
    record = {
        "purpose": key.info.purpose,
        "kid": key.info.kid,
        "algorithm": key.info.algorithm,
        "state": key.info.state,
        "created_at": _text(key.info.created_at),
        "activated_at": _text(key.info.activated_at) if key.info.activated_at else None,
        "name": key.info.name,
        "private": safe.wrap(key.private, _place(key.info)),
    }
    replace_file(folder / f"{key.info.kid}.json", json.dumps(record, ensure_ascii=False, indent=1).encode())


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` at `path` so that a reader, or a crash at any moment, finds the old or the new bytes, never half."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # or the rename itself may be lost with the power
    finally:
        os.close(folder)


def refuse_foreign_writers(directory: Path) -> None:
    """Refuse a directory in which another account could put keys of its own."""
    for folder in (directory, *(directory / purpose for purpose in Purpose)):
        if folder.is_dir() and folder.stat().st_mode & 0o022:
            raise RingError(f"{folder} is writable by other accounts: chmod 700 it, then check every key in it")


def _read(path: Path, purpose: Purpose, safe: Safe) -> KeyFile:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise RingError(f"{path} is readable by other accounts: chmod 600 it, and rotate the key")
            data = file.read(_MAX_FILE + 1)
        key = _parse(strict_json(data, max_bytes=_MAX_FILE))
    except OSError as error:
        raise RingError(f"{path} cannot be read: {error.strerror}") from None
    except (StrictJSONError, KeyError, TypeError, ValueError, OverflowError):
        raise RingError(f"{path} is not a key file") from None
    if key.info.purpose is not purpose or key.info.kid != path.stem:
        raise RingError(f"{path} holds a key of another place")
    if key.info.algorithm != (purpose.algorithm or "secret"):
        raise RingError(f"{path} holds a key of another algorithm")
    return replace(key, private=safe.unwrap(key.private, _place(key.info)))


def erase(directory: Path, key: KeyFile) -> None:
    """Replace the key's file by one without the private half, which is overwritten first as far as disks do that."""
    path = directory / key.info.purpose / f"{key.info.kid}.json"
    with path.open("r+b") as file:
        file.write(secrets.token_bytes(os.fstat(file.fileno()).st_size))
        file.flush()
        os.fsync(file.fileno())
    write(directory, replace(key.become(State.ERASED), private=""))


def _place(info: KeyInfo) -> str:
    """Return what a wrapped key is bound to."""
    return f"{info.purpose}/{info.kid}"


def _parse(record: object) -> KeyFile:
    if not isinstance(record, dict) or not isinstance(record["private"], str):
        raise TypeError
    name = record["name"]
    if not (name is None or isinstance(name, str)) or not _KID.match(record["kid"]):
        raise ValueError
    activated_at = record["activated_at"]
    return KeyFile(
        KeyInfo(
            purpose=Purpose(record["purpose"]),
            kid=record["kid"],
            algorithm=record["algorithm"],
            state=State(record["state"]),
            created_at=_time(record["created_at"]),
            activated_at=None if activated_at is None else _time(activated_at),
            name=name,
        ),
        record["private"],
    )


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without zone")
    return moment.astimezone(UTC)
