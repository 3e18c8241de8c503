"""The same value written in another way is the same; anything else is another, and nothing is ever like nothing."""

import pytest

from licences.counter.claimed_values import Form, agrees, canonical, form_of
from tests.town import type_of

SAME = [
    (Form.NAME, "阿依古丽·买买提", "阿依古丽 买买提"),
    (Form.NAME, "阿依古丽·买买提", "阿依古丽•买买提"),
    (Form.NAME, "LI Xiaohua", "li xiaohua"),
    (Form.NUMBER, "37160219900307123X", "371602 19900307 123x"),
    (Form.NUMBER, "37160219900307123X", "３７１６０２１９９００３０７１２３Ｘ"),
    (Form.NUMBER, "13800001234", "138-0000-1234"),
    (Form.DAY, "2026-01-05", "2026年1月5日"),
    (Form.DAY, "2026-01-05", "20260105"),
    (Form.DAY, "2026-01-05", "2026/1/5"),
    (Form.DAY, "长期", " 长期"),
    (Form.AMOUNT, "120.50", "120.5"),
    (Form.AMOUNT, 1200, "1,200"),
    (Form.TEXT, "示范路 1 号", "示范路1号"),
    (Form.TEXT, True, True),
]
OTHER = [
    (Form.NAME, "王小明", "王小名"),
    (Form.NUMBER, "371602199003071230", "371602199003071231"),
    (Form.DAY, "2026-01-05", "2026-05-01"),
    (Form.DAY, "2026-02-28", "2026-02-30"),
    (Form.AMOUNT, "120.5", "120.05"),
    (Form.AMOUNT, "1", "NaN"),
    (Form.AMOUNT, "1", "1e999999"),
    (Form.TEXT, "示范路1号", "示范路2号"),
    (Form.TEXT, "", "\ud800"),
]


@pytest.mark.parametrize(("form", "held", "claimed"), SAME)
def test_the_same_value_agrees(form: Form, held: str, claimed: str) -> None:
    assert agrees(form, held, claimed)
    assert canonical(form, canonical(form, held)) == canonical(form, held)


@pytest.mark.parametrize(("form", "held", "claimed"), OTHER)
def test_another_value_does_not(form: Form, held: str, claimed: str) -> None:
    assert not agrees(form, held, claimed)


def test_nothing_agrees_with_nothing() -> None:
    assert not any(agrees(form, None, claimed) for form in Form for claimed in ("", "None", 0, False))


def test_a_field_is_written_as_its_type_says() -> None:
    register, titles = type_of("household_register"), type_of("real_estate_title")
    found = {
        name: form_of(register, name) for name in ("birth_date", "registered_on", "holder_name", "state", "nothing")
    }
    assert found == {
        "birth_date": Form.DAY,
        "registered_on": Form.DAY,
        "holder_name": Form.NAME,
        "state": Form.TEXT,
        "nothing": Form.TEXT,
    }
    assert form_of(titles, "area") is Form.AMOUNT
    assert form_of(None, "phone") is Form.NUMBER
