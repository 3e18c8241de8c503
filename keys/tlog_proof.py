"""A proof of inclusion as text that is checked offline: C2SP tlog-proof v1.

It holds the entry's index, the path to the root (RFC 6962 section 2.1.1), the signed checkpoint, and data of the
application's own, which nothing vouches for.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from keys.merkle import HASH_SIZE, MAX_SIZE, leaf_hash, verify_inclusion
from keys.note import NoteError, parse_checkpoint, verify

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keys.note import Checkpoint, Verifier

MAX_BYTES: Final = 1_048_576
_HEAD: Final = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)
_MAX_PATH: Final = 63


class TlogProofError(ValueError):
    """The text is no proof, or does not prove what it is held against."""


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A proof as it stands; `checkpoint` is the signed note, unread."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: str
    extra: bytes = b""

    def text(self) -> str:
        """Return the proof as text."""
        lines = [_HEAD, *([f"extra {_text(self.extra)}"] if self.extra else []), f"index {self.index}"]
        return "".join(f"{line}\n" for line in (*lines, *map(_text, self.path))) + "\n" + self.checkpoint

    def check(self, entry: bytes, verifiers: Iterable[Verifier]) -> Checkpoint:
        """Return the checkpoint under which `entry` stands.

        Raises:
            TlogProofError: no known key signed the checkpoint, or the entry is not under its root.
        """
        try:
            checkpoint = parse_checkpoint(verify(self.checkpoint, verifiers).text)
        except NoteError as error:
            raise TlogProofError(f"the checkpoint: {error}") from None
        if not verify_inclusion(leaf_hash(entry), self.index, checkpoint.size, self.path, checkpoint.root):
            raise TlogProofError("the entry is not under the signed root")
        return checkpoint


def parse(text: str) -> TlogProof:
    """Read a proof; TlogProofError where it is none."""
    if len(text) > MAX_BYTES:
        raise TlogProofError("too long")
    head, separator, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if not separator or lines.pop(0) != _HEAD or not lines:
        raise TlogProofError("not a tlog-proof v1")
    extra = _bytes(lines.pop(0).removeprefix("extra ")) if lines[0].startswith("extra ") else b""
    found = _INDEX.fullmatch(lines.pop(0)) if lines else None
    if found is None or int(found[1]) >= MAX_SIZE or len(lines) > _MAX_PATH:
        raise TlogProofError("no index, or one that no log has")
    path = tuple(_bytes(line) for line in lines)
    if any(len(node) != HASH_SIZE for node in path):
        raise TlogProofError("a hash of the path has another length")
    return TlogProof(int(found[1]), path, checkpoint, extra)


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def _bytes(text: str) -> bytes:
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        raise TlogProofError("not base64") from None
    if _text(data) != text:  # of several texts for one value only the canonical one
        raise TlogProofError("not base64")
    return data
