"""What our forms carry (表单): a small signed cookie, and Flask-WTF's token that no other site can know.

Both are believed under every secret that is still live, so that turning the key spoils no page that is open.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from flask.globals import request_ctx
from flask.json.tag import TaggedJSONSerializer
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFError, CSRFProtect
from itsdangerous import URLSafeTimedSerializer

from idservice.errors import Problem
from keys.ring import Purpose

if TYPE_CHECKING:
    from flask import Flask, Request, Response
    from flask.sessions import SecureCookieSession, SessionMixin

    from keys.ring import KeyRing

COOKIE: Final = "__Host-ona-form"
#: What Flask and Flask-WTF are told.
CONFIG: Final = {
    "SESSION_COOKIE_NAME": COOKIE,
    "SESSION_COOKIE_SECURE": True,
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Lax",
    "WTF_CSRF_TIME_LIMIT": None,
    "WTF_CSRF_SSL_STRICT": False,  # SameSite and the token do this work; Referer is withheld by our own policy
}
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})  # RFC 9110 section 9.2.1
_to_text = TaggedJSONSerializer()


class LiveSecrets:
    """The secrets of forms as they are at each moment, the active one last, as `itsdangerous` wants them."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    def __iter__(self) -> Iterator[bytes]:
        active = self._ring.active_secret_id(Purpose.SESSION)
        live = self._ring.secrets(Purpose.SESSION)
        yield from (secret for kid, secret in live.items() if kid != active)
        yield live[active]


class FormSessions(SecureCookieSessionInterface):
    """The signed cookie of the forms: a request that neither brings nor touches it, as all of the API, pays nothing."""

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Return what signs and reads the cookie."""
        return _serializer(tuple(LiveSecrets(app.extensions["ona"].keys)), self.salt)

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session in the cookie, or an empty one."""
        if COOKIE not in request.environ.get("HTTP_COOKIE", ""):
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Set the cookie where the session was changed."""
        if session.accessed or session.modified:
            super().save_session(app, session, response)


class FormProtection(CSRFProtect):  # type: ignore[misc]
    """Flask-WTF's check of cross-site posts, which asks first whether there is anything to check."""

    def __init__(self, app: Flask, ring: KeyRing) -> None:
        app.config["WTF_CSRF_SECRET_KEY"] = LiveSecrets(ring)
        super().__init__(app)

    def protect(self, apply_exemptions: bool = False) -> None:
        """Refuse a form that was not ours; nothing is refused that changes nothing.

        Raises:
            Problem: csrf.
        """
        context: Any = request_ctx
        if context.request.method in _SAFE:
            return
        try:
            super().protect(apply_exemptions=apply_exemptions)
        except CSRFError:
            raise Problem("csrf", "Open the page again and repeat what you did.") from None


@lru_cache(maxsize=8)
def _serializer(secrets: tuple[bytes, ...], salt: str) -> URLSafeTimedSerializer:
    options = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
    return URLSafeTimedSerializer(list(secrets), salt=salt, serializer=_to_text, signer_kwargs=options)
