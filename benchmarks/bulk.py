"""Licences in bulk: collected rows sealed and signed, and all that is stored verified anew, by two processes each.

By hand is what a licence with a seal and a credential of its own cannot do without: an SM2 signature and an SD-JWT,
made and verified once each, or the two verified after decryption. The reference is the SD-JWT alone. `..._in_portions`
is set against what our own form cannot do without by hand: a record packed and encrypted (or the other way round), its
leaf, and a tree with one SM2 signature made and verified (or verified) for each 256. By hand nothing is looked up,
checked or stored. All of them run in the same two processes, which have begun before the clock does. SQLite.
"""

from __future__ import annotations

import multiprocessing
import time
import zlib
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from benchmarks import collection
from benchmarks.peers.sd_jwt_by_hand import ByHand
from benchmarks.rounds import Figure, median, ratio
from benchmarks.sd_jwt import CLAIMS, ISSUER, VCT
from idservice.call import House
from idservice.db import Database
from idservice.http.limits import Limiter
from idservice.key_ring import open_ring
from keys import sm2
from keys.fields import FieldCipher
from licences import cli as licences_cli
from licences.collection import cli
from licences.formats import portion
from licences.slices import Slice
from tests.builders import migrate
from tests.databases import SqliteDatabases
from tests.town import build_town

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.synchronize import Barrier

    from benchmarks.bench import Bench
    from idservice.settings import Settings

ROWS: Final = 8_000  # a round
ROWS_BY_HAND: Final = 2_000  # each of these takes as long as many of ours
HOLDERS: Final = 4_000
PROCESSES: Final = 2
_TO_BEGIN: Final = 60.0  # seconds
_TO_END: Final = 600.0
_FEW: Final = frozenset({"issue_by_hand", "issue_reference", "verify_by_hand", "verify_reference"})
_TABLES: Final = (
    "licence",
    "licence_route",
    "licence_change",
    "issue_intent",
    "status_entry",
    "audit_entry",
    "seal_portion",
)
_RECORD: Final = bytes(range(256)) * 4  # as long as one


def measure(bench: Bench) -> dict[str, Figure]:
    """Return licences issued and verified a second by the clock, and what one takes in the database."""
    folder = bench.folder / "bulk"
    folder.mkdir()
    town = build_town(folder, SqliteDatabases(folder).fresh(migrate))
    numbers = collection.enrol(town.house, folder, HOLDERS)
    found: dict[str, list[float]] = {}
    for turn in range(bench.rounds + 1):  # the first warms up
        collection.bring_in(town.house, folder, numbers, ROWS, f"{turn}-")
        spent = {
            "issue": seconds(town.house.settings, "sign"),
            "issue_by_hand": seconds(town.house.settings, "issue_by_hand"),
            "issue_reference": seconds(town.house.settings, "sd_jwt_issue"),
            "issue_in_portions": seconds(town.house.settings, "portion_issue"),
            "verify": seconds(town.house.settings, "check") / (turn + 1),  # so many times more licences by now
            "verify_by_hand": seconds(town.house.settings, "verify_by_hand"),
            "verify_reference": seconds(town.house.settings, "sd_jwt_verify"),
            "verify_in_portions": seconds(town.house.settings, "portion_verify"),
        }
        for name, taken in spent.items():
            found.setdefault(name, []).append((ROWS_BY_HAND if name in _FEW else ROWS) / taken)
    rates = {name: all_rates[1:] for name, all_rates in found.items()}
    stored = ROWS * (bench.rounds + 1)
    return {
        "bulk_issue": _figure(rates, "issue", goal="ratio_by_hand >= 0.8"),
        "bulk_verify": _figure(rates, "verify", goal="ratio_by_hand >= 0.85"),
        "bulk_issue_in_portions": _in_portions(rates, "issue"),
        "bulk_verify_in_portions": _in_portions(rates, "verify"),
        "licence_bytes": Figure(stored_bytes(town.house) / stored, "bytes", goal="<= 1024"),
    }


def _figure(rates: dict[str, list[float]], deed: str, *, goal: str) -> Figure:
    ours, by_hand, reference = rates[deed], rates[f"{deed}_by_hand"], rates[f"{deed}_reference"]
    return Figure(
        median(ours),
        "licences/s",
        reference=median(reference),
        ratio_reference=ratio(ours, reference),
        by_hand=median(by_hand),
        ratio_by_hand=ratio(ours, by_hand),
        goal=goal,
    )


def _in_portions(rates: dict[str, list[float]], deed: str) -> Figure:
    ours, by_hand = rates[deed], rates[f"{deed}_in_portions"]
    return Figure(median(ours), "licences/s", by_hand=median(by_hand), ratio_by_hand=ratio(ours, by_hand))


def stored_bytes(house: House) -> float:
    """Return what the licences take with all that belongs to them, indexes included."""
    if not house.database.is_sqlite:
        return _stored_in_postgresql(house)
    names = ",".join("?" * len(_TABLES))
    asked = f"SELECT sum(pgsize) FROM dbstat JOIN sqlite_schema USING (name) WHERE tbl_name IN ({names})"  # noqa: S608
    with house.database.engine.connect() as connection:
        return float(connection.exec_driver_sql(asked, _TABLES).scalar_one())


