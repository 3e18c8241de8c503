"""Who looked, and is it so: filters, files, proofs checked by the script alone, questions answered by the auditor."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import update

from idservice import accesses
from idservice.admin.roles import Role
from idservice.log.sequencer import sequence
from licences.accesses.models import AccessQuestion
from licences.accesses.questions import DAYS
from licences.counter import working_days
from licences.counter.case_parties import day_of
from tests.functional.test_guard import administrator
from tests.town import ALICE, BOB, CLERK, OFFICER, Town, now

SCRIPT = Path(__file__).parents[2] / "examples" / "check_access.py"


@pytest.fixture(scope="module")
def look(town: Town) -> dict[str, Any]:
    """A look at Alice's title, as she sees it, in the log."""
    code = town.show(town.issue("real_estate_title").identifier)
    town.verify(code, operator={"id_number": CLERK})
    sequence(town.house, now())
    return town.looks()[0]


def get(town: Town, path: str, number: str = ALICE) -> Any:
    return town.web.get(path, headers=town.person(number))


def script() -> ModuleType:
    """The script as a module, for the many bent copies; one test runs it as its user does."""
    spec = importlib.util.spec_from_file_location("check_access", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check(tmp_path: Path, content: str | bytes, key: str) -> int:
    file = tmp_path / "proof"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return int(script().main([str(file), "--key", key]))


def test_the_holder_checks_a_look_with_the_script_and_the_log_s_key_alone(
    town: Town, look: dict[str, Any], tmp_path: Path
) -> None:
    key = town.web.get("/log/key").text.splitlines()[0]
    assert look["log_index"] is not None
    proof = get(town, f"/v1/accesses/{look['id']}/proof").json
    assert check(tmp_path, json.dumps(proof), key) == 0
    (tmp_path / "key").write_text(key)
    alone = [sys.executable, "-I", str(SCRIPT), str(tmp_path / "proof"), "--key", str(tmp_path / "key")]
    done = subprocess.run(alone, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert look["unit"] in done.stdout
    changes: list[tuple[str, Any]] = [
        ("facts", proof["facts"].replace(look["unit"], "另一单位")),
        ("id", "0" * 32),
        ("salt", proof["salt"][::-1]),
        ("log_index", proof["log_index"] + 1),
        ("entry", proof["entry"] | {"deed": "licences:licence:read"}),
        ("checkpoint", proof["checkpoint"].replace("\n", "\nx", 1)),
        ("tlog_proof", "c2sp.org/tlog-proof@v1\nindex 0\n\n"),
    ]
    for name, value in changes:
        assert check(tmp_path, json.dumps(proof | {name: value}), key) == 1, name
    for rubbish in ("", "{}", "[]", '{"items": 1}', b"\xff"):
        assert check(tmp_path, rubbish, key) == 2, rubbish
    other = "other/log+00000000+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    assert check(tmp_path, json.dumps(proof), other) == 2


def test_the_page_of_a_look_says_how_to_check_it(town: Town, look: dict[str, Any]) -> None:
    holder = town.browser(ALICE)
    page = holder.open(f"/me/accesses/{look['id']}")
    assert "python examples/check_access.py" in page.text
    assert 'href="/log/key"' in page.text
    assert holder.open("/log/key").status == 200


def test_nobody_else_gets_the_proof(town: Town, look: dict[str, Any]) -> None:
    assert get(town, f"/v1/accesses/{look['id']}/proof", BOB).status_code == 404
    assert get(town, f"/v1/accesses/{'0' * 32}/proof").status_code == 404


def test_a_look_of_a_moment_ago_says_wait(town: Town, look: dict[str, Any]) -> None:
    town.verify(town.show(town.issue("resident_card").identifier))
    newest = town.looks()[0]
    answer = get(town, f"/v1/accesses/{newest['id']}/proof")
    assert (answer.status_code, answer.json["code"], answer.headers["Retry-After"]) == (409, "not_in_log_yet", "5")
    sequence(town.house, now())
    assert get(town, f"/v1/accesses/{newest['id']}/proof").status_code == 200


def test_the_record_is_taken_away_as_a_file_that_proves_itself(
    town: Town, look: dict[str, Any], tmp_path: Path
) -> None:
    sequence(town.house, now())
    exported = get(town, "/v1/access-export?format=json")
    assert "attachment" in exported.headers["Content-Disposition"]
    assert look["id"] in [item["id"] for item in exported.json["items"]]
    assert all(item["proof"] for item in exported.json["items"])
    key = town.web.get("/log/key").text.splitlines()[0]
    assert check(tmp_path, exported.data, key) == 0
    for name, value in (("purpose", "别的用途"), ("id", "0" * 32), ("at", "2020-01-01T00:00:00+00:00"), ("fields", [])):
        bent = json.loads(exported.data)
        bent["items"][0][name] = value
        assert check(tmp_path, json.dumps(bent), key) == 1, name
    rows = list(csv.DictReader(io.StringIO(get(town, "/v1/access-export?format=csv").data.decode("utf-8-sig"))))
    assert [row["id"] for row in rows] == [item["id"] for item in exported.json["items"]]


def test_by_year_and_by_unit(town: Town, look: dict[str, Any]) -> None:
    year = datetime.fromisoformat(look["at"]).astimezone(accesses.CITY).year
    found = get(town, f"/v1/accesses?year={year}").json["items"]
    assert look["id"] in [item["id"] for item in found]
    assert get(town, f"/v1/accesses?year={year - 1}").json["items"] == []
    assert get(town, "/v1/accesses?unit=没有这个单位").json == {"items": [], "next_cursor": None}


def test_pages_of_a_unit_join_without_gap(town: Town, look: dict[str, Any]) -> None:
    everything = [item["id"] for item in get(town, "/v1/accesses?limit=200").json["items"]]
    seen, cursor = [], ""
    while cursor is not None:
        found = get(town, f"/v1/accesses?unit={look['unit'][:2]}&limit=1{cursor and '&cursor=' + cursor}").json
        seen += [item["id"] for item in found["items"]]
        cursor = found["next_cursor"]
    assert seen == [name for name in everything if name in seen]
    assert look["id"] in seen


def test_a_question_goes_to_the_auditor_and_its_answer_to_the_holder(town: Town, look: dict[str, Any]) -> None:
    holder, auditor = town.browser(ALICE), administrator(town, OFFICER, Role.AUDIT)
    one = f"/me/accesses/{look['id']}"
    empty = holder.submit(holder.open(one), text=" ")
    assert empty.status == 422
    asked = holder.submit(holder.open(one), text="我当天没有去过窗口。")
    assert "我当天没有去过窗口。" in asked.text
    again = town.post(f"/v1/accesses/{look['id']}/questions", {"text": "再问"}, town.person(ALICE))
    assert (again.status_code, again.json["code"]) == (409, "question_asked")
    told = get(town, f"/v1/accesses/{look['id']}/questions").json["items"][0]
    assert (told["overdue"], told["answer"]) == (False, None)
    asked_on = day_of(datetime.fromisoformat(told["asked_at"]))
    assert working_days.between(asked_on, date.fromisoformat(told["due"])) == DAYS
    assert town.browser(BOB).open(one).status == 404
    town.act(lambda call: call.session.execute(update(AccessQuestion).values(due=date(2020, 1, 1))))
    assert get(town, f"/v1/accesses/{look['id']}/questions").json["items"][0]["overdue"] is True
    listed = auditor.open("/admin/questions")
    assert "我当天没有去过窗口。" in listed.text
    assert "已超过答复期限" in listed.text
    refused = auditor.submit(listed, verdict="justified", answer="")
    assert refused.status == 422
    done = auditor.submit(listed, verdict="unjustified", answer="经办人用错了办件，已提醒。")
    assert "没有待答复的质疑" in done.text
    final = get(town, f"/v1/accesses/{look['id']}/questions").json["items"][0]
    assert (final["verdict"], final["answer"], final["overdue"]) == ("unjustified", "经办人用错了办件，已提醒。", False)
    assert "经办人用错了办件" in holder.open(one).text
    assert auditor.submit(listed, verdict="justified", answer="改口").status == 409
    assert holder.open("/admin/questions").status == 403
