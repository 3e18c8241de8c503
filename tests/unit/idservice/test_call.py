"""What a caller may do by his posts, and by which login."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from idservice.call import Caller, Post
from idservice.login.levels import Act, LoginTooWeak
from tests.builders import STAFF_LOGIN

HERE, THERE = "11371600100030000A", "11371600100040000B"
CLERK = Caller(channel="page", person="p", posts=frozenset({("clerk", HERE)}), **STAFF_LOGIN)
QUESTIONS: list[Callable[[Caller], Any]] = [
    lambda caller: caller.holds(Post.CLERK),
    lambda caller: caller.departments_as(Post.CLERK),
    lambda caller: caller.may_act_for(HERE, Post.CLERK),
]


def test_a_post_is_good_for_its_department_and_for_what_it_does() -> None:
    assert CLERK.holds(Post.CLERK)
    assert not CLERK.holds(Post.OFFICER)
    assert CLERK.departments_as(Post.CLERK) == {HERE}
    assert CLERK.may_act_for(HERE, Post.CLERK)
    assert not CLERK.may_act_for(HERE, Post.OFFICER)
    assert not CLERK.may_act_for(THERE, Post.CLERK)


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize(
    "login",
    [{"amr": ("pwd",)}, {"amr": ()}, {"amr": ("sms",)}, {"amr": ("pwd",), "level": 4}, {"level": 0}],
)
@pytest.mark.parametrize("channel", ["page", "api"])
def test_no_post_is_used_by_a_login_with_one_factor(
    question: Callable[[Caller], Any], login: dict[str, Any], channel: str
) -> None:
    with pytest.raises(LoginTooWeak) as raised:
        question(replace(CLERK, channel=channel, **login))
    assert raised.value.act is Act.ACT_AS_STAFF


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_passkey_is_two_factors(question: Callable[[Caller], Any]) -> None:
    assert question(replace(CLERK, amr=("pop", "mfa")))


def test_who_does_not_hold_the_post_is_told_that_and_not_to_log_in_again() -> None:
    weak = replace(CLERK, amr=("pwd",))
    assert not weak.holds(Post.OFFICER)
    assert not weak.departments_as(Post.OFFICER)
    assert not weak.may_act_for(THERE, Post.CLERK)
    assert not Caller(channel="page", person="p", amr=("pwd",)).holds(Post.CLERK)


def test_a_program_on_its_own_is_no_person() -> None:
    program = Caller(channel="api", client_id="counter", departments=frozenset({HERE}))
    assert program.may_act_for(HERE, Post.CLERK)
    assert program.departments_as(Post.CLERK) == {HERE}
    assert replace(program, all_departments=True).may_act_for(THERE, Post.OFFICER)
