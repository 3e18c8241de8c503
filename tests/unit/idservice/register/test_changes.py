"""Who follows the registers is told of changes, once each, and never of none."""

from typing import Any

import pytest

from idservice.register import changes


def test_followers_are_told_who_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "_followers", [])
    told: list[Any] = []

    def follower(call: Any, subjects: Any) -> None:
        told.append((call, list(subjects)))

    changes.follow(follower)
    changes.follow(follower)
    changes.tell("call", ["s1", "s2"])  # type: ignore[arg-type]
    changes.tell("call", [])  # type: ignore[arg-type]
    assert told == [("call", ["s1", "s2"])]


def test_the_seals_follow() -> None:
    from seals.change import retire_of

    assert retire_of in changes._followers
