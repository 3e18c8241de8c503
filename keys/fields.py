"""Personal data at rest: AES-256-GCM (NIST SP 800-38D) for the value, HMAC-SHA-256 for finding it again.

A sealed field is `01 | key id (8) | nonce (12) | ciphertext and tag (16)`: 37 bytes more than the value. What stands
around it (table, column, row, version) is authenticated, so a ciphertext copied to another row does not open.
Every column has its own data key, derived by HKDF (RFC 5869) from the ring's secret, so each stays far below the
2^32 random nonces that SP 800-38D section 8.3 allows a key.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from keys.keyfile import Purpose

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from keys.ring import KeyRing

_FORMAT = b"\x01"
_KEY_END = 9
_NONCE_END = 21
_OVERHEAD = _NONCE_END + 16


class FieldError(Exception):
    """A sealed field does not open: altered, moved from its row, or its key is gone. Says nothing of the content."""


class FieldCipher:
    """Seals and finds personal data with the ring's FIELDS and INDEX secrets; share one per process."""

    def __init__(self, ring: KeyRing | _Moment) -> None:
        self._ring = ring
        # Bounded: keys are code constants (tables, columns, index names) times the ring's few secrets.
        self._ciphers: dict[tuple[str, str, str], AESGCM] = {}
        self._heads: dict[tuple[str, str], bytes] = {}
        self._index_keys: dict[tuple[str, str], HMAC] = {}

    def for_portion(self) -> FieldCipher:
        """Return a cipher with the secrets of this moment, for one portion of many rows and no longer.

        A secret that is revoked stops working with the next portion; asking the ring for each field of thousands of
        rows costs as much as encrypting it.
        """
        if isinstance(self._ring, _Moment):
            return self
        made = FieldCipher(_Moment(self._ring))
        made._ciphers, made._heads, made._index_keys = self._ciphers, self._heads, self._index_keys
        return made

    def seal(self, plaintext: bytes, *, table: str, column: str, row: str, version: int = 1) -> bytes:
        """Encrypt one value for its place. `row` is the primary key as text, `version` that of the row's format."""
        kid = self._ring.active_secret_id(Purpose.FIELDS)
        head = _FORMAT + bytes.fromhex(kid) + secrets.token_bytes(12)
        cipher = self._cipher(kid, table, column)
        return head + cipher.encrypt(head[_KEY_END:], plaintext, self._place(table, column, row, version))

    def seal_many(
        self, values: Sequence[bytes], *, table: str, column: str, rows: Sequence[str], version: int = 1
    ) -> list[bytes]:
        """Encrypt many values of one column as `seal` does, each for its row; one key and one ask for nonces."""
        kid = self._ring.active_secret_id(Purpose.FIELDS)
        encrypt, place = self._cipher(kid, table, column).encrypt, self._place
        head, nonces = _FORMAT + bytes.fromhex(kid), secrets.token_bytes(12 * len(values))
        sealed: list[bytes] = []
        for start, value, row in zip(range(0, len(nonces), 12), values, rows, strict=True):
            nonce = nonces[start : start + 12]
            sealed.append(head + nonce + encrypt(nonce, value, place(table, column, row, version)))
        return sealed

    def open(self, blob: bytes, *, table: str, column: str, row: str, version: int = 1) -> bytes:
        """Decrypt what `seal` returned for the same place; FieldError otherwise."""
        if len(blob) < _OVERHEAD or blob[:1] != _FORMAT:
            raise FieldError("not a sealed field")
        cipher = self._cipher(blob[1:_KEY_END].hex(), table, column)
        try:
            place = self._place(table, column, row, version)
            return cipher.decrypt(blob[_KEY_END:_NONCE_END], blob[_NONCE_END:], place)
        except InvalidTag:
            raise FieldError("altered, or moved from its place") from None

    def index(self, field: str, value: str) -> bytes:
        """Return the blind index (32 bytes) of a value in its canonical form, under the active secret."""
        return self._index(self._ring.active_secret_id(Purpose.INDEX), field, value)

    def indexes(self, field: str, value: str) -> tuple[bytes, ...]:
        """Return the blind indexes under every live secret, the active one first: what to look for in a rotation."""
        active, live = self._ring.active_secret_id(Purpose.INDEX), self._ring.secrets(Purpose.INDEX)
        first = self._index(active, field, value)
        if len(live) == 1 and active in live:
            return (first,)
        return (first, *(self._index(kid, field, value) for kid in live if kid != active))

    def indexes_many(self, field: str, values: Sequence[str]) -> list[tuple[bytes, ...]]:
        """Return what `indexes` returns for each of many values."""
        active, live = self._ring.active_secret_id(Purpose.INDEX), self._ring.secrets(Purpose.INDEX)
        columns = [self._index_all(kid, field, values) for kid in (active, *(kid for kid in live if kid != active))]
        return list(zip(*columns, strict=True))

    def _index_all(self, kid: str, field: str, values: Sequence[str]) -> list[bytes]:
        copy, hashes = self._index_key(kid, field).copy, []
        for value in values:
            hashed = copy()
            hashed.update(value.encode())
            hashes.append(hashed.finalize())
        return hashes

    def _index(self, kid: str, field: str, value: str) -> bytes:
        hashed = self._index_key(kid, field).copy()  # with its key schedule, which costs more than a number's hash
        hashed.update(value.encode())
        return hashed.finalize()

    def _index_key(self, kid: str, field: str) -> HMAC:
        key = self._index_keys.get((kid, field))
        if key is None:
            secret = self._secret(Purpose.INDEX, kid)
            key = self._index_keys[kid, field] = HMAC(_derive(secret, "index", field), SHA256())
        return key

    def _cipher(self, kid: str, table: str, column: str) -> AESGCM:
        secret = self._secret(Purpose.FIELDS, kid)  # asked every time: a revoked secret must stop working
        cipher = self._ciphers.get((kid, table, column))
        if cipher is None:
            cipher = self._ciphers[kid, table, column] = AESGCM(_derive(secret, "field", table, column))
        return cipher

    def _place(self, table: str, column: str, row: str, version: int) -> bytes:
        head = self._heads.get((table, column))
        if head is None:
            head = self._heads[table, column] = _joined(table, column)
        raw = row.encode()
        return b"%b%b%b%b" % (head, len(raw).to_bytes(4, "big"), raw, version.to_bytes(4, "big"))

    def _secret(self, purpose: Purpose, kid: str) -> bytes:
        secret = self._ring.secrets(purpose).get(kid)
        if secret is None:  # another process may have begun to use a key made a moment ago
            self._ring.reload_if_changed(at_once=True)
            secret = self._ring.secrets(purpose).get(kid)
        if secret is None:
            raise FieldError("its key is unknown or revoked")
        return secret


class _Moment:
    """The secrets of a ring at one moment."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._read()

    def _read(self) -> None:
        self._secrets = {purpose: self._ring.secrets(purpose) for purpose in (Purpose.FIELDS, Purpose.INDEX)}
        self._active = {purpose: self._ring.active_secret_id(purpose) for purpose in self._secrets}

    def reload_if_changed(self, *, at_once: bool) -> None:
        self._ring.reload_if_changed(at_once=at_once)
        self._read()

    def secrets(self, purpose: Purpose) -> Mapping[str, bytes]:
        return self._secrets[purpose]

    def active_secret_id(self, purpose: Purpose) -> str:
        return self._active[purpose]


def _derive(secret: bytes, *label: str) -> bytes:
    """Derive a key for one label; the secret is uniform, so HKDF-Expand alone will do (RFC 5869 section 3.3)."""
    return HKDFExpand(SHA256(), 32, _joined("one-number-access", *label)).derive(secret)


def _joined(*parts: str) -> bytes:
    """Join texts with their lengths, so that no two lists of texts give the same bytes."""
    return b"".join(len(raw).to_bytes(4, "big") + raw for raw in (part.encode() for part in parts))
