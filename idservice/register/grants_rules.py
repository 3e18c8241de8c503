"""The rules of granting a mandate (授权规则): who may grant which role, for how long, how far down, how wide.

Civil Code of the People's Republic of China articles 161 to 174 (委托代理): the authority given names its matters, its
extent and its time; whoever hands authority on can hand on no more than he has. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Final

LONGEST_CHAIN: Final = 2  # links below the register: legal representative -> administrator -> agent
OFFER_STANDS: Final = timedelta(days=30)
CITY_TIME: Final = timezone(timedelta(hours=8))
MOST_LIMITS: Final = 50


class Role(StrEnum):
    """What somebody is who acts for another (代理身份)."""

    LEGAL_REPRESENTATIVE = "legal_representative"  # 法定代表人, by the legal-entity register
    ADMINISTRATOR = "administrator"  # 管理员
    AGENT = "agent"  # 经办人
    GUARDIAN = "guardian"  # 监护人 of a minor, entered by an office
    PROXY = "proxy"  # 代办人 of a person who grants it himself
    SELF = "self"  # 本人: not a mandate, but what a person grants from


class State(StrEnum):
    """How a mandate stands at an instant; only one in force lets anybody act."""

    OFFERED = "offered"
    LAPSED = "lapsed"  # nobody accepted it in time
    IN_FORCE = "in_force"
    SUSPENDED = "suspended"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"


BY_REGISTER: Final = frozenset({Role.LEGAL_REPRESENTATIVE, Role.GUARDIAN})  # no party can end these by himself
GRANTS: Final[Mapping[Role, tuple[Role, ...]]] = {
    Role.LEGAL_REPRESENTATIVE: (Role.ADMINISTRATOR, Role.AGENT),
    Role.ADMINISTRATOR: (Role.AGENT,),
    Role.SELF: (Role.PROXY,),
}
LONGEST: Final[Mapping[Role, timedelta]] = {
    Role.ADMINISTRATOR: timedelta(days=3 * 366),
    Role.AGENT: timedelta(days=3 * 366),
    Role.PROXY: timedelta(days=366),
}


@dataclass(frozen=True, slots=True)
class Power:
    """What somebody may grant from: his own mandate, or himself. `until` None is without end, empty limits are none."""

    role: Role
    depth: int = 0
    licence_types: frozenset[str] = frozenset()
    matters: frozenset[str] = frozenset()
    until: datetime | None = None

    @property
    def grants(self) -> tuple[Role, ...]:
        """Return the roles that may be granted from here."""
        return GRANTS.get(self.role, ()) if self.depth < LONGEST_CHAIN else ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A mandate somebody wants to grant; `last_day` is the last on which it holds. `repr` leaves the person out."""

    number: str = field(repr=False)
    name: str = field(repr=False)
    role: Role
    last_day: date
    licence_types: tuple[str, ...] = ()
    matters: tuple[str, ...] = ()

    @property
    def until(self) -> datetime:
        """Return the instant from which it holds no more: the midnight after its last day, in the city's time."""
        next_day = self.last_day + timedelta(days=1) if self.last_day < date.max else self.last_day
        return datetime.combine(next_day, datetime.min.time(), CITY_TIME)


def faults(power: Power, wanted: Wanted, now: datetime) -> list[tuple[str, str, str]]:
    """Return what is wrong with granting `wanted` from `power`, as (member, code, sentence)."""
    found = []
    if wanted.role not in power.grants:
        found.append(("role", "not_yours_to_grant", "you may not grant this role"))
    if wanted.until <= now:
        found.append(("valid_until", "past", "the last day is over"))
    elif wanted.until > now + LONGEST.get(wanted.role, timedelta()) or (power.until and wanted.until > power.until):
        found.append(("valid_until", "too_long", "longer than this role may last, or than your own mandate"))
    for member, mine, asked in (
        ("licence_types", power.licence_types, wanted.licence_types),
        ("matters", power.matters, wanted.matters),
    ):
        if not within(asked, mine):
            found.append((member, "too_wide", "wider than your own mandate"))
        if len(asked) > MOST_LIMITS:
            found.append((member, "length", f"at most {MOST_LIMITS}"))
    return found


def within(asked: Collection[str], mine: Collection[str]) -> bool:
    """Return whether limits `asked` leave no more than `mine`; empty ones limit nothing."""
    return not mine or (bool(asked) and set(asked) <= set(mine))


def state(
    now: datetime,
    *,
    valid_from: datetime,
    valid_until: datetime | None,
    accepted_at: datetime | None,
    suspended_at: datetime | None,
    withdrawn_at: datetime | None,
) -> State:
    """Return how a mandate stands at `now`."""
    if withdrawn_at is not None:
        return State.WITHDRAWN
    if valid_until is not None and valid_until <= now:
        return State.ENDED
    if suspended_at is not None:
        return State.SUSPENDED
    if accepted_at is None:
        return State.OFFERED if now < valid_from + OFFER_STANDS else State.LAPSED
    return State.IN_FORCE


def chosen(names: Sequence[str]) -> tuple[str, ...]:
    """Return names in order, each once."""
    return tuple(sorted(set(names)))
