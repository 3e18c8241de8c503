"""What was refused of collected rows: counted for each import and batch, for the department that sent it."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from idservice import expiry
from idservice.register import importing
from licences.collection import refusal_words, refusals
from licences.collection.models import CollectedLicence, CollectedRefusal
from licences.collection.refusal_words import Next
from tests.functional.test_collection import CODE, FIELDS, bring_in, row
from tests.town import ALICE, BOB, CIVIL, OFFICER, SECURITY, STRANGER, Town, now, type_of

FIELD = next(iter(FIELDS))


@pytest.fixture(autouse=True)
def nothing_was_sent(town: Town) -> None:
    for table in (CollectedRefusal, CollectedLicence):
        town.act(lambda call, table=table: call.session.execute(delete(table)))


def broken(number: str) -> list[dict[str, Any]]:
    """Rows that are refused: for their holder twice, for a field that is missing, for one that no type has."""
    without = {name: value for name, value in row(number).items() if name != f"field.{FIELD}"}
    return [row(number, holder=STRANGER), row(f"{number}-2", holder=STRANGER), without]


def listed(town: Town, department: str = SECURITY, app: str = "issuer") -> list[dict[str, Any]]:
    answer = town.web.get(f"/v1/collection-quality?department={department}", headers=town.machine(app))
    assert answer.status_code == 200, answer.text
    return list(answer.json["refusals"])


def told(found: list[dict[str, Any]]) -> dict[tuple[str | None, str], int]:
    return {(one["type"], one["reason"]): one["rows"] for one in found}


def test_an_import_is_counted_by_reason_and_department(town: Town, tmp_path: Path) -> None:
    bad = [*broken("ZY-1"), row("ZY-5", department=CIVIL), row("ZY-6", type="X", department=SECURITY), row("ZY-7")]
    bring_in(town, tmp_path, bad, "--dry-run", status=1)
    assert town.count(CollectedRefusal) == 0, "a dry run leaves nothing"
    done = bring_in(town, tmp_path, bad, status=1)
    rejects = [json.loads(line) for line in Path(done["rejects"]).read_text("utf-8").splitlines()]
    found = listed(town)
    assert {one["batch"] for one in found} == {rejects[0]["import"]}
    assert told(found) == {(CODE, "holder_unknown"): 2, (CODE, f"field.{FIELD}:required"): 1, (None, "type"): 1}
    assert {one["reason"]: one["next"] for one in found} == {
        "holder_unknown": "enrol_holder",
        f"field.{FIELD}:required": "mend_at_source",
        "type": "see_catalogue",
    }
    assert told(listed(town, CIVIL, "civil-issuer")) == {(CODE, "department"): 1}, "it is told who said it was from him"


def test_the_same_file_again_is_counted_anew(town: Town, tmp_path: Path) -> None:
    for _ in range(2):
        bring_in(town, tmp_path, broken("ZY-1"), status=1)
    assert told(listed(town))[CODE, "holder_unknown"] == 2
    bring_in(town, tmp_path, [row("ZY-1")], name="another")
    assert told(listed(town))[CODE, "holder_unknown"] == 2, "another file leaves it alone"


def test_what_was_killed_and_goes_on_is_counted_once(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "AT_ONCE", 2)
    enter, portions = importing._enter, []

    def killed(*given: Any) -> None:
        portions.append(given)
        if len(portions) == 2:
            raise KeyboardInterrupt
        enter(*given)

    monkeypatch.setattr(importing, "_enter", killed)
    lines = [row(f"ZY-{number}", holder=STRANGER) for number in range(6)]
    path = tmp_path / "file.jsonl"
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    town.app.test_cli_runner().invoke(args=["licences", "import", str(path), "--processes", "0"])
    assert told(listed(town)) == {(CODE, "holder_unknown"): 2}
    bring_in(town, tmp_path, lines, "--processes", "0", status=1)
    assert told(listed(town)) == {(CODE, "holder_unknown"): 6}


def test_whose_nobody_can_tell_is_in_the_rejects_alone(town: Town, tmp_path: Path) -> None:
    bring_in(town, tmp_path, ["no json", row("ZY-1")], status=1)
    assert town.count(CollectedRefusal) == 0
    bring_in(town, tmp_path, ["no json", row("ZY-2")], "--department", SECURITY, status=1, name="named")
    assert told(listed(town)) == {(None, "json"): 1}


def test_a_batch_is_counted_and_names_nothing_of_the_rows(town: Town) -> None:
    good = {"type": CODE, "holder": BOB, "number": "ZY-1", "fields": FIELDS}
    strange = good | {"fields": FIELDS | {ALICE: "x"}}
    rows = [good, good, good | {ALICE: "1"}, strange, good | {"number": "ZY-2", "holder": STRANGER}, {"type": [1]}]
    batch = town.post("/v1/licence-batches", {"department": SECURITY, "rows": rows}).json
    found = listed(town)
    assert {one["batch"] for one in found} == {batch["id"]}
    counted = told(found)
    assert counted.pop((None, "json")) == 1
    assert counted == {
        (CODE, "twice"): 1,
        (CODE, "unknown"): 1,
        (CODE, "field:unknown"): 1,
        (CODE, "holder_unknown"): 1,
    }
    assert ALICE not in json.dumps(found)


def test_the_officer_sees_it_and_what_to_do(town: Town, tmp_path: Path) -> None:
    done = bring_in(town, tmp_path, broken("ZY-1"), status=1)
    name = json.loads(Path(done["rejects"]).read_text("utf-8").splitlines()[0])["import"]
    page = town.browser(OFFICER).open("/admin/quality").text
    title = type_of("vocational_qualification").fields[0].title
    for expected in ("退回的数据", name, "登记库中没有该持证主体", "先在人口库", f"{title}：缺少", 'href="#feedback"'):
        assert expected in page, expected


def test_counts_are_kept_for_ninety_days(town: Town, tmp_path: Path) -> None:
    bring_in(town, tmp_path, broken("ZY-1"), status=1)
    expiry.sweep(town.house, now() + refusals.KEPT - timedelta(hours=1))
    assert town.count(CollectedRefusal) == 2
    expiry.sweep(town.house, now() + refusals.KEPT + timedelta(hours=1))
    assert town.count(CollectedRefusal) == 0


@pytest.mark.parametrize(
    ("reason", "title", "step"),
    [
        ("holder_check_digit", "持证主体代码校验码不符", Next.MEND),
        ("field.area:choice", "区域：不在规定的取值中", Next.MEND),
        ("field.area:decimal", "区域：不合规", Next.MEND),
        ("field:unknown", "有目录中没有的照面信息", Next.FILE),
        ("encoding", "字符编码不符", Next.FILE),
        ("something", "something", Next.MEND),
    ],
)
def test_reasons_have_words_and_a_next_step(reason: str, title: str, step: Next) -> None:
    field = "区域" if refusal_words.field_of(reason) else None
    assert (refusal_words.title(reason, field)[0], refusal_words.next_step(reason)) == (title, step)
