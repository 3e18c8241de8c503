"""Bring a file into a register (数据导入): portion by portion, each in one transaction with its checkpoint.

Whatever happens, every line up to the checkpoint is in the register or among the rejects, and no later one is counted.
A run that was killed goes on there; a file brought in again changes nothing, because rows are found by their numbers.
What needs no database (`importing_work`) may be shared out among processes; the database is written by one.
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from idservice import audit
from idservice.call import Call, Caller
from idservice.register import importing_rows, importing_work, legal_entities, old_phones, population
from idservice.register.importing_index import NumberTakenMeanwhile, Outcome
from idservice.register.importing_rows import Form, HeaderRefused, Layout, Lines, RowRefused
from idservice.register.importing_work import Job, Prepared, Register
from idservice.register.models import RegisterImport

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from idservice.call import House
    from idservice.register.importing_rejects import Rejects

AT_ONCE = 5_000  # lines prepared together: what is made of them should stay in the processor's cache
COLLECTED_AFTER = 8  # portions; a few objects of each are rubbish, and what waits is gone through to find them
TRIES = 5
COUNTS = ("added", "changed", "unchanged", "rejected")
OPERATOR = Caller(channel="cli", client_id="operator")
# KiB and pages. The keys of a register are random, so its index must fit in memory, and each portion changes most of
# its pages: they are brought home from the log once for many portions. What is committed is on the disk all the same.
_ROOM = ("cache_size=-131072", "wal_autocheckpoint=16000")

Tell = Callable[[int], object]


REGISTERS: Final[Mapping[str, Register]] = {
    one.kind: one
    for one in (
        Register(
            "people",
            population.MEMBERS,
            population.NEEDED,
            population.prepare,
            population.take,
            prepare_many=population.prepare_many,
        ),
        Register(
            "organisations",
            legal_entities.MEMBERS,
            legal_entities.NEEDED,
            legal_entities.prepare,
            legal_entities.take,
        ),
    )
}


class ImportRefused(ValueError):
    """The file cannot be brought in as it stands; the message says why and what to do."""


@dataclass(slots=True)
class Progress:
    """How far an import is: lines done and their digest, what became of the rows, where it began this time."""

    import_id: bytes
    digest: Any
    counts: dict[str, int]
    lines: int = 0
    resumed_after: int = 0

    @property
    def name(self) -> str:
        """Return what names the import in the audit log and in its rejects."""
        return self.import_id.hex()[:16]


def bring_in(
    house: House,
    register: Register,
    stream: BinaryIO,
    rejects: Rejects,
    *,
    form: Form,
    encoding: str = "utf-8",
    dry_run: bool = False,
    restart: bool = False,
    processes: int = 0,
    tell: Tell = lambda _bytes: None,
) -> Progress:
    """Bring every line of `stream` into the register or among the `rejects`; tell of the bytes as they are done.

    Raises:
        ImportRefused: the columns are not those of the register, another file was interrupted under this beginning, or
            the file of rejects is another import's.
    """
    portions = importing_rows.read(stream, at_once=AT_ONCE)
    first = next(portions, Lines(1, ()))
    if not first.raw:
        raise ImportRefused("the file is empty")
    layout = Layout(form, encoding, register.members)
    if form is Form.CSV:
        try:
            columns = importing_rows.header(first.raw[0], encoding, register.members, register.needed)
        except HeaderRefused as error:
            raise ImportRefused(str(error)) from None
        layout = replace(layout, columns=columns)
    job = Job(register, layout, datetime.now(UTC).date(), dry_run)
    progress, digest, size = _checkpoint(house, register.kind, first, restart=restart or dry_run)
    if not rejects.is_free_for(progress.name):
        raise ImportRefused(f"{rejects.path} is not of this import: move it away, or name another file with --rejects")
    if progress.lines and rejects.size() < size:
        raise ImportRefused("the rejects of the interrupted run are gone: begin anew with --restart")
    rejects.begin(progress.name, encoding=encoding, size=size)
    waiting = _skip(chain([first], portions), progress, digest, tell)
    with importing_work.workers(house, job, processes) as pool, _garbage_waits():
        for done, prepared in enumerate(importing_work.portions(house, job, waiting, pool)):
            _enter(house, job, prepared, progress, rejects)
            tell(prepared.lines.size)
            if not done % COLLECTED_AFTER:
                gc.collect()
    if not dry_run:
        house.database.run(lambda session: _finish(session, progress.import_id), write=True)
    return progress


@contextmanager
def _garbage_waits() -> Iterator[None]:
    """Let the collector run after some portions alone: among ten thousand rows it would look around for nothing."""
    was_enabled = gc.isenabled()
    gc.disable()
    gc.freeze()  # what stands already stays, and is not gone through for each portion
    try:
        yield
    finally:
        gc.unfreeze()
        if was_enabled:
            gc.enable()


# --- where to begin ----------------------------------------------------------------------------------------------


def _checkpoint(house: House, kind: str, first: Lines, *, restart: bool) -> tuple[Progress, bytes, int]:
    """Return where the import of this file stands, the digest it must have there, and the size of its rejects."""
    import_id = hashlib.sha256(b"\0".join([kind.encode(), *first.raw])).digest()
    row = house.database.run(lambda session: session.get(RegisterImport, import_id), write=False)
    if row is None or row.finished_at is not None or restart:
        return Progress(import_id, hashlib.sha256(), dict.fromkeys(COUNTS, 0)), b"", 0
    progress = Progress(import_id, hashlib.sha256(), dict(row.counts), row.lines_done, row.lines_done)
    return progress, row.lines_digest, row.rejects_size


def _skip(portions: Iterable[Lines], progress: Progress, digest: bytes, tell: Tell) -> Iterator[Lines]:
    """Pass over what an earlier run has done, if these are the same lines; yield the rest."""
    done = 0
    for portion in portions:
        if done >= progress.resumed_after:
            yield portion
            continue
        done += len(portion.raw)
        progress.digest.update(b"".join(portion.raw))
        tell(portion.size)
        if done > progress.resumed_after or (done == progress.resumed_after and progress.digest.digest() != digest):
            break
    else:
        if done >= progress.resumed_after:
            return
    raise ImportRefused("the file is not the one whose import was interrupted: begin anew with --restart")


# --- one portion -------------------------------------------------------------------------------------------------


def _enter(house: House, job: Job, prepared: Prepared, progress: Progress, rejects: Rejects) -> None:
    """Enter one portion and its checkpoint, or nothing; the rejects are on disk before the checkpoint counts them."""
    digest = progress.digest.copy()
    digest.update(b"".join(prepared.lines.raw))
    lines = progress.lines + len(prepared.lines.raw)

    def enter(session: Session) -> tuple[dict[str, int], list[str]]:
        if house.database.is_sqlite:
            for pragma in _ROOM:
                session.connection().exec_driver_sql(f"PRAGMA {pragma}")
        call = Call(house, session, OPERATOR, datetime.now(UTC))
        outcome = _take(call, job, prepared)
        told = {"rejected": len(outcome.rejects)} | {name: getattr(outcome, name) for name in COUNTS[:3]}
        counts = {name: progress.counts[name] + told[name] for name in COUNTS}
        size = rejects.put(prepared.lines, outcome.rejects)
        if not job.dry_run:
            place = f"{prepared.lines.first}-{prepared.lines.first + len(prepared.lines.raw) - 1}"
            subjects = hashlib.sha256("\n".join(sorted(outcome.subjects)).encode()).hexdigest()
            audit.record(
                call,
                job.register.deed,
                register=job.register.kind,
                **{"import": progress.name, "lines": place, "subjects": subjects, **told},
            )
            _tell_refused(call, job, prepared.lines, outcome, progress)
            _mark(call, job.register.kind, progress, lines=lines, digest=digest.digest(), size=size, counts=counts)
        return counts, list(outcome.old_phones.values())

    for tries_left in reversed(range(TRIES)):
        try:
            progress.counts, phones = house.database.run(enter, write=not job.dry_run)
            break
        except NumberTakenMeanwhile:
            if not tries_left:
                raise
    if not job.dry_run:
        old_phones.tell(house, phones, at=datetime.now(UTC))
    rejects.keep()
    progress.lines, progress.digest = lines, digest


def _tell_refused(call: Call, job: Job, lines: Lines, outcome: Outcome, progress: Progress) -> None:
    if job.register.refused is None or not (outcome.rejects or progress.lines == 0):
        return
    refusals = [(_readable(job.layout, lines, number), reasons) for number, reasons in outcome.rejects]
    job.register.refused(call, progress.name, refusals, begins=progress.lines == 0)


def _readable(layout: Layout, lines: Lines, number: int) -> dict[str, str]:
    """Return what could be read of a refused line."""
    try:
        return layout.values(importing_work.line_at(lines, number))
    except RowRefused:
        return {}


def _take(call: Call, job: Job, prepared: Prepared) -> Outcome:
    """Take the rows of a portion; of rows with one number each is taken after the one before it."""
    outcome = Outcome(rejects=list(prepared.rejects))
    waiting = prepared.rows
    while waiting:
        now, later = _once_each(waiting)
        part = job.register.take(call, now, dry_run=job.dry_run)
        for name in COUNTS[:3]:
            setattr(outcome, name, getattr(outcome, name) + getattr(part, name))
        outcome.rejects += part.rejects
        outcome.subjects += part.subjects
        outcome.old_phones = part.old_phones | outcome.old_phones
        waiting = later
    outcome.rejects.sort()
    return outcome


def _once_each(rows: list[Any]) -> tuple[list[Any], list[Any]]:
    if len({row.hashes[0] for row in rows}) == len(rows):
        return rows, []
    seen: set[bytes] = set()
    now: list[Any] = []
    later: list[Any] = []
    for row in rows:
        (later if row.hashes[0] in seen else now).append(row)
        seen.add(row.hashes[0])
    return now, later


def _mark(
    call: Call, kind: str, progress: Progress, *, lines: int, digest: bytes, size: int, counts: dict[str, int]
) -> None:
    row = call.session.get(RegisterImport, progress.import_id)
    if row is None or (row.finished_at is not None or progress.lines == 0):
        begun = {"import_id": progress.import_id, "kind": kind, "started_at": call.now, "finished_at": None}
        row = call.session.merge(RegisterImport(**begun))
    row.lines_done, row.lines_digest, row.rejects_size = lines, digest, size
    row.counts, row.updated_at = counts, call.now
    call.session.flush()


def _finish(session: Session, import_id: bytes) -> None:
    row = session.get(RegisterImport, import_id)
    if row is not None:
        row.finished_at = datetime.now(UTC)
