"""What is narrower than what (RFC 9396 sections 6 and 7), told by hand and by random trial."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idservice.call import Caller
from idservice.errors import Problem
from idservice.oauth import authorization_details as details
from idservice.oauth import detail_types
from idservice.oauth.authorization_details import DetailsRefused
from idservice.oauth.detail_types import DetailType, Field, Shape

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
OWN, OTHER = "https://id.example/v1", "https://api.example"
WORDS = ("测试", "Test")


@pytest.fixture(autouse=True)
def types(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two types of this test's own: one that carries a scope, one that only limits."""
    monkeypatch.setattr(detail_types, "_known", {})
    fields = {"colours": Field(WORDS), "size": Field(WORDS, Shape.TEXT)}
    detail_types.register(DetailType("paint", "paint.all", WORDS, WORDS, fields))
    detail_types.register(DetailType("fence", None, WORDS, WORDS, fields))


def paint(**fields: Any) -> dict[str, Any]:
    return {"type": "paint", **fields}


def fence(**fields: Any) -> dict[str, Any]:
    return {"type": "fence", **fields}


@pytest.mark.parametrize(
    ("held", "asked", "is_within"),
    [
        (paint(), paint(), True),
        (paint(), paint(colours=["red"]), True),
        (paint(colours=["red"]), paint(), False),
        (paint(colours=["red", "blue"]), paint(colours=["blue"]), True),
        (paint(colours=["red"]), paint(colours=["red", "blue"]), False),
        (paint(size="1"), paint(size="1"), True),
        (paint(size="1"), paint(size="2"), False),
        (paint(size="1"), paint(colours=["red"]), False),
        (paint(not_after="2027-01-01T00:00:00Z"), paint(not_after="2026-12-31T23:59:59Z"), True),
        (paint(not_after="2027-01-01T00:00:00Z"), paint(not_after="2027-01-01T00:00:01Z"), False),
        (paint(not_after="2027-01-01T00:00:00Z"), paint(), False),
        (paint(locations=[OWN]), paint(), False),
        (paint(), fence(), False),
    ],
    ids=str,
)
def test_covers(held: Any, asked: Any, is_within: bool) -> None:
    assert details.covers(held, asked) is is_within


colours = st.lists(st.sampled_from(["red", "green", "blue"]), min_size=1, max_size=3, unique=True)
limits = st.fixed_dictionaries({}, optional={"colours": colours, "size": st.sampled_from(["1", "2"])})
tried = st.fixed_dictionaries({"colours": st.sampled_from(["red", "green", "blue"]), "size": st.sampled_from("12")})


def reaches(held: tuple[Any, ...], what: Any) -> bool:
    call: Any = SimpleNamespace(caller=Caller(channel="api", details=held), now=NOW, demanded_details=set())
    try:
        details.demand(call, "paint", **what)
    except Problem as problem:
        return problem.code != "authorization_details_exceeded"
    return True


@given(granted=st.lists(limits, min_size=1, max_size=3), asked=st.lists(limits, min_size=1, max_size=3), what=tried)
def test_what_was_narrowed_reaches_nothing_that_was_not_granted(granted: Any, asked: Any, what: Any) -> None:
    held = tuple(paint(**one) for one in granted)
    try:
        less = details.narrowed(held, tuple(paint(**one) for one in asked))
    except DetailsRefused:
        return
    assert reaches(held, what) or not reaches(less, what)


def test_what_only_limits_is_kept_unless_it_is_restated() -> None:
    held = (paint(), fence(colours=["red", "blue"]))
    assert details.narrowed(held, (paint(size="1"),)) == (paint(size="1"), held[1])
    assert details.narrowed(held, (fence(colours=["red"]),)) == (fence(colours=["red"]),)
    with pytest.raises(DetailsRefused):
        details.narrowed(held, (fence(),))


def test_a_limit_restated_for_one_api_stays_for_the_others() -> None:
    held = (fence(colours=["red"]),)
    elsewhere = fence(colours=["red"], locations=[OTHER])
    less = details.narrowed(held, (elsewhere,))
    assert details.for_audience(less, [OWN], OWN) == held


def test_each_audience_gets_what_is_meant_for_it() -> None:
    held = (paint(), fence(colours=["red"]), fence(locations=[OTHER]))
    assert details.for_audience(held, [OWN], OWN) == held[:2]
    assert details.for_audience(held, [OTHER], OWN) == held[1:]
    assert details.for_audience(held, [OTHER, "https://third.example"], OWN) == (held[1],)


def test_a_detail_takes_the_place_of_its_scope() -> None:
    assert details.without_governed(["a", "paint.all", "b"], [paint(), fence()]) == ("a", "b")


def test_a_deed_without_details_is_not_confined_and_is_known_to_have_asked() -> None:
    call: Any = SimpleNamespace(caller=Caller(channel="api"), now=NOW, demanded_details=set())
    details.demand(call, "paint", colours="red")
    assert call.demanded_details == {"paint"}


@pytest.mark.parametrize(
    ("held", "what", "is_reached"),
    [
        (paint(colours=["red"]), {"colours": "red"}, True),
        (paint(colours=["red"]), {"colours": ["red", "blue"]}, False),
        (paint(colours=["red"]), {"colours": ()}, True),
        (paint(colours=["red"]), {"colours": None}, False),
        (paint(size="1"), {"colours": "red"}, True),
        (paint(size="1"), {"size": "11"}, False),
        (paint(not_after="2026-11-22T12:00:00Z"), {}, False),
        (paint(not_after="2026-11-22T12:00:01Z"), {}, True),
    ],
    ids=str,
)
def test_demand(held: Any, what: Any, is_reached: bool) -> None:
    assert reaches((held,), what) is is_reached


def test_limits_of_several_details_are_told_together() -> None:
    caller = Caller(channel="api", details=(fence(colours=["red"]), fence(colours=["blue"], size="1")))
    assert details.limit(caller, "fence", "colours") == {"red", "blue"}
    assert details.limit(caller, "paint", "colours") is None


def test_a_type_that_went_away_is_refused_and_not_passed_over() -> None:
    with pytest.raises(DetailsRefused):
        details.without_governed(["a"], [{"type": "gone"}])


def test_an_app_needs_type_and_scope() -> None:
    kind = detail_types.find("paint")
    assert kind is not None
    for types, scope, may in (
        ({"paint"}, ("paint.all",), True),
        ({"paint"}, (), False),
        (set(), ("paint.all",), False),
    ):
        app: Any = SimpleNamespace(authorization_details_types=types, scope=scope)
        assert details.may_ask(app, kind) is may
        assert bool(details.still_allowed(app, (paint(),))) is may
        assert details.still_allowed(app, (fence(),)) == (fence(),), "a limit stays"


def test_two_types_of_one_name_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="already"):
        detail_types.register(DetailType("paint", None, WORDS, WORDS, {}))
    assert detail_types.names() == ("fence", "paint")
    assert detail_types.find(["paint"]) is None
