"""The name of a browser (浏览器标识): random, in the signed form cookie, so that a step is good in one browser only."""

from __future__ import annotations

import secrets

from flask import session

KEY = "browser"  # `oauth.authorize_routes` binds its steps to the same name


def browser() -> str:
    """Return the random name of the browser that asks; a new one gets one."""
    if KEY not in session:
        session[KEY] = secrets.token_hex(16)
    return str(session[KEY])
