"""Posts are given to active, linked accounts, and end with them."""

from typing import Any

import pytest
from sqlalchemy import select

from idservice.call import Post
from idservice.models import AuditEntry, Staff
from idservice.scim import accounts, posts
from idservice.scim.models import StaffAccount
from tests.identity import ALICE
from tests.staff import HOUSING, STAFF
from tests.unit.idservice.scim.conftest import Desk


@pytest.fixture
def account(desk: Desk) -> str:
    body = desk.body(**{STAFF: {"idNumber": ALICE, "counter": "3"}})
    made: dict[str, Any] = desk.do(lambda call: accounts.make(call, desk.own, body))
    return str(made["id"])


def held(desk: Desk) -> set[tuple[str, str | None]]:
    return desk.do(lambda call: {(row.role, row.counter) for row in call.session.scalars(select(Staff))})


def on(desk: Desk, account: str, deed: Any, *arguments: Any, **named: Any) -> Any:
    return desk.do(lambda call: deed(call, call.session.get_one(StaffAccount, account), *arguments, **named))


def test_a_post_is_given_once_and_taken_once(desk: Desk, account: str) -> None:
    for _ in range(2):
        on(desk, account, posts.give, Post.CLERK, counter="3")
        on(desk, account, posts.give, Post.OFFICER, counter="3")
    assert held(desk) == {("clerk", "3"), ("officer", None)}
    on(desk, account, posts.seat, "4")
    assert held(desk) == {("clerk", "4"), ("officer", None)}
    for _ in range(2):
        on(desk, account, posts.take, Post.CLERK)
    assert held(desk) == {("officer", None)}
    deeds = desk.do(lambda call: [row.deed for row in call.session.scalars(select(AuditEntry))])
    assert (deeds.count("idservice:post:give"), deeds.count("idservice:post:take")) == (2, 1)


def test_the_end_of_an_account_ends_the_posts_of_its_department_alone(desk: Desk, account: str) -> None:
    from tests.staff import HEALTH

    elsewhere = {"subject": desk.alice, "department": HEALTH, "role": "clerk", "counter": None}
    desk.do(lambda call: call.session.add(Staff(**elsewhere)))
    on(desk, account, posts.give, Post.OFFICER, counter=None)
    on(desk, account, posts.end_all)
    assert desk.do(lambda call: [row.department for row in call.session.scalars(select(Staff))]) == [HEALTH]
    assert HEALTH != HOUSING


def test_who_is_not_linked_or_not_active_is_given_nothing(desk: Desk, account: str) -> None:
    bare = desk.do(lambda call: accounts.make(call, desk.own, desk.body("b")))["id"]
    desk.do(lambda call: setattr(call.session.get_one(StaffAccount, account), "active", False))
    for name in (bare, account):
        assert (
            desk.refusal(
                lambda call, n=name: posts.give(call, call.session.get_one(StaffAccount, n), Post.CLERK, counter=None)
            )
            == "scim_value"
        )
    on(desk, bare, posts.end_all)
