"""Compiled templates say what Jinja would say at every visit: in either language, with every gap filled and escaped."""

import pytest
from babel.support import Translations
from flask import Flask, render_template
from flask_babel import Babel
from jinja2 import DictLoader
from jinja2.exceptions import UndefinedError

from idservice.http.problems import language
from idservice.http.templates import TRANSLATIONS, PageTemplates

SAMPLES = {
    "forms.html": '{% macro field(label) %}<p class="{{ label }}">{{ label }}, {{ _("密码") }}</p>{% endmacro %}',
    "base.html": '<title>{% block title %}{% endblock %}</title>{{ _("退出") }}{% block body %}{% endblock %}',
    "page.html": (
        '{% extends "base.html" %}{% import "forms.html" as forms %}{% block title %}{{ _("登录") }}{% endblock %}'
        '{% block body %}{{ forms.field(_("密码")) }}{{ _("登录后继续使用“%(name)s”", name=name) }}'
        '{{ url_for("static", filename="css/theme.css") }}{{ _(word) }}{{ name }}{% endblock %}'
    ),
    "note.txt": '{{ _("登录后继续使用“%(name)s”", name=name) }}',
    "broken.html": '{{ _("登录后继续使用“%(name)s”", name=missing.name) }}',
}
NAME = "<b>“A&B” 50% %(name)s"
ESCAPED = "&lt;b&gt;“A&amp;B” 50% %(name)s"


class _App(Flask):
    jinja_environment = PageTemplates


@pytest.fixture(scope="module")
def app() -> Flask:
    made = _App("templates")
    made.jinja_loader = DictLoader(SAMPLES)
    made.config["BABEL_TRANSLATION_DIRECTORIES"] = str(TRANSLATIONS)
    Babel(made, locale_selector=lambda: "en" if language() == "en" else "zh_Hans_CN")
    return made


def shown(app: Flask, template: str, wish: str, name: str = NAME) -> str:
    with app.test_request_context("/", headers={"Accept-Language": wish}):
        return render_template(template, name=name, word="退出")


def test_each_reader_gets_his_language_with_every_gap_filled_and_escaped(app: Flask) -> None:
    english = Translations.load(str(TRANSLATIONS), ["en"]).ugettext
    for _ in range(2):  # now from what was compiled before
        for wish, word in (("zh", str), ("en", english), ("zh", str)):
            label, gap = word("密码"), word("登录后继续使用“%(name)s”").replace("%(name)s", ESCAPED, 1)
            field = f'<p class="{label}">{label}, {label}</p>'
            body = f"{field}{gap}/static/css/theme.css{word('退出')}{ESCAPED}"
            assert shown(app, "page.html", wish) == f"<title>{word('登录')}</title>{word('退出')}{body}"
    assert english("密码") != "密码"


def test_what_is_no_page_is_not_escaped(app: Flask) -> None:
    assert shown(app, "note.txt", "zh") == f"登录后继续使用“{NAME}”"


def test_a_gap_without_a_value_is_a_fault(app: Flask) -> None:
    with pytest.raises(UndefinedError):
        shown(app, "broken.html", "zh")


def test_two_visitors_share_the_text_and_nothing_else(app: Flask) -> None:
    first, second = shown(app, "page.html", "zh", "甲"), shown(app, "page.html", "zh", "乙")
    assert second == first.replace("甲", "乙")


def test_without_a_request_it_is_the_language_of_the_source(app: Flask) -> None:
    with app.app_context():
        assert app.jinja_env.get_template("base.html").render() == "<title></title>退出"
