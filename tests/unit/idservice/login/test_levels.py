import contextlib
import re
from pathlib import Path

import pytest

from idservice.login import levels
from idservice.login.levels import LADDER, PASSKEY, PASSWORD, TWO_FACTOR, UNKNOWN, Act


@pytest.mark.parametrize(
    ("amr", "acr"),
    [
        ((), UNKNOWN),
        (("pwd",), PASSWORD),
        (("sms",), UNKNOWN),
        (("pop",), UNKNOWN),
        (("pwd", "otp", "mfa"), TWO_FACTOR),
        (("pwd", "sms", "mfa"), TWO_FACTOR),
        (("pop", "mfa"), PASSKEY),
        (("pwd", "pop", "mfa"), PASSKEY),
    ],
)
def test_the_class_follows_from_the_methods(amr: tuple[str, ...], acr: str) -> None:
    assert levels.acr_of(amr) == acr


@pytest.mark.parametrize(
    ("before", "method", "after"),
    [
        ([], "pwd", ["pwd"]),
        (["pwd"], "otp", ["pwd", "otp", "mfa"]),
        (["pwd", "otp", "mfa"], "sms", ["pwd", "otp", "sms", "mfa"]),
        (["pwd", "otp", "mfa"], "otp", ["pwd", "otp", "mfa"]),
        (["pop", "mfa"], "pwd", ["pop", "pwd", "mfa"]),
        (["pwd"], "pwd", ["pwd"]),
    ],
)
def test_two_kinds_of_factor_are_needed_for_mfa(before: list[str], method: str, after: list[str]) -> None:
    assert levels.with_method(before, method) == after


def test_each_class_is_as_good_as_those_below_it() -> None:
    for place, acr in enumerate(LADDER):
        assert [levels.reaches(acr, wanted) for wanted in LADDER] == [n <= place for n in range(len(LADDER))]
    assert not any(levels.reaches(UNKNOWN, wanted) for wanted in LADDER)


@pytest.mark.parametrize(
    ("asked", "least"),
    [
        ((), None),
        (("urn:mace:incommon:iap:silver",), None),
        ((UNKNOWN,), None),
        ((PASSKEY, TWO_FACTOR), TWO_FACTOR),
        ((TWO_FACTOR, "1", PASSWORD), PASSWORD),
        ((PASSKEY,), PASSKEY),
    ],
)
def test_a_request_is_content_with_the_lowest_class_it_names(asked: tuple[str, ...], least: str | None) -> None:
    assert levels.least(asked) == least


@pytest.mark.parametrize("act", Act)
def test_every_act_has_a_policy_that_risk_never_lowers(act: Act) -> None:
    calm, risky = levels.need_of(act, ()), levels.need_of(act, ("new_device",))
    assert levels.reaches(risky.acr, calm.acr)
    assert (risky.level, risky.max_age) == (calm.level, calm.max_age)
    assert 1 <= calm.level <= 4


def test_a_new_device_changes_a_password_with_a_second_factor_only() -> None:
    assert levels.need_of(Act.CHANGE_PASSWORD, ()).acr == PASSWORD
    assert levels.need_of(Act.CHANGE_PASSWORD, ["new_device"]).acr == TWO_FACTOR


@pytest.mark.parametrize(
    ("level", "amr", "is_enough"),
    [
        (1, ("pwd",), False),
        (4, (), False),
        (0, ("pwd", "otp", "mfa"), False),
        (1, ("pwd", "otp", "mfa"), True),
        (2, ("pop", "mfa"), True),
    ],
)
def test_staff_need_a_second_factor_whatever_their_level(level: int, amr: tuple[str, ...], is_enough: bool) -> None:
    for signals in ((), ("new_device",)):
        with contextlib.nullcontext() if is_enough else pytest.raises(levels.LoginTooWeak) as raised:
            levels.demand(Act.ACT_AS_STAFF, level=level, amr=amr, signals=signals)
        assert is_enough or raised.value.act is Act.ACT_AS_STAFF


def test_the_age_of_a_login_matters_not_to_staff() -> None:
    assert levels.need_of(Act.ACT_AS_STAFF, ()).max_age is None, "`levels.demand` would not judge it"


def test_the_documented_table_is_the_policy() -> None:
    text = (Path(__file__).parents[4] / "docs" / "login.md").read_text("utf-8")
    classes = {"密码 password": PASSWORD, "双因素 two factors": TWO_FACTOR}
    rows = re.findall(r"^\| `([\w.]+)` [^|]*\| (\d) \| ([^|]+) \| ([^|]+) \| (?:(\d+) min )?\|$", text, re.MULTILINE)
    told = {name: (int(level), classes[acr], classes[risk], int(age or 0)) for name, level, acr, risk, age in rows}
    ages = {act: need.max_age.total_seconds() // 60 if need.max_age else 0 for act, need in levels.POLICY.items()}
    assert told == {str(act): (need.level, need.acr, need.at_risk, ages[act]) for act, need in levels.POLICY.items()}
