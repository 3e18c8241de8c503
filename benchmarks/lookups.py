"""Look-ups and verifications of shown codes in a city of full size, beside what any answer from a database costs.

The reference is bare Flask with SQLAlchemy Core reading one row of ten thousand, on the same server with the same
settings; `commit` is the same writing one row and waiting for the disk, `by_hand` a look-up without anything that makes
it a service. Every request brings a fresh show code of one of those who may be asked for, and a clerk.

The same requests go to the city without looks: what fourteen million access records in the table cost.
"""

from __future__ import annotations

import contextlib
import json
import random
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import insert

from benchmarks import full_city, me_page, servers, wrk
from benchmarks.application import open_application
from benchmarks.bench import fetch
from benchmarks.peers import lookup_by_hand, one_row
from benchmarks.request import Request, get, post_json
from benchmarks.rounds import Cost, Figure, alternate, cost, median, ratio
from idservice.call import Call, Caller
from idservice.ids import secret_hash
from idservice.register import people
from licences import identifier, show
from licences.models import Presentation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sqlalchemy.orm import Session

    from benchmarks.bench import Bench
    from benchmarks.city import City
    from benchmarks.servers import Server
    from idservice.call import House

SCOPE: Final = "verifications.create lookups.create"
MATTER: Final = "DM-M-037"  # one licence proves who he is
_MOST_PER_SECOND: Final = 2_500  # more than two cores can do
_GOOD_FOR: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Asked:
    """One who may be asked for; `card` is the licence that proves who he is."""

    number: str
    subject: str
    card: str


@dataclass(frozen=True, slots=True)
class Clerk:
    """What a counter sends to a city, with fresh codes of those who may be asked for."""

    city: City
    house: House
    asked: Sequence[Asked]

    def look_ups(self, token: str, many: int, path: str = "/v1/lookups") -> list[Request]:
        """Return requests that each look somebody up."""
        return [post_json(path, self._look_up_body(*shown), token=token) for shown in self._codes(many)]

    def verifications(self, token: str, many: int) -> list[Request]:
        """Return requests that each verify a shown code."""
        return [
            post_json("/v1/verifications", {**self._stated(), "text": code}, token=token)
            for _, code in self._codes(many)
        ]

    def _look_up_body(self, number: str, code: str) -> dict[str, Any]:
        return {
            **self._stated(),
            "matter": MATTER,
            "subject": {"number": number},
            "case_number": "2026-000001",
            "authorisation": {"code": code},
        }

    def _stated(self) -> dict[str, Any]:
        return {"purpose": "窗口核验", "operator": {"id_number": self.city.members["clerks"][0]["id_number"]}}

    def _codes(self, many: int) -> list[tuple[str, str]]:
        """Return codes as holders would show them just now, with their numbers: rows, since nobody waits for these."""
        now, made, rows = datetime.now(UTC), [], []
        for one in random.choices(self.asked, k=many):
            code = "".join(secrets.choice(show.ALPHABET) for _ in range(show.LENGTH))
            made.append((one.number, code))
            rows.append(
                {
                    "code_hash": secret_hash(code),
                    "subject": one.subject,
                    "licences": [one.card],
                    "fields": None,
                    "audience": None,
                    "matter": MATTER,
                    "created_at": now,
                    "expires_at": now + _GOOD_FOR,
                }
            )
        self.house.database.run(lambda session: session.execute(insert(Presentation), rows), write=True)
        return made


@dataclass(frozen=True, slots=True)
class Counter:
    """A city that is being served, and the clerk who asks there."""

    server: Server
    clerk: Clerk

    @property
    def city(self) -> City:
        """Return the city."""
        return self.clerk.city

    @property
    def house(self) -> House:
        """Return the house that this process opened on the city's database."""
        return self.clerk.house

    def look_up(self, seconds: int) -> Cost:
        """Look up for some seconds."""
        return self._cost(self.look_ups(seconds), seconds, '"outcome":"licence"')

    def verify(self, seconds: int) -> Cost:
        """Verify shown codes for some seconds."""
        requests = self.clerk.verifications(self._token(), _MOST_PER_SECOND * seconds)
        return self._cost(requests, seconds, '"ok":true')

    def look_ups(self, seconds: int, path: str = "/v1/lookups") -> list[Request]:
        """Return requests that each look somebody up, enough for some seconds."""
        return self.clerk.look_ups(self._token(), _MOST_PER_SECOND * seconds, path)

    def _cost(self, requests: Sequence[Request], seconds: int, expected: str) -> Cost:
        url = self.server.url
        return cost(self.server, lambda: wrk.send(url, requests, seconds=seconds, expected=expected, once=True))

    def _token(self) -> str:
        return str(json.loads(fetch(self.server.url, self.city.token_request("counter", SCOPE)))["access_token"])


@contextlib.contextmanager
def counter(folder: Path, size: full_city.Size, data: str) -> Iterator[Counter]:
    """Serve one of the databases of the full city in `folder`, which is built where it is not there."""
    asked = full_city.build(folder, size)
    with servers.demonstration(folder, data) as (server, city):
        house: House = open_application(city.members).extensions["ona"]
        yield Counter(server, clerk_of(city, house, asked))
        house.database.engine.dispose()


