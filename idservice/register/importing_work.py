"""The work of an import that needs no database: lines become checked, hashed and sealed rows.

It may be shared out among processes; who enters the rows does a part of it while he would wait for them.
"""

from __future__ import annotations

import gc
from codecs import BOM_UTF8
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from itertools import chain, islice
from multiprocessing import get_context
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from idservice import audit
from idservice.key_ring import open_ring
from idservice.register.importing_columns import Table, tables
from idservice.register.importing_index import Outcome
from idservice.register.importing_rows import Form, Layout, Lines, RowRefused
from keys.fields import FieldCipher

if TYPE_CHECKING:
    from idservice.call import House
    from idservice.settings import Settings

SOON, TOGETHER = 4, 5  # so many are entered singly, that there is soon something to go on from; then several in one
# transaction, because random keys touch a page each, which is then written once for all of them. One question to SQLite
# takes 32,766 values, so that no more may come together.
AHEAD = 10  # being prepared while some are entered

_line_of = attrgetter("line")
_NO_LINES = Lines(1, ())


@dataclass(frozen=True, slots=True)
class Register:
    """What a file can be brought into: which members its rows have, and how they are checked and entered.

    `prepare(cipher, line, values, today)` returns a row or raises `RowRefused`, in any process. `prepare_many(cipher,
    table, today)` does so for many rows with the same members: it returns those that are plainly good and the lines of
    all others, which `prepare` then judges.
    `take(call, rows, dry_run=)` enters rows no two of which share their first hash.
    `refused(call, import_name, refusals, begins=)` is told of refused lines in the transaction of their portion: of
    each the values that could be read, by member, and the reasons; `begins` at the first portion of a file.
    """

    kind: str
    members: Mapping[str, str]
    needed: frozenset[str]
    prepare: Callable[..., Any]
    take: Callable[..., Outcome]
    deed: StrEnum = audit.Deed.REGISTER_IMPORTED
    prepare_many: Callable[[FieldCipher, Table, date], tuple[list[Any], Sequence[int]]] | None = None
    refused: Callable[..., None] | None = None


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

    def __reduce__(self) -> tuple[Callable[..., Prepared], tuple[object, ...]]:
        """Go between processes column by column, where rows are tuples: a row alone takes three times as long."""
        if not self.rows or not isinstance(self.rows[0], tuple):
            return Prepared, (self.lines, self.rows, self.rejects)
        return _put_together, (self.lines, type(self.rows[0]), [*zip(*self.rows, strict=True)], self.rejects)


def _put_together(lines: Lines, kind: type[Any], columns: list[Any], rejects: list[Any]) -> Prepared:
    return Prepared(lines, [*map(kind._make, zip(*columns, strict=True))], rejects)


def prepare(cipher: FieldCipher, job: Job, lines: Lines) -> Prepared:
    """Check, hash and seal a portion; the header and blank lines are neither rows nor rejects."""
    cipher = cipher.for_portion()
    rows, left = _prepare_many(cipher, job, lines)
    done = Prepared(lines, rows, [])
    for number in left:
        line = lines.raw[number - lines.first]
        if line.isspace() or (number == 1 and job.layout.form is Form.CSV):
            continue
        try:
            values = job.layout.values(line_at(lines, number))
            rows.append(job.register.prepare(cipher, number, values, job.today))
        except RowRefused as refused:
            done.rejects.append((number, refused.reasons))
    rows.sort(key=_line_of)  # of rows with one number the later counts
    return done


def line_at(lines: Lines, number: int) -> bytes:
    """Return a line as it is read: the first of a file without the mark of its encoding."""
    line = lines.raw[number - lines.first]
    return line.removeprefix(BOM_UTF8) if number == 1 else line


def _prepare_many(cipher: FieldCipher, job: Job, lines: Lines) -> tuple[list[Any], Sequence[int]]:
    """Return the rows that can be made together, and the lines of all others in order."""
    if job.register.prepare_many is None:
        return [], range(lines.first, lines.first + len(lines.raw))
    found, left = tables(job.layout, lines)
    rows: list[Any] = []
    for table in found:
        good, others = job.register.prepare_many(cipher, table, job.today)
        rows += good
        left += others
    return rows, sorted(left)


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


def workers(house: House, job: Job, processes: int) -> Any:
    """Return the processes that prepare, as a context; None in it where there shall be none."""
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
            yield _next(house, job, running)
    while running:
        yield _next(house, job, running)


def _next(house: House, job: Job, running: deque[tuple[Lines, Future[Prepared]]]) -> Prepared:
    """Return the oldest portion; as long as it is not there, prepare here what no other process has begun."""
    for place, (lines, future) in enumerate(running):
        if running[0][1].done():
            break
        if future.cancel():
            prepared: Future[Prepared] = Future()
            prepared.set_result(prepare(house.cipher, job, lines))
            running[place] = lines, prepared
    lines, future = running.popleft()
    return replace(future.result(), lines=lines)


def portions(house: House, job: Job, lines: Iterator[Lines], pool: ProcessPoolExecutor | None) -> Iterator[Prepared]:
    """Yield what is entered in one transaction each, prepared: the first few as they are read, then several as one."""
    found = _prepare(house, job, lines, pool)
    yield from islice(found, SOON)
    while some := [*islice(found, TOGETHER)]:
        read = Lines(some[0].lines.first, tuple(chain.from_iterable(one.lines.raw for one in some)))
        rows = [*chain.from_iterable(one.rows for one in some)]
        yield Prepared(read, rows, [*chain.from_iterable(one.rejects for one in some)])
