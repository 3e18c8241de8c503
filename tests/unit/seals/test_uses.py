"""The book of uses: announced, done, for whom."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from idservice.call import Call, Caller, House
from idservice.errors import Problem
from keys.sm2 import sm3
from seals.models import SealIntent
from seals.register import make
from seals.use import intend, use
from seals.uses import history, listed_uses
from tests.builders import act
from tests.unit.seals.conftest import DEPARTMENT, OTHER
from tests.unit.seals.officers import Officers, enrol_officers

NOW = datetime(2026, 6, 1, 8, 30, 15, tzinfo=UTC)
STRANGER = Caller(channel="api", client_id="c", departments=frozenset({OTHER}))


@pytest.fixture(scope="module")
def officers(house: House) -> Officers:
    return enrol_officers(house)


@pytest.fixture(scope="module")
def seal_id(house: House) -> str:
    return act(house, lambda call: make(call, department=DEPARTMENT), now=NOW)


def announce(house: House, seal_id: str, caller: Caller, document: bytes, second: int, **facts: str) -> str:
    def deed(call: Call) -> str:
        return intend(call, seal_id=seal_id, document=document, **facts)

    return act(house, deed, caller=caller, now=NOW + timedelta(seconds=second))


def test_the_book_tells_who_for_whom_what_for_and_the_outcome(house: House, officers: Officers, seal_id: str) -> None:
    first = announce(house, seal_id, officers.first, b"one", 1, purpose="函件", on_behalf="演示企业有限公司")
    second = announce(house, seal_id, officers.second, b"two", 2, purpose="合同")
    act(
        house,
        lambda call: use(call, seal_id=seal_id, use_id=first, document=b"one", purpose="函件"),
        caller=officers.first,
        now=NOW + timedelta(seconds=3),
    )
    book = act(house, lambda call: listed_uses(call, seal_id, limit=10), caller=officers.first)
    told = [(row["id"], row["who"], row["on_behalf"], row["purpose"], row["outcome"]) for row in book["items"]]
    assert told == [
        (second, "李**", None, "合同", "unfinished"),
        (first, "王**", "演示企业有限公司", "函件", "done"),
    ]
    assert book["items"][1]["digest"] == sm3(b"one").hex()
    page = act(house, lambda call: listed_uses(call, seal_id, limit=1), caller=officers.first)
    assert page["next_cursor"] == second
    rest = act(house, lambda call: listed_uses(call, seal_id, limit=9, cursor=second), caller=officers.first)
    assert [row["id"] for row in rest["items"]] == [first]


def test_for_whom_is_stored_encrypted(house: House, officers: Officers, seal_id: str) -> None:
    use_id = announce(house, seal_id, officers.first, b"x", 4, on_behalf="孙某某")
    row = act(house, lambda call: call.session.scalar(select(SealIntent).where(SealIntent.use_id == use_id)))
    assert "孙某某".encode() not in (row.on_behalf_sealed or b"")
    assert row.on_behalf_sealed


@pytest.mark.parametrize("document", [b"one more", b"another"])
def test_what_was_not_announced_is_not_recorded(
    house: House, officers: Officers, seal_id: str, document: bytes
) -> None:
    """Another document under an announced number, and a number used twice."""
    use_id = announce(house, seal_id, officers.first, b"one more", 5)

    def seal(call: Call) -> object:
        return use(call, seal_id=seal_id, use_id=use_id, document=document, purpose="")

    if document == b"one more":
        act(house, seal, caller=officers.first, now=NOW + timedelta(seconds=6))
    with pytest.raises(Problem, match="conflict"):
        act(house, seal, caller=officers.first, now=NOW + timedelta(seconds=7))


@pytest.mark.parametrize("verb", [lambda call, seal: listed_uses(call, seal, limit=5), history])
def test_a_stranger_reads_nothing(house: House, seal_id: str, verb: object) -> None:
    with pytest.raises(Problem, match="forbidden"):
        act(house, lambda call: verb(call, seal_id), caller=STRANGER)  # type: ignore[operator]
    with pytest.raises(Problem, match="not_found"):
        act(house, lambda call: verb(call, "9" * 14))  # type: ignore[operator]
