"""Rules for every template: complete English, no inline code, a token in every form, a stated context."""

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from jinja2 import Environment

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("idservice", "seals", "licences")
TEMPLATES = sorted(path for room in ROOMS for path in (ROOT / room / "templates").rglob("*.html"))
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
PLACEHOLDER = re.compile(r"%\(\w+\)s")
INLINE = re.compile(r"<style\b|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\ssrc=)", re.IGNORECASE)
CHINESE = re.compile(r"[\u4e00-\u9fff]")
NOT_READ = re.compile(r"\{#.*?#\}|_\((?:\"[^\"]*\"|'[^']*')|(?<=\")中文(?=\")", re.DOTALL)


def _named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _english() -> dict[str, str]:
    with (ROOT / "idservice/translations/en/LC_MESSAGES/messages.po").open("rb") as source:
        return {message.id: message.string for message in read_po(source) if message.id and not message.fuzzy}


def test_every_text_has_its_english_and_none_is_left_over():
    texts = {found[2] for room in ROOMS for found in extract_from_dir(str(ROOT / room), METHODS)}
    english = _english()
    assert texts - english.keys() == set()
    assert english.keys() - texts == set()
    assert [text for text, words in english.items() if not words.strip(" ,:") and text not in "，、："] == []


def test_placeholders_survive_translation():
    for text, words in _english().items():
        assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(words)), text


# Between us and a checker of persons: the other side could not know our token, and must not learn it.
TO_ANOTHER_SITE = {"proofing.html", "demo_checker.html"}


@pytest.mark.parametrize("path", TEMPLATES, ids=_named)
def test_template_keeps_the_rules(path: Path):
    text = path.read_text("utf-8")
    Environment(autoescape=True, extensions=["jinja2.ext.i18n"]).parse(text)
    assert text.startswith("{#-"), "a template opens by stating its context"
    assert not INLINE.search(text), "the content policy allows no inline script or style"
    assert "| safe" not in text, "escaping is never switched off"
    assert "|safe" not in text
    for form in re.findall(r"<form\b.*?</form>", text, re.DOTALL):
        changes_nothing = 'method="get"' in form or 'method="dialog"' in form
        assert changes_nothing or "forms.csrf()" in form or path.name in TO_ANOTHER_SITE


@pytest.mark.parametrize("path", TEMPLATES, ids=_named)
def test_chinese_outside_gettext_is_refused(path: Path):
    left = NOT_READ.sub("", path.read_text("utf-8"))
    assert not CHINESE.search(left), CHINESE.search(left)


def test_static_files_refer_only_to_files_that_are_there():
    for sheet in (ROOT / "idservice/static/css").glob("*.css"):
        for target in re.findall(r'url\("([^"]+)"\)', sheet.read_text("utf-8")):
            assert (sheet.parent / target).resolve().is_file(), (sheet.name, target)
    for drawing in (ROOT / "idservice/static/icons").glob("*.svg"):
        assert "<script" not in drawing.read_text("utf-8")
