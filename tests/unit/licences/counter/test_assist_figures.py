"""What the database added up, by unit and matter; shares are of what was counted, and of nothing there is none."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert

from idservice.call import Call
from idservice.ids import timed_id
from licences.counter import assist_figures
from licences.counter.assist_figures import Table, share
from licences.counter.models import DepartmentCheck
from licences.models import Lookup
from tests.builders import migrate
from tests.databases import Databases
from tests.town import ALICE, CIVIL, SECURITY, Town, build_town

JUNE = datetime(2027, 6, 15, 4, tzinfo=UTC)
DUE = date(2027, 6, 18)


@pytest.fixture(scope="module")
def town(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Any:
    url = databases.fresh(migrate)
    built = build_town(tmp_path_factory.mktemp("town"), url)
    yield built
    built.house.database.engine.dispose()
    databases.drop(url)


@pytest.fixture(autouse=True)
def _clean(town: Town) -> None:
    for table in (Lookup, DepartmentCheck):
        town.act(lambda call, table=table: call.session.execute(delete(table)))


def look(call: Call, subject: str, outcomes: dict[str, str], at: datetime = JUNE, unit: str = SECURITY) -> str:
    row = {"lookup_id": timed_id(at), "matter": "m1", "matter_version": 1, "department": unit, "outcomes": outcomes}
    call.session.execute(insert(Lookup), {"subject": subject, "basis": "consent", "at": at, **row})
    return row["lookup_id"]


def check(call: Call, subject: str, lookup: str, proof: str = "p", **more: Any) -> None:
    row = {
        "subject": subject, "check_id": timed_id(JUNE), "matter": "m1", "proof": proof, "lookup_id": lookup,
        "department": CIVIL, "asking_department": SECURITY, "asked_by": "x", "state": "requested", "days": 3,
        "due_on": DUE, "reminders": 0, "opened_at": JUNE, "changed_at": JUNE, "request_sealed": b"",
    }  # fmt: skip
    call.session.execute(insert(DepartmentCheck), row | more)


def told(town: Town, month: str = "2027-06", now: datetime = JUNE) -> dict[str, Any]:
    caller = town.caller(ALICE)
    object.__setattr__(caller, "all_departments", True)
    return town.act(lambda call: assist_figures.figures(call, month), caller=caller, now=now)


def test_proofs_are_counted_by_unit_and_matter_in_their_month_of_the_city(town: Town) -> None:
    subject = town.subjects[ALICE]

    def enter(call: Call) -> None:
        look(call, subject, {"a": "licence", "b": "data_yes", "c": "not_held", "d": "commitment"})
        look(call, subject, {"a": "data_no", "b": "data_partly"})
        look(call, subject, {"a": "licence"}, unit=CIVIL)
        look(call, subject, {"a": "licence"}, at=datetime(2027, 6, 30, 16, tzinfo=UTC))  # July has begun in the city
        look(call, subject, {})

    town.act(enter)
    found = told(town)
    rows = {(row["unit"], row["matter"]): (row["proofs"], row["without_paper"]) for row in found["items"]}
    assert rows == {(SECURITY, "m1"): (6, 3), (CIVIL, "m1"): (1, 1)}
    assert (found["total"]["proofs"], found["total"]["without_paper"]) == (7, 4)
    assert told(town, "2027-07")["total"]["proofs"] == 1


@pytest.mark.parametrize(("answer", "met"), [(None, 0), ("no", 0), ("cannot_tell", 0), ("yes", 1)])
def test_a_department_that_was_asked_has_met_a_proof_when_it_says_yes(town: Town, answer: Any, met: int) -> None:
    """Whether the look-up itself asked it, or somebody did afterwards."""
    subject = town.subjects[ALICE]
    answered = {
        "answer": answer,
        "answered_at": JUNE if answer else None,
        "state": "answered" if answer else "assigned",
    }

    def enter(call: Call) -> None:
        check(call, subject, look(call, subject, {"p": "department", "q": "not_held"}), **answered)
        check(call, subject, look(call, subject, {"q": "not_held"}), "q", **answered)
        check(call, subject, "f" * 32, **answered)

    town.act(enter)
    total = told(town)["total"]
    assert (total["proofs"], total["without_paper"], total["checks"]) == (3, 2 * met, 3)


def test_a_check_is_late_by_the_day_of_the_city(town: Town) -> None:
    subject = town.subjects[ALICE]
    midnight = datetime(2027, 6, 18, 16, tzinfo=UTC)

    def enter(call: Call) -> None:
        check(call, subject, "a", answered_at=midnight - timedelta(seconds=1), state="answered", answer="no")
        check(call, subject, "b", answered_at=midnight, state="closed", answer="yes")
        check(call, subject, "c", state="assigned")
        check(call, subject, "d", state="returned")

    town.act(enter)
    assert told(town, now=midnight - timedelta(seconds=1))["total"]["overdue"] == 1
    total = told(town, now=midnight)["total"]
    assert (total["checks"], total["overdue"], total["overdue_share"]) == (4, 2, 50.0)


def test_nothing_is_left_out_however_much_was_asked(town: Town) -> None:
    subject = town.subjects[ALICE]
    row = {"subject": subject, "matter": "m1", "matter_version": 1, "department": SECURITY, "basis": "x", "at": JUNE}
    rows = [row | {"lookup_id": f"{place:032x}", "outcomes": {"a": "licence"}} for place in range(50_500)]
    town.act(lambda call: call.session.execute(insert(Lookup), rows))
    assert told(town)["total"]["proofs"] == 50_500


def test_shares_are_of_what_was_counted() -> None:
    table = Table()
    table.add("A", "m1", proofs=6, without_paper=4)
    table.add("A", "m1", checks=3, overdue=1)
    table.add("B", "m1")
    rows = {
        key: (row.as_json()["without_paper_share"], row.as_json()["overdue_share"]) for key, row in table.rows.items()
    }
    assert rows == {("A", "m1"): (66.7, 33.3), ("B", "m1"): (None, None)}
    assert share(0, 3) == 0.0
