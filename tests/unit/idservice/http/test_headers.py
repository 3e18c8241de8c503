"""What every answer says to the browser about itself."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, g, request

from idservice.http import headers
from tests.builders import build_app, house_of, migrate
from tests.databases import SqliteDatabases
from tests.unit.idservice.http.conftest import Site


def get(site: Site, path: str, **more: Any) -> Any:
    return site.app.test_client().get(path, **more)


def policy(answer: Any) -> dict[str, str]:
    (text,) = answer.headers.getlist("Content-Security-Policy")
    return {part.split()[0]: part.split(maxsplit=1)[1] for part in text.split("; ")}


def test_a_page_runs_nothing_from_elsewhere(site: Site) -> None:
    found = policy(get(site, "/leaf"))
    assert found == {
        "default-src": "'self'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "form-action": "'self'",
    }


@pytest.mark.parametrize("path", ["/leaf", "/login", "/leaf/away", "/no/such"])
def test_headers_of_every_page(site: Site, path: str) -> None:
    answer = get(site, path, headers={"Accept": "text/html"})
    assert answer.mimetype == "text/html"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Strict-Transport-Security" not in answer.headers, "not over http"


@pytest.mark.parametrize("path", ["/v1/", "/healthz", "/no/such", "/openapi.json", "/v1/test/things"])
def test_data_is_nothing_to_run(site: Site, path: str) -> None:
    answer = get(site, path)
    assert policy(answer) == {"default-src": "'none'", "frame-ancestors": "'none'"}
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


def test_what_may_be_cached_says_so_itself(site: Site) -> None:
    answer = get(site, "/static/css/theme.css", buffered=True)
    assert answer.status_code == 200
    assert "no-store" not in answer.headers["Cache-Control"]


def test_one_page_may_let_its_form_lead_to_the_app_and_only_that_page(site: Site) -> None:
    assert policy(get(site, "/leaf/away"))["form-action"] == "'self' https://app.example:8443"
    assert policy(get(site, "/leaf"))["form-action"] == "'self'"


def test_over_https_the_browser_stays_there(tmp_path: Path) -> None:
    url = SqliteDatabases(tmp_path).fresh(migrate)
    app = build_app(tmp_path, url, issuer="https://id.example", insecure_loopback=False)
    for path in ("/login", "/healthz", "/no/such"):
        assert app.test_client().get(path).headers["Strict-Transport-Security"].startswith("max-age=63072000")
    house_of(app).database.engine.dispose()


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("https://app.example/cb?x=1#y", "https://app.example"),
        ("http://127.0.0.1:4001/cb", "http://127.0.0.1:4001"),
        ("http://[::1]:4001/cb", "http://[::1]:4001"),
        ("cn.example.app:/cb", "cn.example.app:"),
    ],
)
def test_a_source_is_the_origin_of_the_redirect_uri(url: str, source: str) -> None:
    with Flask("x").test_request_context():
        headers.allow_form_action(url)
        assert g.form_action == source


ODD = [
    *("", "/cb", "//app.example", "https://", "https:///cb", "https:app.example", "https://*", "https://*.example"),
    *("https://a.example;script-src *", "https://a.example script-src", "https://a.example,b", "https://a'b"),
    *("https://user@a.example", "https://a.example\r\nX: y;z", "https://例子.example", "https://a.example:port"),
    *("javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "blob:x", "*", "'unsafe-inline'", "1a:x"),
]


@pytest.mark.parametrize("url", ODD)
def test_anything_else_is_not_a_source(url: str) -> None:
    with Flask("x").test_request_context():
        with pytest.raises(ValueError, match="origin"):
            headers.allow_form_action(url)
        assert "form_action" not in g


def test_a_page_may_show_the_pages_of_some_apps_in_frames_and_of_no_other(site: Site) -> None:
    with site.app.test_request_context("/leaf"):
        headers.allow_frames(["https://b.example/out?sid=1", "http://127.0.0.1:4001/out", "https://b.example/x"])
        made = site.app.process_response(site.app.make_response(("<p>", {"Content-Type": "text/html"})))
        answer = Response(headers=made.get_wsgi_response(request.environ)[2])
    assert policy(answer)["frame-src"] == "http://127.0.0.1:4001 https://b.example"
    assert policy(answer)["frame-ancestors"] == "'none'"
    assert "frame-src" not in policy(get(site, "/leaf")), "without them what holds is default-src"


def test_only_the_session_page_may_be_framed_and_it_can_do_nothing(site: Site) -> None:
    answer = get(site, "/oauth/check_session")
    found = policy(answer)
    assert found["frame-ancestors"] == "http: https:"
    assert (found["default-src"], found["script-src"], found["form-action"]) == ("'none'", "'self'", "'none'")
    assert "X-Frame-Options" not in answer.headers
    assert answer.headers["Cache-Control"] == "public, max-age=3600"


@pytest.mark.parametrize("url", ODD)
def test_no_frame_source_is_anything_else(url: str) -> None:
    with Flask("x").test_request_context(), pytest.raises(ValueError, match="origin"):
        headers.allow_frames([url])
