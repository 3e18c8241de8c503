"""One number, one subject: whoever enters it, however often, and whichever key finds it."""

import json
import random
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select, update

from idservice.call import Call, House
from idservice.errors import Problem
from idservice.models import AuditEntry, Person, SubjectIndex
from idservice.register import people
from idservice.statement import Statement
from keys.fields import FieldError
from keys.ring import Purpose
from tests.builders import act
from tests.identity import AGENT, ALICE, COMPANY, STRANGER


def enrol(house: House, number: str = ALICE, name: str = "王小明", phone: str | None = "13800001234") -> str:
    return act(house, lambda call: people.enrol(call, number=number, name=name, phone=phone, level=3))


def find(house: House, number: str) -> str | None:
    return act(house, lambda call: people.find(call, number))


def count(house: House, table: type) -> int:
    return act(house, lambda call: call.session.scalar(select(func.count()).select_from(table))) or 0


def test_a_person_is_found_by_number_and_read_by_subject(house: House) -> None:
    subject = enrol(house)
    assert find(house, ALICE) == subject
    assert act(house, lambda call: people.find_kind(call, ALICE)) == (subject, "person")
    facts = act(house, lambda call: people.facts(call, subject))
    assert facts == people.PersonFacts(subject, ALICE, "王小明", "13800001234", 3, "active")


def test_nobody_is_nobody(house: House) -> None:
    enrol(house)
    assert find(house, STRANGER) is None
    assert find(house, "") is None
    assert act(house, lambda call: people.find_kind(call, STRANGER)) is None
    assert act(house, lambda call: people.facts(call, "0" * 32)) is None


def test_what_reads_nobody_alike_reads_the_same_of_somebody(house: House) -> None:
    with_phone = act(house, lambda call: people.enrol(call, number=ALICE, name="示范甲", phone="13800000000"))
    without = act(house, lambda call: people.enrol(call, number=AGENT, name="示范乙"))
    for subject in (with_phone, without, "0" * 32, "nobody"):

        def both(call: Call, whose: str = subject) -> tuple[Any, Any]:
            return people.facts(call, whose), people.facts_alike(call, whose)

        facts, alike = act(house, both)
        assert facts == alike
    assert act(house, lambda call: people.facts_alike(call, "nobody".ljust(32, "-"))) is None, "no stand-in is anybody"


def test_a_number_that_nobody_bears_gives_a_row_as_wide(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """On its way from a database server a missing row would be told by the clock."""
    act(house, lambda call: people.enrol(call, number=ALICE, name="示范甲", phone="13800000000"))
    widths: list[int] = []
    rows = Statement.rows

    def seen(self: Statement, connection: Any, parameters: Any) -> Any:
        found = rows(self, connection, parameters)
        widths.append(sum(len(str(value)) for row in found for value in row))
        return found

    monkeypatch.setattr(Statement, "rows", seen)
    for number in (ALICE, STRANGER):
        subject = act(house, lambda call, number=number: people.find(call, number)) or "nobody"
        act(house, lambda call, subject=subject: people.facts_alike(call, subject))
    assert len(widths) == 4
    assert min(widths) > 0
    assert abs(widths[0] - widths[2]) < 10
    assert abs(widths[1] - widths[3]) < 120, "a little, for a name may be short"


@pytest.mark.parametrize("again", [ALICE, ALICE.lower(), f" {ALICE[:6]} {ALICE[6:]} "])
def test_a_number_entered_twice_keeps_its_subject(house: House, again: str) -> None:
    subject = enrol(house)
    assert enrol(house, again, name="别的名字") == subject
    assert count(house, Person) == count(house, SubjectIndex) == count(house, AuditEntry) == 1
    facts = act(house, lambda call: people.facts(call, subject))
    assert facts is not None
    assert facts.name == "王小明"


def test_subjects_say_nothing_of_their_numbers(house: House) -> None:
    subjects = [enrol(house, number) for number in (ALICE, AGENT, STRANGER)]
    assert len(set(subjects)) == 3
    assert all(len(subject) == 32 for subject in subjects)


def test_nothing_personal_is_stored_in_the_clear(house: House) -> None:
    subject = enrol(house)
    row = act(house, lambda call: call.session.get_one(Person, subject))
    stored = b"".join([row.number_sealed, row.name_sealed, row.phone_sealed or b""])
    for value in (ALICE, "王小明", "13800001234"):
        assert value.encode() not in stored
    entry = act(house, lambda call: call.session.scalars(select(AuditEntry)).one())
    assert json.loads(entry.facts) == {"subject": subject, "level": 3}
    index = act(house, lambda call: call.session.scalars(select(SubjectIndex)).one())
    assert len(index.number_hash) == 32


def test_a_person_without_a_phone(house: House) -> None:
    subject = enrol(house, phone=None)
    facts = act(house, lambda call: people.facts(call, subject))
    assert facts is not None
    assert facts.phone is None


def test_facts_put_into_anothers_row_do_not_open(house: House) -> None:
    alice, agent = enrol(house), enrol(house, AGENT)

    def swap(call: Call) -> None:
        name = call.session.get_one(Person, alice).name_sealed
        call.session.execute(update(Person).where(Person.subject == agent).values(name_sealed=name))

    act(house, swap)
    with pytest.raises(FieldError):
        act(house, lambda call: people.facts(call, agent))


@pytest.mark.parametrize("number", ["", "1", ALICE[:-1] + "0", COMPANY, ALICE + "0", "é" * 18, "\0", "1" * 5000])
def test_what_is_no_citizen_number_is_not_entered(house: House, number: str) -> None:
    with pytest.raises(Problem) as refused:
        enrol(house, number)
    assert refused.value.code == "invalid"
    (fault,) = refused.value.errors
    assert fault.pointer == "/number"
    assert count(house, SubjectIndex) == 0


def test_mutants_are_refused_clearly(house: House) -> None:
    chance = random.Random(5)
    for _ in range(150):
        mutant = list(ALICE)
        for _ in range(chance.randint(1, 3)):
            mutant[chance.randrange(18)] = chance.choice("0123456789Xx-é\0 ")
        try:
            enrol(house, "".join(mutant))
        except Problem as problem:
            assert problem.code == "invalid"  # noqa: PT017


def test_old_numbers_are_found_while_the_index_secret_is_rotated(house: House) -> None:
    alice = enrol(house)
    house.keys.rotate(Purpose.INDEX, now=datetime.now(UTC))
    assert find(house, ALICE) == alice, "by the old secret"
    assert enrol(house) == alice
    agent = enrol(house, AGENT)
    assert find(house, AGENT) == agent, "by the new one"
    house.keys.rotate(Purpose.INDEX, now=datetime.now(UTC))
    assert (find(house, ALICE), find(house, AGENT)) == (alice, agent)
    assert count(house, Person) == 2


def test_facts_open_while_the_field_secret_is_rotated(house: House) -> None:
    subject = enrol(house)
    house.keys.rotate(Purpose.FIELDS, now=datetime.now(UTC))
    facts = act(house, lambda call: people.facts(call, subject))
    assert facts is not None
    assert facts.number == ALICE


def test_one_number_entered_by_many_at_once_is_one_person(house: House) -> None:
    start, subjects, faults = threading.Barrier(8), [], []

    def run() -> None:
        start.wait(timeout=60)
        try:
            subjects.append(enrol(house))
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert faults == []
    assert len(set(subjects)) == 1
    assert count(house, Person) == count(house, AuditEntry) == 1
