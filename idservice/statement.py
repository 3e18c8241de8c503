"""Statements that every request carries out (预备语句): made ready once, then given their parameters and nothing else.

SQLAlchemy finds the compiled form of a statement, its parameters and the shape of its rows anew at each execution. That
costs several times what SQLite needs to carry it out, which is in this process. So on SQLite a statement is compiled at
its first use and handed to the driver; on a database server, where the way there costs more, SQLAlchemy does it all.
"""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Date, DateTime
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy import Connection, Delete, Dialect, Insert, Select, Update
    from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate
    from sqlalchemy.sql.selectable import TypedReturnsRows
    from sqlalchemy.types import TypeEngine

    Built = Select[Any] | TypedReturnsRows[Any] | Insert | Update | Delete | ReturningInsert[Any] | ReturningUpdate[Any]

Parameters = Mapping[str, Any]


class Statement:
    """A statement on tables that was built once, with `bindparam`; its parameters are always the same by name."""

    def __init__(self, built: Built) -> None:
        self._built = built
        self._ready: _Ready | None = None

    def rows(self, connection: Connection, parameters: Parameters) -> Sequence[Any]:
        """Return its rows, whose values are found by the names of their columns."""
        if connection.dialect.name != "sqlite" or connection.engine.dispatch.before_cursor_execute:  # somebody listens
            done = connection.execute(self._built, parameters)
            return done.all() if done.returns_rows else ()
        if self._ready is None:
            self._ready = _Ready(self._built, connection.dialect, parameters)
        return self._ready.rows(connection, parameters)

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
        self._text = str(compiled)
        self._names = frozenset(parameters)
        stated = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
        self._taken = [
            (
                name,
                stated.get(name),
                _processor(compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect)),
            )
            for name in compiled.positiontup
        ]
        columns = list(built.exported_columns)
        names = [column.key for column in columns]
        row: Any = namedtuple("Row", names)  # type: ignore[misc]  # noqa: PYI024 - they are known only now
        self._row = row._make
        found = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
        self._found = [(place, of) for place, of in enumerate(found) if of is not None]
        self._nobody = tuple(_sample(column.type) for column in columns)

    def rows(self, connection: Connection, parameters: Parameters) -> Sequence[Any]:
        if parameters.keys() != self._names:
            raise TypeError("the parameters of a statement are always the same by name")
        values = [of(parameters.get(name, stated)) for name, stated, of in self._taken]
        driver: Any = connection.connection.driver_connection
        try:
            rows = driver.execute(self._text, values).fetchall()
        except sqlite3.Error as error:
            raise DBAPIError.instance(
                self._text, values, error, sqlite3.Error, hide_parameters=True, dialect=connection.dialect
            ) from error
        if not rows:
            self._shown(self._nobody)  # that nothing was found must not be told by the clock
        return [self._shown(row) for row in rows]

    def _shown(self, row: tuple[Any, ...]) -> Any:
        shown = list(row)
        for place, of in self._found:
            shown[place] = of(shown[place])
        return self._row(shown)


def _sample(kind: TypeEngine[Any]) -> object:
    """Return something that the driver could have returned for a column of that type."""
    samples: dict[type[TypeEngine[Any]], object] = {DateTime: "2026-01-01 00:00:00.000000", Date: "2026-01-01"}
    implied = kind.impl_instance if isinstance(kind, TypeDecorator) else kind
    return next((sample for of, sample in samples.items() if isinstance(implied, of)), None)


def _processor(found: Callable[[Any], Any] | None) -> Callable[[Any], Any]:
    return found if found is not None else _as_it_is


def _as_it_is(value: Any) -> Any:
    return value
