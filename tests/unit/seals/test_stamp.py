from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from idservice.call import Call, House
from idservice.errors import Problem
from keys.ring import Purpose
from seals.change import change
from seals.lifecycle import Change
from seals.models import Seal, SealUse
from seals.register import make
from seals.stamp import Stamp, export, judge, stamp
from seals.use import intend, property_info, use
from seals.verify import verify
from tests.builders import act
from tests.unit.seals.conftest import DEPARTMENT, OTHER

NOW = datetime(2026, 6, 1, 8, 30, 15, 654321, tzinfo=UTC)
DOCUMENT = "演示证照内容".encode()
NAME = "1.2.156.3005.2.demo"


@pytest.fixture(scope="module")
def seal_id(house: House) -> str:
    return act(house, lambda call: make(call, department=DEPARTMENT), now=NOW - timedelta(days=1))


def stamped(house: House, seal_id: str, now: datetime = NOW) -> Stamp:
    return act(house, lambda call: stamp(call, seal_id=seal_id, document=DOCUMENT, name=NAME), now=now)


def test_a_stamp_keeps_little_and_is_rebuilt_to_the_byte(house: House, seal_id: str) -> None:
    mark = stamped(house, seal_id)
    assert mark.sealed_at == NOW.replace(microsecond=0)
    assert len(mark.signature) <= 72
    first = act(house, lambda call: export(call, mark, document=DOCUMENT, name=NAME))
    kept = Stamp(mark.seal_id, mark.sealed_at, bytes(mark.signature))
    assert (
        act(house, lambda call: export(call, kept, document=DOCUMENT, name=NAME), now=NOW + timedelta(days=900))
        == first
    )


def test_what_is_exported_verifies(house: House, seal_id: str) -> None:
    mark = stamped(house, seal_id)

    def check(call: Call) -> tuple[bool, bool]:
        sealed = export(call, mark, document=DOCUMENT, name=NAME)
        return verify(call, sealed, document=DOCUMENT).ok, verify(call, sealed, document=DOCUMENT + b".").ok

    assert act(house, check) == (True, False)


def test_a_stamp_is_judged_as_a_reader_would_judge_its_export(house: House, seal_id: str) -> None:
    mark = stamped(house, seal_id)
    forged = replace(mark, signature=mark.signature[:-1] + bytes([mark.signature[-1] ^ 1]))
    later = replace(mark, sealed_at=mark.sealed_at + timedelta(seconds=1))
    cases = [(mark, DOCUMENT, NAME), (mark, DOCUMENT + b".", NAME), (mark, DOCUMENT, "another")]
    cases += [(forged, DOCUMENT, NAME), (later, DOCUMENT, NAME)]

    def compare(call: Call) -> list[bool]:
        verdicts = []
        for stamped_, document, name in cases:
            ours = judge(call, stamped_, document=document, name=name)
            sealed = export(call, stamped_, document=document, name=name)
            assert ours.as_json() == verify(call, sealed, document=document).signatures[0].as_json()
            verdicts.append(ours.ok)
        return verdicts

    assert act(house, compare) == [True, False, False, False, False]


def test_a_seal_whose_row_was_altered_holds_nothing(house: House) -> None:
    spoilt = act(house, lambda call: make(call, department=OTHER), now=NOW - timedelta(days=1))
    mark = stamped(house, spoilt)
    broken = update(Seal).where(Seal.seal_id == spoilt).values(seal_der=b"\x30\x03\x02\x01\x04")
    act(house, lambda call: call.session.execute(broken))
    report = act(house, lambda call: judge(call, mark, document=DOCUMENT, name=NAME))
    assert (report.ok, [check.reason for check in report.checks]) == (False, ["unreadable"])


def test_another_document_or_name_does_not_fit_the_value(house: House, seal_id: str) -> None:
    mark = stamped(house, seal_id)

    def check(call: Call) -> bool:
        return verify(call, export(call, mark, document=DOCUMENT, name="another"), document=DOCUMENT).ok

    assert not act(house, check)


def test_a_use_on_record_gives_the_same_signature_again(house: House, seal_id: str) -> None:
    use_id = act(house, lambda call: intend(call, seal_id=seal_id, document=DOCUMENT, purpose="证明"), now=NOW)
    used = act(
        house, lambda call: use(call, seal_id=seal_id, use_id=use_id, document=DOCUMENT, purpose="证明"), now=NOW
    )

    def rebuild(call: Call) -> bytes:
        row = call.session.scalars(select(SealUse).where(SealUse.use_id == used.use_id)).one()
        name = property_info(row.use_id)
        return export(call, Stamp(row.seal_id, row.at, row.signature), document=DOCUMENT, name=name)

    assert act(house, rebuild) == used.result


@pytest.mark.parametrize("when", [NOW - timedelta(days=2), NOW + timedelta(days=6 * 365)], ids=["early", "late"])
def test_out_of_its_period_it_does_not_stamp(house: House, seal_id: str, when: datetime) -> None:
    with pytest.raises(Problem, match="seal_not_in_force"):
        stamped(house, seal_id, when)


def test_an_unknown_seal_does_not_stamp(house: House) -> None:
    with pytest.raises(Problem, match="seal_not_in_force"):
        stamped(house, "99010099999999")


def test_without_its_key_it_does_not_stamp(house: House) -> None:
    lost = act(house, lambda call: make(call, department=DEPARTMENT), now=NOW)
    kid = next(key.kid for key in house.keys.list() if key.purpose is Purpose.SEAL and key.name == lost)
    house.keys.retire(kid)
    with pytest.raises(Problem, match="seal_not_in_force"):
        stamped(house, lost)


def test_a_seal_that_is_suspended_does_not_stamp_until_resumed(house: House) -> None:
    own = act(house, lambda call: make(call, department=DEPARTMENT), now=NOW)
    act(house, lambda call: change(call, own, Change.SUSPEND, reason="年检"), now=NOW)
    with pytest.raises(Problem, match="seal_not_in_force"):
        stamped(house, own)
    act(house, lambda call: change(call, own, Change.RESUME, reason="年检通过"), now=NOW)
    assert stamped(house, own).seal_id == own


def test_what_was_sealed_before_destruction_goes_on_holding(house: House) -> None:
    own = act(house, lambda call: make(call, department=DEPARTMENT), now=NOW)
    mark = stamped(house, own)
    act(house, lambda call: change(call, own, Change.DESTROY, reason="机构撤销"), now=NOW)
    with pytest.raises(Problem, match="seal_not_in_force"):
        stamped(house, own)
    act(house, lambda call: call.session.execute(update(Seal).where(Seal.seal_id == own).values(state="in_force")))
    with pytest.raises(Problem, match="seal_not_in_force"):  # its key is retired too
        stamped(house, own)

    def check(call: Call) -> bool:
        return verify(call, export(call, mark, document=DOCUMENT, name=NAME), document=DOCUMENT).ok

    assert act(house, check, now=NOW + timedelta(days=1))
