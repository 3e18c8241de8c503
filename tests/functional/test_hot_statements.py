"""No statement of a look-up, of a verification or of `/me` reads a table that grows from end to end (执行计划).

Each is asked for as it is in service; what it asks the database is listened to, and the database is asked how it goes
about that: SQLite by EXPLAIN QUERY PLAN, PostgreSQL by EXPLAIN, told to read a table through only where no index helps.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from psycopg import ClientCursor
from sqlalchemy import event

from idservice.models import Base
from tests.looking_up import ask, consent, request_for
from tests.town import ALICE, CLERK, Town

SMALL = {name for name, table in Base.metadata.tables.items() if table.info["owner"] == "reference"}
ASKED = re.compile(r"(SELECT|UPDATE|DELETE|INSERT)\b")
THROUGH = re.compile(r"Seq Scan on (\w+)|^SCAN (\w+)")

Asked = list[tuple[str, Any]]


@pytest.fixture(scope="module")
def card(town: Town) -> str:
    return town.issue("resident_card").identifier


def listen(town: Town, deed: Callable[[], Any]) -> Asked:
    """Return the statements that a deed asks the database, and their parameters."""
    asked: Asked = []

    def note(_connection: Any, _cursor: Any, text: str, parameters: Any, _context: Any, _many: bool) -> None:
        asked.append((text, parameters))

    engines = {town.house.database.engine, town.house.database._writer}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        deed()
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)
    return [one for one in asked if ASKED.match(one[0])]


def plan(town: Town, text: str, parameters: Any) -> list[str]:
    """Return how the database goes about a statement, line by line."""
    pooled = town.house.database.engine.raw_connection()
    connection: Any = pooled.driver_connection
    try:
        if town.house.database.is_sqlite:
            rows = connection.execute(f"EXPLAIN QUERY PLAN {text}", parameters).fetchall()
            return [row[3] for row in rows]
        with ClientCursor(connection) as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            return [row[0] for row in cursor.execute(f"EXPLAIN {text}", parameters).fetchall()]
    finally:
        connection.rollback()
        pooled.close()


def read_through(town: Town, asked: Asked) -> set[tuple[str, str]]:
    """Return the tables that grow and are read from end to end, each with the statement that does so."""
    found = set()
    for text, parameters in asked:
        for line in plan(town, text, parameters):
            if (match := THROUGH.search(line)) is not None and (match[1] or match[2]) in Base.metadata.tables:
                found.add((match[1] or match[2], text))
    return {one for one in found if one[0] not in SMALL}


def test_a_look_up_reads_no_table_through(town: Town, card: str) -> None:
    for ground in ({"code": town.show(matter="DM-M-005")}, {"consent": consent(town)}):
        asked = listen(town, lambda ground=ground: ask(town, request_for(ground)))  # type: ignore[misc]
        assert any("access_record" in text for text, _ in asked)
        assert len(asked) >= 9
        assert read_through(town, asked) == set()


def test_a_verification_reads_no_table_through(town: Town, card: str) -> None:
    for text in (town.show(card), card):
        asked = listen(town, lambda text=text: town.verify(text, operator={"id_number": CLERK}))  # type: ignore[misc]
        assert any("access_record" in text for text, _ in asked)
        assert read_through(town, asked) == set()


def test_the_pages_of_a_holder_read_no_table_through(town: Town, card: str) -> None:
    browser = town.browser(ALICE)
    for path in ("/me", "/me/accesses"):
        asked = listen(town, lambda path=path: browser.open(path))  # type: ignore[misc]
        assert any("access_record" in text for text, _ in asked)
        assert read_through(town, asked) == set()


def test_a_table_that_is_read_through_is_found(town: Town) -> None:
    statement = "SELECT purpose FROM access_record WHERE act = 'x'".replace("purpose", "act")
    assert read_through(town, [(statement, ())]) == {("access_record", statement)}
