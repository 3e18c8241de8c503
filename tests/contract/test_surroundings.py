"""The test run's own ground: the databases, Redis and browser that other tests stand on are real ones."""

import itertools
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import hypothesis
import pytest
import redis
import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.internal.conjecture import data

from tests.databases import Databases, PostgresDatabases

if TYPE_CHECKING:
    from playwright.sync_api import Page


def _make_table(url: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE once (number INTEGER)"))
        connection.execute(sa.text("INSERT INTO once VALUES (1)"))
    engine.dispose()


def _count(url: str) -> int:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return int(connection.execute(sa.text("SELECT count(*) FROM once")).scalar_one())


def test_a_module_database_is_empty(database_url: str) -> None:
    engine = sa.create_engine(database_url, poolclass=sa.NullPool)
    assert sa.inspect(engine).get_table_names() == []


def test_copies_of_a_template_are_apart(databases: Databases) -> None:
    first, second = databases.fresh(_make_table), databases.fresh(_make_table)
    engine = sa.create_engine(first)
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO once VALUES (2)"))
    engine.dispose()
    assert (_count(first), _count(second)) == (2, 1)
    for url in (first, second):
        databases.drop(url)
    with pytest.raises(sa.exc.OperationalError):
        _count(second)


@pytest.mark.postgres
def test_a_database_in_use_can_be_dropped(postgres: PostgresDatabases) -> None:
    url = postgres.fresh()
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        version = connection.execute(sa.text("SHOW server_version_num")).scalar_one()
        postgres.drop(url)
        connection.invalidate()
    assert int(version) >= 150000


def test_redis_starts_empty(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        assert client.set("once", "1", nx=True)
        assert client.set("once", "1", nx=True) is None


def test_chromium_renders_chinese(page: "Page") -> None:
    page.set_content("<h1>一号通行</h1>")
    assert page.inner_text("h1") == "一号通行"
    assert page.evaluate("navigator.language") == "zh-CN"


def test_the_vectors_hold_seals(vectors: Path) -> None:
    assert (vectors / "seals").is_dir()


def test_no_property_fails_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    hours = itertools.count(0.0, 3600.0)
    slow = SimpleNamespace(**(vars(time) | {"perf_counter": lambda: next(hours)}))
    monkeypatch.setattr(data, "time", slow)
    monkeypatch.setattr(hypothesis.core, "time", slow)
    drawn: list[list[int]] = []

    @hypothesis.given(st.lists(st.integers()))
    def a_property(numbers: list[int]) -> None:
        drawn.append(numbers)

    a_property()
    assert len(drawn) == hypothesis.settings().max_examples
    assert next(hours) > 3600.0 * len(drawn), "it no longer looks at this clock"
