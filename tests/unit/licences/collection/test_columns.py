"""Rows that are made many at once are those that `rows.prepare` makes singly, and none that it would refuse."""

import pickle
import random
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from idservice.register.importing_columns import Table
from idservice.register.importing_rows import RowRefused
from keys.fields import FieldCipher
from keys.ring import KeyRing, Purpose
from licences.collection import columns, rows
from licences.collection.rows import Known, Row
from licences.surface import FieldType
from tests.town import ALICE, BOB, CIVIL, COMPANY, SECURITY, type_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TODAY = NOW.date()
QUALIFICATION, BUSINESS = type_of("vocational_qualification"), type_of("business_licence")
FOREIGN = "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.9"
FACE = {f"field.{name}": str(value) for name, value in QUALIFICATION.examples().items()}
GOOD = {"type": QUALIFICATION.code, "holder": BOB, "number": "ZY-1", **FACE}
KNOWN = Known(
    {one.code: one for one in (QUALIFICATION, BUSINESS)},
    {QUALIFICATION.code: (SECURITY, CIVIL), BUSINESS.code: (CIVIL,)},
)


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    made = KeyRing.open(Path(tmp_path_factory.mktemp("ring")) / "keys", create=True)
    made.ensure_all(NOW)
    return made


@pytest.fixture(scope="module")
def cipher(ring: KeyRing) -> FieldCipher:
    return FieldCipher(ring)


def made(cipher: FieldCipher, given: list[dict[str, str]], known: Known = KNOWN) -> tuple[list[Row], list[int]]:
    """Make rows of the same members at once; each is then made singly, and must be the same."""
    table = Table(tuple(range(1, len(given) + 1)), {name: [row[name] for row in given] for name in given[0]})
    found, left = columns.prepare_many(known, cipher, table, TODAY)
    assert sorted([*(row.line for row in found), *left]) == list(table.lines), "each line once"
    for row in found:
        alone = rows.prepare(known, cipher, row.line, given[row.line - 1], TODAY)
        assert opened(cipher, row) == opened(cipher, alone)
        assert row._replace(sealed=b"") == alone._replace(sealed=b"")
    return found, left


def opened(cipher: FieldCipher, row: Row) -> dict[str, Any]:
    return rows.open_record(cipher, row.hashes[0], row.sealed)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"valid_from": "20240105", "valid_until": "2034-01-04", "issued_on": "2024-01-05", "updated_on": "20250101"},
        {"valid_until": "长期"},
        {"valid_until": "9999-12-31", "valid_from": "2024-01-05"},
        {"identifier": FOREIGN},
        {"department": CIVIL},
        {"holder": ALICE.lower()},
        {"state": "有效"},
        {"state": "valid", "state_on": "20250203", "valid_until": "长期"},
    ],
)
def test_good_rows_are_made(cipher: FieldCipher, more: dict[str, str]) -> None:
    found, left = made(cipher, [GOOD | {"number": f"ZY-{place}"} | more for place in range(3)])
    assert (len(found), list(left)) == (3, [])
    assert found[0].notice == ("identifier_check" if "identifier" in more else None)


@pytest.mark.parametrize(
    "bad",
    [
        {"holder": BOB[:-1] + "?"},
        {"holder": COMPANY},
        {"number": "x" * 129},
        {"number": "x\u202e"},
        {"type": "X"},
        {"department": COMPANY},
        {"valid_from": "2024-02-30"},
        {"valid_until": "2024-01-01"},
        {"identifier": "x" * 129},
        {"updated_on": "yesterday"},
        {next(iter(FACE)): "x" * 3000},
    ],
)
def test_a_bad_row_is_left_and_costs_no_other(cipher: FieldCipher, bad: dict[str, str]) -> None:
    whole = GOOD | {"department": SECURITY, "valid_from": "2024-01-05", "valid_until": "2034-01-04"}
    whole |= {"identifier": FOREIGN, "updated_on": "2025-01-01"}
    found, left = made(cipher, [whole, whole | bad, whole])
    assert ([row.line for row in found], list(left)) == ([1, 3], [2])
    with pytest.raises(RowRefused):
        rows.prepare(KNOWN, cipher, 2, whole | bad, TODAY)


