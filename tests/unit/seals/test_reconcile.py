"""What the signer counted against what is on record."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, select

from idservice.call import Call, Caller, House
from idservice.errors import Problem
from seals import reconcile
from seals.change import change
from seals.lifecycle import Change
from seals.models import SealReconciliation, SealUse
from seals.reconcile import Outcome, Tally, compare
from seals.register import make
from seals.use import intend, use
from tests.builders import STAFF_LOGIN, act
from tests.unit.seals.conftest import DEPARTMENT

NOW = datetime(2026, 6, 1, 8, 30, 15, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other rooms may have said where they seal; here none does."""
    monkeypatch.setattr(reconcile, "_elsewhere", {})


@pytest.fixture
def seal_id(house: House) -> str:
    return act(house, lambda call: make(call, department=DEPARTMENT), now=NOW)


def announce(house: House, seal_id: str) -> str:
    return act(house, lambda call: intend(call, seal_id=seal_id, document=b"x"), now=NOW)


def seal(house: House, seal_id: str) -> None:
    use_id = announce(house, seal_id)
    act(house, lambda call: use(call, seal_id=seal_id, use_id=use_id, document=b"x", purpose=""), now=NOW)


def compared(house: House, seal_id: str) -> tuple[int, int, int, str]:
    found = act(house, lambda call: compare(call, seal_id))
    return found.counted, found.recorded, found.unfinished, found.result


def test_a_seal_used_by_the_book_agrees(house: House, seal_id: str) -> None:
    assert compared(house, seal_id) == (1, 1, 0, Outcome.OK)  # the try-out
    seal(house, seal_id)
    seal(house, seal_id)
    assert compared(house, seal_id) == (3, 3, 0, Outcome.OK)


def test_a_use_that_did_not_end_may_have_signed_or_not(house: House, seal_id: str) -> None:
    announce(house, seal_id)
    assert compared(house, seal_id) == (1, 1, 1, Outcome.OK)
    house.keys.seal_signer(seal_id).sign(b"crashed after this")
    assert compared(house, seal_id) == (2, 1, 1, Outcome.OK)


def test_a_signature_behind_the_registers_back_shows(house: House, seal_id: str) -> None:
    house.keys.seal_signer(seal_id).sign(b"forged")
    assert compared(house, seal_id) == (2, 1, 0, Outcome.MORE)


def test_a_counter_that_was_set_back_shows(house: House, seal_id: str) -> None:
    seal(house, seal_id)
    kid = house.keys.seal_signer(seal_id).kid
    (house.settings.keys_dir / "counters" / kid).write_bytes(b"")
    assert compared(house, seal_id) == (0, 2, 0, Outcome.FEWER)


def test_a_record_that_was_removed_shows(house: House, seal_id: str) -> None:
    seal(house, seal_id)
    act(house, lambda call: call.session.execute(delete(SealUse).where(SealUse.seal_id == seal_id)))
    assert compared(house, seal_id) == (2, 1, 0, Outcome.MORE)


def test_what_other_rooms_sealed_counts(house: House, seal_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile, "_elsewhere", {})
    reconcile.count_also("licences", lambda _call, _seal: Tally(done=2, unfinished=1))
    for text in (b"1", b"2", b"3"):
        house.keys.seal_signer(seal_id).sign(text)
    assert compared(house, seal_id) == (4, 3, 1, Outcome.OK)


def test_a_difference_is_accepted_with_a_reason_and_the_next_one_shows(house: House, seal_id: str) -> None:
    house.keys.seal_signer(seal_id).sign(b"forged")
    found = act(house, lambda call: reconcile.reconcile(call, accept="演练"), now=NOW)
    assert {one.seal_id: one.result for one in found}[seal_id] is Outcome.MORE
    assert compared(house, seal_id)[3] is Outcome.OK
    seal(house, seal_id)
    assert compared(house, seal_id)[3] is Outcome.OK
    house.keys.seal_signer(seal_id).sign(b"forged again")
    assert compared(house, seal_id)[3] is Outcome.MORE
    rows = act(
        house,
        lambda call: call.session.scalars(
            select(SealReconciliation).where(SealReconciliation.seal_id == seal_id)
        ).all(),
    )
    assert [(row.result, row.reason, row.actor) for row in rows] == [("more", "演练", "client:test")]


def test_a_destroyed_seals_count_is_kept(house: House, seal_id: str) -> None:
    seal(house, seal_id)
    act(house, lambda call: change(call, seal_id, Change.DESTROY, reason="演示"))
    assert compared(house, seal_id) == (2, 2, 0, Outcome.OK)


def test_only_the_operator_reconciles(house: House) -> None:
    officer = Caller(channel="page", person="p", posts=frozenset({("officer", DEPARTMENT)}), **STAFF_LOGIN)
    with pytest.raises(Problem, match="forbidden"):
        act(house, reconcile.reconcile, caller=officer)


def test_a_seal_whose_counter_cannot_be_written_does_not_sign(house: House, seal_id: str) -> None:
    kid = house.keys.seal_signer(seal_id).kid
    counter = house.settings.keys_dir / "counters" / kid
    counter.unlink()
    counter.mkdir()
    use_id = announce(house, seal_id)

    def attempt(call: Call) -> object:
        return use(call, seal_id=seal_id, use_id=use_id, document=b"x", purpose="")

    with pytest.raises(Exception, match="cannot be counted"):
        act(house, attempt, now=NOW)
    counter.rmdir()
