"""Who has to hear of changes in the registers (登记变更的后续处理): a name, a standing, a legal representative.

Rooms to the right of this one register what they do about it, as they register problem codes. It is done in the
transaction of the change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from idservice.call import Call

Follower = Callable[["Call", Sequence[str]], None]

_followers: list[Follower] = []


def follow(follower: Follower) -> None:
    """Have `follower(call, subjects)` called whenever those persons or organisations have changed."""
    if follower not in _followers:
        _followers.append(follower)


def tell(call: Call, subjects: Sequence[str]) -> None:
    """Tell every follower who has changed; nobody is no news."""
    if subjects:
        for follower in _followers:
            follower(call, subjects)
