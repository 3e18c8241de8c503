"""The key ring (密钥环): every key of the house by purpose, with its life from pending to revoked.

A key is published before it signs (pending), signs alone (active), is trusted for what it signed (retired) until it
is revoked. The ring is an edge, not a noun: it reads files, locks them, and looks at the monotonic clock so that
another process's rotation is noticed within a second without a system call per request.
"""

from __future__ import annotations

import base64
import fcntl
import os
import secrets as random
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from keys.counted import count_of, counted
from keys.errors import RingError
from keys.imported import refuse_weak
from keys.keyfile import (
    NAMED,
    KeyFile,
    KeyInfo,
    Purpose,
    State,
    erase,
    read_all,
    refuse_foreign_writers,
    replace_file,
    write,
)
from keys.safe import Safe, make_own_kek
from keys.signer import PublicKey, Signer
from keys.snapshot import Snapshot, build

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from keys.pkcs11 import Token

__all__ = ["NAMED", "KeyInfo", "KeyRing", "Purpose", "RingError", "State"]

_LOOK_EVERY = 1.0  # seconds


class KeyRing:
    """All keys below one directory. Safe to share between threads; processes share it through the files."""

    def __init__(self, directory: Path, *, kek: bytes | None = None, token: Token | None = None) -> None:
        self._directory, self._kek, self._token = directory, kek, token
        self._safe = Safe()
        self._reloading = threading.Lock()
        self._looked_at = time.monotonic()
        with self._locked(fcntl.LOCK_SH):
            self._load({})

    @classmethod
    def open(
        cls, directory: Path, *, create: bool = False, kek: bytes | None = None, token: Token | None = None
    ) -> KeyRing:
        """Open the ring in `directory`; `create` makes an empty one where none is. RingError says what is wrong.

        `kek` wraps the private keys; without one a new ring gets its own (see `keys.safe`). `token` holds signing keys.
        """
        if create:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600))
        elif not (directory / "lock").exists():
            raise RingError(f"there is no key ring in {directory}: run `flask keys new` to create one")
        if create and kek is None and not any((directory / purpose).exists() for purpose in Purpose):
            make_own_kek(directory)
        return cls(directory, kek=kek, token=token)

    # -- reading ------------------------------------------------------------------------------------------------

    def signer(self, purpose: Purpose) -> Signer:
        """Return the active signing key of a purpose; RingError if it has none."""
        snapshot = self._now()
        return snapshot.signers[self._active(snapshot, purpose, secret=False)]

    def seal_signer(self, name: str, purpose: Purpose = Purpose.SEAL) -> Signer:
        """Return the active key of one electronic seal, SM2 or (DOCUMENT) P-256; RingError if there is none."""
        snapshot = self._now()
        if (purpose, name) not in snapshot.seals:
            raise RingError(f"no active {purpose} key is named {name!r}")
        return counted(snapshot.signers[snapshot.seals[purpose, name]], self._directory)

    def signatures(self, name: str) -> int:
        """Return how often the keys of one electronic seal have signed, those retired among them."""
        keys = (key.info for key in self._now().files.values())
        return sum(count_of(self._directory, key.kid) for key in keys if key.purpose in NAMED and key.name == name)

    def public(self, purpose: Purpose) -> Mapping[str, PublicKey]:
        """Return by kid all public keys a verifier may meet: pending, active and retired, never revoked."""
        return self._now().public[purpose]

    def secret(self, purpose: Purpose) -> bytes:
        """Return the active secret (32 bytes) of a purpose; RingError if it has none."""
        snapshot = self._now()
        return snapshot.secrets[purpose][self._active(snapshot, purpose, secret=True)]

    def secrets(self, purpose: Purpose) -> Mapping[str, bytes]:
        """Return by kid all secrets of a purpose that are pending, active or retired."""
        return self._now().secrets[purpose]

    def active_secret_id(self, purpose: Purpose) -> str:
        """Return the kid of the active secret (16 hex digits); RingError if there is none."""
        return self._active(self._now(), purpose, secret=True)

    def jwks(self, *purposes: Purpose) -> dict[str, list[dict[str, str]]]:
        """Return the public keys of some purposes as a JWK Set (RFC 7517 section 5)."""
        snapshot = self._now()
        return {
            "keys": [
                key.jwk() | {"kid": key.kid, "alg": str(key.algorithm), "use": "sig"}
                for purpose in purposes
                for key in snapshot.public[purpose].values()
            ]
        }

    def version(self) -> object:
        """Return an object that is another one after every change of the ring; it says nothing else."""
        return self._now()

    def list(self) -> tuple[KeyInfo, ...]:
        """Return what may be shown of every key, by purpose and then age."""
        order = {purpose: position for position, purpose in enumerate(Purpose)}
        infos = (key.info for key in self._now().files.values())
        return tuple(sorted(infos, key=lambda info: (order[info.purpose], info.created_at, info.kid)))

    def is_revoked(self, kid: str) -> bool:
        """Tell whether `kid` was ours and has been revoked, so that a verifier can say so."""
        key = self._now().files.get(kid)
        return key is not None and key.info.state is State.REVOKED

    def reload_if_changed(self, *, at_once: bool = False) -> None:
        """Take over what another process changed. Looks at most once a second unless `at_once`.

        Every reading method calls this; `at_once` is for a reader that met a kid it does not know.
        """
        moment = time.monotonic()
        if not at_once and moment - self._looked_at < _LOOK_EVERY:
            return
        if self._stamp() != self._loaded:
            with self._reloading:
                if self._stamp() != self._loaded:
                    with self._locked(fcntl.LOCK_SH):
                        self._load(self._snapshot.signers)
        self._looked_at = moment  # only now: a ring that cannot be read goes on failing, it does not serve old keys

    # -- changing -----------------------------------------------------------------------------------------------

    def new(self, purpose: Purpose, *, now: datetime) -> str:
        """Make a key and return its kid: active where the purpose has none, else pending (published ahead)."""
        self._refuse_seal(purpose)
        with self._changing() as snapshot:
            return self._create(purpose, State.PENDING if purpose in snapshot.active else State.ACTIVE, now)

    def new_seal_key(self, name: str, purpose: Purpose = Purpose.SEAL, *, now: datetime | None = None) -> PublicKey:
        """Make the key of the seal `name`, SM2 or (DOCUMENT) P-256; RingError while another of that name is active."""
        with self._changing() as snapshot:
            if (purpose, name) in snapshot.seals:
                raise RingError(f"the {purpose} key {name!r} exists: retire it first")
            kid = self._create(purpose, State.ACTIVE, now or datetime.now(UTC), name)
        return self.public(purpose)[kid]

    def rotate(self, purpose: Purpose, *, now: datetime) -> str:
        """Make the oldest pending key (or else a new one) active, retire the old one, return the new kid.

        Where tokens must verify everywhere at every moment, call `new` some seconds before: a key that was never
        pending is unknown to the other processes until they look.
        """
        self._refuse_seal(purpose)
        with self._changing() as snapshot:
            keys = [key for key in snapshot.files.values() if key.info.purpose is purpose]
            pending = [key for key in keys if key.info.state is State.PENDING]
            if pending:
                chosen = min(pending, key=lambda key: (key.info.created_at, key.info.kid))
                self._write(chosen.become(State.ACTIVE, now=now))
                kid = chosen.info.kid
            else:
                kid = self._create(purpose, State.ACTIVE, now)
            for key in keys:
                if key.info.state is State.ACTIVE:
                    self._write(key.become(State.RETIRED))
            return kid

    def retire(self, kid: str) -> None:
        """Stop signing with a key but go on trusting what it signed. The active key of a purpose is rotated instead."""
        with self._changing() as snapshot:
            key = self._known(snapshot, kid)
            if key.info.state not in {State.PENDING, State.ACTIVE}:
                raise RingError(f"{kid} is {key.info.state} already")
            if snapshot.active.get(key.info.purpose) == kid:
                raise RingError(f"{kid} is the active {key.info.purpose} key: rotate the purpose instead")
            self._write(key.become(State.RETIRED))

    def revoke(self, kid: str) -> None:
        """Stop trusting a key at once, even the active one: its purpose then refuses to sign until `new`.

        Revoking a FIELDS secret makes everything encrypted under it unreadable.
        """
        with self._changing() as snapshot:
            self._write(self._known(snapshot, kid).become(State.REVOKED))

    def erase(self, kid: str) -> None:
        """Destroy the private half of a seal's key (销毁). What it signed is judged by its certificate, as before."""
        with self._changing() as snapshot:
            key = self._known(snapshot, kid)
            if key.info.purpose not in NAMED:
                raise RingError("only keys of seals are erased: retire or revoke this one")
            if key.info.state is not State.ERASED:
                self._safe.erase(key.private)
                erase(self._directory, key)

    def take_in(self, name: str, private: str, purpose: Purpose = Purpose.SEAL, *, now: datetime) -> PublicKey:
        """Take in the key of the seal `name` that was made elsewhere, as `keys.signer` writes it; refuse a weak one."""
        refuse_weak(purpose.algorithm, private)
        with self._changing() as snapshot:
            if (purpose, name) in snapshot.seals:
                raise RingError(f"the {purpose} key {name!r} exists: retire it first")
            kid = self._create(purpose, State.ACTIVE, now, name, private)
        return self.public(purpose)[kid]

    def wrap_all(self) -> int:
        """Wrap every private key anew by the key-encryption key that comes first, and return how many.

        A ring without one gets its own.
        """
        if self._kek is None:
            make_own_kek(self._directory)
        with self._changing() as snapshot:
            for key in snapshot.files.values():
                self._write(key)
            return len(snapshot.files)

    def ensure_all(self, now: datetime) -> None:
        """Give every purpose but those of seals an active key."""
        with self._changing() as snapshot:
            for purpose in Purpose:
                if purpose not in NAMED and purpose not in snapshot.active:
                    self._create(purpose, State.ACTIVE, now)

    # -- inside -------------------------------------------------------------------------------------------------

    def _now(self) -> Snapshot:
        self.reload_if_changed()
        return self._snapshot

    @staticmethod
    def _active(snapshot: Snapshot, purpose: Purpose, *, secret: bool) -> str:
        if purpose in NAMED or (purpose.algorithm is None) is not secret:
            raise RingError(f"{purpose} is not for that")
        if purpose not in snapshot.active:
            raise RingError(f"no active {purpose} key: run `flask keys new`")
        return snapshot.active[purpose]

    @staticmethod
    def _refuse_seal(purpose: Purpose) -> None:
        if purpose in NAMED:
            raise RingError("seal keys have names: use new_seal_key and retire")

    @staticmethod
    def _known(snapshot: Snapshot, kid: str) -> KeyFile:
        if kid not in snapshot.files:
            raise RingError(f"no key has the id {kid!r}")
        return snapshot.files[kid]

    def _write(self, key: KeyFile) -> None:
        write(self._directory, key, self._safe)

    def _create(
        self, purpose: Purpose, state: State, now: datetime, name: str | None = None, private: str | None = None
    ) -> str:
        if now.tzinfo is None:
            raise RingError("a key's time needs a zone")
        if purpose.algorithm is None:
            private, kid = base64.b64encode(random.token_bytes(32)).decode(), random.token_hex(8)
        else:
            private = private or self._safe.make(purpose.algorithm, f"{purpose}-{random.token_hex(16)}")
            kid = self._safe.signer(purpose.algorithm, private).kid
        info = KeyInfo(
            purpose=purpose,
            kid=kid,
            algorithm=purpose.algorithm or "secret",
            state=state,
            created_at=now,
            activated_at=now if state is State.ACTIVE else None,
            name=name,
        )
        self._write(KeyFile(info, private))
        return kid

    @contextmanager
    def _changing(self) -> Iterator[Snapshot]:
        """Be the only one to change the ring, from its newest state; then let every process know."""
        with self._reloading, self._locked(fcntl.LOCK_EX):
            self._load(self._snapshot.signers)
            try:
                yield self._snapshot
            finally:  # a change that failed half way is also a change
                replace_file(self._directory / "generation", random.token_hex(16).encode())
                self._load(self._snapshot.signers)

    @contextmanager
    def _locked(self, kind: int) -> Iterator[None]:
        try:
            descriptor = os.open(self._directory / "lock", os.O_RDONLY)
        except OSError as error:
            raise RingError(f"the key ring in {self._directory} cannot be opened: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, kind)
            yield
        finally:
            os.close(descriptor)

    def _stamp(self) -> tuple[int, int] | None:
        """A new generation file has a new inode and time."""
        try:
            found = (self._directory / "generation").stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns

    def _load(self, known: Mapping[str, Signer]) -> None:
        stamp = self._stamp()
        refuse_foreign_writers(self._directory)
        self._safe = Safe.of(self._directory, given=self._kek, token=self._token)  # the ring may have got one just now
        self._snapshot = build(read_all(self._directory, self._safe), known, self._safe)
        self._loaded = stamp
