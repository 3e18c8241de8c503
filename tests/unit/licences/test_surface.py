import random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from licences.surface import (
    MAX_INTEGER,
    Field,
    FieldsRefusedError,
    FieldType,
    Mask,
    check_fields,
    find_problem,
    is_date,
    masked,
    quick_check,
)


def field(kind: FieldType = FieldType.STRING, **changes: Any) -> Field:
    facts: dict[str, Any] = {
        "name": "a",
        "title": "甲",
        "title_en": "A",
        "type": kind,
        "required": True,
        "example": "x",
    }
    return Field(**{**facts, "max_length": 20, **changes})


def problems(fields: tuple[Field, ...], submitted: object) -> list[tuple[str, str]]:
    with pytest.raises(FieldsRefusedError) as caught:
        check_fields(fields, submitted)
    return [(problem.pointer, problem.code) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (FieldType.STRING, "王小明"),
        (FieldType.STRING, "买买提·艾力 1"),
        (FieldType.STRING, "𠮷"),
        (FieldType.STRING, "\U0003134b"),
        (FieldType.DATE, "2024-02-29"),
        (FieldType.INTEGER, 0),
        (FieldType.INTEGER, MAX_INTEGER),
        (FieldType.ENUM, "乙"),
        (FieldType.DECIMAL, "0.000001"),
        (FieldType.DECIMAL, "100"),
        (FieldType.BOOLEAN, False),
    ],
)
def test_values_that_fit(kind: FieldType, value: Any) -> None:
    of = field(kind, choices=("甲", "乙"))
    assert check_fields((of,), {"a": value}) == {"a": value}


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        (FieldType.STRING, "", "empty"),
        (FieldType.STRING, "x" * 21, "length"),
        (FieldType.STRING, " x", "whitespace"),
        (FieldType.STRING, "x\u3000", "whitespace"),
        (FieldType.STRING, "a\nb", "invisible"),
        (FieldType.STRING, "a\0b", "invisible"),
        (FieldType.STRING, "a\x7fb", "invisible"),
        (FieldType.STRING, "a\u202eb", "invisible"),
        (FieldType.STRING, "a\u2066b", "invisible"),
        (FieldType.STRING, "a\u200bb", "invisible"),
        (FieldType.STRING, "a\u2028b", "invisible"),
        (FieldType.STRING, "\ufeffa", "invisible"),
        (FieldType.STRING, "a\ue000", "invisible"),
        (FieldType.STRING, "a\ud800", "invisible"),
        (FieldType.STRING, "a\uffff", "invisible"),
        (FieldType.STRING, 1, "type"),
        (FieldType.STRING, None, "type"),
        (FieldType.STRING, ["x"], "type"),
        (FieldType.DATE, "2023-02-29", "date"),
        (FieldType.DATE, "20240229", "date"),
        (FieldType.DATE, "2024-W01-1", "date"),
        (FieldType.DATE, "２０２４-01-01", "date"),
        (FieldType.DATE, "1799-01-01", "date"),
        (FieldType.INTEGER, True, "type"),
        (FieldType.INTEGER, 1.0, "type"),
        (FieldType.INTEGER, "1", "type"),
        (FieldType.INTEGER, -1, "range"),
        (FieldType.INTEGER, MAX_INTEGER + 1, "range"),
        (FieldType.ENUM, "丙", "choice"),
        (FieldType.DECIMAL, "1e3", "decimal"),
        (FieldType.DECIMAL, "01", "decimal"),
        (FieldType.DECIMAL, "-1", "decimal"),
        (FieldType.DECIMAL, "1.", "decimal"),
        (FieldType.DECIMAL, "١", "decimal"),
        (FieldType.DECIMAL, 1.5, "type"),
        (FieldType.BOOLEAN, 1, "type"),
        (FieldType.BOOLEAN, "true", "type"),
    ],
)
def test_values_that_do_not(kind: FieldType, value: Any, code: str) -> None:
    assert problems((field(kind, choices=("甲", "乙")),), {"a": value}) == [("/a", code)]


