"""Does the log hold? Everything is computed again from the audit rows and compared with tiles, roots and signatures.

Rows are read as a stream in the order of their places. Each must have the leaf hash that its tile keeps; where it has
not, that is a finding and the check goes on with the tile's hash, so that one changed row is one finding. The tree over
those hashes must have the stored tiles, and at every checkpoint's size the signed root: so a row changed together with
its tiles is found too. A log cut off at its end together with its checkpoints is found by a copy kept elsewhere.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Row, func, select, type_coerce
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType

from idservice.audit import leaf_bytes
from idservice.log import tree
from idservice.log.findings import MAX_FINDINGS, Code, Finding, Report
from idservice.log.frontier import Frontier
from idservice.models import AuditEntry, LogCheckpoint, LogTile
from keys.merkle import HASH_SIZE, leaf_hash
from keys.note import Checkpoint, NoteError
from keys.tiles import HEIGHT, WIDTH, Edge, Tile

PATIENCE = timedelta(seconds=60)  # how long a row may wait for the sequencer
ROWS_AT_ONCE = 2000
UNKNOWN_LEAF = bytes(HASH_SIZE)  # stands where both row and tile are gone

Opener = Callable[[object], Checkpoint]
Progress = Callable[[int, int], None]  # entries done, entries in all


def verify_log(
    session: Session,
    opened: Opener,
    *,
    now: datetime,
    copies: Sequence[str] = (),
    progress: Progress = lambda _done, _all: None,
) -> Report:
    """Check the whole log.

    Args:
        session: a transaction that sees one state of the database throughout (`tree.one_state`).
        opened: reads a note and raises NoteError for one that is not trusted (`tree.open_checkpoint` with our keys).
        now: the time against which waiting rows are judged.
        copies: signed notes kept outside the database.
        progress: told at every tile how far the check is.
    """
    return _Check(session, opened, progress).run(now, copies)


class _UnreadableError(Exception):
    """The database itself cannot read the rows on from here."""


class _Check:
    """One run over one log."""

    def __init__(self, session: Session, opened: Opener, progress: Progress) -> None:
        self.session, self.opened, self.progress = session, opened, progress
        self.findings: list[Finding] = []
        self.entries = self.checkpoints = 0
        newest = self._newest_that_holds()
        self.origin = newest.origin if newest else None
        self.size = newest.size if newest else 0
        self.agreed = 0  # size of the last checkpoint whose root was right
        self.rooted = True  # every leaf is known and no root has differed yet
        self.frontier = Frontier()
        self.edge = Edge()
        self.chunk: list[bytes] = []  # leaf hashes of the tile being filled
        self.kept = b""  # that tile as stored
        self.unfinished: dict[int, tuple[Tile, bytes]] = {}  # by level, the newest version of its last tile

    def run(self, now: datetime, copies: Sequence[str]) -> Report:
        try:
            self._walk(self._due(copies))
            self._unexpected_tiles()
        except _UnreadableError:
            self._find(Code.ENTRY_UNREADABLE, self.frontier.size, detail="the database cannot read on from here")
        waiting = self._waiting(now)
        unknown = () if self.origin or self.findings else ("no checkpoint has been signed yet",)
        last = self.size + 1
        first_bad_first = sorted(self.findings, key=lambda found: last if found.index is None else found.index)
        return Report(self.size, self.entries, self.checkpoints, waiting, tuple(first_bad_first), unknown)

    # -- checkpoints ------------------------------------------------------------------------------------------------

    def _newest_that_holds(self) -> Checkpoint | None:
        rows = select(LogCheckpoint.size, LogCheckpoint.note).order_by(LogCheckpoint.size.desc())
        try:
            with closing(self._stream(rows)) as stream:
                return next((found for row in stream if (found := self._open(row.note, row.size))), None)
        except _UnreadableError:
            self._find(Code.CHECKPOINT_INVALID, None, detail="the database cannot read a checkpoint")
            return None

    def _open(self, note: object, size: int) -> Checkpoint | None:
        try:
            checkpoint = self.opened(note)
        except NoteError:
            return None
        return checkpoint if checkpoint.size == size else None

    def _due(self, copies: Sequence[str]) -> Iterator[Checkpoint]:
        """Yield the stored checkpoints and the copies that hold, smallest first."""
        elsewhere = []
        for note in copies:
            try:
                elsewhere.append(self.opened(note))
            except NoteError as error:
                self._find(Code.CHECKPOINT_INVALID, None, detail=f"the copy: {error}")
        elsewhere.sort(key=lambda checkpoint: checkpoint.size)
        return heapq.merge(self._stored_checkpoints(), elsewhere, key=lambda checkpoint: checkpoint.size)

    def _stored_checkpoints(self) -> Iterator[Checkpoint]:
        for row in self._stream(select(LogCheckpoint.size, LogCheckpoint.note).order_by(LogCheckpoint.size)):
            checkpoint = self._open(row.note, row.size)
            if checkpoint is None:
                self._find(Code.CHECKPOINT_INVALID, row.size, detail=f"of size {row.size}")
            else:
                yield checkpoint

    def _compare(self, checkpoint: Checkpoint) -> None:
        self.checkpoints += 1
        if checkpoint.origin != self.origin:
            self._find(Code.CHECKPOINT_INVALID, checkpoint.size, detail="it is of another log")
        elif checkpoint.size > self.size:
            self._find(Code.LOG_SHRANK, self.size, detail=f"{checkpoint.size} entries there, {self.size} here")
        elif self.rooted and checkpoint.root != self.frontier.root():
            self._find(
                Code.ROOT_DIFFERS, self.agreed, detail=f"among the entries {self.agreed} to {checkpoint.size - 1}"
            )
            self.rooted = False  # all later roots differ for the same reason
        elif self.rooted:
            self.agreed = checkpoint.size

    # -- entries ----------------------------------------------------------------------------------------------------

    def _walk(self, due: Iterator[Checkpoint]) -> None:
        checkpoint = next(due, None)
        for place, rows in self._places():
            while checkpoint is not None and checkpoint.size <= self.frontier.size:
                self._compare(checkpoint)
                checkpoint = next(due, None)
            self._entry(place, rows)
        if self.chunk:
            self._close_chunk()
        for tile, data in self.unfinished.values():
            self._expect(tile, data)
        while checkpoint is not None:
            self._compare(checkpoint)
            checkpoint = next(due, None)

    def _places(self) -> Iterator[tuple[int, list[Row[Any]]]]:
        """Yield every place below the log's size with the rows that claim it: one, if all is well."""
        columns = [type_coerce(column, NullType()).label(column.key) for column in tree.ENTRY_COLUMNS]
        place_column = type_coerce(AuditEntry.log_index, NullType()).label("log_index")
        rows = self._stream(
            select(place_column, *columns)
            .where(AuditEntry.log_index.is_not(None))
            .order_by(AuditEntry.log_index, AuditEntry.entry_id)
        )
        expected = 0
        for place, claimants in groupby(rows, key=lambda row: row.log_index):
            if not isinstance(place, int) or not 0 <= place < self.size:
                code = Code.ENTRY_INSERTED if self.origin else Code.CHECKPOINT_MISSING
                for row in claimants:
                    self._find(code, self.size, str(row.entry_id), detail=f"its place is said to be {place!r}")
                continue
            yield from self._gap(expected, place)
            yield place, list(claimants)
            expected = place + 1
        yield from self._gap(expected, self.size)

    def _gap(self, start: int, end: int) -> Iterator[tuple[int, list[Row[Any]]]]:
        if start < end:
            self._find(Code.ENTRY_MISSING, start, detail="" if end - start == 1 else f"and all up to {end - 1}")
        for place in range(start, end):
            yield place, []

    def _entry(self, place: int, rows: list[Row[Any]]) -> None:
        if not self.chunk:
            self.kept = tree.stored(self.session, Tile(0, place // WIDTH)) or b""
            self.progress(place, self.size)
        kept = self._kept_hash(len(self.chunk))
        leaves = [self._leaf(place, row) for row in rows]
        genuine = leaves.index(kept) if kept in leaves else 0
        for position, row in enumerate(rows):
            self.entries += 1
            if position != genuine:
                self._find(Code.ENTRY_INSERTED, place, row.entry_id)
            elif kept and leaves[position] not in {kept, None}:
                self._find(Code.ENTRY_CHANGED, place, row.entry_id)
        self._append(kept or (leaves[genuine] if leaves else None))

    def _kept_hash(self, position: int) -> bytes:
        """Return the hash at a position of the current tile as stored; empty where the tile has none."""
        found = self.kept[position * HASH_SIZE : (position + 1) * HASH_SIZE]
        return found if len(found) == HASH_SIZE else b""

    def _leaf(self, place: int, row: Row[Any]) -> bytes | None:
        """Return the row's leaf hash; a value of a kind that no verb writes is a finding."""
        texts = {name: getattr(row, name) for name in ("entry_id", "deed", "outcome", "actor", "facts")}
        try:
            at = _instant(row.at)
        except (TypeError, ValueError, OverflowError):
            at = None
        if at is None or not isinstance(row.salt, bytes) or not all(isinstance(text, str) for text in texts.values()):
            self._find(Code.ENTRY_UNREADABLE, place, str(row.entry_id))
            return None
        return leaf_hash(leaf_bytes(**texts, at=at, salt=row.salt))

    def _append(self, leaf: bytes | None) -> None:
        if leaf is None:
            self.rooted = False
        self.frontier.append(leaf or UNKNOWN_LEAF)
        self.chunk.append(leaf or UNKNOWN_LEAF)
        if len(self.chunk) == WIDTH:
            self._close_chunk()

    # -- tiles ------------------------------------------------------------------------------------------------------

    def _close_chunk(self) -> None:
        """Compare the tile that was filled, and the tiles above it that this completes."""
        tile = Tile(0, self.edge.size // WIDTH, len(self.chunk))
        if self.kept != b"".join(self.chunk):
            self._find(Code.TILE_CHANGED, self.edge.size, detail=tile.path)
        self.edge, tiles = self.edge.append(self.chunk)
        self.chunk = []
        for above, data in tiles.items():
            if above.level == 0:
                continue
            if above.width < WIDTH:
                self.unfinished[above.level] = (above, data)
            else:
                self.unfinished.pop(above.level, None)
                self._expect(above, data)

    def _expect(self, tile: Tile, data: bytes) -> None:
        if tree.stored(self.session, tile) != data:
            self._find(Code.TILE_CHANGED, (tile.index * WIDTH) << (HEIGHT * tile.level), detail=tile.path)

    def _unexpected_tiles(self) -> None:
        tops = {level: self.size >> (HEIGHT * level) for level in range(8)}  # nodes of each level
        for row in self._stream(select(LogTile.level, LogTile.number)):
            level, number = row.level, row.number
            if not (isinstance(number, int) and 0 <= number * WIDTH < tops.get(level, 0)):
                self._find(Code.TILE_UNEXPECTED, self.size, detail=f"level {level}, number {number}")

    # -- the rest ---------------------------------------------------------------------------------------------------

    def _waiting(self, now: datetime) -> int:
        waiting = AuditEntry.log_index.is_(None)
        late = select(AuditEntry.entry_id).where(waiting, AuditEntry.at < now - PATIENCE).order_by(AuditEntry.entry_id)
        if (entry_id := self.session.scalar(late.limit(1))) is not None:
            self._find(Code.ENTRY_WAITING, None, entry_id)
        return self.session.scalar(select(func.count()).select_from(AuditEntry).where(waiting)) or 0

    def _stream(self, query: Any) -> Generator[Row[Any]]:
        try:
            with self.session.execute(query, execution_options={"yield_per": ROWS_AT_ONCE}) as rows:
                yield from rows
        except OperationalError as error:
            if not tree.is_no_text(error):
                raise
            raise _UnreadableError from error

    def _find(self, code: Code, index: int | None, entry_id: str | None = None, detail: str = "") -> None:
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(Finding(code, index, entry_id, detail))


def _instant(value: Any) -> datetime:
    """Return the instant in a database's own form: aware on PostgreSQL, text in UTC on SQLite."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(moment, datetime):
        raise TypeError("not a time")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
