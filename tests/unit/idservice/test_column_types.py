"""Values come out of the small columns as they went in, on both databases, in the order they had as text."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from idservice import bulk
from idservice.column_types import HexId, Instant
from idservice.db import Database
from idservice.statement import Statement
from tests.databases import Databases

IDS = ("00" * 16, "0123456789abcdef" * 2, "7f" * 16, "ff" * 16)
STRANGE = ("x", "ABCDEF00", "abc", "王", "f" * 33, "0" * 34, "\u00ff" * 3)  # not hexadecimal, odd, too long
INSTANTS = (
    datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2026, 3, 1, 12, 0, 0, 1, UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC),
)
TABLE = sa.Table(
    "small",
    sa.MetaData(),
    sa.Column("key", HexId, primary_key=True),
    sa.Column("at", Instant),
    sa.Column("other", HexId),
)
FIND = Statement(sa.select(TABLE).where(TABLE.c.key == sa.bindparam("key")))


@pytest.fixture
def connection(databases: Databases) -> Iterator[sa.Connection]:
    url = databases.fresh()
    database = Database(url)
    with database.engine.connect() as found, found.begin():
        TABLE.create(found)
        yield found
    database.engine.dispose()
    databases.drop(url)


def test_what_goes_in_comes_out_by_every_way(connection: sa.Connection) -> None:
    rows = [
        (key, INSTANTS[place % len(INSTANTS)], None if place else key) for place, key in enumerate((*IDS, *STRANGE))
    ]
    bulk.insert(connection, TABLE, ("key", "at", "other"), rows[::2])
    connection.execute(sa.insert(TABLE), [dict(zip(("key", "at", "other"), row, strict=True)) for row in rows[1::2]])
    assert {tuple(row) for row in connection.execute(sa.select(TABLE))} == set(rows)
    assert set(bulk.select_where_in(connection, TABLE, ("key", "at", "other"), "key", [*IDS, *STRANGE])) == set(rows)
    assert [tuple(row) for key, *_ in rows for row in FIND.rows(connection, {"key": key})] == rows
    assert FIND.rows(connection, {"key": "no such"}) == []


def test_the_order_is_that_of_the_text_and_a_beginning_is_one_of_the_bytes(connection: sa.Connection) -> None:
    bulk.insert(connection, TABLE, ("key",), [(key,) for key in (*STRANGE, *IDS)])
    found = list(connection.scalars(sa.select(TABLE.c.key).order_by(TABLE.c.key)))
    assert found[: len(IDS)] == sorted(IDS)
    asked = sa.select(TABLE.c.key).where(TABLE.c.key >= "01234567", TABLE.c.key < "80000000")
    assert sorted(connection.scalars(asked)) == [IDS[1], IDS[2]]


def test_instants_are_compared_as_instants(connection: sa.Connection) -> None:
    bulk.insert(connection, TABLE, ("key", "at"), list(zip(IDS, INSTANTS, strict=True)))
    before = INSTANTS[2].astimezone(timezone(timedelta(hours=8)))
    assert list(connection.scalars(sa.select(TABLE.c.key).where(TABLE.c.at < before).order_by(TABLE.c.at))) == [
        *IDS[:2]
    ]
    assert connection.scalar(sa.select(sa.func.max(TABLE.c.at))) == INSTANTS[3]
    assert all(found.tzinfo is UTC for found in connection.scalars(sa.select(TABLE.c.at)))


def test_a_time_without_a_zone_is_refused(connection: sa.Connection) -> None:
    with pytest.raises((ValueError, sa.exc.StatementError), match="zone"):
        connection.execute(sa.insert(TABLE), {"key": IDS[0], "at": datetime(2026, 3, 1)})  # noqa: DTZ001


def test_an_identifier_takes_half_its_room(connection: sa.Connection) -> None:
    connection.execute(sa.insert(TABLE), {"key": IDS[1]})
    assert connection.scalar(sa.text("SELECT length(key) FROM small")) == 16
