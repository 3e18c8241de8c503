"""Whoever hands authority on can hand on no more than he has."""

from datetime import UTC, date, datetime, timedelta

import pytest

from idservice.register.grants_rules import (
    LONGEST_CHAIN,
    OFFER_STANDS,
    Power,
    Role,
    State,
    Wanted,
    chosen,
    faults,
    state,
    within,
)

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)
HEAD = Power(Role.LEGAL_REPRESENTATIVE)
NEXT_YEAR = date(2027, 11, 22)


def codes(power: Power, role: Role = Role.AGENT, last_day: date = NEXT_YEAR, **limits: tuple[str, ...]) -> set[str]:
    return {code for _member, code, _text in faults(power, Wanted("", "", role, last_day, **limits), NOW)}


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AGENT])
def test_a_legal_representative_grants_both_roles(role: Role) -> None:
    assert codes(HEAD, role) == set()


@pytest.mark.parametrize(
    ("power", "role"),
    [
        (HEAD, Role.LEGAL_REPRESENTATIVE),
        (HEAD, Role.GUARDIAN),
        (HEAD, Role.PROXY),
        (Power(Role.ADMINISTRATOR, 1), Role.ADMINISTRATOR),
        (Power(Role.AGENT, 1), Role.AGENT),
        (Power(Role.GUARDIAN), Role.PROXY),
        (Power(Role.PROXY, 1), Role.PROXY),
        (Power(Role.SELF), Role.AGENT),
        (Power(Role.ADMINISTRATOR, LONGEST_CHAIN), Role.AGENT),
    ],
)
def test_what_nobody_may_grant(power: Power, role: Role) -> None:
    assert "not_yours_to_grant" in codes(power, role)


def test_the_last_day_counts_and_none_after_it() -> None:
    assert codes(HEAD, last_day=date(2026, 11, 22)) == set()
    assert codes(HEAD, last_day=date(2026, 11, 21)) == {"past"}
    assert Wanted("", "", Role.AGENT, date(2026, 11, 22)).until == datetime(2026, 11, 22, 16, tzinfo=UTC)


def test_no_mandate_is_for_ever() -> None:
    assert codes(HEAD, last_day=date(2029, 11, 20)) == set()
    assert codes(HEAD, last_day=date(2029, 12, 1)) == {"too_long"}
    assert codes(Power(Role.SELF), Role.PROXY, date(2027, 11, 30)) == {"too_long"}
    short = Power(Role.ADMINISTRATOR, 1, until=NOW + timedelta(days=10))
    assert codes(short, last_day=date(2026, 12, 1)) == set()
    assert codes(short, last_day=date(2026, 12, 2)) == {"too_long"}


def test_limits_only_narrow() -> None:
    narrow = Power(Role.ADMINISTRATOR, 1, frozenset({"a", "b"}), frozenset({"m"}))
    assert codes(narrow, licence_types=("a",), matters=("m",)) == set()
    assert codes(narrow) == {"too_wide"}, "without limits it would be wider"
    assert codes(narrow, licence_types=("a", "c"), matters=("m",)) == {"too_wide"}
    assert codes(HEAD, licence_types=tuple(map(str, range(51)))) == {"length"}


@pytest.mark.parametrize(
    ("asked", "mine", "holds"),
    [((), (), True), (("a",), (), True), ((), ("a",), False), (("a",), ("a", "b"), True), (("c",), ("a",), False)],
)
def test_within(asked: tuple[str, ...], mine: tuple[str, ...], holds: bool) -> None:
    assert within(asked, mine) is holds


BEGUN = NOW - timedelta(days=1)
PAST = NOW - timedelta(seconds=1)


@pytest.mark.parametrize(
    ("found", "facts"),
    [
        (State.OFFERED, {"accepted_at": None}),
        (State.LAPSED, {"accepted_at": None, "valid_from": NOW - OFFER_STANDS}),
        (State.IN_FORCE, {}),
        (State.IN_FORCE, {"valid_until": NOW + timedelta(seconds=1)}),
        (State.ENDED, {"valid_until": NOW}),
        (State.ENDED, {"valid_until": NOW, "suspended_at": PAST}),
        (State.SUSPENDED, {"suspended_at": PAST}),
        (State.SUSPENDED, {"suspended_at": PAST, "accepted_at": None}),
        (State.WITHDRAWN, {"withdrawn_at": PAST, "suspended_at": PAST, "valid_until": NOW}),
    ],
)
def test_how_a_mandate_stands(found: State, facts: dict[str, datetime | None]) -> None:
    row: dict[str, datetime | None] = {
        "valid_from": BEGUN,
        "valid_until": None,
        "accepted_at": BEGUN,
        "suspended_at": None,
        "withdrawn_at": None,
    }
    assert state(NOW, **(row | facts)) is found  # type: ignore[arg-type]


def test_names_are_kept_once_and_in_order() -> None:
    assert chosen(["b", "a", "b"]) == ("a", "b")
