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
