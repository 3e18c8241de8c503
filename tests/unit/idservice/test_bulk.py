"""Many rows in one go are stored and found as single ones are, on both databases."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from idservice import bulk
from idservice.db import Database, UTCDateTime
from tests.databases import Databases

AT = datetime(2026, 3, 1, 23, 30, 15, 250_000, tzinfo=timezone(timedelta(hours=8)))
COLUMNS = ("key", "name", "born", "at", "amount", "big")
ROWS = [
    (b"\x00\xff", "王\t小\\N\n明", date(1990, 3, 7), AT, 3, 2**40),
    (b"", "", None, AT.astimezone(UTC), -1, 0),
    (b"k", None, date(1990, 3, 7), AT, 0, None),
]
TABLE = sa.Table(
    "many",
    sa.MetaData(),
    sa.Column("key", sa.LargeBinary(32), primary_key=True),
    sa.Column("name", sa.String(32)),
    sa.Column("born", sa.Date),
    sa.Column("at", UTCDateTime),
    sa.Column("amount", sa.SmallInteger),
    sa.Column("big", sa.BigInteger),
)


@pytest.fixture
def connection(databases: Databases) -> Iterator[sa.Connection]:
    url = databases.fresh()
    database = Database(url)
    with database.engine.connect() as found, found.begin():
        TABLE.create(found)
        yield found
    database.engine.dispose()
    databases.drop(url)


def test_what_goes_in_comes_out_as_by_single_statements(connection: sa.Connection) -> None:
    bulk.insert(connection, TABLE, COLUMNS, ROWS)
    together = {tuple(row) for row in connection.execute(sa.select(TABLE))}
    connection.execute(sa.delete(TABLE))
    connection.execute(sa.insert(TABLE), [dict(zip(COLUMNS, row, strict=True)) for row in ROWS])
    assert together == {tuple(row) for row in connection.execute(sa.select(TABLE))} == set(ROWS)
    bulk.insert(connection, TABLE, COLUMNS, [])


def test_a_row_that_breaks_a_rule_costs_its_savepoint_and_no_more(connection: sa.Connection) -> None:
    bulk.insert(connection, TABLE, ("key",), [(b"a",)])
    with pytest.raises(IntegrityError), connection.begin_nested():
        bulk.insert(connection, TABLE, ("key",), [(b"b",), (b"a",)])
    assert bulk.select_where_in(connection, TABLE, ("key",), "key", [b"a", b"b"]) == [(b"a",)]


def test_errors_of_the_driver_are_those_that_transactions_are_run_again_for(connection: sa.Connection) -> None:
    strange = sa.Table("not_there", sa.MetaData(), sa.Column("key", sa.LargeBinary))
    for deed in (
        lambda: bulk.insert(connection, strange, ("key",), [(b"a",)]),
        lambda: bulk.select_where_in(connection, strange, ("key",), "key", [b"a"]),
    ):
        with pytest.raises(DBAPIError) as failed, connection.begin_nested():
            deed()
        assert not failed.value.connection_invalidated


def test_more_is_asked_for_than_one_question_holds(connection: sa.Connection) -> None:
    keys = [place.to_bytes(4, "big") for place in range(12_000)]
    bulk.insert(connection, TABLE, ("key", "amount"), [(key, place % 7) for place, key in enumerate(keys)])
    found = bulk.select_where_in(connection, TABLE, ("key", "amount"), "key", [*keys[1::2], b"none"])
    assert sorted(found) == [(key, place % 7) for place, key in enumerate(keys) if place % 2]
    assert bulk.select_where_in(connection, TABLE, ("key",), "key", []) == []