def clerk_of(city: City, house: House, asked: Sequence[Mapping[str, Any]]) -> Clerk:
    """Return the clerk of a full city; `asked` is what `full_city.build` tells of those who may be asked for."""

    def find(session: Session) -> list[Asked]:
        call = Call(house, session, Caller(channel="cli"), datetime.now(UTC))
        return [Asked(one["number"], people.find(call, one["number"]) or "", one["licences"][0]) for one in asked]

    return Clerk(city, house, house.database.run(find, write=False))


def measure(bench: Bench) -> dict[str, Figure]:
    """Return what look-ups and verifications cost, and a page of sixty licences."""
    folder, size = (bench.full, full_city.FULL) if bench.full else (bench.folder / "full", full_city.Size())
    database = f"sqlite:///{bench.folder / 'one_row.db'}"
    one_row.prepare(database)
    with contextlib.ExitStack() as running:
        crowded = running.enter_context(counter(folder, size, full_city.WITH))
        empty = running.enter_context(counter(folder, size, full_city.WITHOUT))
        environment = {one_row.DATABASE: database}
        bare = running.enter_context(servers.granian("benchmarks.peers.one_row:create_app", bench.folder, environment))
        environment = {lookup_by_hand.CITY: str(folder / f"{full_city.WITH}.json")}
        hand = running.enter_context(
            servers.granian("benchmarks.peers.lookup_by_hand:create_app", bench.folder, environment)
        )
        found = alternate(_targets(bench.seconds, crowded, empty, bare, hand), bench.rounds)
        return _figures(found) | me_page.measure(crowded, bench.rounds)


def _targets(
    seconds: int, crowded: Counter, empty: Counter, bare: Server, hand: Server
) -> dict[str, Callable[[], Cost]]:
    rows = [get(f"/rows/{random.randrange(one_row.ROWS)}") for _ in range(1000)]
    written = [Request("POST", "/rows")]
    by_hand = f"/{_type_code(crowded)}"

    def bare_cost(requests: Sequence[Request], expected: str) -> Cost:
        return cost(bare, lambda: wrk.send(bare.url, requests, seconds=seconds, expected=expected))

    def hand_cost() -> Cost:
        requests = crowded.look_ups(seconds, by_hand)
        return cost(hand, lambda: wrk.send(hand.url, requests, seconds=seconds, expected="licence", once=True))

    return {
        "lookup": lambda: crowded.look_up(seconds),
        "row": lambda: bare_cost(rows, '"key"'),
        "verification": lambda: crowded.verify(seconds),
        "commit": lambda: bare_cost(written, '"done"'),
        "lookup_empty": lambda: empty.look_up(seconds),
        "by_hand": hand_cost,
        "verification_empty": lambda: empty.verify(seconds),
    }


def _type_code(crowded: Counter) -> str:
    return identifier.parts(crowded.clerk.asked[0].card).type_code


def _figures(found: Mapping[str, Sequence[Cost]]) -> dict[str, Figure]:
    rate = {name: [one.rate for one in costs] for name, costs in found.items()}
    spent = {name: [one.cpu_ms for one in costs] for name, costs in found.items()}
    slowest = {name: [one.p99_ms for one in costs] for name, costs in found.items()}
    figures = {
        "lookup_commit": Figure(median(rate["commit"]), "commits/s, an empty handler"),
        "lookup_commit_cpu": Figure(median(spent["commit"]), "CPU ms, an empty handler"),
    }
    for name, deed in (("lookup", "lookup"), ("verification_at_size", "verification")):
        figures[name] = Figure(
            median(rate[deed]),
            "requests/s",
            reference=median(rate["row"]),
            ratio_reference=ratio(rate[deed], rate["row"]),
            by_hand=median(rate["by_hand"]),
            ratio_by_hand=ratio(rate[deed], rate["by_hand"]),
            goal="ratio_reference >= 0.85",
        )
        figures[f"{name}_cpu"] = Figure(
            median(spent[deed]),
            "CPU ms",
            reference=median(spent["row"]),
            ratio_reference=ratio(spent["row"], spent[deed]),
            by_hand=median(spent["by_hand"]),
            ratio_by_hand=ratio(spent["by_hand"], spent[deed]),
        )
        figures[f"{name}_p99"] = Figure(
            median(slowest[deed]),
            "ms",
            reference=median(slowest["row"]),
            ratio_reference=ratio(slowest["row"], slowest[deed]),
            by_hand=median(slowest["by_hand"]),
            ratio_by_hand=ratio(slowest["by_hand"], slowest[deed]),
            goal="ratio_reference >= 0.77 (1.3 x)",
        )
        figures[f"accesses_effect_{deed}"] = Figure(
            median(rate[deed]),
            "requests/s, beside none",
            reference=median(rate[f"{deed}_empty"]),
            ratio_reference=ratio(rate[deed], rate[f"{deed}_empty"]),
            goal="ratio_reference >= 0.9",
        )
    return figures
