import itertools
from datetime import UTC, date, datetime, timedelta

import pytest

from keys.verdict import Reason
from licences import lifecycle
from licences.lifecycle import Change, LifecycleError, Party, State

# The whole matrix, written out: what each change makes of each stored state; whatever is not here is refused.
MATRIX = {
    (None, Change.ISSUE): State.VALID,
    (State.UNCOLLECTED, Change.COLLECT): State.VALID,
    (State.UNCOLLECTED, Change.REVOKE): State.REVOKED,
    (State.UNCOLLECTED, Change.CANCEL): State.CANCELLED,
    (State.VALID, Change.SUSPEND): State.SUSPENDED,
    (State.VALID, Change.FREEZE): State.SUSPENDED,
    (State.VALID, Change.REVOKE): State.REVOKED,
    (State.VALID, Change.WITHDRAW): State.WITHDRAWN,
    (State.VALID, Change.CANCEL): State.CANCELLED,
    (State.VALID, Change.TRANSFER): State.TRANSFERRED,
    (State.VALID, Change.RENEW): State.REPLACED,
    (State.VALID, Change.CHANGE): State.REPLACED,
    (State.VALID, Change.CORRECT): State.REPLACED,
    (State.VALID, Change.REPLACE): State.REPLACED,
    (State.SUSPENDED, Change.RESUME): State.VALID,
    (State.SUSPENDED, Change.REVOKE): State.REVOKED,
    (State.SUSPENDED, Change.WITHDRAW): State.WITHDRAWN,
}
TERMINAL = {State.REVOKED, State.WITHDRAWN, State.CANCELLED, State.TRANSFERRED, State.REPLACED}
OF_HOLDER = {Change.COLLECT, Change.CANCEL}
WITHOUT_REASON = {Change.ISSUE, Change.COLLECT, Change.RENEW}
ANSWERS = {
    State.UNCOLLECTED: Reason.NOT_YET_VALID,
    State.WITHDRAWN: Reason.REVOKED,
    State.CANCELLED: Reason.REVOKED,
    State.TRANSFERRED: Reason.REPLACED,
}
FROM, UNTIL = date(2026, 1, 1), date(2026, 12, 31)


@pytest.mark.parametrize(("state", "change"), list(itertools.product([None, *State], Change)))
def test_matrix(state: State | None, change: Change) -> None:
    if (state, change) in MATRIX:
        assert lifecycle.apply(state, change, by=Party.ISSUER, reason="r") is MATRIX[state, change]
        return
    with pytest.raises(LifecycleError) as caught:
        lifecycle.apply(state, change, by=Party.ISSUER, reason="r")
    assert caught.value.code == ("terminal" if state in TERMINAL else "change_not_allowed")


def test_a_holder_may_only_collect_a_licence_and_give_it_up() -> None:
    for state, change in itertools.product([None, *State], Change):
        if change in OF_HOLDER and (state, change) in MATRIX:
            assert lifecycle.apply(state, change, by=Party.HOLDER, reason="r") is MATRIX[state, change]
            continue
        with pytest.raises(LifecycleError) as caught:
            lifecycle.apply(state, change, by=Party.HOLDER, reason="r")
        assert change in OF_HOLDER or caught.value.code == "not_entitled", (state, change)


@pytest.mark.parametrize("change", list(Change))
@pytest.mark.parametrize("reason", [None, "", "  \u3000"])
def test_acts_that_need_a_reason(change: Change, reason: str | None) -> None:
    state = next(origin for origin, name in MATRIX if name is change)
    if change in WITHOUT_REASON:
        assert lifecycle.apply(state, change, by=Party.ISSUER, reason=reason)
        return
    with pytest.raises(LifecycleError) as caught:
        lifecycle.apply(state, change, by=Party.ISSUER, reason=reason)
    assert caught.value.code == "reason_required"


@pytest.mark.parametrize("state", [None, *State])
def test_allowed_lists_what_apply_accepts(state: State | None) -> None:
    expected = {change for origin, change in MATRIX if origin is state}
    assert set(lifecycle.allowed(state, by=Party.ISSUER)) == expected
    assert set(lifecycle.allowed(state, by=Party.HOLDER)) == expected & OF_HOLDER


