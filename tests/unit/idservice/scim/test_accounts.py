"""Staff accounts, verb by verb."""

from idservice.call import Post
from idservice.models import Person
from idservice.scim import account_view, accounts, posts
from idservice.scim.deeds import StaffDeed
from idservice.scim.models import StaffAccount
from idservice.scim.reach import Reach
from tests.identity import ALICE
from tests.staff import HEALTH, HOUSING, STAFF, posts_of
from tests.unit.idservice.scim.conftest import Desk


def test_a_refused_account_leaves_nothing_behind(desk: Desk) -> None:
    taken = desk.body("a", **{STAFF: {"idNumber": ALICE}})
    desk.do(lambda call: accounts.make(call, desk.own, taken))
    again = desk.body("b", **{STAFF: {"idNumber": ALICE}})
    assert desk.refusal(lambda call: accounts.make(call, desk.own, again)) == "scim_uniqueness"
    assert [one["userName"] for one in desk.do(lambda call: account_view.listed(call, desk.own))] == ["a"]


def test_a_person_has_an_account_in_each_department(desk: Desk) -> None:
    for name, reach in (("a", desk.own), ("b", desk.other)):
        body = desk.body(name, **{STAFF: {"idNumber": ALICE}})
        assert desk.do(lambda call, b=body, r=reach: accounts.make(call, r, b))[STAFF]["linked"]
    assert len(desk.do(lambda call: account_view.listed(call, Reach(None)))) == 2
    assert len(desk.do(lambda call: account_view.listed(call, Reach(None), user_name="B"))) == 1


def test_the_department_is_the_only_one_or_a_stated_one(desk: Desk) -> None:
    both = Reach(frozenset({HOUSING, HEALTH}))
    for reach, department in ((both, None), (Reach(None), None), (desk.own, HEALTH), (Reach(None), "x")):
        body = desk.body(**({STAFF: {"department": department}} if department else {}))
        assert desk.refusal(lambda call, r=reach, b=body: accounts.make(call, r, b)) == "scim_value"
    body = desk.body(**{STAFF: {"department": HEALTH}})
    assert desk.do(lambda call: accounts.make(call, both, body))[STAFF]["department"] == HEALTH


def test_an_account_made_inactive_has_no_post_that_was_there_before(desk: Desk) -> None:
    made = desk.do(lambda call: accounts.make(call, desk.own, desk.body(**{STAFF: {"idNumber": ALICE}})))
    desk.do(lambda call: posts.give(call, accounts.find(call, desk.own, made["id"]), Post.CLERK, counter="1"))
    desk.do(lambda call: call.session.delete(accounts.find(call, desk.own, made["id"])))
    assert posts_of(desk, desk.alice) == {("clerk", HOUSING)}
    inactive = desk.body("b", active=False, **{STAFF: {"idNumber": ALICE}})
    assert desk.do(lambda call: accounts.make(call, desk.own, inactive))["groups"] == []
    assert posts_of(desk, desk.alice) == set()


def test_an_administrator_only_reads(desk: Desk) -> None:
    administrator = Reach(None, is_administrator=True)
    assert desk.refusal(lambda call: accounts.make(call, administrator, desk.body())) == "forbidden"
    made = desk.do(lambda call: accounts.make(call, desk.own, desk.body()))
    assert desk.do(lambda call: accounts.read(call, administrator, made["id"]))["id"] == made["id"]
    assert desk.refusal(lambda call: accounts.remove(call, administrator, made["id"], if_match=None)) == "forbidden"


def test_nothing_personal_stands_in_the_row(desk: Desk) -> None:
    body = desk.body(displayName="王小芳", **{STAFF: {"idNumber": ALICE}})
    desk.do(lambda call: accounts.make(call, desk.own, body))
    row = desk.do(lambda call: call.session.query(StaffAccount).one())
    shown = " ".join(str(getattr(row, column.name)) for column in StaffAccount.__table__.columns)
    assert ALICE not in shown
    assert "王小芳" not in shown
    assert desk.do(lambda call: account_view.facts_of(call, row)) == {"displayName": "王小芳"}


def test_who_is_no_active_person_is_not_linked(desk: Desk) -> None:
    desk.do(lambda call: setattr(call.session.get_one(Person, desk.alice), "status", "deceased"))
    body = desk.body(**{STAFF: {"idNumber": ALICE}})
    assert desk.refusal(lambda call: accounts.make(call, desk.own, body)) == "scim_value"


def test_deeds_have_names_of_their_own() -> None:
    assert len(set(StaffDeed)) == len(StaffDeed)
    assert all(deed.startswith("idservice:") for deed in StaffDeed)
