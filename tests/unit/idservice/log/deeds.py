"""Fill, sequence, check and damage an audit log."""

# ruff: noqa: S608 - the SQL of a tamperer is put together from the test's own numbers

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from idservice import audit
from idservice.call import Call, House
from idservice.log import tree
from idservice.log.findings import Report
from idservice.log.sequencer import sequence
from idservice.log.verify import verify_log
from keys.tiles import Edge
from tests.builders import act

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BATCHES = (1, 2, 253, 1, 300, 143)
SIZE = sum(BATCHES)  # 700: two full tiles, a partial one, a tile above them

Edit = tuple[str, dict[str, object]]  # SQL and its parameters

# A row like another one, under another identifier, at a place of one's choice.
COPY = (
    "INSERT INTO audit_entry (entry_id, at, deed, outcome, actor, facts, salt, log_index) "
    "SELECT :entry_id, at, deed, outcome, actor, facts, salt, :place FROM audit_entry WHERE log_index = 5"
)


def record(house: House, count: int, *, now: datetime = NOON) -> list[str]:
    """Write `count` audit rows in one transaction and return their identifiers."""

    def write(call: Call) -> list[str]:
        return [audit.record(call, audit.Deed.LOGIN, subject=f"s{n}", way="password") for n in range(count)]

    return act(house, write, now=now)


def fill(house: House, *batches: int) -> None:
    """Record and sequence batches one after the other, so that each has a checkpoint of its own."""
    for number, count in enumerate(batches):
        moment = NOON + timedelta(seconds=2 * number)
        record(house, count, now=moment)
        assert sequence(house, moment) == count


def check(house: House, copies: Sequence[str] = (), *, now: datetime = NOON) -> Report:
    def run(session):
        tree.one_state(session)
        return verify_log(session, tree.opener(house), now=now, copies=copies)

    return house.database.run(run, write=False)


def change(house: House, sql: str, **values: object) -> int:
    """Change the database behind the service's back; return how many rows that met."""
    return house.database.run(lambda session: session.execute(text(sql), values).rowcount, write=True)


def ask(house: House, sql: str, **values: object):
    return house.database.run(lambda session: session.execute(text(sql), values).all(), write=False)


def newest_note(house: House) -> str:
    row = house.database.run(tree.newest, write=False)
    assert row is not None
    return row.note


def check_after(house: House, *edits: Edit, copies: Sequence[str] = ()) -> Report:
    """Check the log as it would be after these edits, and put everything back."""
    with Session(house.database.engine) as session:
        tree.one_state(session)
        for sql, values in edits:
            assert session.execute(text(sql), values).rowcount > 0, f"the edit met nothing: {sql} {values}"
        report = verify_log(session, tree.opener(house), now=NOON, copies=copies)
        session.rollback()
    return report


def rebuild(house: House, leaves: list[bytes]) -> list[Edit]:
    """Return the edits of somebody who writes all tiles anew over other leaf hashes, but cannot sign."""
    _, tiles = Edge().append(leaves)
    return [
        ("DELETE FROM log_tile", {}),
        *(
            (
                "INSERT INTO log_tile (level, number, hashes) VALUES (:level, :number, :hashes)",
                {"level": tile.level, "number": tile.index, "hashes": data},
            )
            for tile, data in tiles.items()
        ),
    ]


def column_set(column: str, place: int, value: object) -> Edit:
    return f"UPDATE audit_entry SET {column} = :value WHERE log_index = {place}", {"value": value}


def swapped(one: int, other: int) -> list[Edit]:
    return [
        (f"UPDATE audit_entry SET log_index = -1 WHERE log_index = {one}", {}),
        (f"UPDATE audit_entry SET log_index = {one} WHERE log_index = {other}", {}),
        (f"UPDATE audit_entry SET log_index = {other} WHERE log_index = -1", {}),
    ]
