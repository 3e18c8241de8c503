"""The step (进度) of an authorization request on its way through login and the choice of whom to act for.

It travels through the browser in the URL, signed, so that nothing waits on the server for people who never come back.
It is good for one browser and one exact request; anything altered, borrowed or old is as if it were not there.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from idservice import signed_text

LIFE = timedelta(hours=1)
PARAMETER = "step"
_PURPOSE = "oauth-step"


@dataclass(frozen=True, slots=True)
class Step:
    """How far a request has come.

    `acting` is "self" or a mandate's identifier, chosen in the login session `session_id`.
    """

    digest: str
    browser: str
    started_at: int  # milliseconds since 1970
    acting: str | None = None
    session_id: str | None = None

    def acting_as(self, acting: str, session_id: str) -> Step:
        """Return the step after the choice of whom to act for."""
        return replace(self, acting=acting, session_id=session_id)

    def choice(self, session_id: str | None) -> str | None:
        """Return the choice if it was made in that login session."""
        return self.acting if self.session_id is not None and self.session_id == session_id else None


def seal(secret: bytes, step: Step) -> str:
    """Return `step` as URL-safe text."""
    members = [step.digest, step.browser, step.started_at, step.acting, step.session_id]
    return signed_text.sign(secret, _PURPOSE, members)


def unseal(secrets: Iterable[bytes], text: str | None, *, digest: str, browser: str, now: datetime) -> Step | None:
    """Return the step, if it was sealed here, for this request and browser, within the last hour; else None."""
    members = signed_text.opened(secrets, _PURPOSE, text)
    if members is None:
        return None
    step = Step(*members)
    is_ours = hmac.compare_digest(step.digest, digest) and hmac.compare_digest(step.browser, browser)
    age = now - datetime.fromtimestamp(step.started_at / 1000, UTC)
    return step if is_ours and age <= LIFE else None
