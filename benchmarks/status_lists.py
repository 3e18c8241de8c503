"""A status list of a million copies, one in a hundred revoked: published anew, and made beside a package.

`status_publish` is everything the publisher does for one list after a change: the rows are read, all four forms are
made and signed, the files are stored. `status_list` is the list alone, beside PyPI `token-status-list`.
"""

from __future__ import annotations

import random
import secrets
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, insert, select
from token_status_list import BitArray

from benchmarks.rounds import Figure, alternate, median, ratio
from idservice import schema
from idservice.call import House
from idservice.db import Database, table_of
from idservice.http.limits import Limiter
from idservice.settings import Settings
from keys.fields import FieldCipher
from keys.ring import KeyRing
from licences.status import publish, token_list
from licences.status.models import PublishedFile, StatusChange, StatusEntry

if TYPE_CHECKING:
    from benchmarks.bench import Bench

COPIES: Final = 1_000_000
REVOKED: Final = random.Random(1).sample(range(COPIES), COPIES // 100)
AT_ONCE: Final = 50_000


def measure(bench: Bench) -> dict[str, Figure]:
    """Return the seconds of an edition, its bytes as JWT and compressed, and lists made a CPU second."""
    house = _filled(bench)
    published = alternate({"ours": lambda: _publish(house)}, bench.rounds)["ours"]
    made = alternate({"ours": _ours, "reference": _package}, bench.rounds)
    compressed = token_list.compress(token_list.pack((index, 1) for index in REVOKED))
    theirs = median(made["reference"])
    beside = ratio(made["ours"], made["reference"])
    with house.database.engine.connect() as connection:
        jwt = connection.scalar(select(func.length(PublishedFile.content)).where(PublishedFile.name == "0/jwt"))
    return {
        "status_publish": Figure(median(published), "s", goal="<= 2"),
        "status_list": Figure(median(made["ours"]), "1/CPU-s", reference=theirs, ratio_reference=beside),
        "status_list_compressed": Figure(len(compressed), "bytes", goal="<= 16384"),
        "status_list_jwt": Figure(float(jwt or 0), "bytes"),
    }


def _filled(bench: Bench) -> House:
    """Return a house whose database holds the copies."""
    folder = bench.folder / "status"
    folder.mkdir()
    config = Settings(database_url=f"sqlite:///{folder}/status.db", keys_dir=folder / "keys", insecure_loopback=True)
    ring = KeyRing.open(config.keys_dir, create=True)
    ring.ensure_all(datetime.now(UTC))
    database = Database(config.database_url)
    schema.upgrade(database)
    revoked = frozenset(REVOKED)
    with database.engine.begin() as connection:
        for start in range(0, COPIES, AT_ONCE):
            rows = [
                {"place": n, "licence_key": secrets.token_bytes(16), "form": "credential", "value": int(n in revoked)}
                for n in range(start, start + AT_ONCE)
            ]
            connection.execute(insert(table_of(StatusEntry)), rows)
    return House(config, database, ring, FieldCipher(ring), Limiter(config))


def _publish(house: House) -> float:
    """Change one copy, publish, and return the seconds it took by the clock on the wall."""
    now = datetime.now(UTC)
    change = {"place": 7, "change_id": secrets.token_hex(16), "value": 0, "at": now, "published_at": None}
    with house.database.engine.begin() as connection:
        connection.execute(insert(table_of(StatusChange)), change)
    begun = time.perf_counter()
    if publish.publish(house, now) != 1:
        raise RuntimeError("nothing was published")
    return time.perf_counter() - begun


def _ours() -> float:
    begun = time.process_time()
    token_list.compress(token_list.pack((index, 1) for index in REVOKED))
    return 1 / (time.process_time() - begun)


def _package() -> float:
    begun = time.process_time()
    bits = BitArray.of_size(token_list.BITS, token_list.SIZE)
    for index in REVOKED:
        bits.set(index, 1)
    bits.compressed()
    return 1 / (time.process_time() - begun)
