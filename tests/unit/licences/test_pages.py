"""The words and shapes that pages are given, in both languages."""

from typing import Any

import pytest

from idservice.errors import FieldProblem, Problem
from licences.change import find
from licences.counter.matter_definition import GENERIC_FIELDS
from licences.definition_file import shipped_types
from licences.lifecycle import Change, State
from licences.pages import admin, looks, shown, words
from licences.surface import FieldType
from tests.town import ALICE, MATTER, Town

BOTH = ["zh", "en"]


@pytest.mark.parametrize("lang", BOTH)
def test_every_field_state_and_change_has_its_word(town: Town, lang: str) -> None:
    with town.app.test_request_context(f"/?lang={lang}"):
        for kind in shipped_types():
            titles = words.field_titles(kind)
            assert titles.keys() >= GENERIC_FIELDS | {field.name for field in (*kind.fields, *kind.derived)}
            assert all(titles.values())
        assert len({words.state_title(state) for state in State}) == len(State)
        assert len({words.word(words.CHANGES[change][0]) for change in Change}) == len(Change)


@pytest.mark.parametrize(
    ("fault", "zh", "en"),
    [
        (FieldProblem("/fields/a", "required", "x"), "请填写", "Fill this in"),
        (FieldProblem("/fields/a", "unheard_of", "x"), "不正确", "Not right"),
        (FieldProblem("/holder/number", "check_digit", "x"), "校验码不符", "The check digit does not match"),
    ],
)
def test_a_fault_is_told_in_the_readers_language(town: Town, fault: FieldProblem, zh: str, en: str) -> None:
    for lang, text in (("zh", zh), ("en", en)):
        with town.app.test_request_context(f"/?lang={lang}"):
            assert words.fault_text(fault) == text
    with town.app.test_request_context("/?lang=en"):
        assert words.problem_text(Problem("authorisation_refused")).startswith("The authorisation")
        assert [words.value_text(value) for value in (True, False, 3, "x")] == ["Yes", "No", "3", "x"]


def test_a_card_is_masked_and_a_whole_licence_is_not(town: Town) -> None:
    code = town.issue("marriage_certificate").identifier
    with town.app.test_request_context("/?lang=en"):
        card: dict[str, Any] = town.act(lambda call: shown.card(call, find(call, code)))
        whole: dict[str, Any] = town.act(lambda call: shown.whole(call, find(call, code)))
        masked: dict[str, Any] = town.act(lambda call: shown.masked(call, find(call, code)))
    assert (card["type_name"], card["state_title"], card["name"]) == ("Marriage certificate", "Valid", "王**")
    assert ALICE not in str(card) + str(masked)
    assert "王示例" not in str(masked)
    assert {"title": "Spouse's name", "value": "王示例"} in whole["fields"]
    assert {"title": "Number", "value": ALICE} in whole["fields"]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (FieldType.INTEGER, "12", 12),
        (FieldType.INTEGER, "1²", "1²"),
        (FieldType.INTEGER, "9" * 30, "9" * 30),
        (FieldType.BOOLEAN, "true", True),
        (FieldType.BOOLEAN, "yes", "yes"),
        (FieldType.STRING, "", None),
        (FieldType.STRING, "12", "12"),
    ],
)
def test_a_forms_text_becomes_the_value_it_stands_for(kind: FieldType, text: str, value: object) -> None:
    assert admin._value(kind, text) == value


def test_a_pointer_leads_to_its_control() -> None:
    assert admin._control("/fields/address") == "field.address"
    assert admin._control("/holder/number") == "number"
    assert admin._control("/valid_from") == "valid_from"


def test_matters_are_named_in_the_holders_record(town: Town) -> None:
    with town.app.test_request_context("/?lang=zh"):
        record = {"who": "孙**", "unit": "窗口", "fields": ["spouse_name", "masked_face", "gone"], "basis": "issuer"}
        records = [record | {"matter": matter} for matter in (MATTER, None, "gone")]
        named = town.act(lambda call: looks.named(call, records))
    assert [item["matter"] for item in named] == ["购房不动产转移登记", None, "gone"]
    assert named[0]["fields"] == ["配偶姓名", "遮盖后的证照内容", "gone"]
    assert named[0]["basis"] == "签发机关查阅"
