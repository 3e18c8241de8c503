"""Chinese first; English for whoever asks for it, and from then on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, render_template

from tests.builders import build_app, house_of, migrate
from tests.databases import SqliteDatabases


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder: Path = tmp_path_factory.mktemp("language")
    built = build_app(folder, SqliteDatabases(folder).fresh(migrate))
    yield built
    house_of(built).database.engine.dispose()


def is_english(text: str) -> bool:
    return '<html lang="en"' in text


@pytest.mark.parametrize(
    ("wish", "english"),
    [(None, False), ("zh-CN", False), ("en", True), ("en-US,en", True), ("de", False), ("*", False)],
)
def test_the_language_the_browser_asks_for(app: Flask, wish: str | None, english: bool) -> None:
    headers = {"Accept-Language": wish} if wish else {}
    assert is_english(app.test_client().get("/login", headers=headers).text) is english


def test_a_choice_is_remembered_for_the_pages_after_it(app: Flask) -> None:
    client = app.test_client()
    assert is_english(client.get("/login?lang=en").text)
    assert is_english(client.get("/login").text)
    assert not is_english(client.get("/login?lang=zh").text)
    assert not is_english(client.get("/login", headers={"Accept-Language": "en"}).text)


@pytest.mark.parametrize("chosen", ["fr", "", "EN", "en;x", "../en", "zh&lang=en"])
def test_only_our_languages_are_remembered(app: Flask, chosen: str) -> None:
    answer = app.test_client().get(f"/login?lang={chosen}")
    cookies = [text for text in answer.headers.getlist("Set-Cookie") if text.startswith("ona_lang")]
    assert cookies in ([], [text for text in cookies if text.startswith("ona_lang=zh;")])


def test_the_cookie_of_the_choice(app: Flask) -> None:
    answer = app.test_client().get("/login?lang=en")
    (cookie,) = [text for text in answer.headers.getlist("Set-Cookie") if text.startswith("ona_lang")]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_a_forged_choice_is_nobodys_language(app: Flask) -> None:
    client = app.test_client(use_cookies=False)
    for forged in ("no-language", "<script>", "en\u00e9", "x" * 4000):
        answer = client.get("/login", headers={"Cookie": f"ona_lang={forged}"})
        assert answer.status_code == 200
        assert forged not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "switches"),
    [
        ("GET", "/recover", True),
        ("POST", "/recover", True),
        ("POST", "/recover/prove", False),
        ("POST", "/oauth/decision", False),
        ("POST", "/seals/s1/changes", False),
        ("POST", "/no/such/page", False),
    ],
)
def test_no_switch_leads_to_what_answers_posts_alone(app: Flask, method: str, path: str, switches: bool) -> None:
    with app.test_request_context(path, method=method):
        assert ("hreflang" in render_template("home.html")) is switches
        assert ("?size=large" in render_template("me/layout.html")) is switches
