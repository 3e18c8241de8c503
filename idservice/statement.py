"""Statements that every request carries out (预备语句): made ready once, then given their parameters and nothing else.

SQLAlchemy finds the compiled form of a statement, its parameters and the shape of its rows anew at each execution. That
costs several times what SQLite needs to carry it out, which is in this process. So on SQLite a statement is compiled at
its first use and handed to the driver; on a database server, where the way there costs more, SQLAlchemy does it all.
"""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import JSON, Date, DateTime
from sqlalchemy.types import TypeDecorator

from idservice.column_types import StoredAs
from idservice.db import UTCDateTime
from idservice.quick_connection import QuickConnection, as_sqlalchemy, may_stand_for

if TYPE_CHECKING:
    from sqlalchemy import Connection, Delete, Dialect, Insert, Select, Update
    from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate
    from sqlalchemy.sql.selectable import TypedReturnsRows
    from sqlalchemy.types import TypeEngine

    Built = Select[Any] | TypedReturnsRows[Any] | Insert | Update | Delete | ReturningInsert[Any] | ReturningUpdate[Any]

Parameters = Mapping[str, Any]
Processor = Callable[[Any], Any]

_STORED = len("2026-01-01 00:00:00.000000")  # without the zone, which is always UTC


class Statement:
    """A statement on tables that was built once, with `bindparam`; its parameters are always the same by name."""

    def __init__(self, built: Built) -> None:
        self._built = built
        self._ready: _Ready | None = None

    def rows(self, connection: Connection, parameters: Parameters) -> Sequence[Any]:
        """Return its rows, whose values are found by the names of their columns."""
        if isinstance(connection, QuickConnection):
            driver = connection.driver
        elif may_stand_for(connection.engine):
            driver = connection.connection.driver_connection
        else:
            done = connection.execute(self._built, parameters)
            return done.all() if done.returns_rows else ()
        if self._ready is None:
            self._ready = _Ready(self._built, connection.dialect, parameters)
        return self._ready.rows(driver, parameters)

    def first(self, connection: Connection, parameters: Parameters) -> Any:
        """Return its first row, or None."""
        rows = self.rows(connection, parameters)
        return rows[0] if rows else None

    def run(self, connection: Connection, parameters: Parameters) -> None:
        """Carry out a statement that has no rows."""
        self.rows(connection, parameters)


class _Ready:
    """A statement in the words of SQLite's driver."""

    def __init__(self, built: Built, dialect: Dialect, parameters: Parameters) -> None:
        compiled: Any = built.compile(dialect=dialect, column_keys=list(parameters))
        if compiled.post_compile_params:
            raise TypeError("a statement whose text depends on its parameters cannot be made ready")
        if missing := {name for name, bind in compiled.binds.items() if bind.required} - parameters.keys():
            raise TypeError(f"parameters are missing: {sorted(missing)}")
        self._text, self._dialect = str(compiled), dialect
        self._names = frozenset(parameters)
        taken = list(compiled.positiontup)
        #: The values that stand in the statement itself.
        self._stated = {name: compiled.binds[name].value for name in taken if name not in self._names}
        self._take = _taker(taken)
        givers = [_giver(compiled.binds[name].type, dialect) for name in taken]
        self._given = [(place, of) for place, of in enumerate(givers) if of is not None]
        columns = list(built.exported_columns)
        names = [column.key for column in columns]
        row: Any = namedtuple("Row", names)  # type: ignore[misc]  # noqa: PYI024 - they are known only now
        self._row: Processor = partial(tuple.__new__, row)
        found = [_finder(column.type, dialect) for column in columns]
        self._found = [(place, of) for place, of in enumerate(found) if of is not None]
        self._nobody = tuple(_sample(column.type) for column in columns)

    def rows(self, driver: Any, parameters: Parameters) -> Sequence[Any]:
        if parameters.keys() != self._names:
            raise TypeError("the parameters of a statement are always the same by name")
        values = list(self._take({**self._stated, **parameters} if self._stated else parameters))
        for place, of in self._given:
            values[place] = of(values[place])
        try:
            rows = driver.execute(self._text, values).fetchall()
        except sqlite3.Error as error:
            raise as_sqlalchemy(error, self._dialect, self._text, values) from error
        if not rows:
            self._shown(self._nobody)  # that nothing was found must not be told by the clock
        return [self._shown(row) for row in rows] if self._found else [*map(self._row, rows)]

    def _shown(self, row: tuple[Any, ...]) -> Any:
        shown = list(row)
        for place, of in self._found:
            shown[place] = of(shown[place])
        return self._row(shown)


def _sample(kind: TypeEngine[Any]) -> object:
    """Return something that the driver could have returned for a column of that type."""
    samples: dict[type[TypeEngine[Any]], object] = {DateTime: "2026-01-01 00:00:00.000000", Date: "2026-01-01"}
    if isinstance(kind, StoredAs):
        return kind.sample
    implied = kind.impl_instance if isinstance(kind, TypeDecorator) else kind
    return next((sample for of, sample in samples.items() if isinstance(implied, of)), None)


def _giver(kind: TypeEngine[Any], dialect: Dialect) -> Processor | None:
    """Return what puts a value into the driver's words; None where it goes as it is."""
    return _as_text if isinstance(kind, UTCDateTime) else kind.dialect_impl(dialect).bind_processor(dialect)


def _finder(kind: TypeEngine[Any], dialect: Dialect) -> Processor | None:
    """Return what reads a value of the driver's; None where it stands as it is."""
    if isinstance(kind, UTCDateTime):
        return _as_instant
    return _as_value if isinstance(kind, JSON) else kind.dialect_impl(dialect).result_processor(dialect, None)


def _as_text(instant: datetime | None) -> str | None:
    """Return an instant as SQLAlchemy writes it for SQLite, which has a dozen in a login, without its three layers."""
    if instant is None:
        return None
    if instant.tzinfo is None:
        raise ValueError("a stored time must carry its zone")
    if instant.tzinfo is not UTC:
        instant = instant.astimezone(UTC)
    return instant.isoformat(" ", "microseconds")[:_STORED]


def _as_instant(stored: str | None) -> datetime | None:
    return None if stored is None else datetime.fromisoformat(stored).replace(tzinfo=UTC)


def _as_value(stored: Any) -> Any:
    """Return the value of JSON as SQLite has it, where a number that stands alone is no text."""
    return orjson.loads(stored) if isinstance(stored, str) else stored


def _taker(names: list[str]) -> Callable[[Parameters], tuple[Any, ...]]:
    """Return what takes the values of these names, in their order."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda parameters: tuple(parameters[name] for name in names)