def _stored_in_postgresql(house: House) -> float:
    with house.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in _TABLES:
            connection.exec_driver_sql(f"VACUUM ANALYZE {table}")  # as its own clean-up would, in time
        asked = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relname = ANY(%s) AND relkind = 'r'"
        return float(connection.exec_driver_sql(asked, (list(_TABLES),)).scalar_one())


def seconds(settings: Settings, deed: str) -> float:
    """Return how long all processes take for a deed, from when the last has begun until the last is done."""
    context = multiprocessing.get_context("spawn")
    begin, end = context.Barrier(PROCESSES + 1), context.Barrier(PROCESSES + 1)
    running = [context.Process(target=_work, args=(settings, deed, place, begin, end)) for place in range(PROCESSES)]
    for process in running:
        process.start()
    begin.wait(_TO_BEGIN)
    started = time.perf_counter()
    end.wait(_TO_END)
    spent = time.perf_counter() - started
    for process in running:
        process.join()
    return spent


def _work(settings: Settings, deed: str, place: int, begin: Barrier, end: Barrier) -> None:
    try:
        run = _DEEDS[deed](settings, Slice.of(place, PROCESSES))
        begin.wait(_TO_BEGIN)
        run()
        end.wait(_TO_END)
    except BaseException:
        end.abort()  # nobody waits for who has failed
        begin.abort()
        raise


def _sign(settings: Settings, piece: Slice) -> Callable[[], object]:
    house = _house(settings)

    def run() -> None:
        told, status = cli.sign_part(house, piece)
        if status or not told["signed"]:
            raise RuntimeError(f"not every row was signed: {told}")

    return run


def _check(settings: Settings, piece: Slice) -> Callable[[], object]:
    house, told = _house(settings), list[dict[str, Any]]()

    def run() -> None:
        licences_cli.check_part(house, piece, told.append)
        if told[-1]["wrong"] or not told[-1]["checked"]:
            raise RuntimeError(f"not every licence holds: {told}")

    return run


def _by_hand(deed: str) -> Callable[[Settings, Slice], Callable[[], object]]:
    def prepare(_settings: Settings, _piece: Slice) -> Callable[[], object]:
        program, aead, nonce = ByHand(ISSUER, VCT), AESGCM(bytes(32)), bytes(12)
        private, public = sm2.generate()
        seal, credential = sm2.sign(private, _RECORD), program.issue(CLAIMS)
        sealed = aead.encrypt(nonce, zlib.compress(_RECORD), None)

        def issue() -> None:
            made = sm2.sign(private, _RECORD), program.issue(CLAIMS)
            if not sm2.verify(public, _RECORD, made[0]):
                raise RuntimeError("the seal does not hold")
            program.verify(made[1])

        def verify() -> None:
            if not sm2.verify(public, zlib.decompress(aead.decrypt(nonce, sealed, None)), seal):
                raise RuntimeError("the seal does not hold")
            program.verify(credential)

        steps: dict[str, Callable[[], object]] = {
            "issue_by_hand": issue,
            "verify_by_hand": verify,
            "sd_jwt_issue": lambda: program.issue(CLAIMS),
            "sd_jwt_verify": lambda: program.verify(credential),
        }
        step = steps[deed]

        def run() -> None:
            for _ in range(ROWS_BY_HAND // PROCESSES):
                step()

        return run

    return prepare


def _portions_by_hand(deed: str) -> Callable[[Settings, Slice], Callable[[], object]]:
    def prepare(_settings: Settings, _piece: Slice) -> Callable[[], object]:
        aead, nonce, blind = AESGCM(bytes(32)), bytes(12), bytes(portion.NONCE_BYTES)
        private, public = sm2.generate()
        sealed = aead.encrypt(nonce, zlib.compress(_RECORD), None)
        kept = portion.grow([portion.leaf(_RECORD, blind)] * portion.LARGEST).root
        seal = sm2.sign(private, kept)

        def together(count: int) -> None:
            leaves = list[bytes]()
            for _ in range(count):
                if deed == "portion_issue":
                    aead.encrypt(nonce, zlib.compress(_RECORD), None)
                    leaves.append(portion.leaf(_RECORD, blind))
                else:
                    leaves.append(portion.leaf(zlib.decompress(aead.decrypt(nonce, sealed, None)), blind))
            root = portion.grow(leaves).root
            made = sm2.sign(private, root) if deed == "portion_issue" else seal
            if not sm2.verify(public, root if deed == "portion_issue" else kept, made):
                raise RuntimeError("the seal does not hold")

        def run() -> None:
            for first in range(0, ROWS // PROCESSES, portion.LARGEST):
                together(min(portion.LARGEST, ROWS // PROCESSES - first))

        return run

    return prepare


def _house(settings: Settings) -> House:
    ring = open_ring(settings)
    return House(settings, Database(settings.database_url), ring, FieldCipher(ring), Limiter(settings))


_DEEDS: Final[dict[str, Callable[[Settings, Slice], Callable[[], object]]]] = {
    "sign": _sign,
    "check": _check,
    **{name: _portions_by_hand(name) for name in ("portion_issue", "portion_verify")},
    **{name: _by_hand(name) for name in ("issue_by_hand", "verify_by_hand", "sd_jwt_issue", "sd_jwt_verify")},
}