def test_every_problem_is_named_at_once() -> None:
    fields = (field(), field(name="b"), field(name="c", required=False))
    assert problems(fields, {"a": "", "z/~": 1}) == [("/z~1~0", "unknown"), ("/a", "empty"), ("/b", "required")]


def test_many_unknown_fields_are_not_echoed() -> None:
    submitted = {f"x{place}" + "y" * 5_000: 1 for place in range(1_000)} | {"a": "x"}
    found = problems((field(),), submitted)
    assert len(found) == 5
    assert all(len(pointer) < 50 for pointer, _ in found)


@pytest.mark.parametrize("submitted", [None, [], "a", 1, [("a", "x")]])
def test_fields_are_an_object(submitted: object) -> None:
    assert problems((field(),), submitted) == [("", "type")]


def test_face_order_is_the_definition_s_order() -> None:
    fields = (field(name="b"), field(name="a"), field(name="c", required=False))
    assert list(check_fields(fields, {"a": "1", "b": "2"})) == ["b", "a"]


def test_random_values_never_crash() -> None:
    rng = random.Random(36902)
    fields = [field(kind, choices=("甲",)) for kind in FieldType]
    for _ in range(3_000):
        text = "".join(chr(rng.choice((rng.randrange(128), rng.randrange(0x110000)))) for _ in range(rng.randrange(6)))
        value = rng.choice((text, rng.randrange(-9, 9), rng.random(), None, [text], {text: text}, rng.random() < 0.5))
        for of in fields:
            problem = find_problem(of, value)
            assert problem is None or problem.pointer == "/a"


@pytest.mark.parametrize(
    ("mask", "value", "shown"),
    [
        (Mask.NONE, "示例", "示例"),
        (Mask.NAME, "王小明", "王**"),
        (Mask.NAME, "欧阳明", "欧阳*"),
        (Mask.NUMBER, "379901199001010015", "379***********0015"),
        (Mask.NUMBER, "12345678", "******78"),
        (Mask.NUMBER, "123", "***"),
        (Mask.ADDRESS, "演示省示范市示范区演示路1号", "演示省示范市示范区***"),
        (Mask.ADDRESS, "山东省滨州市邹平市某路1号", "山东省滨州市邹平市***"),
        (Mask.ADDRESS, "北京市朝阳区某路1号", "北京市朝阳区***"),
        (Mask.ADDRESS, "某路1号", "***"),
        (Mask.ADDRESS, "演示省示范市幸福小区3号楼", "演示省示范市***"),
        (Mask.ADDRESS, "演示省示范市某某超市东侧", "演示省示范市***"),
        (Mask.HIDDEN, "视力", "***"),
        (Mask.HIDDEN, 3300, "***"),
        (Mask.NONE, True, "是"),
        (Mask.NONE, 3, "3"),
    ],
)
def test_masks(mask: Mask, value: Any, shown: str) -> None:
    assert masked(field(mask=mask), value) == shown


@pytest.mark.parametrize("text", ["2024-13-01", "2024-00-10", "2024-1-1", "2024-01-01T00:00", "", "9999-12-31"])
def test_what_is_no_day(text: str) -> None:
    assert not is_date(text)


QUICK = [
    field(max_length=4),
    field(FieldType.DATE),
    field(FieldType.DATE, max_length=9),
    field(FieldType.ENUM, choices=("甲", "乙 ", "x" * 30)),
    field(FieldType.DECIMAL),
]


@given(st.text(max_size=6) | st.sampled_from(["2024-02-29", "2023-02-29", "甲", "乙 ", "x" * 30, "1.5"]))
@example(" a")
@example("a\u3000")
@example("a\u200bb")
@example("")
def test_the_quick_check_passes_nothing_that_has_a_problem(text: str) -> None:
    for one in QUICK:
        assert find_problem(one, text) is None or not quick_check(one)(text), one.type


def test_the_quick_check_passes_what_is_good() -> None:
    for one, text in zip(QUICK, ("甲 乙", "2024-02-29", None, "甲", None), strict=True):
        assert text is None or quick_check(one)(text)
