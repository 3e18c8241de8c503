"""Many rows in one go: what an import enters, and what it asks for, without SQLAlchemy's work for each row.

On SQLite the driver's own `executemany`; on PostgreSQL `COPY ... FROM STDIN (FORMAT BINARY)`. Values pass through the
bind processors of their columns' types, as in every other statement, so that the same is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from sqlalchemy import Column, Connection, Dialect, Table

    Processor = Callable[[Any], Any]

_MOST_AT_ONCE = 5_000  # values in one question; SQLite allows 32,766


def insert(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert `rows`, each with its values in the order of `columns`, inside the connection's transaction.

    Raises:
        IntegrityError: one of them breaks a rule of the table; PostgreSQL loses the transaction or savepoint.
    """
    if not rows:
        return
    found = [table.c[name] for name in columns]
    ready = _processed(rows, [_processor(column, connection.dialect) for column in found])
    with _driver_cursor(connection) as cursor:
        if connection.dialect.name == "sqlite":
            marks = ",".join("?" * len(columns))
            # Names of ours alone: no value stands in a statement.
            cursor.executemany(f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})", ready)  # noqa: S608
        else:
            _copy(cursor, table.name, found, ready, connection.dialect)


def select_where_in(
    connection: Connection, table: Table, columns: Sequence[str], key: str, values: Sequence[Any]
) -> list[tuple[Any, ...]]:
    """Return `columns` of the rows whose `key` is among `values`, in no order."""
    chosen = f"SELECT {', '.join(columns)} FROM {table.name} WHERE {key}"  # noqa: S608 - names of ours
    stores = _processor(table.c[key], connection.dialect)
    asked = list(values) if stores is None else [stores(value) for value in values]
    found: list[tuple[Any, ...]] = []
    with _driver_cursor(connection) as cursor:
        if connection.dialect.name != "sqlite":
            cursor.execute(f"{chosen} = ANY(%s)", [asked])
            found += cursor.fetchall()
        else:
            for first in range(0, len(asked), _MOST_AT_ONCE):
                part = asked[first : first + _MOST_AT_ONCE]
                found += cursor.execute(f"{chosen} IN ({','.join('?' * len(part))})", part).fetchall()
    shows = [_shower(table.c[name], connection.dialect) for name in columns]
    return list(_processed(found, shows))


@contextmanager
def _driver_cursor(connection: Connection) -> Iterator[Any]:
    """Give the driver's cursor; its errors come out as SQLAlchemy's, so that a lost transaction is run again."""
    dialect, driver = connection.dialect, connection.connection.driver_connection
    failure = dialect.loaded_dbapi.Error
    cursor: Any = driver.cursor()  # type: ignore[union-attr]  # a connection that is open has one
    try:
        yield cursor
    except failure as error:
        lost = dialect.is_disconnect(error, driver, cursor)
        if lost:
            connection.invalidate(error)
        raise DBAPIError.instance(None, None, error, failure, connection_invalidated=lost, dialect=dialect) from error
    finally:
        cursor.close()


def _copy(
    cursor: Any, table: str, columns: Sequence[Column[Any]], rows: Iterable[tuple[Any, ...]], dialect: Dialect
) -> None:
    names = ", ".join(column.name for column in columns)
    with cursor.copy(f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types([_kind(column, dialect) for column in columns])
        for row in rows:
            copy.write_row(row)


def _kind(column: Column[Any], dialect: Dialect) -> str:
    """Return the name of a column's type as PostgreSQL's catalogue has it."""
    name = column.type.compile(dialect).partition("(")[0].lower()
    return {"timestamp with time zone": "timestamptz", "double precision": "float8"}.get(name, name)


@lru_cache(maxsize=512)
def _processor(column: Column[Any], dialect: Dialect) -> Processor | None:
    found = column.type.dialect_impl(dialect).bind_processor(dialect)
    # A driver takes bytes as they are; the wrapper of the type is for what is not.
    return None if found is None or column.type.python_type is bytes else found


@lru_cache(maxsize=512)
def _shower(column: Column[Any], dialect: Dialect) -> Processor | None:
    """Return what makes of the driver's value what every other statement gives."""
    found = column.type.dialect_impl(dialect).result_processor(dialect, None)
    return None if found is None or column.type.python_type is bytes else found


def _processed(rows: Sequence[tuple[Any, ...]], processors: Sequence[Processor | None]) -> Iterable[tuple[Any, ...]]:
    """Return the rows as the database stores them, or as the program sees them; most columns are not touched."""
    if not rows or not any(processors):
        return rows
    columns: list[Any] = list(zip(*rows, strict=True))
    for place, processor in enumerate(processors):
        if processor is not None:
            columns[place] = _each_once(columns[place], processor)
    return zip(*columns, strict=True)


def _each_once(values: Sequence[Any], processor: Processor) -> list[Any]:
    """Process a column, each of its values once where they are few: days and instants are, ids are not."""
    different = set(values)
    if 2 * len(different) > len(values):
        return [*map(processor, values)]
    done = {value: processor(value) for value in different}
    return [*map(done.__getitem__, values)]
