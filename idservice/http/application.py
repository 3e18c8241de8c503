"""The application's class: Flask, without what every request would pay for and none here uses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, Request, Response
from flask.globals import request_ctx
from werkzeug.datastructures import Headers, ImmutableMultiDict, MultiDict
from werkzeug.exceptions import ClientDisconnected
from werkzeug.formparser import FormDataParser
from werkzeug.routing import MapAdapter, Rule
from werkzeug.sansio.http import parse_cookie
from werkzeug.utils import cached_property

from idservice.http import queries
from idservice.http.forms import FormSessions
from idservice.http.prepared import Shelf
from idservice.http.templates import PageTemplates

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from flask.ctx import RequestContext
    from flask.typing import ResponseReturnValue

_FORM: Final = "application/x-www-form-urlencoded"
_DIGITS: Final = 4  # of the length of a short form


class _Forms(FormDataParser):
    """Reads what forms post; the multipart ones as Werkzeug does."""

    def _parse_urlencoded(self, stream: Any, *_stated: Any) -> tuple[Any, MultiDict[str, str], MultiDict[str, Any]]:
        return stream, self.cls(queries.pairs(stream.read().decode())), self.cls()


class _Parameters(ImmutableMultiDict[str, Any]):
    """Parameters or cookies; of one that did not come, Werkzeug makes an exception first, which is dear."""

    def get(self, key: str, default: Any = None, type: Any = None) -> Any:  # type: ignore[override]  # noqa: A002 - Werkzeug's
        """Return the first value of that name."""
        return super().get(key, default, type) if key in self else default


class PlainRequest(Request):
    """A request whose query and form are read by `queries.pairs`."""

    form_data_parser_class = _Forms
    parameter_storage_class = _Parameters
    dict_storage_class = _Parameters

    def _load_form_data(self) -> None:
        """Read what a form posts; one that is short and says so, without the means against all others."""
        stated, members = self.environ.get("CONTENT_LENGTH") or "", self.__dict__
        is_short = len(stated) <= _DIGITS and stated.isdecimal() and self.environ.get("CONTENT_TYPE") == _FORM
        if not is_short or "form" in members or "stream" in members:
            super()._load_form_data()
            return
        body = self.environ["wsgi.input"].read(int(stated))
        if len(body) < int(stated):
            raise ClientDisconnected
        try:
            sent = queries.pairs(body.decode())
        except ValueError:  # no UTF-8: nothing was sent, as Werkzeug has it
            sent = []
        cls = self.parameter_storage_class
        members["stream"], members["form"], members["files"] = BytesIO(), cls(sent), cls()

    @cached_property
    def args(self) -> MultiDict[str, str]:
        """Return the parameters of the URL."""
        return self.parameter_storage_class(queries.pairs(self.query_string.decode()))

    @cached_property
    def cookies(self) -> Any:
        """Return the cookies; Werkzeug looks for their header among all others."""
        return parse_cookie(self.environ.get("HTTP_COOKIE"), self.dict_storage_class)


class StandingResponse(Response):
    """An answer; `standing` are headers that many answers have, checked once and for all."""

    standing: Sequence[tuple[str, str]] = ()

    def get_wsgi_response(self, environ: WSGIEnvironment) -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:
        """Return body, status and headers, without a copy where nothing about them is left to be put right."""
        headers, status = self.headers, self.status_code
        is_whole = 200 <= status < 400 and status not in {204, 304} and "Content-Length" in headers
        if not is_whole or (status >= 300 and not headers.get("Location", "").isascii()):
            headers = self.get_wsgi_headers(environ)
        return self.get_app_iter(environ), self.status, [*headers, *self.standing]


class WholeResponse(StandingResponse):
    """Data, not a page, that is complete and sent once, with absolute URLs only.

    Its headers leave without being copied, its length among them.
    """

    def __init__(
        self,
        data: str | bytes,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        *,
        content_type: str = "application/json",
    ) -> None:
        # Werkzeug's own would ask of every answer what kind it is, in several places; of these it is known.
        body = data.encode() if isinstance(data, str) else data
        members = {**(headers or {}), "Content-Type": content_type, "Content-Length": str(len(body))}
        if any("\n" in value or "\r" in value for value in members.values()):
            raise ValueError("a header is one line")
        self.headers = Headers()
        self.headers._list = list(members.items())  # noqa: SLF001 - `extend` looks at each again
        self.status_code = status
        self.response = [body]
        self.direct_passthrough = False
        self._on_close: list[Callable[[], Any]] = []

    def get_wsgi_response(self, environ: WSGIEnvironment) -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:
        """Return body, status and headers."""
        return self.get_app_iter(environ), self.status, [*self.headers, *self.standing]


class _Rule(Rule):
    """A rule whose function that makes addresses is compiled when it is first called: few of them ever are."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., Any]:
        compiled = cache(super()._compile_builder)

        def build(rule: Rule, /, **values: Any) -> Any:  # a value may bear any name
            return compiled(append_unknown)(rule, **values)

        return build


class _Adapter(MapAdapter):
    """Finds the route of a path that has no variable part at once, from the second time on."""

    plain: dict[tuple[str, str], Rule]  # those found before, of the application

    def match(self, *args: Any, **kwargs: Any) -> Any:
        """Return what a request's method and path lead to: as Flask asks for it, the rule and its values."""
        if args or kwargs != {"return_rule": True}:
            return super().match(*args, **kwargs)
        asked = (self.default_method, self.path_info)
        if (rule := self.plain.get(asked)) is not None:
            return rule, {}
        found = super().match(return_rule=True)
        if not found[0].arguments and found[0].rule == self.path_info:
            self.plain[asked] = found[0]
        return found


class Application(Flask):
    """Flask with the forms' sessions, and without what only other applications need.

    No function here is a coroutine, blueprints have no hooks but for their addresses and none is inside another, nobody
    listens to signals, and no route asks for the host: a test holds these to be so. The name in redirects is that of
    `name_host`, never the caller's.
    """

    session_interface = FormSessions()
    url_rule_class = _Rule
    jinja_environment = PageTemplates
    request_class = PlainRequest
    response_class = StandingResponse
    host = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.shelf = Shelf()
        self.plain: dict[tuple[str, str], Rule] = {}

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer with what is prepared, else as Flask does."""
        prepared = self.shelf.answer(super().wsgi_app, environ, start_response)
        return super().wsgi_app(environ, start_response) if prepared is None else prepared

    def name_host(self, host: str) -> None:
        """Say under which host, and port if any, this application is reached."""
        self.host = host

    def redirect(self, location: str, code: int = 302) -> Response:
        """Return a redirect; browsers and programs follow its header, and nobody reads a page of it."""
        return self.response_class(b"", code, [("Location", location)], mimetype="text/html")

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return `func` as it is."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Bind the routes to a request's path and method."""
        if request is None:
            return super().create_url_adapter(None)
        environ = request.environ
        adapter = _Adapter(
            self.url_map,
            server_name=self.host,
            script_name=request.root_path,
            subdomain="",
            url_scheme=request.scheme,
            path_info=environ["PATH_INFO"].encode("latin-1").decode(errors="replace"),  # PEP 3333
            default_method=request.method,
            query_args=environ.get("QUERY_STRING", ""),
        )
        adapter.plain = self.plain
        return adapter

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