def test_the_table_covers_every_change_and_ends_in_stored_states() -> None:
    assert set(lifecycle.TABLE) == set(Change)
    assert {arrow.target for arrow in lifecycle.TABLE.values()} <= lifecycle.STORED
    assert lifecycle.TERMINAL == TERMINAL
    assert not TERMINAL & {origin for arrow in lifecycle.TABLE.values() for origin in arrow.origins}
    renewing = {Change.RENEW, Change.CHANGE, Change.CORRECT, Change.REPLACE}
    assert {arrow.change for arrow in lifecycle.TABLE.values() if arrow.new_version} == renewing
    assert set(lifecycle.TITLES) == set(State)


@pytest.mark.parametrize("change", list(Change))
def test_one_officer_alone_does_no_more_than_stop_a_sensitive_licence(change: Change) -> None:
    assert lifecycle.needs_second_person(change) is (change not in {Change.SUSPEND, Change.FREEZE})
    assert not lifecycle.needs_second_person(change, by=Party.HOLDER)
    brings_into_force = lifecycle.TABLE[change].target is State.VALID or lifecycle.TABLE[change].new_version
    assert lifecycle.needs_second_person(change) or not brings_into_force


@pytest.mark.parametrize("text", ["", "ISSUE", "delete", "suspend ", None, 1, [], {"change": "issue"}])
def test_unknown_changes_are_refused(text: object) -> None:
    with pytest.raises(LifecycleError) as caught:
        lifecycle.parse_change(text)
    assert caught.value.code == "change_unknown"


def test_known_changes_are_read() -> None:
    assert [lifecycle.parse_change(str(change)) for change in Change] == list(Change)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("now", "state"),
    [
        ("2025-12-31T15:59:59+00:00", State.NOT_YET_VALID),
        ("2025-12-31T16:00:00+00:00", State.VALID),
        ("2026-12-31T15:59:59+00:00", State.VALID),
        ("2026-12-31T16:00:00+00:00", State.EXPIRED),
        ("2026-12-31T23:59:59+08:00", State.VALID),
        ("2027-01-01T00:00:00+08:00", State.EXPIRED),
    ],
)
def test_days_turn_at_midnight_in_china(now: str, state: State) -> None:
    assert lifecycle.state_at(State.VALID, valid_from=FROM, valid_until=UNTIL, now=at(now)) is state
    found = lifecycle.reasons_at(State.VALID, valid_from=FROM, valid_until=UNTIL, now=at(now))
    assert [str(reason) for reason in found] == ([] if state is State.VALID else [str(state)])


def test_long_term_never_expires() -> None:
    far = datetime(9000, 1, 1, tzinfo=UTC)
    assert lifecycle.state_at(State.VALID, valid_from=FROM, valid_until=None, now=far) is State.VALID


@pytest.mark.parametrize("stored", sorted(lifecycle.STORED - {State.VALID}))
@pytest.mark.parametrize("days", [-1, 0, 400])
def test_an_act_outranks_the_calendar(stored: State, days: int) -> None:
    now = at("2026-01-01T00:00:00+08:00") + timedelta(days=days)
    assert lifecycle.state_at(stored, valid_from=FROM, valid_until=UNTIL, now=now) is stored
    reasons = lifecycle.reasons_at(stored, valid_from=FROM, valid_until=UNTIL, now=now)
    first = ANSWERS.get(stored) or Reason(stored)
    assert reasons[0] is first
    later = {-1: (Reason.NOT_YET_VALID,), 0: (), 400: (Reason.EXPIRED,)}[days]
    assert reasons[1:] == tuple(reason for reason in later if reason is not first)


@pytest.mark.parametrize("stored", [State.EXPIRED, State.NOT_YET_VALID])
def test_computed_states_cannot_have_been_stored(stored: State) -> None:
    for read in (lifecycle.state_at, lifecycle.reasons_at):
        with pytest.raises(ValueError, match="computed"):
            read(stored, valid_from=FROM, valid_until=UNTIL, now=at("2026-06-01T00:00:00+08:00"))


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        lifecycle.local_day(datetime(2026, 1, 1))  # noqa: DTZ001
