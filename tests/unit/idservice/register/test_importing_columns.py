"""What is read in columns is what each line says alone, and what is odd is left to be read alone."""

import json
import random
from typing import Any

import pytest

from idservice.register import population
from idservice.register.importing_columns import Table, tables
from idservice.register.importing_rows import LONGEST_LINE, Form, Layout, Lines, RowRefused

CSV = Layout(Form.CSV, "utf-8", population.MEMBERS, ("number", "name", "phone"))
JSONL = Layout(Form.JSONL, "utf-8", population.MEMBERS)


def read(layout: Layout, *lines: str | bytes, first: int = 2) -> tuple[dict[int, dict[str, str]], list[int]]:
    """Return the values of each line that was read in columns, and the numbers of the others."""
    raw = tuple(line if isinstance(line, bytes) else line.encode(layout.encoding) for line in lines)
    found, left = tables(layout, Lines(first, raw))
    rows = {
        line: {name: column[place] for name, column in table.columns.items()}
        for table in found
        for place, line in enumerate(table.lines)
    }
    assert sorted([*rows, *left]) == list(range(first, first + len(raw))), "each line once"
    assert left == sorted(left)
    return rows, left


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_lines_are_read_as_each_alone(ending: str) -> None:
    lines = [f"1,王小明,2{ending}", f" 3 ,王 小明,{ending}", f",,4{ending}"]
    rows, left = read(CSV, *lines)
    assert left == []
    assert rows == {number: CSV.values(line.encode()) for number, line in enumerate(lines, 2)}
    lines = [
        '{"number": "1", "name": " 王小明 "}' + ending,
        '{"姓名": "\\u738b", "公民身份号码": "2", "level": 3}' + ending,
        '{"number": "3", "name": "x", "phone": null, "status": ""}' + ending,
    ]
    rows, left = read(JSONL, *lines)
    assert left == []
    assert rows == {number: JSONL.values(line.encode()) for number, line in enumerate(lines, 2)}


def test_another_encoding() -> None:
    rows, left = read(Layout(Form.CSV, "gb18030", population.MEMBERS, ("number", "name")), "1,王小明\n", b"1,\xff\n")
    assert (rows, left) == ({2: {"number": "1", "name": "王小明"}}, [3])


@pytest.mark.parametrize(
    "line",
    [
        "", " ", "[]", "{", "{}", "1", '{"number": "1", "number": "2"}', '{"number": 1, "number": 2}',
        # Four quotation marks for each of the two members, as if both were texts, and each there twice.
        '{"number": 1, "number": 1, "level": 2, "level": 2}',
        '{"number": true}', '{"number": 1.5}', '{"number": ["1"]}', '{"number": {"a": 1}}', '{"wages": "1"}',
        '{"wages": null, "number": "1"}', '{"number": "1", "id_number": "2"}', '{"number": "1", "id_number": null}',
        '{"number": "  "}', '{"number": null}', '{"number": "1", "name": "a\\"b"}', '{"number": "\\ud800"}',
        '{"number": NaN}', '{"number": 1' + "0" * 30 + "}", '{"number": "' + "1" * LONGEST_LINE + '"}',
        b'{"number": "\xff"}', '\ufeff{"number": "1"}', '{"number": "1"}, {"number": "2"}', '{"number": "a\tb"}',
    ],
)  # fmt: skip
def test_what_is_odd_is_left_to_be_read_alone(line: str | bytes) -> None:
    good = '{"number": "7", "name": "x"}'
    assert read(JSONL, good, line, good) == ({2: {"number": "7", "name": "x"}, 4: {"number": "7", "name": "x"}}, [3])


@pytest.mark.parametrize(
    "line", ["", "1,2", "1,2,3,4", '1,"2",3', "1,2\r,3", "1,2\0,3", b"1,\xc3(,3", "1, ,3", ",,", "1,2," + "3" * 65536]
)
def test_what_is_odd_in_a_table_is_left_to_be_read_alone(line: str | bytes) -> None:
    assert read(CSV, "1,2,3", line)[1] == [3]


def test_the_first_line_of_a_table_is_its_header_and_one_of_json_may_bear_a_mark() -> None:
    assert read(CSV, "number,name,phone", "1,2,3", first=1)[1] == [1]
    assert read(JSONL, b'\xef\xbb\xbf{"number": "1"}', first=1)[1] == [1]
    assert read(JSONL, '{"number": "1"}', first=1)[1] == []


def test_numbers_are_texts_too() -> None:
    lines = ['{"number": 2}', '{"number": -0}', '{"number": 12345678901}']
    rows, left = read(JSONL, *lines)
    assert (rows, left) == ({number: JSONL.values(line.encode()) for number, line in enumerate(lines, 2)}, [])


def test_nothing_is_taken_that_would_be_refused_or_read_otherwise() -> None:
    chance = random.Random(4)
    names = ["number", "name", "phone", "姓名", "wages", "level"]
    values: list[Any] = ["1", " a ", "", None, 5, -1, True, 1.5, "王\\", 'q"', [], "\u2028", "\ud83d\ude00", 2**70]
    lines: list[bytes] = []
    for _ in range(3000):
        pairs = [(chance.choice(names), chance.choice(values)) for _ in range(chance.randrange(4))]
        said = [f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=chance.random() < 0.5)}" for name, value in pairs]
        line = bytearray(("{" + ", ".join(said) + "}\n").encode("utf-8", "surrogatepass"))
        if chance.random() < 0.2:
            line[chance.randrange(len(line) - 1)] = chance.randrange(11, 256)
        lines.append(bytes(line))
    rows, left = read(JSONL, *lines)
    assert len(rows) > 100
    for number, found in rows.items():
        assert found == JSONL.values(lines[number - 2]), lines[number - 2]
    refused = 0
    for number in left:
        try:
            JSONL.values(lines[number - 2])
        except RowRefused:
            refused += 1
    assert refused > 1000


def test_tables_are_parted_and_thinned() -> None:
    table = Table((5, 6, 7, 8), {"a": ["w", "x", "y", "z"]})
    assert table.parts("1111") == [table]
    assert table.parts("1212") == [Table((5, 7), {"a": ["w", "y"]}), Table((6, 8), {"a": ["x", "z"]})]
    assert table.without([]) == (table, [])
    assert table.without({2, 0}) == (Table((6, 8), {"a": ["x", "z"]}), [5, 7])
