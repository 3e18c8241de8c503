"""docs/reasons.md is the closed list: every reason in both languages, with what to do next as the page says it."""

import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from jinja2 import Environment, FileSystemLoader, select_autoescape

from keys.verdict import Reason

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


@cache
def rows() -> dict[str, tuple[str, ...]]:
    """Return the rows of the list by code: what it means and what to do next, each in Chinese and in English."""
    text = (ROOT / "docs" / "reasons.md").read_text("utf-8")
    found = [match.groups() for match in ROW.finditer(text)]
    assert len({code for code, *_rest in found}) == len(found), "a reason is told twice"
    return {code: tuple(rest) for code, *rest in found}


@cache
def english() -> dict[str, str]:
    with (ROOT / "idservice/translations/en/LC_MESSAGES/messages.po").open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file)}


def told_on_the_page(macro: str, code: str) -> str:
    """Return what the counter's page says of a reason, in Chinese."""
    pages = Environment(loader=FileSystemLoader(ROOT / "idservice" / "templates"), autoescape=select_autoescape())
    pages.globals["_"] = lambda text: text
    return str(getattr(pages.get_template("macros/words.html").module, macro)(code)).strip()


def test_the_list_has_every_reason_and_no_other_in_the_order_of_the_code() -> None:
    assert list(rows()) == [str(reason) for reason in Reason]


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_says_what_it_means_and_what_to_do_next_in_both_languages(reason: Reason) -> None:
    means_zh, means_en, next_zh, next_en = rows()[reason]
    assert means_en.isascii()
    assert not means_zh.isascii()
    assert (next_zh, next_en) == (told_on_the_page("reason_next", reason), english()[next_zh])


@pytest.mark.parametrize("reason", Reason)
def test_the_page_has_a_word_and_a_sentence_for_every_reason(reason: Reason) -> None:
    title, text = (told_on_the_page(macro, reason) for macro in ("reason_title", "reason_text"))
    assert title != reason
    assert english()[title]
    assert english()[text]
