"""The application's class: Flask, without what every request would pay for and none here uses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFProtect

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
    from flask import Request
    from flask.sessions import SecureCookieSession, SessionMixin


class FormSessions(SecureCookieSessionInterface):
    """The signed cookie of the forms: a request that neither brings nor touches it, as all of the API, pays nothing."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session in the cookie, or an empty one."""
        if self.get_cookie_name(app) not in request.environ.get("HTTP_COOKIE", ""):
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Set the cookie where the session was changed."""
        if session.accessed or session.modified:
            super().save_session(app, session, response)


class FormProtection(CSRFProtect):  # type: ignore[misc]
    """Flask-WTF's check of cross-site posts, which asks first whether there is anything to check."""

    def protect(self, apply_exemptions: bool = False) -> None:
        """Refuse a form that was not ours; nothing is refused that changes nothing (RFC 9110 section 9.2.1)."""
        if request.method not in {"GET", "HEAD", "OPTIONS"}:
            super().protect(apply_exemptions=apply_exemptions)


class Application(Flask):
    """Flask with the forms' sessions, and without asking of every function whether it is a coroutine: none is."""

    session_interface = FormSessions()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return `func` as it is."""
        return func


class WholeResponse(Response):
    """Data, not a page, that is complete and sent once, with absolute URLs only.

    Its headers leave without being copied; `standing` are those that every answer has, checked once and for all.
    """

    standing: Sequence[tuple[str, str]] = ()

    def get_wsgi_response(self, environ: WSGIEnvironment) -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:
        """Return body, status and headers; `set_data` has put the length among them."""
        return self.get_app_iter(environ), self.status, [*self.headers, *self.standing]
