"""Who issues what, and who may issue for whom."""

import time
from dataclasses import replace

import pytest
from sqlalchemy.orm import Session

from idservice.call import Call, Caller
from idservice.errors import Problem
from licences import catalogue, enrol
from licences.counter import matters
from licences.counter.matter_definition import shipped_matters
from tests.builders import STAFF_LOGIN, SYSTEM
from tests.town import CIVIL, SECURITY, Town, now, type_of

MACHINE = Caller(channel="api", client_id="c", departments=frozenset({SECURITY}))
OFFICER = Caller(channel="page", person="p", posts=frozenset({("officer", SECURITY)}), **STAFF_LOGIN)
CLERK = Caller(channel="page", person="p", posts=frozenset({("clerk", SECURITY)}), **STAFF_LOGIN)
CITIZEN = Caller(channel="page", person="p")


@pytest.mark.parametrize(
    ("caller", "own", "other"),
    [(MACHINE, True, False), (OFFICER, True, False), (CLERK, False, False), (CITIZEN, False, False)],
)
def test_a_system_or_an_officer_issues_for_his_department(town: Town, caller: Caller, own: bool, other: bool) -> None:
    assert town.act(lambda call: catalogue.is_issuer(call, SECURITY), caller=caller) is own
    assert town.act(lambda call: catalogue.is_issuer(call, CIVIL), caller=caller) is other


@pytest.mark.parametrize(
    ("caller", "slug", "department"),
    [(CLERK, "resident_card", None), (OFFICER, "marriage_certificate", None), (OFFICER, "resident_card", CIVIL)],
)
def test_a_type_is_issued_by_its_authority_alone(town: Town, caller: Caller, slug: str, department: str | None) -> None:
    entry = town.act(lambda call: catalogue.find(call, type_of(slug).code))
    with pytest.raises(Problem) as refused:
        town.act(lambda call: catalogue.authority(call, entry, department), caller=caller)
    assert refused.value.code == "forbidden"


def test_an_unknown_type_is_not_found(town: Town) -> None:
    with pytest.raises(Problem) as refused:
        town.act(lambda call: catalogue.find(call, "1" * 21))
    assert refused.value.code == "not_found"


def test_a_type_that_was_changed_is_read_anew_and_the_others_are_not(town: Town) -> None:
    def read(call: Call) -> dict[str, catalogue.Entry]:
        catalogue.forget(call)
        return catalogue.entries(call)

    def rename(name: str) -> None:
        kind = before[changed].type
        town.act(lambda call: enrol.put_type(call, replace(kind, name_en=name)))

    before = town.act(read)
    changed, other = list(before)[:2]
    rename("Another name")
    after = town.act(read)
    rename(before[changed].type.name_en)
    assert after[changed].type.name_en == "Another name" != before[changed].type.name_en
    assert after[changed].version == before[changed].version + 1
    assert after[other].type is before[other].type
    assert town.act(read)[changed].type == before[changed].type


def test_an_old_version_is_what_it_was(town: Town) -> None:
    kind = type_of("student_card")
    for name in ("Second", "Third"):
        town.act(lambda call, name=name: enrol.put_type(call, replace(kind, name_en=name)))
    told = [town.act(lambda call, n=n: catalogue.type_at(call, kind.code, n)).name_en for n in (1, 2, 3)]
    assert told == [kind.name_en, "Second", "Third"]
    for code, version in ((kind.code, 4), (kind.code, 0), ("1" * 21, 1)):
        with pytest.raises(Problem) as refused:
            town.act(lambda call, code=code, version=version: catalogue.type_at(call, code, version))
        assert refused.value.code == "not_found"


def test_another_process_sees_a_new_version_within_seconds(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that entered nothing itself is not told: it looks again when what it read is two seconds old."""
    kind, moment = type_of("tour_guide"), time.monotonic() + 10
    monkeypatch.setattr(catalogue.time, "monotonic", lambda: moment)
    assert town.act(lambda call: catalogue.find(call, kind.code)).version == 1
    monkeypatch.setattr(catalogue, "forget", lambda _call: None)
    town.act(lambda call: enrol.put_type(call, replace(kind, name="导游资格证")))
    assert town.act(lambda call: catalogue.find(call, kind.code)).version == 1
    moment += 2.1
    assert town.act(lambda call: catalogue.find(call, kind.code)).type.name == "导游资格证"
    # A new type is looked for at once: whoever entered it through one process issues it through the next.
    added = replace(kind, code=f"{kind.code[:18]}900", slug="another_guide")
    town.act(lambda call: enrol.put_type(call, added))
    with pytest.raises(Problem):
        town.act(lambda call: catalogue.find(call, added.code))
    moment += 0.2
    assert town.act(lambda call: catalogue.find(call, added.code)).type == added


def test_what_another_thread_reads_meanwhile_is_not_taken_for_ones_own(town: Town) -> None:
    card = type_of("resident_card")
    kind = replace(card, slug="meanwhile", code=f"{card.code[:18]}997")
    matter = replace(shipped_matters()[0], code="DM-M-998", name="同时")

    def elsewhere() -> None:  # as the publisher does beside whoever enters a catalogue
        town.house.database.run(look, write=False)

    def look(session: Session) -> None:
        call = Call(town.house, session, SYSTEM, now())
        catalogue.entries(call)
        matters.entries(call)

    def enter(call: Call) -> None:
        before = set(catalogue.entries(call)), set(matters.entries(call))
        enrol.put_type(call, kind)
        elsewhere()
        assert set(catalogue.entries(call)) == before[0] | {kind.code}
        enrol.put_matter(call, matter)
        elsewhere()
        assert set(matters.entries(call)) == before[1] | {matter.code}
        raise UndoneError

    with pytest.raises(UndoneError):
        town.act(enter)
    assert kind.code not in town.act(catalogue.entries)


class UndoneError(Exception):
    """The transaction was only tried."""
