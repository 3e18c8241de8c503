"""Large type for whoever asks for it, and from then on."""

import pytest
from flask import Flask, render_template_string

from idservice import type_size

PAGE = "{{ 'large' if is_large else 'normal' }} {{ query_sized('large') }}"


@pytest.fixture
def app() -> Flask:
    built = Flask(__name__)
    type_size.install(built)
    built.add_url_rule("/", view_func=lambda: render_template_string(PAGE))
    return built


def test_a_size_is_remembered_until_another_is_chosen(app: Flask) -> None:
    client = app.test_client()
    for query, shown in (("", "normal"), ("?size=large", "large"), ("", "large"), ("?size=normal", "normal")):
        assert client.get(f"/{query}").text.split()[0] == shown, query
    assert client.get("/").text.split()[0] == "normal"


@pytest.mark.parametrize("chosen", ["", "LARGE", "huge", "large%00", "\u5927"])
def test_no_other_size_is_known_or_remembered(app: Flask, chosen: str) -> None:
    answer = app.test_client().get(f"/?size={chosen}", headers={"Cookie": "ona_size=huge"})
    assert answer.text.startswith("normal")
    assert "Set-Cookie" not in answer.headers


def test_the_choice_keeps_the_rest_of_the_query(app: Flask) -> None:
    answer = app.test_client().get("/?page=2&size=normal")
    assert answer.text.split()[1] == "page=2&amp;size=large"
    assert "SameSite=Lax" in answer.headers["Set-Cookie"]
    assert "HttpOnly" in answer.headers["Set-Cookie"]
