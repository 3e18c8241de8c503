"""How surely a login shows who it is (认证强度), and how surely the register knows the person (实名等级).

`acr` and `amr`: OpenID Connect Core 1.0 section 2, names of methods by RFC 8176. The classes form a ladder, each as
good as those below it; what is claimed follows from what was done and from nothing else. Real-name levels: 1 account,
2 real name (name and number agree with the population register), 3 real person (实人: a face check), 4 proved at a
counter or by certificate. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

UNKNOWN = "urn:ona:acr:unknown"
PASSWORD = "urn:ona:acr:password"
TWO_FACTOR = "urn:ona:acr:two-factor"
PASSKEY = "urn:ona:acr:passkey"  # resists phishing
LADDER = (PASSWORD, TWO_FACTOR, PASSKEY)  # from the bottom

PWD, OTP, SMS, POP, MFA = "pwd", "otp", "sms", "pop", "mfa"  # RFC 8176 section 2
_FACTORS = frozenset({PWD, OTP, SMS, POP})


class Act(StrEnum):
    """Acts that need more than a login with a password."""

    FIRST_FACTOR = "factors.first"  # somebody who has no second factor yet can show none
    CHANGE_FACTORS = "factors.change"
    CHANGE_PASSWORD = "password.change"
    ADMINISTER = "administration"
    ACT_AS_STAFF = "staff"  # whatever is done by a post in a unit, at a desk or through a token
    GRANT_MANDATE = "mandates.grant"
    APPLY_FOR_SEAL = "seals.apply"
    USE_SEAL = "seals.use"
    SIGN_COMMITMENT = "commitments.sign"
    SHOW_FACE = "licences.show_face"  # asked of whoever has no passkey, on pages
    SHOW_BY_PASSKEY = "licences.show_by_passkey"  # asked of whoever has one


@dataclass(frozen=True, slots=True)
class Need:
    """What an act needs. `at_risk` is the class needed instead once the login looks unusual."""

    level: int
    acr: str
    at_risk: str
    max_age: timedelta | None = None


_QUARTER, _HALF_HOUR = timedelta(minutes=15), timedelta(minutes=30)
POLICY = {
    Act.FIRST_FACTOR: Need(level=1, acr=PASSWORD, at_risk=PASSWORD, max_age=_QUARTER),
    Act.CHANGE_FACTORS: Need(level=1, acr=TWO_FACTOR, at_risk=TWO_FACTOR, max_age=_QUARTER),
    Act.CHANGE_PASSWORD: Need(level=1, acr=PASSWORD, at_risk=TWO_FACTOR, max_age=_QUARTER),
    Act.ADMINISTER: Need(level=3, acr=TWO_FACTOR, at_risk=TWO_FACTOR),
    Act.ACT_AS_STAFF: Need(level=1, acr=TWO_FACTOR, at_risk=TWO_FACTOR),
    Act.GRANT_MANDATE: Need(level=2, acr=PASSWORD, at_risk=TWO_FACTOR),
    Act.APPLY_FOR_SEAL: Need(level=3, acr=PASSWORD, at_risk=TWO_FACTOR),
    Act.SIGN_COMMITMENT: Need(level=3, acr=PASSWORD, at_risk=TWO_FACTOR, max_age=_QUARTER),
    Act.SHOW_FACE: Need(level=1, acr=PASSWORD, at_risk=PASSWORD, max_age=_QUARTER),
    Act.SHOW_BY_PASSKEY: Need(level=1, acr=TWO_FACTOR, at_risk=TWO_FACTOR, max_age=_HALF_HOUR),
    Act.USE_SEAL: Need(level=3, acr=TWO_FACTOR, at_risk=TWO_FACTOR, max_age=_QUARTER),
}


def acr_of(amr: Collection[str]) -> str:
    """Return the class of a login by the methods used in it."""
    if MFA in amr:
        return PASSKEY if POP in amr else TWO_FACTOR
    return PASSWORD if PWD in amr else UNKNOWN


def with_method(amr: Iterable[str], method: str) -> list[str]:
    """Return the methods of a login in which one more was used; two kinds of factor make it `mfa`."""
    methods = dict.fromkeys([*amr, method])
    if len(_FACTORS & methods.keys()) > 1:
        methods[MFA] = None
    return [name for name in methods if name != MFA] + [name for name in methods if name == MFA]


def reaches(acr: str, wanted: str) -> bool:
    """Return whether a login of class `acr` is as good as `wanted`; an unknown class reaches nothing."""
    return acr in LADDER and LADDER.index(acr) >= LADDER.index(wanted)


def least(acr_values: Iterable[str], offered: Iterable[str] = LADDER) -> str | None:
    """Return the lowest class with which a request is content; None where it names none that is offered here.

    `acr_values` is a wish (OpenID Connect Core 1.0 section 3.1.2.1): a class not offered here is passed over.
    """
    known = set(acr_values) & set(offered)
    return min(known, key=LADDER.index) if known else None


class LoginTooWeak(Exception):
    """The caller's login is not enough for `act`: `step_up` says so in the words of a page or of the API."""

    def __init__(self, act: Act) -> None:
        super().__init__(act)
        self.act = act


def need_of(act: Act, signals: Collection[str]) -> Need:
    """Return what an act needs of a login with these signals of risk."""
    need = POLICY[act]
    return replace(need, acr=need.at_risk) if signals else need


def demand(act: Act, *, level: int, amr: Collection[str], signals: Collection[str]) -> None:
    """Let an act go on only by a login of a strength that is enough for it; how old the login is, `step_up` judges.

    Raises:
        LoginTooWeak.
    """
    need = need_of(act, signals)
    if level < need.level or not reaches(acr_of(amr), need.acr):
        raise LoginTooWeak(act)
