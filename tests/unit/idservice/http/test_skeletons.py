"""A page from a skeleton is the page that the template gives: each visitor's own values, and nobody else's."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, render_template
from flask_wtf.csrf import generate_csrf
from jinja2 import DictLoader

from idservice.http import skeletons
from idservice.http.current import kept
from idservice.http.skeletons import Gap
from tests.unit.idservice.http.conftest import Site

CONTEXT: dict[str, Any] = {
    "action": "/login",
    "hidden": {"to": Gap('/me?"><script>&')},
    "error": None,
    "client_name": "A&B <b>",
    "demo_hint": None,
    "ceremony": {"options": Gap('{"a": "<"}'), "ticket": Gap("gap-0;")},
}


def shown(app: Flask, draw: Any, *, path: str = "/login", name: str | None = None, **context: Any) -> tuple[str, str]:
    """Return the page, and its form's token."""
    with app.test_request_context(path):
        if name is not None:
            kept().current_user = {"name_masked": name}
        page: str = draw("login.html", **{**CONTEXT, **context})
        return page, generate_csrf()


@pytest.fixture
def app(site: Site) -> Iterator[Flask]:
    yield site.app
    site.app.extensions.pop("skeletons", None)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"error": "号码 <不> 正确"},
        {"ceremony": None, "client_name": None},
        {"name": "张*<"},
        {"path": "/login?lang=en&to=%22%3E"},
        {"path": "/login?size=large&a=<"},
    ],
    ids=["app", "refused", "bare", "visitor", "english", "large"],
)
def test_every_visitor_gets_the_page_that_the_template_gives(app: Flask, more: dict[str, Any]) -> None:
    for _ in range(3):  # drawn, then filled in
        page, token = shown(app, skeletons.render, **more)
        plain, other = shown(app, skeletons.plain, **more)
        assert page.count(token) == plain.count(other) >= 1
        assert page.replace(token, other) == plain
        assert "<script>&" not in page
    assert len(app.extensions["skeletons"]) == 1


def test_what_is_one_visitors_is_in_no_skeleton_and_what_is_not_tells_them_apart(app: Flask) -> None:
    first, token = shown(app, skeletons.render, hidden={"to": Gap("/first")}, name="张*")
    second, other = shown(app, skeletons.render, hidden={"to": Gap("/second")}, name="李*")
    assert ("/first" in first, "/first" in second, "/second" in second) == (True, False, True)
    assert ("张*" in second, "李*" in second, token in second, other in second) == (False, True, False, True)
    assert len(app.extensions["skeletons"]) == 1
    held = repr([vars(one) for one in app.extensions["skeletons"].values()]) + repr(list(app.extensions["skeletons"]))
    assert not any(own in held for own in ("/first", "/second", "张*", "李*", token, other))
    shown(app, skeletons.render, client_name="another app")
    assert len(app.extensions["skeletons"]) == 2


def test_no_more_skeletons_are_kept_than_fit(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skeletons, "_MOST", 3)
    for number in range(9):
        shown(app, skeletons.render, client_name=f"app {number}")
    assert [key[-1][3][1] for key in app.extensions["skeletons"]] == ["app 6", "app 7", "app 8"]


@pytest.mark.parametrize(
    "asked", ["{% if it %}1{% endif %}", "{{ it | upper }}", "{{ it == 'a' }}", "{{ it | length }}"]
)
def test_a_template_that_asks_a_gap_something_is_an_error(
    app: Flask, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    loader = DictLoader({"asking.html": asked, "printing.html": "<{{ it }}>"})
    with app.test_request_context("/"), monkeypatch.context() as patched:
        for environment in (app.jinja_env, app.jinja_env._of("zh")):
            patched.setattr(environment, "loader", loader)
        assert skeletons.render("printing.html", it=Gap("<")) == "<&lt;>"
        with pytest.raises(TypeError, match="print a gap"):
            skeletons.render("asking.html", it=Gap("a"))
        assert render_template("asking.html", it="a")
