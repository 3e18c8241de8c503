"""Every error leaves in one envelope: a problem document for programs, a page for browsers, in their language."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.idservice.http.conftest import Site

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def get(site: Site, path: str, accept: str | None = None, **headers: str) -> Any:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return site.app.test_client(use_cookies=False).get(path, headers=sent | ({"Accept": accept} if accept else {}))


def test_an_unknown_path(site: Site) -> None:
    answer = get(site, "/no/such/thing")
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    assert answer.json["code"] == "not_found"
    assert answer.json["status"] == 404
    assert answer.json["type"] == "urn:ona:problem:not_found"


@pytest.mark.parametrize(
    ("wish", "title"),
    [
        ({}, "未找到"),
        ({"Accept_Language": "en"}, "Not found"),
        ({"Accept_Language": "en-GB,en;q=0.9"}, "Not found"),
        ({"Accept_Language": "zh-TW,zh;q=0.9,en;q=0.1"}, "未找到"),
        ({"Accept_Language": "fr"}, "未找到"),
        ({"Accept_Language": ";;;=,"}, "未找到"),
        ({"Cookie": "ona_lang=en"}, "Not found"),
        ({"Cookie": "ona_lang=fr", "Accept_Language": "en"}, "Not found"),
    ],
)
def test_the_language_of_the_reader(site: Site, wish: dict[str, str], title: str) -> None:
    assert get(site, "/no/such", **wish).json["title"] == title


def test_a_language_chosen_in_the_address_wins(site: Site) -> None:
    assert get(site, "/no/such?lang=en", Accept_Language="zh").json["title"] == "Not found"
    assert get(site, "/no/such?lang=xx").json["title"] == "未找到"


@pytest.mark.parametrize(
    ("accept", "is_page"),
    [
        (BROWSER, True),
        ("text/html", True),
        (None, False),
        ("*/*", False),
        ("application/json", False),
        ("application/problem+json, text/html;q=0.5", False),
        ("image/*", False),
        ("nonsense", False),
    ],
)
def test_a_browser_reads_a_page(site: Site, accept: str | None, is_page: bool) -> None:
    answer = get(site, "/no/such", accept)
    assert answer.status_code == 404
    assert answer.mimetype == ("text/html" if is_page else "application/problem+json")
    if is_page:
        assert "not_found" in answer.text
        assert "未找到" in answer.text


def test_the_api_never_answers_with_a_page(site: Site) -> None:
    for path in ("/v1/no/such", "/v1/test/things"):
        assert get(site, path, BROWSER).mimetype == "application/problem+json"


def test_a_method_that_is_not_offered(site: Site) -> None:
    answer = site.app.test_client().delete("/v1/test/things")
    assert (answer.status_code, answer.json["code"]) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS, POST"


@pytest.mark.parametrize(
    ("status", "answered", "code"),
    [
        (400, 400, "bad_request"),
        (401, 401, "unauthenticated"),
        (403, 403, "forbidden"),
        (406, 406, "not_acceptable"),
        (409, 409, "conflict"),
        (413, 413, "too_large"),
        (415, 415, "media_type"),
        (416, 400, "bad_request"),
        (418, 400, "bad_request"),
        (429, 429, "too_many_requests"),
        (431, 400, "bad_request"),
        (500, 500, "internal"),
        (502, 500, "internal"),
        (503, 503, "unavailable"),
    ],
)
def test_errors_of_the_framework_have_codes_too(site: Site, status: int, answered: int, code: str) -> None:
    answer = get(site, f"/faults/{status}")
    assert (answer.status_code, answer.json["status"], answer.json["code"]) == (answered, answered, code)


def test_a_range_that_does_not_exist_is_no_fault_of_ours(site: Site) -> None:
    answer = get(site, "/static/css/theme.css", Range="bytes=99999999-")
    assert answer.status_code == 400


def test_headers_of_a_problem_are_sent(site: Site) -> None:
    assert get(site, "/faults/headers").headers["Retry-After"] == "9"
    assert get(site, "/faults/headers", BROWSER).headers["Retry-After"] == "9"


@pytest.mark.parametrize("accept", [None, BROWSER])
def test_a_fault_is_a_500_that_tells_nothing_and_a_log_line_that_tells_all(
    site: Site, log_lines: Callable[[], list[dict[str, Any]]], accept: str | None
) -> None:
    answer = get(site, "/faults/broken", accept)
    assert answer.status_code == 500
    for inside in ("RuntimeError", "Traceback", "inside", ".py", "37160219900307123"):
        assert inside not in answer.text
    (line,) = log_lines()
    assert line["event"] == "request.fault"
    assert line["request_id"] in answer.text, "what the reader quotes leads to the line"
    assert "RuntimeError" in line["exception"]
    assert "37160219900307123" not in line["exception"]


def test_a_redirect_is_not_an_error(site: Site) -> None:
    assert get(site, "/v1").status_code == 308


def test_nothing_the_caller_sent_comes_back_as_markup(site: Site) -> None:
    answer = get(site, "/<script>alert(1)</script>?lang=<b>", BROWSER)
    assert answer.status_code == 404
    assert "<script>alert" not in answer.text
    assert "<b>" not in answer.text


def test_every_request_has_its_own_number(site: Site) -> None:
    assert len({get(site, "/no/such").json["request_id"] for _ in range(20)}) == 20
