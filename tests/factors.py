"""Second factors for the tests of login: an authenticator app, a telephone, and a walk through the page that asks."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyotp
from sqlalchemy import delete, update

from idservice.login import totp
from idservice.login.models import Lock, RecoveryCode, SentCode, Totp
from idservice.login.proofing_pages import BACK
from idservice.models import Password
from tests.builders import act
from tests.identity import Browser, City, Flow, Page

SECRET_32 = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
TWO_FACTOR = "urn:ona:acr:two-factor"
PASSKEY = "urn:ona:acr:passkey"


def give_app(city: City, subject: str, secret: str = SECRET_32) -> pyotp.TOTP:
    """Put an authenticator app into use for a person, as if he had set it up a while ago."""

    def give(call: Any) -> None:
        call.session.execute(delete(Totp).where(Totp.subject == subject))
        totp.put(call, subject, secret)

    act(city.house, give)
    return pyotp.TOTP(secret)


def forget_factors(city: City) -> None:
    """Take away every second factor and every lock."""

    def forget(call: Any) -> None:
        for table in (Totp, RecoveryCode, SentCode, Lock):
            call.session.execute(delete(table))
        call.session.execute(update(Password).values(failures=0, locked_until=None))

    act(city.house, forget)


def now_code(app: pyotp.TOTP, *, steps: int = 0) -> str:
    return app.at(datetime.now(UTC), counter_offset=steps)


def messages(path: Path) -> list[dict[str, Any]]:
    """The SMS that were sent, oldest first."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def asked_for_more(browser: Browser, flow: Flow, **changes: str | None) -> Page:
    """Log in for an app and return the page of the second factor that it leads to."""
    page = browser.log_in(browser.open(flow.url(**{"acr_values": TWO_FACTOR} | changes)))
    assert "/login/second" in page.url, page.url
    return page


def checked(browser: Browser, page: Page, *, is_same: bool = True) -> Page:
    """Go to the demonstration's checker from a page that offers it, press a button, and come back."""
    page = browser.submit(page, checker="face")
    page = browser.submit(page)
    words = [part.split('"')[0] for part in page.text.split('name="result" value="')[1:]]
    return browser.open(BACK, {"result": words[0 if is_same else 1]})
