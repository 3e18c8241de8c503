"""A transaction on SQLite for statements that are ready (`statement`), without what SQLAlchemy does around each.

Its connection is one of the pool's, lent for as long as the pool lives. Who asks for anything else gets SQLAlchemy's
connection over the same transaction. Building that one costs more than the statements of most requests.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Dialect, Engine

_MOST: Final = 4  # of the pool's five: a process has as many threads that answer requests


def may_stand_for(engine: Engine) -> bool:
    """Return whether transactions of this engine can be had like this: it is SQLite's, and nobody listens."""
    return engine.dialect.name == "sqlite" and not engine.dispatch.before_cursor_execute


def as_sqlalchemy(error: sqlite3.Error, dialect: Dialect, statement: str, values: Any = ()) -> DBAPIError:
    """Return a fault of the driver's as SQLAlchemy would raise it, without the values."""
    made: DBAPIError = DBAPIError.instance(  # type: ignore[assignment]
        statement, values, error, sqlite3.Error, hide_parameters=True, dialect=dialect
    )
    return made


class Lent:
    """Connections of a pool that wait here for the next transaction: the way to the pool and back costs as much."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: list[Any] = []
        event.listen(engine, "engine_disposed", self._end)

    def take(self) -> Any:
        """Return a connection of the pool's."""
        try:
            return self._waiting.pop()
        except IndexError:
            return self._engine.raw_connection()

    def give_back(self, pooled: Any) -> None:
        """Keep a connection for the next one, with nothing left undone."""
        driver = pooled.driver_connection
        try:
            if driver.in_transaction:
                driver.rollback()
        except sqlite3.Error:
            pooled.invalidate()
            return
        if len(self._waiting) < _MOST:
            self._waiting.append(pooled)
        else:
            pooled.close()

    def _end(self, _engine: Engine) -> None:
        while self._waiting:
            self._waiting.pop().invalidate()


class QuickConnection:
    """One transaction, begun here by `begin`; `driver` is the connection of SQLite's driver."""

    __slots__ = ("_engine", "_lent", "_pooled", "_whole", "dialect", "driver")

    def __init__(self, engine: Engine, begin: Callable[[Any], object], lent: Lent) -> None:
        self._engine, self._lent, self.dialect = engine, lent, engine.dialect
        self._whole: Connection | None = None
        try:
            self._pooled: Any = lent.take()
        except sqlite3.Error as error:
            raise as_sqlalchemy(error, self.dialect, "") from error
        driver: Any = self._pooled.driver_connection
        self.driver = driver
        try:
            begin(driver)
        except sqlite3.Error as error:
            lent.give_back(self._pooled)
            raise as_sqlalchemy(error, self.dialect, "BEGIN") from error

    def whole(self) -> Connection:
        """Return SQLAlchemy's connection, in this transaction."""
        if self._whole is None:
            self._whole = Connection(self._engine, connection=self._pooled)
            self._whole.begin()  # the dialect sees that the driver has begun already
        return self._whole

    def __getattr__(self, name: str) -> Any:
        """Return what a connection of SQLAlchemy has of that name."""
        return getattr(self.whole(), name)

    def commit(self) -> None:
        """Commit."""
        if self._whole is not None:
            if self._whole.in_transaction():  # a session over it may have ended it
                self._whole.commit()
            return
        try:
            self.driver.commit()
        except sqlite3.Error as error:
            raise as_sqlalchemy(error, self.dialect, "COMMIT") from error

    def close(self) -> None:
        """Give the connection back; what was not committed is undone."""
        if self._whole is not None:
            self._whole.close()
        else:
            self._lent.give_back(self._pooled)
