"""Signed notes and log checkpoints: C2SP signed-note v1 and tlog-checkpoint v1, with Ed25519 (signature type 1).

A note is text for people and programs alike: the text, an empty line, and one line for each signature.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keys.base64url import unb64u
from keys.merkle import HASH_SIZE, MAX_SIZE
from keys.signer import Algorithm, KeyMaterialError, PublicKey, eddsa_public

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keys.signer import Signer

_ED25519 = b"\x01"
_MAX_NOTE = 262_144  # characters; room for 16 post-quantum signatures of witnesses
_MAX_SIGNATURES = 64
_MAX_NAME = 255
_SIGNATURE = re.compile(r"— (\S+) ([A-Za-z0-9+/]+={0,2})")
_FOREIGN = re.compile(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]")  # control characters, and surrogates UTF-8 has not
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


class NoteError(ValueError):
    """The note, verifier key or checkpoint is malformed or does not verify."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A named Ed25519 key that notes are checked with. A name has no white space and no plus sign."""

    name: str
    key: PublicKey

    def __post_init__(self) -> None:
        if not 0 < len(self.name) <= _MAX_NAME or "+" in self.name or not _is_one_word(self.name):
            raise NoteError("a key name is one word without plus sign")
        if self.key.algorithm is not Algorithm.EDDSA:
            raise NoteError("notes are signed with Ed25519 here")

    @property
    def id(self) -> bytes:
        """The key id of 4 bytes that signature lines carry."""
        return hashlib.sha256(self.name.encode() + b"\n" + self._typed_key()).digest()[:4]

    @property
    def vkey(self) -> str:
        """The verifier key as text: name, id and key joined by plus signs."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(self._typed_key()).decode()}"

    def _typed_key(self) -> bytes:
        return _ED25519 + unb64u(self.key.jwk()["x"])


@dataclass(frozen=True, slots=True)
class Opened:
    """A note whose text is signed by all of `names`, at least one."""

    text: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a log: its origin, how many leaves it has, the root over them, and lines of extension."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if any(not line or "\n" in line for line in (self.origin, *self.extensions)):
            raise NoteError("origin and extensions are lines")
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != HASH_SIZE:
            raise NoteError("no log has that size or root")

    def body(self) -> str:
        """Return the text to sign."""
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def parse_checkpoint(text: str) -> Checkpoint:
    """Return the checkpoint in a note's text; NoteError for any text that `Checkpoint.body` does not write."""
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() or not _SIZE.fullmatch(lines[1]):
        raise NoteError("not a checkpoint")
    return Checkpoint(lines[0], int(lines[1]), _unbase64(lines[2]), tuple(lines[3:]))


def parse_vkey(text: str) -> Verifier:
    """Return the verifier of a vkey text; NoteError if malformed, of another signature type, or its id is wrong."""
    parts = text.split("+", 2)
    if len(text) > 1024 or len(parts) != 3:
        raise NoteError("not a verifier key")
    name, _, encoded = parts
    typed = _unbase64(encoded)
    if typed[:1] != _ED25519:
        raise NoteError("not an Ed25519 verifier key")
    try:
        verifier = Verifier(name, eddsa_public(typed[1:]))
    except KeyMaterialError:
        raise NoteError("not an Ed25519 verifier key") from None
    if verifier.vkey != text:
        raise NoteError("the key id of the verifier key is wrong")
    return verifier


def sign(text: str, *, name: str, signer: Signer) -> str:
    """Return the note of `text` (which ends with a line feed) with one signature by the key named `name`."""
    _check_text(text)
    verifier = Verifier(name, signer.public)
    signature = base64.b64encode(verifier.id + signer.sign(text.encode())).decode()
    return f"{text}\n— {name} {signature}\n"


def verify(note: str, verifiers: Iterable[Verifier]) -> Opened:
    """Check a note: at least one of the verifiers signed it, and none of them wrongly; NoteError otherwise.

    Signatures of unknown keys are passed over, as the standard asks.
    """
    text, names_and_signatures = _take_apart(note)
    known = {(verifier.name, verifier.id): verifier for verifier in verifiers}
    signed_by: list[str] = []
    for name, signature in names_and_signatures:
        verifier = known.get((name, signature[:4]))
        if verifier is None:
            continue
        if not verifier.key.verify(text.encode(), signature[4:]):
            raise NoteError(f"the signature of {name} does not hold")
        if name not in signed_by:
            signed_by.append(name)
    if not signed_by:
        raise NoteError("no known key signed the note")
    return Opened(text, tuple(signed_by))


def _take_apart(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    _check_text(note)
    text, separator, block = note.rpartition("\n\n")
    if not separator:
        raise NoteError("not a signed note")
    text += "\n"
    lines = block[:-1].split("\n")
    if len(lines) > _MAX_SIGNATURES:
        raise NoteError("the note has too many signatures")
    found = []
    for line in lines:
        match = _SIGNATURE.fullmatch(line)
        if not match or "+" in match[1]:
            raise NoteError("not a signature line")
        signature = _unbase64(match[2])
        if len(signature) < 5:
            raise NoteError("not a signature line")
        found.append((match[1], signature))
    return text, found


def _check_text(text: str) -> None:
    """Refuse what neither a note nor its text may be: they end with a line feed, their only control character."""
    if len(text) > _MAX_NOTE:
        raise NoteError("the note is too long")
    if not text.endswith("\n") or _FOREIGN.search(text):
        raise NoteError("a note ends with a line feed and has no other control character")


def _is_one_word(name: str) -> bool:
    return name.split() == [name] and name.isprintable()


def _unbase64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise NoteError("not base64") from None
    if base64.b64encode(data).decode() != text:
        raise NoteError("not canonical base64")
    return data
