"""Whoever acts for another reaches what his mandate names, and nothing else."""

from types import SimpleNamespace
from typing import Any

import pytest

from idservice.call import Caller
from idservice.errors import Problem
from idservice.register import mandates
from idservice.register.mandates import LiveMandate
from licences import acting
from licences.acting import EVERYTHING, Reach
from licences.counter import matters

MATTER = SimpleNamespace(types=frozenset({"T1", "T2"}))


def call_by(monkeypatch: pytest.MonkeyPatch, mandate: LiveMandate | None, **caller: Any) -> Any:
    monkeypatch.setattr(mandates, "find_live", lambda *_arguments: mandate)
    monkeypatch.setattr(matters, "entries", lambda _call: {"M1": MATTER})
    facts = {"person": "p", "principal": "o", "mandate": "m"} | caller
    return SimpleNamespace(caller=Caller(channel="api", **facts))


def limited(types: tuple[str, ...] = (), named: tuple[str, ...] = ()) -> LiveMandate:
    return LiveMandate("m", "o", "单位", "", "agent", "organisation", types, named)


@pytest.mark.parametrize("caller", [{"principal": None}, {"person": None}])
def test_for_oneself_everything_is_within_reach(monkeypatch: pytest.MonkeyPatch, caller: dict[str, None]) -> None:
    assert acting.reach(call_by(monkeypatch, limited(("T1",)), **caller)) is EVERYTHING


@pytest.mark.parametrize(
    ("mandate", "reach"),
    [
        (limited(), EVERYTHING),
        (limited(("T1",)), Reach(frozenset({"T1"}))),
        (limited((), ("M1",)), Reach(frozenset({"T1", "T2"}), frozenset({"M1"}))),
        (limited(("T2",), ("M1",)), Reach(frozenset({"T2"}), frozenset({"M1"}))),
        (limited((), ("gone",)), Reach(frozenset(), frozenset({"gone"}))),
        (None, Reach(frozenset(), frozenset())),
    ],
)
def test_how_far_a_mandate_reaches(monkeypatch: pytest.MonkeyPatch, mandate: LiveMandate | None, reach: Reach) -> None:
    assert acting.reach(call_by(monkeypatch, mandate)) == reach


def test_a_type_is_covered_or_not() -> None:
    assert EVERYTHING.covers("T9")
    assert Reach(frozenset({"T1"})).covers("T1")
    assert not Reach(frozenset({"T1"})).covers("T9")


def test_a_matter_is_demanded_only_of_a_mandate_that_names_some(monkeypatch: pytest.MonkeyPatch) -> None:
    acting.demand_matter(call_by(monkeypatch, limited(("T1",))), None)
    acting.demand_matter(call_by(monkeypatch, limited((), ("M1",))), "M1")
    for matter in ("M2", None):
        with pytest.raises(Problem, match="forbidden"):
            acting.demand_matter(call_by(monkeypatch, limited((), ("M1",))), matter)
