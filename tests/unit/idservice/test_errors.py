"""A problem says what a caller may know, in two languages, under a code that never changes its meaning."""

import re

import pytest

from idservice.errors import KINDS, FieldProblem, Kind, Problem, register


@pytest.mark.parametrize(("code", "kind"), KINDS.items(), ids=KINDS)
def test_every_code_is_stable_and_speaks_both_languages(code: str, kind: Kind) -> None:
    assert re.fullmatch("[a-z][a-z_]*", code)
    assert 400 <= kind.status <= 599
    assert re.search("[\u4e00-\u9fff]", kind.zh)
    assert kind.en.isascii()


def test_the_document_of_rfc_9457() -> None:
    problem = Problem("invalid", "See errors.", errors=[FieldProblem("/a~1b", "invalid", "Wrong.")])
    assert problem.body(language="en", request_id="r") == {
        "type": "urn:ona:problem:invalid",
        "title": "Some fields are not valid",
        "status": 422,
        "code": "invalid",
        "request_id": "r",
        "detail": "See errors.",
        "errors": [{"pointer": "/a~1b", "code": "invalid", "message": "Wrong."}],
    }
    assert problem.body(language="zh", request_id="r")["title"] == "有字段未通过校验"


def test_what_is_empty_is_left_out() -> None:
    assert set(Problem("forbidden").body(language="en", request_id="r")) == {
        *("type", "title", "status", "code", "request_id")
    }
    assert Problem("forbidden").headers == {}


def test_an_unknown_code_is_a_fault_of_ours() -> None:
    with pytest.raises(KeyError):
        Problem("no_such_code")


def test_a_code_means_one_thing_in_the_whole_house(monkeypatch: pytest.MonkeyPatch) -> None:
    for code in list(KINDS):
        monkeypatch.setitem(KINDS, code, KINDS[code])  # so that what is registered here is forgotten afterwards
    register({"forbidden": KINDS["forbidden"]})
    with pytest.raises(ValueError, match="forbidden"):
        register({"forbidden": Kind(403, "不行", "No")})
    assert KINDS["forbidden"].en == "You may not do this"
