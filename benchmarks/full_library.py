"""A library of licences at its full size, by the commands an operator runs: registers, import, issue, verification.

`python -m benchmarks.full_library FOLDER [--licences 5780000 --holders 1930000 --database URL]`

The people come in by `flask register import`, the licences by `flask licences import`, are sealed by `flask licences
sign` and verified by `flask licences check`, the last two by two processes, each timed from its start to its end.
Beside them, in the same run: a bare executemany of as many rows of the same size with its index (on SQLite alone), and,
by two processes, a seal and a credential by hand for each of a few thousand licences, as `bulk` does.
URL names an empty PostgreSQL database; without it the library lies in FOLDER on SQLite. Everything is made up.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks import bulk, collection
from benchmarks.servers import inherited
from idservice.numbers import citizen
from tests.builders import migrate
from tests.town import build_town, type_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from idservice.call import House
    from licences.definition import LicenceType

LICENCES: Final = 5_780_000
HOLDERS: Final = 1_930_000
_SLUG: Final = "vocational_qualification"  # a person may hold many of this type
_ROOT: Final = Path(__file__).resolve().parents[1]
_DAY: Final = 999  # numbers of one place and day


@dataclass(frozen=True, slots=True)
class Spent:
    """What one command took: seconds by the clock, and CPU seconds of all its processes."""

    seconds: float
    cpu: float


def number(place: int) -> str:
    """Return the ID number of a holder who does not exist."""
    day, sequence = divmod(place, _DAY)
    month, day = divmod(day, 28)
    year, month = divmod(month, 12)
    body = f"379923{1940 + year}{month + 1:02d}{day + 1:02d}{sequence + 1:03d}"
    return body + citizen.check_character(body)


def run(folder: Path, licences: int, holders: int, database: str | None) -> dict[str, Any]:
    """Fill the library and return what everything took, a second and beside the same by hand."""
    folder.mkdir(parents=True, exist_ok=True)
    url = database or f"sqlite:///{folder / 'library.db'}"
    migrate(url)
    town = build_town(folder, url)
    house, kind = town.house, type_of(_SLUG)
    people, library = folder / "people.csv", folder / "licences.jsonl"
    _write(people, _people(holders))
    _write(library, _licences(kind, licences, holders))
    told: dict[str, Any] = {"licences": licences, "holders": holders, "database": house.database.engine.dialect.name}
    told["register"] = _rates(holders, _flask(house, "register", "import", "people", str(people)))
    told["import"] = _rates(licences, _flask(house, "licences", "import", str(library), "--type", kind.code))
    if house.database.is_sqlite:
        told["import"] |= _beside(told["import"], "bare", collection.bare(house, folder))
    for deed, same_by_hand in (("sign", "issue_by_hand"), ("check", "verify_by_hand")):
        by_hand = bulk.ROWS_BY_HAND / bulk.seconds(house.settings, same_by_hand)
        told[deed] = _rates(licences, _flask(house, "licences", deed, "--processes", "2"))
        told[deed] |= _beside(told[deed], "by_hand", by_hand)
    told["bytes_per_licence"] = round(bulk.stored_bytes(house) / licences)
    return told


def _people(holders: int) -> Iterator[str]:
    yield "number,name\n"
    for place in range(holders):
        yield f"{number(place)},演示\n"


def _licences(kind: LicenceType, licences: int, holders: int) -> Iterator[str]:
    """Give the licences in an order in which one holder's lie far apart, as the departments' files have them."""
    face = json.dumps({f"field.{name}": value for name, value in kind.examples().items()}, ensure_ascii=False)[1:]
    for place in range(licences):
        yield f'{{"holder": "{number(place % holders)}", "number": "ZY-{place:08d}", {face}\n'


def _write(path: Path, lines: Iterator[str]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(lines)


def _flask(house: House, *command: str) -> Spent:
    """Run a command as an operator would; its progress bars go where ours would."""
    settings = house.settings
    environment = inherited() | {
        "ONA_ISSUER": settings.issuer,
        "ONA_DATABASE_URL": settings.database_url,
        "ONA_KEYS_DIR": str(settings.keys_dir),
        "ONA_INSECURE_LOOPBACK": "1",
    }
    before, started = _children(), time.perf_counter()
    house.database.engine.dispose()  # the last connection that is closed brings SQLite's write-ahead log home
    subprocess.run([sys.executable, "-m", "flask", "--app", "wsgi", *command], cwd=_ROOT, env=environment, check=True)
    return Spent(time.perf_counter() - started, _children() - before)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _rates(count: int, spent: Spent) -> dict[str, Any]:
    return {
        "seconds": round(spent.seconds, 1),
        "rows_per_second": round(count / spent.seconds),
        "cpu_us_per_row": round(1e6 * spent.cpu / count, 1),
    }


def _beside(ours: dict[str, Any], name: str, theirs: float) -> dict[str, Any]:
    return {name: round(theirs), f"ratio_{name}": round(ours["rows_per_second"] / theirs, 3)}


def main() -> None:
    """Fill a library and print what it took."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.full_library", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--licences", type=int, default=LICENCES)
    parser.add_argument("--holders", type=int, default=HOLDERS)
    parser.add_argument("--database", help="URL of an empty PostgreSQL database")
    given = parser.parse_args()
    os.umask(0o077)
    told = run(given.folder, given.licences, given.holders, given.database)
    text = json.dumps(told, ensure_ascii=False, indent=1)
    (given.folder / f"{told['database']}.json").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
