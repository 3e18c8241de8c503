"""Licences that come in by file (归集), beside a bare executemany of rows of the same size and an index made after it.

The bare program has its rows ready in memory and enters them as they are. Ours reads the file, checks every value,
finds the holder, encrypts, keeps a checkpoint and writes an audit row for each portion. SQLite, one file each.
"""

from __future__ import annotations

import io
import json
import secrets
import sqlite3
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from benchmarks.rounds import Figure, median, ratio
from idservice.call import Call, Caller
from idservice.numbers import citizen
from idservice.register import importing
from idservice.register.importing_rejects import Rejects
from idservice.register.importing_rows import Form
from licences.collection import entering
from tests.builders import migrate
from tests.databases import SqliteDatabases
from tests.town import build_town, type_of

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.bench import Bench
    from idservice.call import House

ROWS: Final = 60_000
HOLDERS: Final = 20_000  # Binzhou: about three licences a holder
_COLUMNS: Final = (
    "subject, source, type_code, department, state, reason, record_sealed, digest, missing, updated_on, collected_at"
)
_GOAL: Final = "ratio_reference >= 0.67 (1.5 x the time)"


def measure(bench: Bench) -> dict[str, Figure]:
    """Return rows entered a second by the clock, one process preparing them and one entering."""
    ours, theirs = [], []
    for turn in range(bench.rounds):
        folder = bench.folder / f"collection-{turn}"
        folder.mkdir()
        town = build_town(folder, SqliteDatabases(folder).fresh(migrate))
        numbers = _enrol(town.house, folder)
        ours.append(_ours(town.house, folder, numbers))
        theirs.append(_bare(town.house, folder))
        town.house.database.engine.dispose()
    return {
        "collection_import": Figure(
            median(ours), "rows/s", reference=median(theirs), ratio_reference=ratio(ours, theirs), goal=_GOAL
        )
    }


def _enrol(house: House, folder: Path) -> list[str]:
    """Bring the holders into the population register, as an operator does first."""
    bodies = (f"371602{1940 + place // 1000}0101{place % 1000:03d}" for place in range(HOLDERS))
    numbers = [body + citizen.check_character(body) for body in bodies]
    text = "number,name\n" + "".join(f"{number},演示\n" for number in numbers)
    register, rejects = importing.REGISTERS["people"], Rejects(folder / "people.rejects")
    importing.bring_in(house, register, io.BytesIO(text.encode()), rejects, form=Form.CSV, processes=1)
    return numbers


def _ours(house: House, folder: Path, numbers: list[str]) -> float:
    kind = type_of("vocational_qualification")
    face = {f"field.{name}": value for name, value in kind.examples().items()}
    rows = ({"holder": numbers[place % HOLDERS], "number": f"ZY-{place:08d}", **face} for place in range(ROWS))
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    known = _known(house, kind.code)
    started = time.perf_counter()
    rejects = Rejects(folder / "licences.rejects")
    progress = importing.bring_in(
        house, entering.register(known), io.BytesIO(text), rejects, form=Form.JSONL, processes=1
    )
    if progress.counts["added"] != ROWS:
        raise RuntimeError(f"not every row came in: {progress.counts}")
    return ROWS / (time.perf_counter() - started)


def _known(house: House, type_code: str) -> Any:
    def deed(session: Any) -> Any:
        return entering.known(Call(house, session, Caller(channel="cli"), datetime.now(UTC)), type_code=type_code)

    return house.database.run(deed, write=False)


def _bare(house: House, folder: Path) -> float:
    """Enter as many rows of the same size into a bare table, and index it."""
    source = sqlite3.connect(house.settings.database_url.removeprefix("sqlite:///"))
    rows = source.execute(f"SELECT {_COLUMNS} FROM collected_licence").fetchall()  # noqa: S608 - names of ours
    source.close()
    secrets.SystemRandom().shuffle(rows)  # in the order of a file, not of the index they were read by
    bare = sqlite3.connect(folder / "bare.db")
    bare.execute("PRAGMA journal_mode=WAL")
    bare.execute(f"CREATE TABLE bare ({_COLUMNS})")
    started = time.perf_counter()
    with bare:
        bare.executemany(f"INSERT INTO bare VALUES ({','.join('?' * len(rows[0]))})", rows)  # noqa: S608 - no values
    with bare:
        bare.execute("CREATE UNIQUE INDEX whose ON bare (subject, source)")
    rate = len(rows) / (time.perf_counter() - started)
    bare.close()
    return rate
