"""A city at its full size: a demonstration city, and as many licences, holders and looks beside it as Binzhou has.

`python -m benchmarks.full_city FOLDER [--licences 5780000 --accesses 14800000 --asked 4000]`

Who is asked for in a measure holds licences that were issued by the house's own verbs, sealed and signed. All others
are rows of the same tables: numbers with their keyed hash, names, records and looks encrypted under the city's keys,
each for its own row. Their seals and signatures are copies, so none of these licences holds. Everything is made up.

Two databases come of it: `city` has the looks (用证留痕), `city-without-accesses` is the same before these came in.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks import full_city_rows, servers
from benchmarks.application import open_application
from benchmarks.full_city_rows import Pattern
from idservice import schema
from idservice.call import Call, Caller
from idservice.db import Database
from idservice.register import people
from licences import artefacts, catalogue, change, issue

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.full_city_rows import Portion
    from idservice.call import House

WITH, WITHOUT = "city", "city-without-accesses"
SLUGS: Final = ("resident_card", "real_estate_title", "household_register")
HELD: Final = len(SLUGS)  # Binzhou: 5.78 million licences of 1.93 million holders
DONE: Final = "full_city.json"
_CACHE_KIB: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Size:
    """How much is in the city."""

    licences: int = 60_000
    accesses: int = 150_000
    asked: int = 500

    @property
    def holders(self) -> int:
        """Return how many people hold the licences."""
        return self.licences // HELD


FULL: Final = Size(5_780_000, 14_800_000, 4_000)


def build(folder: Path, size: Size) -> list[dict[str, Any]]:
    """Build the city in `folder`, unless it is there, and return who may be asked for: number and licences."""
    done = folder / DONE
    if done.exists() and (found := json.loads(done.read_text()))["size"] == asdict(size):
        for data in (WITH, WITHOUT):
            schema.upgrade(Database(f"sqlite:///{_database(folder / data)}"))  # a server would not have the time
        asked: list[dict[str, Any]] = found["asked"]
        return asked
    started = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    with servers.demonstration(folder) as (_, city):
        members = city.members
    app = open_application(members)
    house: House = app.extensions["ona"]
    asked = _issue_to_asked(house, size)
    patterns = house.database.run(lambda session: _patterns(house, session, asked[0]), write=False)
    house.database.engine.dispose()
    database = _database(folder / WITH)
    _load(database, "subject_index", full_city_rows.routes(house.cipher, size.holders))
    for table, rows in full_city_rows.registers(house.cipher, patterns, size.holders):
        _load(database, table, rows)
    _rest(database)
    shutil.rmtree(folder / WITHOUT, ignore_errors=True)
    shutil.copytree(folder / WITH, folder / WITHOUT)
    _load(database, "access_record", full_city_rows.accesses(house.cipher, size.holders, size.accesses))
    _rest(database)
    facts = {"size": asdict(size), "seconds": round(time.monotonic() - started), "bytes": database.stat().st_size}
    done.write_text(json.dumps({**facts, "asked": asked}, ensure_ascii=False))
    return asked


def _database(data: Path) -> Path:
    return next(path for path in data.iterdir() if path.suffix in {".db", ".sqlite", ".sqlite3"})


def _issue_to_asked(house: House, size: Size) -> list[dict[str, Any]]:
    """Enrol those who are asked for, spread over the city, and issue their licences."""
    every = max(1, size.holders // size.asked)
    places = [place * every + full_city_rows.GAP for place in range(size.asked)]
    asked = []
    for place in places:
        number, name = full_city_rows.number(place, asked=True), full_city_rows.name(place)
        asked.append({"number": number, "name": name, "licences": _issue(house, number, name)})
    return asked


def _issue(house: House, number: str, name: str) -> list[str]:
    def deed(session: Any) -> list[str]:
        call = Call(house, session, Caller(channel="cli", all_departments=True), datetime.now(UTC))
        people.enrol(call, number=number, name=name, level=3)
        known = {entry.type.slug: entry.type for entry in catalogue.entries(call).values()}
        kinds = [known[slug] for slug in SLUGS]
        bodies = [{"type": kind.code, "holder": {"number": number}, "fields": kind.examples()} for kind in kinds]
        return [issue.issue(call, issue.intend(call, body, approved=True)).identifier for body in bodies]

    return house.database.run(deed, write=True)


def _patterns(house: House, session: Any, asked: dict[str, Any]) -> list[Pattern]:
    """Return what all licences are made after: those of one who is asked for."""
    call = Call(house, session, Caller(channel="cli"), datetime.now(UTC))
    held: list[Any] = [change.find(call, code) for code in asked["licences"]]
    return [
        Pattern(row._asdict(), artefacts.open_record(call, row).content, asked["number"], asked["name"]) for row in held
    ]


def _load(database: Path, table: str, portions: Iterable[Portion]) -> None:
    """Enter rows, portion by portion, as fast as SQLite takes them; a load that breaks off leaves no database."""
    connection = sqlite3.connect(database, isolation_level=None)
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE", f"cache_size=-{_CACHE_KIB}"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN")
    for portion in portions:
        places = ",".join("?" * len(portion.names))
        text = f"INSERT INTO {table} ({','.join(portion.names)}) VALUES ({places})"  # noqa: S608 - names of ours
        connection.executemany(text, portion.values)
    connection.execute("COMMIT")
    connection.close()


def _rest(database: Path) -> None:
    """Put the database back into the mode in which it is served."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


def main() -> None:
    """Build a full city and say how long it took."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.full_city", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--licences", type=int, default=FULL.licences)
    parser.add_argument("--accesses", type=int, default=FULL.accesses)
    parser.add_argument("--asked", type=int, default=FULL.asked)
    given = parser.parse_args()
    build(given.folder, Size(given.licences, given.accesses, given.asked))
    told = json.loads((given.folder / DONE).read_text())
    print(f"{told['size']}: {told['seconds']} s, {told['bytes'] / 2**30:.1f} GiB")


if __name__ == "__main__":
    main()
