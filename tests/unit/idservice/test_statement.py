"""A prepared statement gives what SQLAlchemy gives, types and faults included, on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, StatementError

from idservice.call import Call, House
from idservice.db import UTCDateTime, table_of
from idservice.models import LoginSession
from idservice.statement import Statement
from tests.builders import act, build_house, migrate
from tests.databases import Databases, noting_statements

NOW = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
ROW = {
    "id_hash": b"\0" * 31 + b"\xff",
    "subject": "s" * 32,
    "auth_time": NOW,
    "amr": ["pwd", "验"],
    "signals": ["new_device"],
    "level": 2,
    "seen_at": NOW,
    "expires_at": NOW,
    "ended_at": None,
    "first_hash": None,
    "device": "Chrome · Windows",
    "place": None,
}
_session = table_of(LoginSession)
_MINE = _session.c.id_hash == sa.bindparam("whose")
INSERT = Statement(sa.insert(_session))
FIND = Statement(sa.select(_session).where(_MINE, _session.c.level == 2))
RAISE = Statement(sa.update(_session).where(_MINE).values(level=_session.c.level + 1).returning(_session.c.level))


@pytest.fixture
def house(tmp_path: Path, databases: Databases) -> Iterator[House]:
    built = build_house(tmp_path, databases.fresh(migrate))
    yield built
    built.database.engine.dispose()


def insert_and_find(call: Call) -> list[object]:
    INSERT.run(call.connection, ROW)
    asked = {"whose": ROW["id_hash"]}
    found = FIND.first(call.connection, asked)
    plain = call.connection.execute(sa.select(_session).where(_session.c.id_hash == ROW["id_hash"])).one()
    assert tuple(found) == tuple(plain)
    assert (found.amr, found.auth_time, found.device) == (ROW["amr"], NOW, ROW["device"])
    assert found.auth_time.tzinfo is UTC
    assert FIND.first(call.connection, {"whose": b"?" * 32}) is None
    assert list(FIND.rows(call.connection, {"whose": b"?" * 32})) == []
    return [RAISE.first(call.connection, asked).level for _ in range(2)]


def test_rows_are_those_of_sqlalchemy(house: House) -> None:
    assert act(house, insert_and_find) == [3, 4]
    act(house, lambda call: call.connection.execute(sa.delete(_session)))
    with noting_statements(house.database) as noted:
        assert act(house, insert_and_find) == [3, 4]
    assert sum("login_session" in statement for statement in noted) == 7, "who listens to the engine hears of each"


def test_faults_are_those_of_sqlalchemy_and_show_no_values(house: House) -> None:
    act(house, lambda call: INSERT.run(call.connection, ROW))
    with pytest.raises(IntegrityError) as refused:
        act(house, lambda call: INSERT.run(call.connection, ROW))
    assert house.database.is_sqlite is ("Chrome" not in str(refused.value))
    with pytest.raises((ValueError, StatementError), match="zone"):
        act(house, lambda call: INSERT.run(call.connection, ROW | {"seen_at": datetime(2026, 1, 1)}))  # noqa: DTZ001


def test_a_parameter_too_few_or_too_many_is_a_fault(house: House) -> None:
    find = Statement(sa.select(_session.c.level).where(_MINE))
    for _ in range(2):  # at its first use, and from then on
        with pytest.raises((TypeError, StatementError), match="parameter"):
            act(house, lambda call: find.rows(call.connection, {}))
        assert list(act(house, lambda call: find.rows(call.connection, {"whose": b""}))) == []
    if house.database.is_sqlite:
        with pytest.raises(TypeError, match="always the same"):
            act(house, lambda call: find.rows(call.connection, {"whose": b"", "more": 1}))


def test_a_statement_whose_text_follows_from_its_parameters_is_refused(house: House) -> None:
    many = Statement(sa.select(_session.c.level).where(_session.c.level.in_(sa.bindparam("levels", expanding=True))))
    if house.database.is_sqlite:
        with pytest.raises(TypeError, match="made ready"):
            act(house, lambda call: many.rows(call.connection, {"levels": [1]}))
    else:
        assert act(house, lambda call: many.rows(call.connection, {"levels": [1]})) == []


def test_who_finds_nothing_waits_as_long() -> None:
    """A row of nobody is shown in place of the one that is not there; whatever its columns, that can be done."""
    metadata = sa.MetaData()
    kinds = {"when": UTCDateTime(), "day": sa.Date(), "bytes": sa.LargeBinary(), "json": sa.JSON(), "yes": sa.Boolean()}
    table = sa.Table("nobody", metadata, sa.Column("key", sa.String, primary_key=True))
    for name, kind in kinds.items():
        table.append_column(sa.Column(name, kind))
    engine = sa.create_engine("sqlite://")
    metadata.create_all(engine)
    found = Statement(sa.select(table).where(table.c.key == sa.bindparam("asked")))
    with engine.connect() as connection:
        assert found.first(connection, {"asked": "x"}) is None
        assert found.rows(connection, {"asked": "x"}) == []


def test_json_is_read_as_sqlalchemy_reads_it() -> None:
    metadata = sa.MetaData()
    table = sa.Table("kept", metadata, sa.Column("key", sa.Integer, primary_key=True), sa.Column("value", sa.JSON))
    engine = sa.create_engine("sqlite://")
    metadata.create_all(engine)
    values = [{"文": ["a", None, 1.5]}, [], "text", "3", 3, 1.5, True, None, sa.null()]
    find = sa.select(table.c.value).order_by(table.c.key)
    with engine.connect() as connection:
        for value in values:
            connection.execute(sa.insert(table), {"value": value})
        plain = [row.value for row in connection.execute(find)]
        assert [row.value for row in Statement(find).rows(connection, {})] == plain
    assert plain == [*values[:-1], None]
