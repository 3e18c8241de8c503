"""Step-up (加强认证): what an app or an act needs beyond the present login is said here, and nowhere else.

A browser is sent to prove more and comes back; a program is told by RFC 9470 section 3 what login its token must come
from. Where the real-name level is too low no login will do: that is a refusal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from idservice.errors import Kind, Problem, register
from idservice.login import levels, passkey
from idservice.oauth import possession

if TYPE_CHECKING:
    from idservice.call import Call, Caller
    from idservice.login.levels import Act, Need
    from idservice.settings import Settings

PAGE = "/login/second"
LOGIN = "/login/again"
ACTIVATION = "/me/security/activation"

register(
    {
        "insufficient_user_authentication": Kind(
            401, "需要更强的登录方式", "The login behind this request is not strong or not recent enough"
        ),
        "level_too_low": Kind(403, "实名等级不足", "The real-name level is too low for this"),
    }
)


class StepUpNeeded(Exception):
    """A visitor must first reach `needed`, a class, LOGIN anew or ACTIVATION: he is sent there and back.

    Back to the page he asked for or, as a post is never repeated, to that with the button he pressed; or on to `to`.
    """

    def __init__(self, needed: str, to: str | None = None) -> None:
        super().__init__(needed)
        self.needed, self.to = needed, to


def offered(settings: Settings) -> tuple[str, ...]:
    """Return the classes of login that can be reached here: passkeys need an issuer with a name."""
    return levels.LADDER if passkey.is_offered(settings) else levels.LADDER[:-1]


def reachable(call: Call, acr_values: Sequence[str]) -> str | None:
    """Return the lowest of these classes that can be reached here; None where there is none."""
    return levels.least(acr_values, offered(call.settings)) if acr_values else None


def lacking(call: Call, acr_values: Sequence[str]) -> str | None:
    """Return the class that a visitor must reach for a request with these `acr_values`; None if he has."""
    wanted = reachable(call, acr_values)
    return None if wanted is None or levels.reaches(levels.acr_of(call.caller.amr), wanted) else wanted


def demand(call: Call, act: Act) -> None:
    """Let `act` go on only if the caller's login and level are what the policy asks.

    Raises:
        StepUpNeeded: a visitor of a page can mend it by logging in more strongly or again.
        Problem: level_too_low; or, for a program, insufficient_user_authentication.
    """
    caller = call.caller
    need = levels.need_of(act, caller.signals)
    is_fresh = _is_fresh(call, need)
    if caller.level < need.level or not is_fresh or not levels.reaches(levels.acr_of(caller.amr), need.acr):
        raise refusal(caller, act, is_fresh=is_fresh)


def refusal(caller: Caller, act: Act, *, is_fresh: bool = True) -> Problem | StepUpNeeded:
    """Return what tells a caller that his login or level is not enough for `act`: see `demand`."""
    need = levels.need_of(act, caller.signals)
    if caller.level < need.level:
        return Problem("level_too_low", f"Real-name level {need.level} is needed.")
    if caller.channel != "page":
        return challenge(need, caller.scheme)
    return StepUpNeeded(need.acr if is_fresh else LOGIN)


def challenge(need: Need, scheme: str) -> Problem:
    """Return the refusal that tells a program which login to ask for (RFC 9470 section 3, RFC 9449 section 7.1)."""
    parts = {"error": "insufficient_user_authentication", "acr_values": need.acr}
    if need.max_age is not None:
        parts["max_age"] = str(int(need.max_age.total_seconds()))
    headers = possession.challenge(scheme, **parts)
    return Problem("insufficient_user_authentication", "Ask for a login with these acr_values.", headers=headers)


def page_for(needed: str, to: str) -> str:
    """Return the page on which a visitor reaches what is needed (see `StepUpNeeded`) and goes on to `to`."""
    if needed in {LOGIN, ACTIVATION}:
        return f"{needed}?to={quote(to, safe='')}"
    return f"{PAGE}?{urlencode({'acr': needed, 'to': to})}"


def _is_fresh(call: Call, need: Need) -> bool:
    caller: Caller = call.caller
    return need.max_age is None or (caller.auth_time is not None and call.now - caller.auth_time <= need.max_age)
