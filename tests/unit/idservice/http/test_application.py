"""Flask without what no request here needs: sessions only where a form is, answers that are whole."""

from idservice.http.application import WholeResponse
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
