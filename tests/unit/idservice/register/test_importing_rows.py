"""A line is the values of one row or a list of reasons; a bad one costs nothing but itself."""

import io

import pytest

from idservice.register import population
from idservice.register.importing_rows import (
    LONGEST_LINE,
    Form,
    HeaderRefused,
    Layout,
    RowRefused,
    header,
    name_of,
    read,
)

CSV = Layout(Form.CSV, "utf-8", population.MEMBERS, ("number", "name", "phone"))
JSONL = Layout(Form.JSONL, "utf-8", population.MEMBERS)


def values(layout: Layout, line: str | bytes) -> dict[str, str]:
    return layout.values(line.encode() if isinstance(line, str) else line)


def reasons(layout: Layout, line: str | bytes) -> tuple[str, ...]:
    with pytest.raises(RowRefused) as refused:
        values(layout, line)
    return refused.value.reasons


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_line_of_csv(ending: str) -> None:
    assert values(CSV, f'1," 王,""小""明 ",{ending}') == {"number": "1", "name": '王,"小"明'}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1,2", "columns"),
        ("1,2,3,4", "columns"),
        ('1,"2,3', "csv"),
        ('1,"2"x,3', "csv"),
        (b"1,\xc3(,3", "encoding"),
        (b"1,2," + b"3" * LONGEST_LINE, "too_long"),
    ],
)
def test_what_is_no_line_of_csv(line: str | bytes, reason: str) -> None:
    assert reasons(CSV, line) == (reason,)


def test_a_line_of_json() -> None:
    line = '{"公民身份号码": "1", "name": " 王小明 ", "phone": null, "level": 2, "status": ""}\n'
    assert values(JSONL, line) == {"number": "1", "name": "王小明", "level": "2"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[]", "json"),
        ("{", "json"),
        ('{"number": "1", "number": "2"}', "json"),
        ('{"number": true}', "json"),
        ('{"number": {"a": 1}}', "json"),
        ('{"number": 1.5}', "json"),
        ('{"number": ' + "[" * 50000 + "}", "json"),
        ('{"wages": 1}', "columns"),
        ('{"number": "1", "id_number": "2"}', "columns"),
    ],
)
def test_what_is_no_line_of_json(line: str, reason: str) -> None:
    assert reasons(JSONL, line) == (reason,)


def test_a_header_names_members_in_either_language() -> None:
    line = "\ufeff姓名,公民身份号码,phone\r\n".encode()
    assert header(line, "utf-8", population.MEMBERS, population.NEEDED) == ("name", "number", "phone")
    assert header("姓名,公民身份号码".encode("gb18030"), "gb18030", population.MEMBERS, population.NEEDED)


@pytest.mark.parametrize("line", ["", "name", "number,name,wages", "number,name,id_number", "1,2", '"number'])
def test_what_is_no_header(line: str) -> None:
    with pytest.raises(HeaderRefused):
        header(line.encode(), "utf-8", population.MEMBERS, population.NEEDED)


def test_lines_keep_their_numbers_and_bytes() -> None:
    data = b"".join(b"%d\n" % number for number in range(10)) + b"last"
    portions = list(read(io.BytesIO(data), at_once=4))
    assert [(portion.first, len(portion.raw)) for portion in portions] == [(1, 4), (5, 4), (9, 3)]
    assert b"".join(line for portion in portions for line in portion.raw) == data
    assert sum(portion.size for portion in portions) == len(data)


def test_an_endless_line_is_not_kept_whole() -> None:
    (portion,) = read(io.BytesIO(b"x" * (5 * LONGEST_LINE) + b"\nnext\n"), at_once=10)
    assert [len(line) for line in portion.raw] == [LONGEST_LINE + 1, 5]


@pytest.mark.parametrize("name", ["王小明", "买买提·艾力", "SMITH JOHN", "𠮷田", "\U00031350"])
def test_a_name_that_can_be_shown(name: str) -> None:
    assert name_of({"name": name}) == name


@pytest.mark.parametrize("name", ["", "王\u202e明", "王\0", "王\n明", "\ue000", "王" * 129])
def test_a_name_that_cannot(name: str) -> None:
    assert name_of({"name": name}) is None
