"""The rows of a full city (全量数据), made by two processes: as the house writes them, with dates as SQLite has them.

Holders come in the order of their subjects, so that tables and indexes grow at their ends; the hashes of numbers are
sorted first for the same reason.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from collections import deque
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import LargeBinary
from sqlalchemy.dialects import sqlite

from idservice.db import table_of
from idservice.numbers import citizen
from idservice.register.people import INDEX_FIELD
from keys.sm2 import sm3
from licences import identifier
from licences.deeds import Deed
from licences.formats import sdjwt
from licences.models import Licence, LicenceRoute

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from multiprocessing.pool import AsyncResult

    from sqlalchemy import Column, Table

    from keys.fields import FieldCipher

Row = dict[str, Any]

_ASKED_FROM, _OTHERS_FROM = "379921", "379922"  # regions: no number is that of another person of the demonstration
GAP: Final = 7  # the first of those asked for lies so far from the first holder
_PORTION: Final = 2_000  # holders
_PROCESSES: Final = 2
_AHEAD: Final = 6  # portions that wait to be entered: they take room
_FIRST_DAY: Final = date(1940, 1, 1)
_DAYS: Final = 25_000
_SINCE: Final = datetime(2025, 11, 1, tzinfo=UTC)
_SQLITE: Final = sqlite.dialect()
_LICENCES, _ROUTES = table_of(Licence), table_of(LicenceRoute)
_SURNAMES: Final = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_GIVEN: Final = "伟芳娜秀敏静丽强磊军洋勇艳杰娟涛明超兰霞"


@dataclass(frozen=True, slots=True)
class Portion:
    """Some rows of one table: the names of their columns, and their values."""

    names: list[str]
    values: list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A licence that others are made after: its row, the record in it, and its holder, who stands in that."""

    row: Mapping[str, Any]
    content: bytes
    number: str
    name: str


def number(place: int, *, asked: bool = False) -> str:
    """Return the citizen number of a holder, or of one who is asked for."""
    day = _FIRST_DAY + timedelta(days=place % _DAYS)
    body = f"{_ASKED_FROM if asked else _OTHERS_FROM}{day:%Y%m%d}{place // _DAYS + 1:03d}"
    return body + citizen.check_character(body)


def name(place: int) -> str:
    """Return a made-up name."""
    rest, given = divmod(place, len(_GIVEN))
    return f"{_SURNAMES[rest % len(_SURNAMES)]}{_GIVEN[given]}{_GIVEN[rest // len(_SURNAMES) % len(_GIVEN)]}"


def subject(place: int, holders: int) -> str:
    """Return the subject of the holder at `place`: they rise with the place, and are spread evenly."""
    step = 2**128 // holders
    noise = int.from_bytes(hashlib.sha256(place.to_bytes(8, "big")).digest()[:16], "big") % step
    return f"{place * step + noise:032x}"


def routes(cipher: FieldCipher, holders: int) -> Iterator[Portion]:
    """Return the rows from number to subject, by hash."""
    hashed = sorted(
        (cipher.index(INDEX_FIELD, number(place)), subject(place, holders), "person") for place in range(holders)
    )
    for start in range(0, holders, _PORTION):
        yield Portion(["number_hash", "subject", "kind"], hashed[start : start + _PORTION])


def registers(
    cipher: FieldCipher, patterns: Sequence[Pattern], holders: int
) -> Iterator[tuple[str, Iterator[Portion]]]:
    """Return the people, their licences and the routes to these, table by table."""
    makers: dict[str, Callable[[int], list[Row]]] = {
        "person": lambda place: [_person(cipher, place, holders)],
        "licence": lambda place: [_licence(cipher, one, place, holders) for one in patterns],
        "licence_route": lambda place: [
            _stored(_ROUTES, {"identifier": _identifier(one, place), "subject": subject(place, holders)})
            for one in patterns
        ],
    }
    for table, maker in makers.items():
        yield table, _made(maker, holders)


