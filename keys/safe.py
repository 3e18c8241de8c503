"""Where private keys are kept (密钥保管): wrapped by a key-encryption key (AES-256-GCM), or inside a PKCS #11 module.

A wrapped key is bound to its purpose and identifier, so that nobody swaps one file's key for another's. The
key-encryption key comes from outside (a secret store, another disk), or lies in `KEYS_DIR/kek` where none is set:
then a backup that leaves this one file out is worth nothing to a thief, and erasing it erases all keys.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keys.errors import RingError
from keys.signer import Algorithm, KeyMaterialError, Signer, generate_private, load_private

if TYPE_CHECKING:
    from pathlib import Path

    from keys.pkcs11 import Token

KEK_BYTES = 32
KEK_FILE = "kek"
_WRAPPED, _IN_MODULE = "kek1:", "pkcs11:"
_NONCE = 12


@dataclass(frozen=True, slots=True)
class Safe:
    """Wraps what is written and opens what is read. New keys are wrapped by the first of `keks`, older ones by any.

    With a `token`, signing keys that it can hold are made inside it and never leave it.
    """

    keks: tuple[bytes, ...] = field(default=(), repr=False)
    token: Token | None = None

    @classmethod
    def of(cls, directory: Path, *, given: bytes | None = None, token: Token | None = None) -> Safe:
        """Return the safe of a key ring's directory: the `given` key-encryption key, and the directory's own."""
        own = _own_kek(directory)
        return cls(tuple(kek for kek in (given, own) if kek is not None), token)

    def make(self, algorithm: Algorithm, label: str) -> str:
        """Make a private key and return its text; in the module it is a reference that tells nothing."""
        if self.token is not None and algorithm is Algorithm.ES256:
            self.token.generate(label)
            return _IN_MODULE + label
        return generate_private(algorithm)

    def signer(self, algorithm: Algorithm, private: str) -> Signer:
        """Return the signer of a private key's text. Raise KeyMaterialError."""
        if not private.startswith(_IN_MODULE):
            return load_private(algorithm, private)
        if self.token is None or algorithm is not Algorithm.ES256:
            raise KeyMaterialError("the key is in a PKCS #11 module that is not configured")
        return self.token.signer(private.removeprefix(_IN_MODULE))

    def erase(self, private: str) -> None:
        """Delete a private key from the module; what is in a file is the file's business."""
        if private.startswith(_IN_MODULE) and self.token is not None:
            self.token.destroy(private.removeprefix(_IN_MODULE))

    def wrap(self, private: str, place: str) -> str:
        """Return the text as it is stored at `place`."""
        if not self.keks or not private or private.startswith(_IN_MODULE):
            return private
        nonce = secrets.token_bytes(_NONCE)
        sealed = AESGCM(self.keks[0]).encrypt(nonce, private.encode(), place.encode())
        return _WRAPPED + base64.b64encode(nonce + sealed).decode()

    def unwrap(self, stored: str, place: str) -> str:
        """Return the private text of what is stored at `place`. Raise RingError."""
        if not stored.startswith(_WRAPPED):
            return stored
        try:
            blob = base64.b64decode(stored.removeprefix(_WRAPPED), validate=True)
        except binascii.Error:
            raise RingError(f"the private key of {place} is damaged") from None
        for kek in self.keks:
            try:
                return AESGCM(kek).decrypt(blob[:_NONCE], blob[_NONCE:], place.encode()).decode()
            except (InvalidTag, ValueError):
                continue
        raise RingError(f"no key-encryption key at hand opens {place}: set ONA_KEY_ENCRYPTION_KEY to the one it had")


def decode_kek(text: str) -> bytes:
    """Return the key-encryption key that a setting holds in base64. Raise RingError."""
    try:
        kek = base64.b64decode(text, validate=True)
    except binascii.Error:
        kek = b""
    if len(kek) != KEK_BYTES:
        raise RingError(f"a key-encryption key is base64 of {KEK_BYTES} random bytes: openssl rand -base64 {KEK_BYTES}")
    return kek


def make_own_kek(directory: Path) -> None:
    """Give a directory a key-encryption key of its own, unless it has one."""
    try:
        descriptor = os.open(directory / KEK_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "wb") as file:
        file.write(base64.b64encode(secrets.token_bytes(KEK_BYTES)) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _own_kek(directory: Path) -> bytes | None:
    path = directory / KEK_FILE
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise RingError(f"{path} is readable by other accounts: chmod 600 it, and rotate every key")
            text = file.read(256).decode("ascii", "replace").strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RingError(f"{path} cannot be read: {error.strerror}") from None
    return decode_kek(text)
