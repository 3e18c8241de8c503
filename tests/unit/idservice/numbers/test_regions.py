import csv
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import numdb

from idservice.numbers import InvalidNumber, regions
from tests.unit.idservice.numbers.facts import facts

ROWS = list(csv.DictReader(files("idservice.numbers").joinpath("regions.csv").read_text(encoding="utf-8").splitlines()))


@facts("regions", "known")
def test_known(fact: dict[str, Any]) -> None:
    found = regions.parts(fact["code"])
    assert (found.province, found.prefecture, found.county) == (fact["province"], fact["prefecture"], fact["county"])
    assert found.name == regions.name(fact["code"]) == fact["full"]
    assert found.struck == fact["struck"]
    assert found.warnings == ()


@facts("regions", "unknown")
def test_unknown_is_a_warning_and_valid(fact: dict[str, Any]) -> None:
    found = regions.parts(fact["code"])
    assert found.warnings == ("region_unknown",)
    assert (found.name, found.county, found.struck) == (None, None, None)
    assert (found.province, found.prefecture) == (fact["province"], fact["prefecture"])
    assert regions.is_valid(fact["code"])


@facts("regions", "invalid")
def test_invalid(fact: dict[str, Any]) -> None:
    assert not regions.is_valid(fact["text"])
    with pytest.raises(InvalidNumber) as raised:
        regions.parts(fact["text"])
    assert raised.value.code == fact["code"]


@facts("regions", "masked")
def test_masked(fact: dict[str, Any]) -> None:
    assert regions.mask(fact["text"]) == fact["masked"]


def test_table_is_sorted_without_repeats_and_complete_at_the_top() -> None:
    codes = [row["code"] for row in ROWS]
    assert codes == sorted(set(codes))
    assert all(regions.is_valid(code) and regions.normalise(code) == code for code in codes)
    assert sum(code.endswith("0000") for code in codes) == 34
    in_force = [row["code"] for row in ROWS if not row["struck"]]
    assert sum(code.endswith("00") and not code.endswith("0000") for code in in_force) == 333
    assert sum(code.startswith("37") and not code.endswith("00") for code in in_force) == 136


def test_every_row_stands_under_a_province() -> None:
    assert all(regions.parts(row["code"]).province for row in ROWS)


def test_names_agree_with_stdnum() -> None:
    """Its table has no Taiwan, Hong Kong and Macau; of a code used twice it names both divisions."""
    rows = [row for row in ROWS if row["code"][:2] not in {"71", "81", "82"}]
    described = {row["code"]: numdb.get("cn/loc").info(row["code"])[1][1]["county"] for row in rows}
    assert [row for row in rows if row["name"] not in described[row["code"]]] == []


@given(st.text(max_size=80) | st.text("0123456789 ", min_size=5, max_size=7))
def test_any_text_is_answered(text: str) -> None:
    regions.mask(text)
    if regions.is_valid(text):
        assert regions.parts(text).code == regions.check(text) == regions.normalise(text)
    else:
        with pytest.raises(InvalidNumber):
            regions.parts(text)
