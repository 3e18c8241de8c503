"""A monotonic counter beside a seal's key (签名计数器): every signature adds one, and nothing takes one away.

The counter is the length of a file to which each signature appends one byte before it is made: appending needs no lock
between processes, and a crash leaves the count too high rather than too low. A reconciliation compares it with what is
on record (用章对账): a key that was used behind the register's back shows.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keys.errors import RingError

if TYPE_CHECKING:
    from pathlib import Path

    from keys.signer import PublicKey, Signer

FOLDER = "counters"


@dataclass(frozen=True, slots=True)
class CountedSigner:
    """A signer that counts before it signs; one that cannot count does not sign."""

    signer: Signer
    counter: Path

    @property
    def kid(self) -> str:
        """Return the key's identifier."""
        return self.signer.kid

    @property
    def algorithm(self) -> str:
        """Return the one algorithm of the key."""
        return self.signer.algorithm

    @property
    def public(self) -> PublicKey:
        """Return the public half."""
        return self.signer.public

    def sign(self, data: bytes) -> bytes:
        """Count, then sign."""
        _count(self.counter)
        return self.signer.sign(data)


def counted(signer: Signer, directory: Path) -> Signer:
    """Return `signer` counting under its identifier in the key ring's directory."""
    return CountedSigner(signer, directory / FOLDER / signer.kid)


def count_of(directory: Path, kid: str) -> int:
    """Return how often the key with that identifier has signed."""
    try:
        return (directory / FOLDER / kid).stat().st_size
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise RingError(f"the counter of {kid} cannot be read: {error.strerror}") from None


def _count(path: Path) -> None:
    try:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        except FileNotFoundError:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, b".")
        finally:
            os.close(descriptor)
    except OSError as error:
        raise RingError(f"the use of the key cannot be counted: {error.strerror}") from None
