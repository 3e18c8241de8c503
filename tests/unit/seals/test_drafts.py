"""Documents that wait for confirmation: each claimed once, by its own officer, within its time."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from idservice import expiry
from idservice.call import Call, Caller, House
from idservice.errors import Problem
from seals import drafts
from seals.batch import Document
from seals.change import change
from seals.drafts import AT_ONCE, KEPT, claim, content, keep, of_batch, seal
from seals.lifecycle import Change
from seals.models import SealDraft, SealIntent
from seals.register import make
from tests.builders import act
from tests.unit.seals.conftest import DEPARTMENT
from tests.unit.seals.officers import Officers, enrol_officers

NOW = datetime(2026, 6, 1, 8, 30, 15, tzinfo=UTC)
LETTER = Document("letter.txt", b"a letter", "函件", "演示企业")


@pytest.fixture(scope="module")
def officers(house: House) -> Officers:
    return enrol_officers(house)


@pytest.fixture
def seal_id(house: House) -> str:
    return act(house, lambda call: make(call, department=DEPARTMENT), now=NOW)


def kept(house: House, caller: Caller, seal_id: str, *documents: Document, now: datetime = NOW) -> str:
    return act(house, lambda call: keep(call, seal_id, list(documents or (LETTER,))), caller=caller, now=now)


def states(house: House, caller: Caller, batch_id: str) -> list[str]:
    return [draft.state for draft in act(house, lambda call: of_batch(call, batch_id), caller=caller, now=NOW)]


def test_a_draft_waits_is_claimed_sealed_and_given_out(house: House, officers: Officers, seal_id: str) -> None:
    batch_id = kept(house, officers.first, seal_id)
    (draft,) = act(house, lambda call: of_batch(call, batch_id), caller=officers.first, now=NOW)
    assert (draft.name, draft.purpose, draft.on_behalf, draft.state) == ("letter.txt", "函件", "演示企业", "waiting")
    claimed = act(house, lambda call: claim(call, batch_id), caller=officers.first, now=NOW)
    assert states(house, officers.first, batch_id) == ["unfinished"]
    assert act(house, lambda call: claim(call, batch_id), caller=officers.first, now=NOW) == []
    assert act(house, lambda call: seal(call, claimed), caller=officers.first, now=NOW) == 1
    assert states(house, officers.first, batch_id) == ["done"]
    _draft, document, result = act(house, lambda call: content(call, draft.draft_id), caller=officers.first, now=NOW)
    assert document == b"a letter"
    assert result is not None
    assert result[0] == 0x30


def test_nothing_of_a_draft_is_stored_in_the_clear(house: House, officers: Officers, seal_id: str) -> None:
    kept(house, officers.first, seal_id, Document("王小明的信.txt", b"dear Xiaoming", "函件", "王小明"))
    row = act(house, lambda call: call.session.scalars(select(SealDraft).order_by(SealDraft.expires_at.desc())).first())
    stored = b"".join(value for value in vars(row).values() if isinstance(value, bytes))
    for secret in ("王小明".encode(), b"dear Xiaoming"):
        assert secret not in stored


def test_two_that_claim_at_once_claim_once(house: House, officers: Officers, seal_id: str) -> None:
    batch_id = kept(house, officers.first, seal_id)

    def meet(call: Call, monkey: pytest.MonkeyPatch) -> None:
        taken = drafts._take

        def late(call: Call, row: SealDraft, use_id: str) -> bool:
            assert taken(call, row, "0" * 32)
            return taken(call, row, use_id)

        monkey.setattr(drafts, "_take", late)
        claim(call, batch_id)

    with pytest.MonkeyPatch.context() as monkey, pytest.raises(Problem, match="conflict"):
        act(house, lambda call: meet(call, monkey), caller=officers.first, now=NOW)
    assert states(house, officers.first, batch_id) == ["waiting"]
    counted = select(func.count()).where(SealIntent.seal_id == seal_id)
    assert act(house, lambda call: call.session.scalar(counted)) == 0


def test_a_large_batch_is_claimed_in_steps(house: House, officers: Officers, seal_id: str) -> None:
    many = [Document(f"{place}.txt", b"x", "函件") for place in range(AT_ONCE + 1)]
    batch_id = kept(house, officers.first, seal_id, *many)
    first = act(house, lambda call: claim(call, batch_id), caller=officers.first, now=NOW)
    second = act(house, lambda call: claim(call, batch_id), caller=officers.first, now=NOW)
    assert [item.document.name for item in first + second] == [document.name for document in many]
    assert len(first) == AT_ONCE


def test_a_refusal_meanwhile_is_told_of_each_file(house: House, officers: Officers, seal_id: str) -> None:
    batch_id = kept(house, officers.first, seal_id)
    claimed = act(house, lambda call: claim(call, batch_id), caller=officers.first, now=NOW)
    act(house, lambda call: change(call, seal_id, Change.SUSPEND, reason="演示"), now=NOW)
    assert act(house, lambda call: seal(call, claimed), caller=officers.first, now=NOW) == 0
    (draft,) = act(house, lambda call: of_batch(call, batch_id), caller=officers.first, now=NOW)
    assert (draft.state, draft.failure) == ("refused", "seal_not_in_force")


def test_another_officer_sees_nothing(house: House, officers: Officers, seal_id: str) -> None:
    batch_id = kept(house, officers.first, seal_id)
    with pytest.raises(Problem, match="draft_expired"):
        states(house, officers.second, batch_id)
    assert act(house, lambda call: claim(call, batch_id), caller=officers.second, now=NOW) == []


def test_a_draft_ends_and_is_swept(house: House, officers: Officers, seal_id: str) -> None:
    batch_id = kept(house, officers.first, seal_id)
    end = NOW + KEPT
    with pytest.raises(Problem, match="draft_expired"):
        act(house, lambda call: of_batch(call, batch_id), caller=officers.first, now=end)
    assert act(house, lambda call: claim(call, batch_id), caller=officers.first, now=end) == []
    assert expiry.sweep(house, end) == 0
    assert expiry.sweep(house, end + timedelta(seconds=1)) > 0
    left = select(func.count()).where(SealDraft.batch_id == batch_id)
    assert act(house, lambda call: call.session.scalar(left)) == 0


def test_what_cannot_be_sealed_is_refused_by_name(house: House, officers: Officers, seal_id: str) -> None:
    with pytest.raises(Problem, match="document_refused") as caught:
        kept(house, officers.first, seal_id, LETTER, Document("broken.ofd", b"no ofd", "函件"))
    assert caught.value.detail.startswith("broken.ofd: ")
    with pytest.raises(Problem, match="forbidden"):
        kept(house, officers.other, seal_id)
    with pytest.raises(Problem, match="too_many_files"):
        kept(house, officers.first, seal_id, *[LETTER] * 51)
