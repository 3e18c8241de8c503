"""How the log lies in the database: checkpoints, tiles and entries, C2SP tlog-checkpoint and tlog-tiles.

`log_tile` holds one row for each tile, however wide; a partial tile grows in place, and its narrower versions are its
beginning. Entries are not stored: an entry is the commitment to an `audit_entry` row and is computed from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sqlalchemy import BigInteger, Row, literal, select, type_coerce
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.types import NullType

from idservice.audit import leaf_bytes
from idservice.models import AuditEntry, LogCheckpoint, LogTile
from keys.merkle import HASH_SIZE, MAX_SIZE, MerkleError
from keys.note import Checkpoint, NoteError, Verifier, parse_checkpoint, verify
from keys.ring import Purpose
from keys.tiles import WIDTH, Edge, Tile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from sqlalchemy.orm import Session

    from idservice.call import House
    from keys.signer import PublicKey

ENTRY_COLUMNS = (
    AuditEntry.entry_id,
    AuditEntry.at,
    AuditEntry.deed,
    AuditEntry.outcome,
    AuditEntry.actor,
    AuditEntry.facts,
    AuditEntry.salt,
)


class LogDamagedError(Exception):
    """The stored log contradicts itself or its signed checkpoint: nothing may be added until it is looked at."""


def origin_of(issuer: str) -> str:
    """Return the origin of a log that starts at this issuer; a started log keeps the origin of its checkpoints."""
    return f"{urlsplit(issuer).netloc}/log"


def open_checkpoint(note: object, keys: Iterable[PublicKey]) -> Checkpoint:
    """Return the checkpoint in a note that one of our keys signed under the note's own origin.

    Raises:
        NoteError: it is no checkpoint, or none of `keys` signed it.
    """
    if not isinstance(note, str):  # SQLite keeps what it is given, whatever the column's type
        raise NoteError("not text")
    origin = note.partition("\n")[0]
    return parse_checkpoint(verify(note, [Verifier(origin, key) for key in keys]).text)


def opener(house: House) -> Callable[[object], Checkpoint]:
    """Return `open_checkpoint` with the checkpoint keys that the house trusts now."""
    keys = tuple(house.keys.public(Purpose.CHECKPOINT).values())
    return lambda note: open_checkpoint(note, keys)


def open_unsigned(note: object) -> Checkpoint:
    """Return what a note says, whoever signed it; NoteError if it is no checkpoint."""
    if not isinstance(note, str):
        raise NoteError("not text")
    text, _, _ = note.rpartition("\n\n")
    return parse_checkpoint(text + "\n")


def newest(session: Session) -> Row[int, str] | None:
    """Return `size` and `note` of the stored checkpoint of the largest size."""
    return session.execute(
        select(LogCheckpoint.size, LogCheckpoint.note).order_by(LogCheckpoint.size.desc()).limit(1)
    ).first()


def newest_opened(session: Session, opened: Callable[[object], Checkpoint]) -> Checkpoint | None:
    """Return the newest checkpoint, its signature checked.

    Raises:
        LogDamagedError: it is not ours, or the row says another size.
    """
    row = newest(session)
    if row is None:
        return None
    try:
        checkpoint = opened(row.note)
    except NoteError as error:
        reason = f"the newest checkpoint, of size {row.size}: {error} (was its key revoked? `flask audit resign`)"
        raise LogDamagedError(reason) from None
    if checkpoint.size != row.size:
        raise LogDamagedError(f"the newest checkpoint is of size {checkpoint.size}, its row says {row.size}")
    return checkpoint


def stored(session: Session, tile: Tile) -> bytes | None:
    """Return what is stored for a tile, however wide; None where there is nothing, or no bytes."""
    raw = type_coerce(LogTile.hashes, NullType())  # as it lies there: a damaged value must not stop the reader
    place = (LogTile.level == tile.level, LogTile.number == literal(tile.index, BigInteger))
    try:
        hashes = session.scalar(select(raw).where(*place))
    except OperationalError as error:
        if not is_no_text(error):
            raise
        return None
    return hashes if isinstance(hashes, bytes) else None


def is_no_text(error: DBAPIError) -> bool:
    """Return whether a query failed because SQLite keeps as text what is not UTF-8: damage, not an outage."""
    return "UTF-8" in str(error.orig)


def read_tile(session: Session) -> Callable[[Tile], bytes]:
    """Return a reader of tiles (levels from 0) that raises MerkleError where the log has no tile of that width."""

    def read(tile: Tile) -> bytes:
        hashes = stored(session, tile)
        if hashes is None or len(hashes) < tile.width * HASH_SIZE:
            raise MerkleError(f"the log has no {tile.path}")
        return hashes[: tile.width * HASH_SIZE]

    return read


def edge_at(session: Session, size: int) -> Edge:
    """Return the right edge of the tree at `size` from the stored tiles; MerkleError where one is missing."""
    return Edge.load(size, read_tile(session))


def entries(session: Session, bundle: Tile) -> list[bytes]:
    """Return the entries of a bundle; MerkleError where the log has fewer."""
    first = bundle.index * WIDTH
    if first >= MAX_SIZE:
        raise MerkleError("no log is that long")  # nor is the database's integer
    rows = session.execute(
        select(AuditEntry.log_index, *ENTRY_COLUMNS)
        .where(AuditEntry.log_index.between(literal(first, BigInteger), literal(first + bundle.width - 1, BigInteger)))
        .order_by(AuditEntry.log_index)
    ).all()
    if [row.log_index for row in rows] != list(range(first, first + bundle.width)):
        raise MerkleError(f"the log has no {bundle.path}")
    return [entry_of(row) for row in rows]


def entry_of(row: Any) -> bytes:
    """Return the 32 bytes that stand for an audit row (an `AuditEntry` or `ENTRY_COLUMNS` of one) in the log."""
    return leaf_bytes(
        entry_id=row.entry_id,
        at=row.at,
        deed=row.deed,
        outcome=row.outcome,
        actor=row.actor,
        facts=row.facts,
        salt=row.salt,
    )


def one_state(session: Session) -> None:
    """Make the session, before its first query, see one state of the database throughout, however long it reads."""
    if session.get_bind().dialect.name == "postgresql":  # on SQLite every transaction does
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
