"""Bring a file into a register (数据导入): portion by portion, each in one transaction with its checkpoint.

Whatever happens, every line up to the checkpoint is in the register or among the rejects, and no later one is counted.
A run that was killed goes on there; a file brought in again changes nothing, because rows are found by their numbers.
Checking, hashing and sealing may be shared out among processes; the database is written by one.
"""

from __future__ import annotations

import gc
import hashlib
from codecs import BOM_UTF8
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from itertools import chain
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from idservice import audit
from idservice.call import Call, Caller
from idservice.key_ring import open_ring
from idservice.register import importing_rows, legal_entities, population
from idservice.register.importing_index import NumberTakenMeanwhile, Outcome
from idservice.register.importing_rows import Form, HeaderRefused, Layout, Lines, RowRefused
from idservice.register.models import RegisterImport
from keys.fields import FieldCipher

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from idservice.call import House
    from idservice.register.importing_rejects import Rejects
    from idservice.settings import Settings

AT_ONCE = 5_000  # lines in one transaction; random keys touch a page each, so that fewer would write far more
AHEAD = 2  # portions being prepared while one is entered
TRIES = 5
COUNTS = ("added", "changed", "unchanged", "rejected")
OPERATOR = Caller(channel="cli", client_id="operator")
_CACHE = "PRAGMA cache_size=-65536"  # KiB; the keys of a register are random, so its index must fit in memory

_NO_LINES = Lines(1, ())

Tell = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Register:
    """What a file can be brought into: which members its rows have, and how they are checked and entered.

    `prepare(cipher, line, values, today)` returns a row or raises `RowRefused`, in any process;
    `take(call, rows, dry_run=)` enters rows no two of which share their first hash.
    """

    kind: str
    members: Mapping[str, str]
    needed: frozenset[str]
    prepare: Callable[..., Any]
    take: Callable[..., Outcome]
    deed: StrEnum = audit.Deed.REGISTER_IMPORTED


REGISTERS: Final[Mapping[str, Register]] = {
    name: Register(name, module.MEMBERS, module.NEEDED, module.prepare, module.take)
    for name, module in {"people": population, "organisations": legal_entities}.items()
}


class ImportRefused(ValueError):
    """The file cannot be brought in as it stands; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is brought in, and how."""

    register: Register
    layout: Layout
    today: date
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """A portion of lines after the work that needs no database."""

    lines: Lines
    rows: list[Any]
    rejects: list[tuple[int, tuple[str, ...]]]


@dataclass(slots=True)
class Progress:
    """How far an import is: lines done and their digest, what became of the rows, where it began this time."""

    import_id: bytes
    digest: Any
    counts: dict[str, int]
    lines: int = 0
    resumed_after: int = 0


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
        ImportRefused: the columns are not those of the register, or another file was interrupted under this beginning.
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
    if progress.lines and rejects.size() < size:
        raise ImportRefused("the rejects of the interrupted run are gone: begin anew with --restart")
    rejects.cut(size)
    waiting = _skip(chain([first], portions), progress, digest, tell)
    with _workers(house, job, processes) as pool, _garbage_waits():
        for prepared in _prepare(house, job, waiting, pool):
            _enter(house, job, prepared, progress, rejects)
            tell(prepared.lines.size)
            gc.collect()
    if not dry_run:
        house.database.run(lambda session: _finish(session, progress.import_id), write=True)
    return progress


@contextmanager
def _garbage_waits() -> Iterator[None]:
    """Let the collector run between portions alone: among ten thousand rows it would look around for nothing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def prepare(cipher: FieldCipher, job: Job, lines: Lines) -> Prepared:
    """Check, hash and seal a portion; the header and blank lines are neither rows nor rejects."""
    done = Prepared(lines, [], [])
    make, cipher = job.register.prepare, cipher.for_portion()
    for number, line in enumerate(lines.raw, lines.first):
        if line.isspace() or (number == 1 and job.layout.form is Form.CSV):
            continue
        try:
            text = line.removeprefix(BOM_UTF8) if number == 1 else line
            done.rows.append(make(cipher, number, job.layout.values(text), job.today))
        except RowRefused as refused:
            done.rejects.append((number, refused.reasons))
    return done


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


# --- the work that needs no database -----------------------------------------------------------------------------

_work: tuple[FieldCipher, Job] | None = None  # of a worker process, which has no house


def _begin_work(settings: Settings, job: Job) -> None:
    global _work  # noqa: PLW0603 - the one thing a worker process keeps
    _work = FieldCipher(open_ring(settings)), job
    gc.freeze()
    gc.disable()


def _prepare_in_worker(lines: Lines) -> Prepared:
    assert _work is not None  # noqa: S101 - the pool's initializer has run
    gc.collect()
    return replace(prepare(*_work, lines), lines=_NO_LINES)  # whoever asked has them


def _workers(house: House, job: Job, processes: int) -> Any:
    if processes == 0:
        return nullcontext()
    given = (house.settings, job)
    return ProcessPoolExecutor(processes, get_context("spawn"), initializer=_begin_work, initargs=given)


def _prepare(house: House, job: Job, portions: Iterator[Lines], pool: ProcessPoolExecutor | None) -> Iterator[Prepared]:
    """Yield the portions in their order, prepared here or by other processes that are kept a few portions ahead."""
    if pool is None:
        for portion in portions:
            yield prepare(house.cipher, job, portion)
        return
    running: deque[tuple[Lines, Future[Prepared]]] = deque()
    for portion in portions:
        running.append((portion, pool.submit(_prepare_in_worker, portion)))
        if len(running) > AHEAD:
            yield _returned(*running.popleft())
    while running:
        yield _returned(*running.popleft())


def _returned(lines: Lines, prepared: Future[Prepared]) -> Prepared:
    return replace(prepared.result(), lines=lines)


# --- the work that does ------------------------------------------------------------------------------------------


def _enter(house: House, job: Job, prepared: Prepared, progress: Progress, rejects: Rejects) -> None:
    """Enter one portion and its checkpoint, or nothing; the rejects are on disk before the checkpoint counts them."""
    digest = progress.digest.copy()
    digest.update(b"".join(prepared.lines.raw))
    lines = progress.lines + len(prepared.lines.raw)

    def enter(session: Session) -> dict[str, int]:
        if house.database.is_sqlite:
            session.connection().exec_driver_sql(_CACHE)
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
                **{"import": progress.import_id.hex()[:16], "lines": place, "subjects": subjects, **told},
            )
            _mark(call, job.register.kind, progress, lines=lines, digest=digest.digest(), size=size, counts=counts)
        return counts

    for tries_left in reversed(range(TRIES)):
        try:
            progress.counts = house.database.run(enter, write=not job.dry_run)
            break
        except NumberTakenMeanwhile:
            if not tries_left:
                raise
    rejects.keep()
    progress.lines, progress.digest = lines, digest


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
        waiting = later
    outcome.rejects.sort()
    return outcome


def _once_each(rows: list[Any]) -> tuple[list[Any], list[Any]]:
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
