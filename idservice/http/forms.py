"""What our forms carry (表单): a small signed cookie, and Flask-WTF's token that no other site can know.

Both are believed under every secret that is still live, so that turning the key spoils no page that is open.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from flask.json.tag import TaggedJSONSerializer
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf

from idservice.errors import Problem
from idservice.http.current import asked, kept
from idservice.signed_text import SIGNED_BY, QuickTimedSerializer, QuickTimestampSigner
from keys.ring import Purpose

if TYPE_CHECKING:
    from flask import Flask, Request, Response
    from flask.sessions import SecureCookieSession, SessionMixin
    from itsdangerous import URLSafeTimedSerializer

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
_TOKEN: Final = "csrf_token"  # where Flask-WTF keeps the token of a request
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})  # RFC 9110 section 9.2.1
_to_text = TaggedJSONSerializer()


class LiveSecrets:
    """The secrets of forms as they are at each moment, the active one last, as `itsdangerous` wants them."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._of: object = None  # the version of the ring whose secrets these are
        self._live: tuple[bytes, ...] = ()

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.now())

    def now(self) -> tuple[bytes, ...]:
        """Return them."""
        version = self._ring.version()
        if version is not self._of:
            active = self._ring.active_secret_id(Purpose.SESSION)
            live = self._ring.secrets(Purpose.SESSION)
            self._live = (*(secret for kid, secret in live.items() if kid != active), live[active])
            self._of = version
        return self._live


class FormSessions(SecureCookieSessionInterface):
    """The signed cookie of the forms: a request that neither brings nor touches it, as all of the API, pays nothing."""

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Return what signs and reads the cookie."""
        return _serializer(app.config["WTF_CSRF_SECRET_KEY"].now(), self.salt)

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session in the cookie, or an empty one."""
        if COOKIE not in request.environ.get("HTTP_COOKIE", ""):
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Set the cookie where the session was changed; say that the answer depends on it where it was looked at."""
        if session.modified:
            super().save_session(app, session, response)
        elif session.accessed:
            response.headers.add("Vary", "Cookie")


class FormProtection(CSRFProtect):  # type: ignore[misc]
    """Flask-WTF's check of cross-site posts, which asks first whether there is anything to check."""

    def __init__(self, app: Flask, ring: KeyRing) -> None:
        app.config["WTF_CSRF_SECRET_KEY"] = LiveSecrets(ring)
        self._exempt_endpoints: set[str | None] = set()
        super().__init__(app)

    @contextmanager
    def replaced(self, other: object) -> Iterator[None]:
        """Let the forms that are drawn meanwhile show `other` in place of the token."""
        mine = generate_csrf()
        setattr(kept(), _TOKEN, other)
        try:
            yield
        finally:
            setattr(kept(), _TOKEN, mine)

    def protect(self, apply_exemptions: bool = False) -> None:
        """Refuse a form that was not ours; nothing is refused that changes nothing.

        Raises:
            Problem: csrf.
        """
        request = asked()
        if request.method in _SAFE or (apply_exemptions and request.endpoint in self._exempt_endpoints):
            return
        try:
            super().protect(apply_exemptions=apply_exemptions)
        except CSRFError:
            raise Problem("csrf", "Open the page again and repeat what you did.") from None

    def _is_exempt(self) -> bool:
        """Return whether the view is exempt, and remember that it is: nothing takes an exemption back."""
        is_exempt: bool = super()._is_exempt()
        if is_exempt:
            self._exempt_endpoints.add(asked().endpoint)
        return is_exempt


@lru_cache(maxsize=8)
def _serializer(secrets: tuple[bytes, ...], salt: str) -> URLSafeTimedSerializer:
    return QuickTimedSerializer(
        list(secrets), salt=salt, serializer=_to_text, signer=QuickTimestampSigner, signer_kwargs=SIGNED_BY
    )
