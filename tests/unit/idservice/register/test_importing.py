"""Whatever happens, each line of a file is in the register or among its rejects, once."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from idservice import audit
from idservice.models import AuditEntry, Person, SubjectIndex
from idservice.register import importing, people, population
from idservice.register.importing import ImportRefused
from idservice.register.importing_index import NumberTakenMeanwhile
from idservice.register.importing_rows import Form
from idservice.register.models import RegisterImport
from keys.ring import Purpose
from tests.identity import AGENT, ALICE, citizen_number, company_code
from tests.unit.idservice.register.desk import HEADER, Desk, told

OTHER = company_code("9137160210002001")


def rows(count: int, *, name: str = "王小明") -> list[str]:
    return [
        f"{citizen_number(f'3716021990{1 + n % 12:02}{1 + n % 28:02}{n % 1000:03}')},{name},,2,\n" for n in range(count)
    ]


def test_people_are_entered_sealed_and_found(desk: Desk) -> None:
    assert desk.bring(f"{HEADER}{ALICE.lower()},王小明,+8613800001234,3,\n\n{AGENT},李晓华,,,\n") == told(added=2)
    alice = desk.person(ALICE)
    assert (alice.number, alice.name, alice.phone, alice.level, alice.status) == (
        ALICE,
        "王小明",
        "13800001234",
        3,
        "active",
    )
    assert (desk.person(AGENT).phone, desk.person(AGENT).level) == (None, population.REAL_NAME)
    assert desk.refused() == []


def test_json_lines_and_another_encoding_say_the_same(desk: Desk) -> None:
    line = json.dumps({"公民身份号码": ALICE, "姓名": "王小明", "level": 3}, ensure_ascii=False)
    assert desk.bring(f"\ufeff{line}\n", form=Form.JSONL) == told(added=1)
    data = f"姓名,公民身份号码,实名等级\n王小明,{ALICE},3\n".encode("gb18030")
    assert desk.run(data, encoding="gb18030").counts == told(unchanged=1)


def test_the_same_file_again_changes_nothing(desk: Desk) -> None:
    text = HEADER + "".join(rows(30))
    assert desk.bring(text) == told(added=30)
    assert desk.bring(text) == told(unchanged=30)
    assert desk.count(Person) == desk.count(SubjectIndex) == 30


def test_what_is_new_in_a_row_is_taken_over_and_nothing_is_undone(desk: Desk) -> None:
    desk.bring(f"{HEADER}{ALICE},王小明,13800001234,3,\n{AGENT},李晓华,,2,\n")
    subject = desk.person(ALICE).subject
    assert desk.bring(f"{HEADER}{ALICE},王晓明,,1,\n{AGENT},李晓华,13900001234,,死亡\n") == told(changed=2)
    alice, agent = desk.person(ALICE), desk.person(AGENT)
    assert (alice.subject, alice.name, alice.phone, alice.level) == (subject, "王晓明", "13800001234", 3)
    assert (agent.phone, agent.status) == ("13900001234", "deceased")
    assert desk.bring(f"{HEADER}{AGENT},李晓华,,,active\n") == told(unchanged=1), "an import brings nobody back"


def test_an_account_whose_number_and_name_agree_becomes_a_real_name(desk: Desk) -> None:
    subject = desk.do(lambda call: people.enrol(call, number=ALICE, name="王小明", level=1))
    assert desk.bring(f"{HEADER}{ALICE},王小明,,1,\n") == told(unchanged=1), "a register that says so itself"
    assert desk.bring(f"{HEADER}{ALICE},王小明,,,\n", dry_run=True) == told(changed=1)
    assert desk.person(ALICE).level == 1
    assert desk.bring(f"{HEADER}{ALICE},王小明,,,\n") == told(changed=1)
    assert desk.person(ALICE).level == population.REAL_NAME
    raised = select(AuditEntry).where(AuditEntry.deed == "idservice:person:raise_level")
    (entry,) = desk.do(lambda call: call.session.scalars(raised).all())
    assert {"subject": subject, "level": 2, "register": "people"}.items() <= json.loads(entry.facts).items()
    assert desk.bring(f"{HEADER}{ALICE},王小明,,,\n") == told(unchanged=1)


def test_an_account_of_another_name_stays_as_it_is(desk: Desk) -> None:
    desk.do(lambda call: people.enrol(call, number=ALICE, name="王大明", level=1))
    for _ in range(2):
        assert desk.bring(f"{HEADER}{ALICE},王小明,13800001234,,\n") == told(rejected=1)
        alice = desk.person(ALICE)
        assert (alice.name, alice.phone, alice.level, alice.status) == ("王大明", None, 1, "active")
    assert desk.refused()[0]["reasons"] == ["name_differs"]
    desk.rejects.path.unlink()
    assert desk.bring(f"{HEADER}{ALICE},王小明,,,死亡\n") == told(rejected=1)
    assert (desk.person(ALICE).name, desk.person(ALICE).status) == ("王大明", "deceased")
    desk.rejects.path.unlink()
    assert desk.bring(f"{HEADER}{ALICE},王小明,,2,\n") == told(changed=1), "a register that states the level"
    assert (desk.person(ALICE).name, desk.person(ALICE).level) == ("王小明", 2)


def test_a_number_given_twice_is_one_person_and_the_later_row_counts(desk: Desk) -> None:
    text = f"{HEADER}{ALICE},王小明,,,\n{AGENT},李晓华,,,\n{ALICE},王晓明,,,\n{ALICE},王晓明,,,\n"
    assert desk.bring(text) == told(added=2, changed=1, unchanged=1)
    assert desk.person(ALICE).name == "王晓明"


def test_bad_rows_go_to_the_rejects_with_line_and_reasons(desk: Desk) -> None:
    bad = f"{ALICE[:-1]}?,,1,9,alive\n"
    assert desk.bring(f"{HEADER}{ALICE},王小明,,,\n{bad}{AGENT},李晓华\n") == told(added=1, rejected=2)
    assert desk.refused() == [
        {"line": 3, "reasons": ["number_alphabet", "name", "phone", "level", "status"], "row": bad.rstrip()},
        {"line": 4, "reasons": ["columns"], "row": f"{AGENT},李晓华"},
    ]
    assert desk.rejects.path.stat().st_mode & 0o777 == 0o600


def test_rejects_of_another_import_are_not_written_over(desk: Desk) -> None:
    first, second = f"{HEADER}x,王小明,,,\n", f"{HEADER}y,李晓华,,,\n"
    desk.bring(first)
    before = desk.rejects.path.read_bytes()
    for text, more in ((second, {}), (second, {"restart": True}), (second, {"dry_run": True}), (HEADER, {})):
        with pytest.raises(ImportRefused, match="move it away"):
            desk.bring(text, **more)
    assert desk.rejects.path.read_bytes() == before
    assert desk.count(RegisterImport) == 1
    assert desk.bring(first) == told(rejected=1), "the same file may be brought in again"
    assert desk.rejects.path.read_bytes() == before
    desk.rejects.path.write_text("somebody's notes\n")
    with pytest.raises(ImportRefused, match="move it away"):
        desk.bring(first)


def test_a_reject_is_readable_whatever_the_encoding(desk: Desk) -> None:
    good, broken = "x,李晓华,,,\n".encode("gb18030"), b"x,\xff\xff,,,\n"
    desk.run(HEADER.encode() + good + broken, encoding="gb18030")
    assert desk.refused() == [
        {"line": 2, "reasons": ["number_length"], "row": "x,李晓华,,,"},
        {
            "line": 3,
            "reasons": ["encoding"],
            "row": "x,\\xff\\xff,,,",
            "base64": base64.b64encode(broken).decode(),
        },
    ]


def test_a_reject_says_where_it_is_cut(desk: Desk) -> None:
    long = "x," + "王" * 30_000
    desk.bring(f"{HEADER}{long}\n{AGENT},李晓华,,,\n")
    (reject,) = desk.refused()
    row = reject.pop("row")
    assert reject == {"line": 2, "reasons": ["too_long"], "truncated": True}
    assert long.startswith(row[:20_000])


def test_a_person_and_an_organisation_never_share_a_number(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = desk.house.cipher.index(people.INDEX_FIELD, ALICE)
    row = {"number_hash": hashed, "subject": "0" * 32, "kind": "organisation"}
    desk.do(lambda call: call.session.add(SubjectIndex(**row)))
    assert desk.bring(f"{HEADER}{ALICE},王小明,,,\n") == told(rejected=1)
    assert desk.refused()[0]["reasons"] == ["other_kind"]


def test_a_dry_run_tells_the_same_and_enters_nothing(desk: Desk) -> None:
    desk.bring(f"{HEADER}{ALICE},王小明,,,\n")
    text = f"{HEADER}{ALICE},王晓明,,,\n{AGENT},李晓华,,,\nx,x,,,\n"
    assert desk.bring(text, dry_run=True) == told(added=1, changed=1, rejected=1)
    assert (desk.person(ALICE).name, desk.count(Person), len(desk.refused())) == ("王小明", 1, 1)
    assert desk.count(RegisterImport) == desk.count(AuditEntry) == 1
    assert desk.bring(text) == told(added=1, changed=1, rejected=1)


def test_every_portion_leaves_an_audit_row_without_personal_data(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "AT_ONCE", 10)
    desk.bring(HEADER + "".join(rows(24)))
    entries = desk.do(lambda call: call.session.scalars(select(AuditEntry).order_by(AuditEntry.entry_id)).all())
    assert {entry.deed for entry in entries} == {audit.Deed.REGISTER_IMPORTED}
    facts = [json.loads(entry.facts) for entry in entries]
    assert [fact["lines"] for fact in facts] == ["1-10", "11-20", "21-25"]
    assert sum(fact["added"] for fact in facts) == 24
    assert set(facts[0]) == {"register", "import", "lines", "subjects", "added", "changed", "unchanged", "rejected"}


def test_old_numbers_are_found_while_the_index_secret_is_rotated(desk: Desk) -> None:
    text = HEADER + "".join(rows(5))
    desk.bring(text)
    desk.house.keys.rotate(Purpose.INDEX, now=datetime.now(UTC))
    assert desk.bring(text) == told(unchanged=5)
    assert desk.count(SubjectIndex) == 5


class Killed(Exception):
    """Stands for the end of the process."""


def killed_after(portions: int) -> Callable[[int], None]:
    left = [portions]

    def tell(_size: int) -> None:
        left[0] -= 1
        if not left[0]:
            raise Killed

    return tell


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "AT_ONCE", 10)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("portions", [1, 2, 4])
def test_a_run_that_was_killed_goes_on_where_it_stopped(desk: Desk, portions: int) -> None:
    text = HEADER + "".join(line if n % 7 else "x,x,,,\n" for n, line in enumerate(rows(39)))
    with pytest.raises(Killed):
        desk.bring(text, tell=killed_after(portions))
    with desk.rejects.path.open("ab") as file:  # what was written and not yet counted when it ended
        file.write(b'{"line": 40')
    progress = desk.run(text.encode())
    assert progress.resumed_after == 10 * portions
    assert progress.counts == told(added=33, rejected=6)
    assert desk.count(Person) == 33
    assert [reject["line"] for reject in desk.refused()] == [n + 2 for n in range(39) if n % 7 == 0]
    assert desk.run(text.encode()).resumed_after == 0, "a finished import begins anew"


@pytest.mark.usefixtures("small")
def test_another_file_does_not_go_on_in_the_place_of_one_that_was_killed(desk: Desk) -> None:
    lines = rows(39)
    with pytest.raises(Killed):
        desk.bring(HEADER + "".join(lines), tell=killed_after(2))
    lines[12] = rows(39, name="王晓明")[12]
    with pytest.raises(ImportRefused, match="--restart"):
        desk.bring(HEADER + "".join(lines))
    with pytest.raises(ImportRefused, match="--restart"):
        desk.bring(HEADER + "".join(lines[:14]))
    assert desk.bring(HEADER + "".join(lines), restart=True) == told(added=20, changed=1, unchanged=18)


@pytest.mark.usefixtures("small")
def test_lost_rejects_are_not_passed_over(desk: Desk) -> None:
    text = HEADER + "x,x,,,\n" + "".join(rows(30))
    with pytest.raises(Killed):
        desk.bring(text, tell=killed_after(2))
    desk.rejects.path.unlink()
    with pytest.raises(ImportRefused, match="--restart"):
        desk.bring(text)


def test_a_number_that_somebody_enters_meanwhile_is_found_at_the_second_try(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []
    enter = population.enter_numbers

    def taken(*arguments: Any, **named: Any) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise NumberTakenMeanwhile
        enter(*arguments, **named)

    monkeypatch.setattr(population, "enter_numbers", taken)
    assert desk.bring(f"{HEADER}{ALICE},王小明,,,\n") == told(added=1)
    assert len(tries) == 2


@pytest.mark.parametrize(("text", "reason"), [("", "empty"), ("a,b\n", "unknown columns"), ("number\n", "needed")])
def test_a_file_that_is_none_is_refused_whole(desk: Desk, text: str, reason: str) -> None:
    with pytest.raises(ImportRefused, match=reason):
        desk.bring(text)


def test_other_processes_prepare_the_same(desk: Desk) -> None:
    text = HEADER + "".join(rows(20)) + "x,x,,,\n"
    assert desk.bring(text, processes=1) == told(added=20, rejected=1)
    assert desk.bring(text) == told(unchanged=20, rejected=1)


@pytest.mark.parametrize("processes", [0, 2])
def test_after_a_few_portions_several_are_entered_together(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    monkeypatch.setattr(importing, "AT_ONCE", 2)
    text = HEADER + "".join(line if n != 17 else "x,x,,,\n" for n, line in enumerate(rows(24)))
    done: list[int] = []
    assert desk.bring(text, processes=processes, tell=done.append) == told(added=23, rejected=1)
    entries = desk.do(lambda call: call.session.scalars(select(AuditEntry).order_by(AuditEntry.entry_id)).all())
    places = [json.loads(entry.facts)["lines"] for entry in entries]
    assert places == ["1-2", "3-4", "5-6", "7-8", "9-18", "19-25"]
    assert [reject["line"] for reject in desk.refused()] == [19]
    assert (len(done), sum(done)) == (6, len(text.encode()))


def test_of_rows_in_portions_entered_together_the_later_counts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "AT_ONCE", 1)
    names = [f"王{chr(0x5C0F + n)}" for n in range(9)]
    text = HEADER + "".join(f"{ALICE},{name},,,\n" for name in names)
    assert desk.bring(text) == told(added=1, changed=8)
    assert desk.person(ALICE).name == names[-1]


# --- organisations -----------------------------------------------------------------------------------------------
