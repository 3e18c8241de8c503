"""Flask without what no request here needs: sessions only where a form is, answers that are whole."""

import io
from urllib.parse import urlencode

import pytest
from flask import Request, got_request_exception, request_started, request_tearing_down
from werkzeug.exceptions import ClientDisconnected
from werkzeug.routing import Map, Rule, UnicodeConverter
from werkzeug.test import EnvironBuilder

from idservice.http.application import PlainRequest, WholeResponse
from idservice.http.endpoint import json_response
from tests.unit.idservice.http.conftest import Site


def test_data_sets_no_cookie_and_varies_with_none(site: Site) -> None:
    for answer in (site.ask("GET", "/v1/test/things"), site.make(), site.ask("GET", "/healthz")):
        assert "Set-Cookie" not in answer.headers
        assert "Cookie" not in answer.headers.get("Vary", "")


def test_a_cookie_that_is_no_form_session_changes_nothing(site: Site) -> None:
    client = site.app.test_client(use_cookies=False)
    for cookie in ("__Host-ona-form=forged", "__Host-ona-form=", "__Host-ona-form=a.b.c; other=1"):
        assert client.get("/v1/", headers={"Cookie": cookie}).status_code == 200
        answer = client.post("/leaf/form", data={"csrf_token": "x"}, headers={"Cookie": cookie})
        assert answer.json["code"] == "csrf"


def test_a_page_with_a_form_keeps_its_token_in_a_cookie_of_this_site_alone(site: Site) -> None:
    answer = site.app.test_client().get("/login")
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-ona-form=")
    for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert f"; {attribute}" in cookie
    assert "Domain" not in cookie
    assert "Cookie" in answer.headers["Vary"]


def test_an_answer_leaves_with_its_length_once() -> None:
    answer = json_response(b"{}", 201, replayed=True)
    assert isinstance(answer, WholeResponse)
    sent = answer.get_wsgi_headers({})
    assert sent.getlist("Content-Length") == ["2"]
    assert sent["Idempotent-Replayed"] == "true"


def test_head_has_the_headers_and_no_body(site: Site) -> None:
    answer = site.ask("HEAD", "/v1/test/things")
    assert (answer.status_code, answer.data) == (200, b"")


def test_nothing_is_hooked_where_the_application_does_not_look(site: Site) -> None:
    app = site.app
    for hooks in (app.before_request_funcs, app.after_request_funcs, app.teardown_request_funcs):
        assert set(hooks) <= {None}
    assert None not in app.url_value_preprocessors
    assert not any("." in name for name in app.blueprints)
    signals = (request_started, request_tearing_down, got_request_exception)
    assert not any(signal.has_receivers_for(app) for signal in signals)
    assert not any(rule.host or rule.subdomain for rule in app.url_map.iter_rules())


def test_a_redirect_of_the_router_names_our_host_and_not_the_callers(site: Site) -> None:
    answer = site.app.test_client().get("/v1", headers={"Host": "evil.example"})
    assert answer.status_code == 308
    assert answer.location == f"{site.city.house.settings.issuer}/v1/"


FORM = "application/x-www-form-urlencoded"


def posted(body: bytes, kind: str = FORM, **environ: object) -> PlainRequest:
    made = EnvironBuilder(method="POST", data=body, content_type=kind).get_environ()
    return PlainRequest(made | environ)


@pytest.mark.parametrize("kind", [FORM, f"{FORM}; charset=utf-8"], ids=["plain", "with a parameter"])
@pytest.mark.parametrize("length", [10, 20_000], ids=["short", "long"])
def test_a_form_is_read_the_same_whatever_its_length_and_words(kind: str, length: int) -> None:
    sent = [("a", "文" * length), ("b", ""), ("a", "1 +&=%")]
    request = posted(urlencode(sent).encode(), kind)
    assert list(request.form.items(multi=True)) == [("a", "文" * length), ("a", "1 +&=%"), ("b", "")]
    assert (list(request.files), request.stream.read()) == ([], b"")


@pytest.mark.parametrize("kind", [FORM, f"{FORM}; charset=utf-8"], ids=["plain", "with a parameter"])
def test_what_is_no_text_is_no_form(kind: str) -> None:
    assert list(posted(b"a=\xff", kind).form) == []
    assert list(posted(b"a=b", "text/plain").form) == []
    assert posted(b"a=b", CONTENT_LENGTH="").form.get("a") is None


def test_a_form_that_breaks_off_is_not_taken_for_a_whole_one() -> None:
    for length in ("9", "99999"):
        request = posted(b"a=b", CONTENT_LENGTH=length)
        with pytest.raises(ClientDisconnected):
            request.form.get("a")


def test_a_form_is_not_read_twice() -> None:
    request = posted(b"a=b")
    assert request.get_data() == b"a=b"
    assert request.form["a"] == "b"
    assert posted(b"a=b", **{"wsgi.input": io.BytesIO(b"a=bcd")}).form["a"] == "b"


@pytest.mark.parametrize("value", ["a\nb", "a\r"])
def test_no_header_of_an_answer_is_two_lines(value: str) -> None:
    with pytest.raises(ValueError, match="one line"):
        WholeResponse("{}", headers={"X-Word": value})


def test_addresses_are_made_as_werkzeug_makes_them(site: Site) -> None:
    rules = list(site.app.url_map.iter_rules())
    plain = Map([Rule(rule.rule, endpoint=rule.endpoint, methods=rule.methods) for rule in rules])
    ours, theirs = (known.bind("localhost", url_scheme="http") for known in (site.app.url_map, plain))
    tried = 0
    for rule in rules:
        if any(type(converter) is not UnicodeConverter for converter in rule._converters.values()):
            continue
        values = dict.fromkeys(rule.arguments, "a b/ü") | {"beyond": "ü", "rule": "any"}
        method = min(rule.methods or {"GET"})
        made = [known.build(rule.endpoint, values, method=method) for known in (ours, theirs, ours)]
        assert made[0] == made[1] == made[2], rule
        tried += 1
    assert tried > 300


@pytest.mark.parametrize(
    "header", [None, "", "a=1; b=2; a=3", 'a="x\\054y"; =b; c', ";;; ; a=%20é", "\xe6\x96\x87=\xe5\xad\x97"]
)
def test_cookies_are_those_that_werkzeug_reads(header: str | None) -> None:
    environ = EnvironBuilder().get_environ() | ({"HTTP_COOKIE": header} if header is not None else {})
    ours, theirs = PlainRequest(environ).cookies, Request(environ).cookies
    assert list(ours.items(multi=True)) == list(theirs.items(multi=True))
    assert ours.get("not sent") is None