def test_what_lacks_a_field_or_has_a_strange_one_is_left(cipher: FieldCipher) -> None:
    lacking = {name: value for name, value in GOOD.items() if name != next(iter(FACE))}
    for given in (lacking, GOOD | {"field.strange": "x"}, {"type": QUALIFICATION.code, **FACE, "holder": BOB}):
        assert made(cipher, [given, given]) == ([], [1, 2])


def test_what_does_not_hold_is_left_to_be_judged_with_its_day(cipher: FieldCipher) -> None:
    holds = GOOD | {"state": "valid", "state_on": "2025-02-03"}
    ended = GOOD | {"state": "吊销", "state_on": "2025-02-03"}
    found, left = made(cipher, [holds, ended, holds])
    assert ([row.line for row in found], list(left)) == ([1, 3], [2])
    assert opened(cipher, rows.prepare(KNOWN, cipher, 2, ended, TODAY))["state"] == "withdrawn"
    assert made(cipher, [GOOD | {"state_on": "2025-02-03"}])[1] == [1], "a day without a state"


def test_several_types_departments_and_ends_in_one_table(cipher: FieldCipher) -> None:
    given = [
        GOOD | {"number": f"ZY-{place}", "department": department, "valid_until": until}
        for place, (department, until) in enumerate(
            (department, until) for department in (SECURITY, CIVIL) for until in ("长期", "2034-01-04", "9999-12-31")
        )
    ]
    found, left = made(cipher, given)
    assert (sorted(row.line for row in found), left) == ([1, 2, 3, 4, 5, 6], [])
    assert {row.department for row in found} == {SECURITY, CIVIL}


def test_every_kind_of_field(cipher: FieldCipher) -> None:
    base = QUALIFICATION.fields[0]
    fields = tuple(
        replace(base, name=f"f_{kind}", type=kind, required=False, max_length=20, choices=("甲", "乙"))
        for kind in FieldType
    )
    kind = replace(QUALIFICATION, fields=fields)
    known = Known({kind.code: kind}, {kind.code: (SECURITY,)}, type_code=kind.code)
    chance = random.Random(2)
    texts = {
        FieldType.STRING: ["a", 'q"\\', "王\u00a0小", "x" * 21, "\u200b", "\U00031350", "é/"],
        FieldType.DATE: ["2024-01-05", "2024-02-30", "20240105"],
        FieldType.INTEGER: ["0", "12", "-1", "1" * 16, "9" * 17, "x"],
        FieldType.ENUM: ["甲", "乙", "丙"],
        FieldType.DECIMAL: ["1.5", "01", "0"],
        FieldType.BOOLEAN: ["是", "false", "1", "maybe"],
    }
    taken = 0
    for _ in range(60):
        chosen = [one for one in fields if chance.random() < 0.7]
        given = [
            {"holder": BOB, "number": f"n{place}"}
            | {f"field.{one.name}": chance.choice(texts[one.type]) for one in chosen}
            for place in range(20)
        ]
        found, left = made(cipher, given, known)
        taken += len(found)
        for line in left:
            with pytest.raises(RowRefused):
                rows.prepare(known, cipher, line, given[line - 1], TODAY)
    assert 100 < taken < 1100


def test_old_rows_are_found_in_a_rotation(tmp_path: Path) -> None:
    ring = KeyRing.open(tmp_path / "keys", create=True)
    ring.ensure_all(NOW)
    ring.rotate(Purpose.INDEX, now=NOW)
    (row,), _left = made(FieldCipher(ring), [GOOD])
    assert (len(row.hashes), len(row.holder)) == (2, 2)


def test_an_organisation_holds_what_is_for_organisations(cipher: FieldCipher) -> None:
    face = {f"field.{name}": str(value) for name, value in BUSINESS.examples().items()}
    found, left = made(
        cipher, [{"type": BUSINESS.code, "holder": holder, "number": "1", **face} for holder in (COMPANY, BOB)]
    )
    assert ([(row.line, row.kind) for row in found], left) == ([(1, "organisation")], [2])
    assert found[0].updated_on is None
    assert date.fromisoformat("2024-01-05") == rows.day_of("valid_from", "20240105", [])


def test_what_rows_are_checked_against_goes_to_other_processes_after_it_was_used(cipher: FieldCipher) -> None:
    known = replace(KNOWN)
    made(cipher, [GOOD], known)
    there = pickle.loads(pickle.dumps(known))  # noqa: S301 - our own
    assert (there, there.plan(QUALIFICATION.code).issuing) == (known, (SECURITY, CIVIL))
