"""The list of matters: imported whole or not at all, exported, entered by an administrator, read by everybody."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from idservice.admin import roles
from idservice.admin.roles import Role
from idservice.call import Caller
from idservice.errors import Problem
from licences.counter import matter_file, matters
from licences.counter.matter_definition import shipped_matters
from licences.pages.matters import SHOWN
from licences.record_reader import DefinitionError
from licences.routes.matters import enter_matter
from tests.identity import Browser
from tests.town import BOB, OFFICER, Town

SHIPPED = shipped_matters()


@pytest.fixture
def town(fresh_town: Town) -> Town:
    """A town of the test's own, whose list is as it was shipped."""
    return fresh_town


def run(town: Town, *arguments: str) -> Result:
    return town.app.test_cli_runner().invoke(args=["matters", *arguments])


def test_what_is_exported_comes_in_again_and_changes_nothing(town: Town, tmp_path: Path) -> None:
    done = run(town, "export", str(tmp_path / "list"))
    assert done.exit_code == 0, done.output
    files = sorted((tmp_path / "list").glob("*.json"))
    assert [path.stem for path in files] == [matter.code for matter in SHIPPED]
    again = run(town, "import", str(tmp_path / "list"), "--json")
    assert again.exit_code == 0, again.output
    assert {json.loads(line)["result"] for line in again.stdout.splitlines()} == {"unchanged"}
    listed = run(town, "list", "--json").stdout.splitlines()
    assert {json.loads(line)["version"] for line in listed} == {1}


def test_a_changed_list_is_checked_first_and_entered_whole(town: Town, tmp_path: Path) -> None:
    changed = {**SHIPPED[0].definition(), "name": "改名的事项"}
    new = {**SHIPPED[0].definition(), "code": "T-NEW", "name": "新事项"}
    file = tmp_path / "list.json"
    file.write_text(json.dumps([changed, new], ensure_ascii=False), "utf-8")
    dry = run(town, "import", str(file), "--dry-run")
    assert (dry.exit_code, "1 new, 1 changed, 0 unchanged" in dry.output) == (0, True)
    assert town.act(lambda call: matters.find(call, SHIPPED[0].code)).name == SHIPPED[0].name
    file.write_text(json.dumps([changed, {**new, "proofs": []}], ensure_ascii=False), "utf-8")
    refused = run(town, "import", str(file))
    assert (refused.exit_code, "list.json" in refused.output) == (2, True)
    assert len(town.act(lambda call: matters.versions(call, SHIPPED[0].code))) == 1, "all or none"
    file.write_text(json.dumps([changed, new], ensure_ascii=False), "utf-8")
    assert run(town, "import", str(file)).exit_code == 0
    assert town.act(lambda call: matters.find(call, SHIPPED[0].code)).version == 2
    back = [SHIPPED[0].definition(), {**new, "in_force": False}]
    file.write_text(json.dumps(back, ensure_ascii=False), "utf-8")
    assert run(town, "import", str(file)).exit_code == 0
    assert "停办" in run(town, "list").output


@pytest.mark.parametrize(
    "content", ["{", "[1]", '{"code": 1, "code": 2}', "\u0000", json.dumps([SHIPPED[0].definition()] * 2), "[" * 99]
)
def test_a_file_that_is_no_list_of_matters_is_refused(town: Town, tmp_path: Path, content: str) -> None:
    (tmp_path / "x.json").write_text(content, "utf-8")
    with pytest.raises(DefinitionError, match=r"x\.json"):
        town.act(lambda call: matter_file.enter(call, matter_file.read(tmp_path)))
    (tmp_path / "x.json").unlink()
    assert run(town, "import", str(tmp_path)).exit_code == 2, "an empty folder is no list"


def test_only_the_system_administrator_enters_a_matter(town: Town) -> None:
    body: dict[str, Any] = {"definition": {**SHIPPED[1].definition(), "code": "T-API"}}
    strong: dict[str, Any] = {"amr": ("pwd", "otp", "mfa"), "level": 3, "auth_time": datetime.now(UTC)}
    town.act(lambda call: roles.give(call, town.subjects[OFFICER], Role.SYSTEM))
    town.act(lambda call: roles.give(call, town.subjects[BOB], Role.SECURITY))
    system, security = (
        Caller(channel="api", client_id="x", person=town.subjects[one], **strong) for one in (OFFICER, BOB)
    )

    def enter(caller: Caller, wanted: dict[str, Any] = body) -> Any:
        return town.act(lambda call: enter_matter(call, body=wanted), caller=caller)

    assert enter(system) == {"code": "T-API", "version": 1, "result": "new"}
    for caller, wanted, code in (
        (security, body, "forbidden"),
        (system, {"definition": {"code": "T-API"}}, "invalid"),
    ):
        with pytest.raises(Problem) as refused:
            enter(caller, wanted)
        assert refused.value.code == code
    assert town.post("/v1/matters", body).status_code == 403, "no machine does"
    assert town.web.get("/v1/matters/NO-SUCH/versions").status_code == 404


def test_everybody_finds_a_matter_and_reads_what_need_not_be_brought(town: Town) -> None:
    browser = Browser(town.app)
    whole = browser.open("/matters").text
    assert whole.count('href="/matters/') == min(SHOWN, len(town.act(matters.entries)))
    found = browser.open("/matters?q=低保 收入").text + browser.open("/matters?q=结婚").text
    assert "结婚登记" in found
    assert "没有找到" in found
    unit = browser.open("/matters?unit=示范市民政局（演示）").text
    assert "结婚登记" in unit
    assert "公司设立登记" not in unit
    code = next(matter.code for matter in SHIPPED if matter.name == "结婚登记")
    page = browser.open(f"/matters/{code}").text
    for text in ("居民户口簿", "这项证明已经取消", "您可以签一份承诺书代替证明", "婚姻登记条例", "只用到"):
        assert text in page, text
    english = browser.open(f"/matters/{code}?lang=en").text
    assert "You may sign a commitment" in english
    assert browser.open("/matters/NO-SUCH").status == 404
    for strange in ("?q=%00", "?q=" + "x" * 5000, "?unit=%27%22%3Cscript%3E"):
        answer = browser.open("/matters" + strange)
        assert answer.status in {200, 400}
        assert "<script>" not in answer.text.replace("<script ", "")
