"""The application's class: Flask, without what every request would pay for and none here uses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request
from flask.globals import request_ctx
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFProtect
from werkzeug.routing import MapAdapter

from idservice.http.prepared import Shelf

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from flask import Request
    from flask.ctx import RequestContext
    from flask.sessions import SecureCookieSession, SessionMixin
    from flask.typing import ResponseReturnValue


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
    """Flask with the forms' sessions, and without what only other applications need.

    No function here is a coroutine, blueprints have no hooks but for their addresses and none is inside another, nobody
    listens to signals, and no route asks for the host: a test holds these to be so. The name in redirects is that of
    `name_host`, never the caller's.
    """

    session_interface = FormSessions()
    host = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.shelf = Shelf()

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer with what is prepared, else as Flask does."""
        prepared = self.shelf.answer(super().wsgi_app, environ, start_response)
        return super().wsgi_app(environ, start_response) if prepared is None else prepared

    def name_host(self, host: str) -> None:
        """Say under which host, and port if any, this application is reached."""
        self.host = host

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return `func` as it is."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Bind the routes to a request's path and method."""
        if request is None:
            return super().create_url_adapter(None)
        environ = request.environ
        return MapAdapter(
            self.url_map,
            server_name=self.host,
            script_name=request.root_path,
            subdomain="",
            url_scheme=request.scheme,
            path_info=environ["PATH_INFO"].encode("latin-1").decode(errors="replace"),  # PEP 3333
            default_method=request.method,
            query_args=environ.get("QUERY_STRING", ""),
        )

    def full_dispatch_request(self) -> Response:
        """Answer the request: what is done before, the view or the error, what is done after."""
        self._got_first_request = True
        try:
            answer = self.preprocess_request()
            if answer is None:
                answer = self.dispatch_request()
        except Exception as error:  # noqa: BLE001 - the one place where every fault becomes an answer
            answer = self.handle_user_exception(error)
        return self.finalize_request(answer)

    def preprocess_request(self) -> ResponseReturnValue | None:
        """Call what the blueprint does with its addresses, and then what is to be done before every request."""
        asked = request_ctx.request
        for first in self.url_value_preprocessors.get(asked.blueprint, ()):
            first(asked.endpoint, asked.view_args)
        for before in self.before_request_funcs[None]:
            if (answer := before()) is not None:
                return answer  # type: ignore[return-value]
        return None

    def process_response(self, response: Response) -> Response:
        """Call what is to be done after every request, the last registered first."""
        context: RequestContext = request_ctx._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
        for after in (*context._after_request_functions, *reversed(self.after_request_funcs[None])):  # noqa: SLF001
            response = after(response)
        self.session_interface.save_session(self, context._session, response)  # type: ignore[arg-type]  # noqa: SLF001
        return response

    def do_teardown_request(self, exc: BaseException | None = None) -> None:
        """Call what is to be done when a request has ended, the last registered first."""
        for teardown in reversed(self.teardown_request_funcs.get(None, ())):
            teardown(exc)


class WholeResponse(Response):
    """Data, not a page, that is complete and sent once, with absolute URLs only.

    Its headers leave without being copied; `standing` are those that every answer has, checked once and for all.
    """

    standing: Sequence[tuple[str, str]] = ()

    def get_wsgi_response(self, environ: WSGIEnvironment) -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:
        """Return body, status and headers; `set_data` has put the length among them."""
        return self.get_app_iter(environ), self.status, [*self.headers, *self.standing]
