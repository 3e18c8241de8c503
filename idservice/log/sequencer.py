"""The sequencer: gives committed audit rows their place in the log and signs what the log is then.

Writers share nothing: they insert rows without an index. One sequencer at a time takes the waiting rows in the order of
their identifiers, appends their entries to the tree and signs a checkpoint, all in one transaction, so that a crash
leaves either the old log or the new one. A row that commits late is simply sequenced later: the log's order is the
order of sequencing.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import func, insert, select, update

from idservice import background
from idservice.expiry import sweep
from idservice.log import tree
from idservice.log.tree import LogDamagedError
from idservice.models import AuditEntry, LogCheckpoint, LogTile
from keys.keyfile import replace_file
from keys.merkle import EMPTY_ROOT, MerkleError, leaf_hash
from keys.note import Checkpoint, NoteError, sign
from keys.ring import Purpose
from keys.tiles import edge_tiles

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from sqlalchemy.orm import Session

    from idservice.call import House
    from keys.tiles import Edge, Tile

log = structlog.get_logger(__name__)

BATCH = 500  # rows of one transaction: on SQLite every other writer waits meanwhile, some 13 ms
LOCK = 0x6F6E6102  # arbitrary, apart from the lock of the migrations
SWEEP_EVERY = 60.0  # seconds
PACE = 2.0  # seconds between looks; a deed is under a checkpoint well within 10 s


def sequence(house: House, now: datetime) -> int:
    """Put all waiting rows into the log and return how many they were; 0 if another sequencer is at work.

    Raises:
        LogDamagedError: the stored log is not the one that was last signed. Nothing was changed.
        RingError: there is no active checkpoint key.
        OSError: the log was written, but its copy in `settings.checkpoint_file` was not.
    """
    copy = _copy(house)
    total = 0
    while house.database.run(_has_work, write=False):
        taken = house.database.run(lambda session: _append(house, session, now, copy), write=True)
        if taken is None:
            break
        total += taken
    publish(house)
    return total


def run_forever(house: House, stop: threading.Event, every: float = PACE) -> None:
    """Sequence every `every` seconds until `stop` is set, and sweep out expired rows; a failure is tried again."""
    swept = time.monotonic()

    def turn() -> int:
        nonlocal swept
        if time.monotonic() - swept >= SWEEP_EVERY:
            swept = time.monotonic()
            sweep(house, datetime.now(UTC))
        try:
            return sequence(house, datetime.now(UTC))
        except LogDamagedError as damage:  # whose words are for the operator, and of no row
            log.error("log.not_sequenced", reason=f"LogDamagedError: {damage}"[:300])  # noqa: TRY400
            return 0

    background.repeat(turn, stop, every, done="log.sequenced", failed="log.not_sequenced")


def _has_work(session: Session) -> bool:
    waiting = select(AuditEntry.entry_id).where(AuditEntry.log_index.is_(None)).limit(1)
    started = select(LogCheckpoint.size).limit(1)
    return session.scalar(waiting) is not None or session.scalar(started) is None


def _append(house: House, session: Session, now: datetime, copy: Checkpoint | None) -> int | None:
    if not house.database.try_lock(session, LOCK):
        return None
    checkpoint, edge = _trusted(house, session, copy)
    hashes = _take(session, edge.size)
    if checkpoint is not None and not hashes:
        return None  # another sequencer took them before we had the lock
    origin = checkpoint.origin if checkpoint else tree.origin_of(house.settings.issuer)
    edge_after, tiles = edge.append(hashes)
    _store(session, tiles, known=set(edge_tiles(edge.size)))
    body = Checkpoint(origin, edge_after.size, edge_after.root()).body()
    note = sign(body, name=origin, signer=house.keys.signer(Purpose.CHECKPOINT))
    session.execute(insert(LogCheckpoint), {"size": edge_after.size, "note": note, "at": now})
    return len(hashes)


def _trusted(house: House, session: Session, copy: Checkpoint | None) -> tuple[Checkpoint | None, Edge]:
    """Return the log's newest checkpoint and edge, having checked that it is the log that we signed.

    To sign over tiles that somebody changed, or over a database put back to last week, would make it the truth.
    """
    checkpoint = tree.newest_opened(session, tree.opener(house))
    size = checkpoint.size if checkpoint else 0
    if copy is not None and copy.size > size:
        raise LogDamagedError(
            f"the log has {size} entries, its copy in {house.settings.checkpoint_file} has {copy.size}: "
            "the database was put back. Run `flask audit verify`; move the copy away to go on regardless"
        )
    try:
        edge = tree.edge_at(session, size)
        copied = edge if copy is None or copy.size == size else tree.edge_at(session, copy.size)
    except MerkleError as error:
        raise LogDamagedError(str(error)) from None
    if edge.root() != (checkpoint.root if checkpoint else EMPTY_ROOT):
        raise LogDamagedError("the stored tiles do not have the signed root: run `flask audit verify`")
    if copy is not None and copied.root() != copy.root:
        raise LogDamagedError(f"the log does not extend its copy in {house.settings.checkpoint_file}")
    return checkpoint, edge


def _take(session: Session, size: int) -> list[bytes]:
    """Give the first waiting rows their indexes, in one statement, and return their leaf hashes in order."""
    waiting = (
        select(
            AuditEntry.entry_id,
            (func.row_number().over(order_by=AuditEntry.entry_id) - 1 + size).label("place"),
        )
        .where(AuditEntry.log_index.is_(None))
        .order_by(AuditEntry.entry_id)
        .limit(BATCH)
        .subquery()
    )
    # The condition is repeated so that a row that somebody sequenced meanwhile is never moved.
    taken = (
        update(AuditEntry)
        .where(AuditEntry.entry_id == waiting.c.entry_id, AuditEntry.log_index.is_(None))
        .values(log_index=waiting.c.place)
        .returning(AuditEntry.log_index, *tree.ENTRY_COLUMNS)
        .execution_options(synchronize_session=False)
    )
    try:
        rows = sorted(session.execute(taken).all(), key=lambda row: row.log_index)
        hashes = [leaf_hash(tree.entry_of(row)) for row in rows]
    except (TypeError, ValueError) as error:  # no verb writes such a row
        raise LogDamagedError(f"a waiting row cannot be read: {error}") from None
    if [row.log_index for row in rows] != list(range(size, size + len(rows))):
        raise LogDamagedError("rows were sequenced without the lock")
    return hashes


def _store(session: Session, tiles: dict[Tile, bytes], *, known: set[Tile]) -> None:
    """Write tiles: the partial ones that are stored already grow, all others must be new."""
    places = {(tile.level, tile.index) for tile in known}
    grown = {tile: data for tile, data in tiles.items() if (tile.level, tile.index) in places}
    for tile, data in grown.items():
        session.execute(
            update(LogTile).where(LogTile.level == tile.level, LogTile.number == tile.index).values(hashes=data)
        )
    fresh = [{"level": t.level, "number": t.index, "hashes": data} for t, data in tiles.items() if t not in grown]
    if fresh:
        session.execute(insert(LogTile), fresh)


# --- the copy outside the database ---------------------------------------------------------------------------------


def _copy(house: House) -> Checkpoint | None:
    """Return the checkpoint in the second sink, None where there is none yet."""
    path = house.settings.checkpoint_file
    note = read_copy(path) if path is not None else None
    if note is None:
        return None
    try:
        return tree.opener(house)(note)
    except NoteError as error:
        raise LogDamagedError(f"the copy of the checkpoint in {path}: {error}") from None


def publish(house: House) -> None:
    """Put the newest checkpoint into the second sink, after the commit and also after a crash that prevented it."""
    path = house.settings.checkpoint_file
    row = house.database.run(tree.newest, write=False) if path is not None else None
    if path is None or row is None or read_copy(path) == row.note:
        return
    replace_file(path, row.note.encode())
    path.chmod(0o644)  # a checkpoint is public, and its watchers have other accounts


def read_copy(path: Path) -> str | None:
    """Return the note in a file; None where there is no file."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
