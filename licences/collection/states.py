"""What a source says of a licence's state (来源状态): read from a row, and the changes it stands for. Pure.

A source says where a licence stands, the house knows deeds alone: what it says becomes changes by the one table in
`licences.lifecycle`. That a licence has run out (过期) follows from its dates and is no state of a row. A row that
names no state says nothing of it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from idservice.numbers.plain import is_plain
from licences.grounds import ground_of
from licences.lifecycle import TABLE, TERMINAL, Change, State

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

LONGEST_REASON: Final = 200


class Standing(StrEnum):
    """Where a licence stands at its source."""

    VALID = "valid"
    SUSPENDED = "suspended"
    FROZEN = "frozen"
    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"
    TRANSFERRED = "transferred"


#: The change by which a licence comes to stand so.
DEEDS: Final[Mapping[Standing, Change]] = {
    Standing.VALID: Change.RESUME,
    Standing.SUSPENDED: Change.SUSPEND,
    Standing.FROZEN: Change.FREEZE,
    Standing.REVOKED: Change.REVOKE,
    Standing.WITHDRAWN: Change.WITHDRAW,
    Standing.CANCELLED: Change.CANCEL,
    Standing.TRANSFERRED: Change.TRANSFER,
}
WORDS: Final[Mapping[str, Standing]] = {
    **{str(one): one for one in Standing},
    "有效": Standing.VALID, "暂扣": Standing.SUSPENDED, "冻结": Standing.FROZEN, "撤销": Standing.REVOKED,
    "吊销": Standing.WITHDRAWN, "注销": Standing.CANCELLED, "转出": Standing.TRANSFERRED,
}  # fmt: skip
_CHINESE: Final = {standing: word for word, standing in WORDS.items() if not word.isascii()}
_BESIDE: Final = frozenset({"state_on", "state_reason", "state_ground"})


def read(values: Mapping[str, str], since: date | None, today: date, reasons: list[str]) -> dict[str, Any]:
    """Return what the record keeps of a row's state, but for its day `since`; add why it is none.

    A state in which a licence does not hold says since when; its ground must fit the change.
    """
    standing = WORDS.get(values.get("state", ""))
    if standing is None:
        if "state" in values or values.keys() & _BESIDE:
            reasons.append("state")
        return {}
    found: dict[str, Any] = {"state": str(standing)}
    if standing is not Standing.VALID and ("state_on" not in values or (since is not None and since > today)):
        reasons.append("state_on")
    if (reason := values.get("state_reason")) is not None:
        found["state_reason"] = reason
        if len(reason) > LONGEST_REASON or not is_plain(reason):
            reasons.append("state_reason")
    if (ground := values.get("state_ground")) is not None:
        found["state_ground"] = ground
        if ground_of(DEEDS[standing], ground) is None:
            reasons.append("state_ground")
    return found


def of(said: Mapping[str, Any]) -> Standing | None:
    """Return the standing that a record names."""
    return Standing(said["state"]) if "state" in said else None


def first_deed(standing: Standing | None) -> Change | None:
    """Return what is done to a licence of that standing once it was issued; None where it holds."""
    return None if standing in {None, Standing.VALID} else DEEDS[Standing(standing)]


def ends(standing: Standing | None) -> bool:
    """Return whether a licence of that standing has ended for good."""
    deed = first_deed(standing)
    return deed is not None and TABLE[deed].target in TERMINAL


def steps(state: State, standing: Standing | None, *, differs: bool) -> tuple[Change, ...]:
    """Return the changes that bring a licence stored as `state` to where its source says it stands, in order.

    `differs` says whether it states something else, too. What suspends or ends a licence does just that: its content is
    brought up to date when it is to hold again. Whether the table allows the changes is not asked here.
    """
    if standing is None:
        return (Change.CHANGE,)
    if standing is Standing.VALID:
        return (Change.RESUME,) * (state is not State.VALID) + (Change.CHANGE,) * differs
    deed = DEEDS[standing]
    return () if TABLE[deed].target is state else (deed,)


def reason_of(said: Mapping[str, Any]) -> str:
    """Return the reason of a change as the source gives it, or that it gives none."""
    return str(said.get("state_reason") or f"来源登记的状态：{_CHINESE[Standing(said['state'])]}")