def accesses(cipher: FieldCipher, holders: int, many: int) -> Iterator[Portion]:
    """Return the looks at all these holders: as many at each, or one more."""
    each, more = divmod(many, holders)
    return _made(
        lambda place: [_access(cipher, place, holders, turn) for turn in range(each + (place < more))], holders
    )


def _person(cipher: FieldCipher, place: int, holders: int) -> Row:
    whose = subject(place, holders)

    def sealed(column: str, value: str) -> bytes:
        return cipher.seal(value.encode(), table="person", column=column, row=whose)

    return {
        "subject": whose,
        "number_sealed": sealed("number_sealed", number(place)),
        "name_sealed": sealed("name_sealed", name(place)),
        "phone_sealed": sealed("phone_sealed", f"1990{place % 10**7:07d}"),
        "level": 3,
        "status": "active",
        "created_at": _moment(_SINCE),
    }


def _licence(cipher: FieldCipher, pattern: Pattern, place: int, holders: int) -> Row:
    code = _identifier(pattern, place)
    content = pattern.content.decode().replace(pattern.row["identifier"], code)
    content = content.replace(pattern.number, number(place)).replace(pattern.name, name(place))
    plain = os.urandom(sdjwt.SEED_BYTES) + content.encode()
    changed = {
        "subject": subject(place, holders),
        "identifier": code,
        "record_sealed": cipher.seal(plain, table="licence", column="record_sealed", row=code),
        "record_digest": sm3(content.encode()),
        "status_place": None,  # the made-up stand in no list
    }
    return _stored(_LICENCES, dict(pattern.row) | changed)


def _identifier(pattern: Pattern, place: int) -> str:
    return identifier.build(pattern.row["type_code"], pattern.row["issuer_code"], f"{place:020d}", 1)


def _access(cipher: FieldCipher, place: int, holders: int, turn: int) -> Row:
    at = _SINCE + timedelta(hours=36 * turn, seconds=place % 86_400)
    record_id, audit_id = (f"{int(at.timestamp() * 1000):012x}{os.urandom(10).hex()}" for _ in range(2))
    facts = {
        "who": name(place + turn),
        "unit": "示范市政务服务中心（演示） 综合窗口3号",
        "purpose": "窗口核验",
        "matter": "DM-M-037",
        "case_number": f"2026-{place:07d}-{turn}",
        "basis": "show_code",
        "fields": ["holder_name", "holder_number", "state", "valid_until"],
        "salt": os.urandom(16).hex(),
    }
    body = json.dumps(facts, ensure_ascii=False).encode()
    return {
        "subject": subject(place, holders),
        "record_id": record_id,
        "at": _moment(at),
        "act": str(Deed.LOOKED_UP),
        "facts_sealed": cipher.seal(body, table="access_record", column="facts_sealed", row=record_id),
        "audit_id": audit_id,
    }


def _stored(table: Table, row: Row) -> Row:
    """Return a row as SQLite keeps it."""
    return {name: value if (of := _bind(table.c[name])) is None else of(value) for name, value in row.items()}


@cache
def _bind(column: Column[Any]) -> Callable[[Any], Any] | None:
    return None if isinstance(column.type, LargeBinary) else column.type.dialect_impl(_SQLITE).bind_processor(_SQLITE)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


_maker: Callable[[int], list[Row]]


def _made(maker: Callable[[int], list[Row]], holders: int) -> Iterator[Portion]:
    """Let forks of this process make the rows of all holders, and return them in order, a few portions ahead."""
    global _maker  # noqa: PLW0603 - a fork takes along what cannot be sent
    _maker = maker
    ahead: deque[AsyncResult[Portion]] = deque()
    with multiprocessing.get_context("fork").Pool(_PROCESSES) as pool:
        for start in range(0, holders, _PORTION):
            ahead.append(pool.apply_async(_portion, (start, min(start + _PORTION, holders))))
            if len(ahead) > _AHEAD:
                yield ahead.popleft().get()
        while ahead:
            yield ahead.popleft().get()


def _portion(first: int, end: int) -> Portion:
    rows = [row for place in range(first, end) for row in _maker(place)]
    return Portion(list(rows[0]) if rows else [], [tuple(row.values()) for row in rows])
