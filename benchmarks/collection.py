"""Licences that come in by file (归集), beside a bare executemany of rows of the same size and an index made after it.

The bare program has its rows ready in memory and enters them as they are. Ours reads the file, checks every value,
finds the holder, encrypts, keeps a checkpoint and writes an audit row for each portion. SQLite, one file each.
"""

from __future__ import annotations

import io
import json
import os
import random
import sqlite3
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

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

    from sqlalchemy.orm import Session

    from benchmarks.bench import Bench
    from idservice.call import House
    from licences.collection.rows import Known
    from licences.definition import LicenceType

_KEY: Final = bytes(32)
_AEAD: Final = AESGCM(_KEY)
ROWS: Final = 240_000
HOLDERS: Final = 80_000  # Binzhou: about three licences a holder
_COLUMNS: Final = (
    "subject, source, type_code, department, state, reason, record_sealed, digest, missing, updated_on, collected_at"
)
_GOAL: Final = "ratio_reference >= 0.67 (1.5 x the time)"


def measure(bench: Bench) -> dict[str, Figure]:
    """Return rows entered a second by the clock, one process preparing them and one entering."""
    ours, theirs, by_hand = [], [], []
    folder = bench.folder / "collection"
    folder.mkdir()
    town = build_town(folder, SqliteDatabases(folder).fresh(migrate))
    numbers = enrol(town.house, folder, HOLDERS)
    for turn in range(bench.rounds):
        ours.append(bring_in(town.house, folder, numbers, ROWS, f"{turn}-"))
        theirs.append(bare(town.house, folder))
        by_hand.append(_by_hand(town.house, folder, numbers))
        _forget(town.house)
    return {
        "collection_import": Figure(
            median(ours),
            "rows/s",
            reference=median(theirs),
            ratio_reference=ratio(ours, theirs),
            by_hand=median(by_hand),
            ratio_by_hand=ratio(ours, by_hand),
            goal=_GOAL,
        )
    }


def enrol(house: House, folder: Path, holders: int) -> list[str]:
    """Bring the holders into the population register, as an operator does first."""
    bodies = (
        f"371602{1940 + place // 1000 % 60}0{1 + place // 60_000}01{place % 1000:03d}" for place in range(holders)
    )
    numbers = [body + citizen.check_character(body) for body in bodies]
    text = "number,name\n" + "".join(f"{number},演示\n" for number in numbers)
    register, rejects = importing.REGISTERS["people"], Rejects(folder / "people.rejects")
    importing.bring_in(house, register, io.BytesIO(text.encode()), rejects, form=Form.CSV, processes=1)
    return numbers


def bring_in(house: House, folder: Path, numbers: list[str], rows: int, prefix: str) -> float:
    """Bring in so many licences by file; return rows a second."""
    kind = type_of("vocational_qualification")
    text = _file(kind, numbers, rows, prefix)
    known = _known(house, kind.code)
    started = time.perf_counter()
    rejects = Rejects(folder / "licences.rejects")
    progress = importing.bring_in(
        house, entering.register(known), io.BytesIO(text), rejects, form=Form.JSONL, processes=1
    )
    if progress.counts["added"] != rows:
        raise RuntimeError(f"not every row came in: {progress.counts}")
    return rows / (time.perf_counter() - started)


def _file(kind: LicenceType, numbers: list[str], rows: int, prefix: str) -> bytes:
    face = {f"field.{name}": value for name, value in kind.examples().items()}
    lines = (
        {"holder": numbers[place % len(numbers)], "number": f"ZY-{prefix}{place:08d}", **face} for place in range(rows)
    )
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()


def _known(house: House, type_code: str) -> Known:
    def deed(session: Session) -> Known:
        return entering.known(Call(house, session, Caller(channel="cli"), datetime.now(UTC)), type_code=type_code)

    return house.database.run(deed, write=False)


def _forget(house: House) -> None:
    with house.database.engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA secure_delete=OFF")
        connection.exec_driver_sql("DELETE FROM collected_licence")


def bare(house: House, folder: Path) -> float:
    """Enter as many rows of the same size into a bare table, and index it."""
    rows = _rows(house)
    started = time.perf_counter()
    _enter_bare(folder, rows)
    return len(rows) / (time.perf_counter() - started)


def _by_hand(house: House, folder: Path, numbers: list[str]) -> float:
    """Enter them with what cannot be left out: each line is read, its two names are hashed, its record is encrypted.

    Nothing is checked, looked up, audited or resumable; one process, as many rows a second as two such would do.
    """
    rows = _rows(house)
    lines = _file(type_of("vocational_qualification"), numbers, len(rows), "0-").splitlines()
    read, write, aead, hashed = (
        json.JSONDecoder().decode,
        json.JSONEncoder(ensure_ascii=False).encode,
        _AEAD,
        HMAC(_KEY, SHA256()),
    )
    started = time.perf_counter()
    for line in lines:
        record = read(line.decode())
        for name in (record["holder"], record["number"]):
            one = hashed.copy()
            one.update(name.encode())
            one.finalize()
        nonce = os.urandom(12)
        aead.encrypt(nonce, write(record).encode(), nonce)
    _enter_bare(folder, rows)
    return 2 * len(rows) / (time.perf_counter() - started)


def _rows(house: House) -> list[tuple[object, ...]]:
    source = sqlite3.connect(house.settings.database_url.removeprefix("sqlite:///"))
    rows = source.execute(f"SELECT {_COLUMNS} FROM collected_licence").fetchall()  # noqa: S608 - names of ours
    source.close()
    random.Random(1).shuffle(rows)  # in the order of a file, not of the index they were read by
    return rows


def _enter_bare(folder: Path, rows: list[tuple[object, ...]]) -> None:
    place = folder / "bare.db"
    place.unlink(missing_ok=True)
    bare = sqlite3.connect(place)
    bare.execute("PRAGMA journal_mode=WAL")
    bare.execute(f"CREATE TABLE bare ({_COLUMNS})")
    with bare:
        bare.executemany(f"INSERT INTO bare VALUES ({','.join('?' * len(rows[0]))})", rows)  # noqa: S608 - no values
    with bare:
        bare.execute("CREATE UNIQUE INDEX whose ON bare (subject, source)")
    bare.close()
