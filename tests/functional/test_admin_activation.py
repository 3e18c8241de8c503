"""Codes by which staff add a first second factor: how administrators and the operator make them."""

import json
import re

from idservice.admin.roles import Role
from tests.functional.test_walk_administration import STAFF, api, browser, form, office  # noqa: F401 - a fixture
from tests.identity import ALICE, COMPANY, STRANGER, City


def test_a_code_for_a_first_second_factor_is_made_by_two_and_told_once(office: City) -> None:  # noqa: F811
    system, security = api(office, STAFF[Role.SYSTEM]), api(office, STAFF[Role.SECURITY])
    auditor = system("/searches", {"number": STAFF[Role.AUDIT]}).json["subject"]
    path, wanted = f"/people/{auditor}/changes", {"change": "activation_code"}
    assert security(path, wanted).status_code == 403
    asked = system(path, wanted)
    assert (asked.status_code, asked.json["state"]) == (201, "waiting"), asked.text
    code = asked.json["activation_code"]
    page = browser(office, STAFF[Role.SECURITY]).open("/admin/approvals")
    assert "发放激活码" in page.text
    assert code not in page.text + json.dumps(security("/approvals").json)
    newcomer = browser(office, STAFF[Role.AUDIT], second_factor=False)

    def enter() -> int:
        sent = form(newcomer.open("/me/security/activation").text, code=code, to="/me/security/app")
        return int(newcomer.open("/me/security/activation", sent).status)

    assert enter() == 400, "not before a second person has agreed"
    decided = security(f"/approvals/{asked.json['request']}/decisions", {"decision": "approve"})
    assert decided.json["state"] == "approved"
    assert "code" not in json.dumps(decided.json["facts"])
    assert enter() == 200
    assert "ona-setup__secret" in newcomer.open("/me/security/app").text
    assert system(f"/people/{office.alice}/changes", wanted).json["code"] == "conflict", "no staff"


def test_a_code_is_asked_for_on_the_page_of_a_person(office: City) -> None:  # noqa: F811
    system = browser(office, STAFF[Role.SYSTEM])
    page = system.open("/admin/people", form(system.open("/admin/people").text, number=STAFF[Role.AUDIT]))
    told = system.open(page.url, form(page.text, change="activation_code"))
    assert len(re.findall(r"<code>([a-z2-7]{4}(?:-[a-z2-7]{4}){3})</code>", told.text)) == 1
    page = system.open("/admin/approvals")
    (own,) = re.findall(r'value="(withdraw\.[0-9a-f]{32})"', page.text)
    system.open("/admin/approvals", form(page.text, decision=own))
    other = system.open("/admin/people", form(system.open("/admin/people").text, number=ALICE))
    assert 'value="activation_code"' not in other.text


def test_the_operator_makes_one_for_the_first_administrators(office: City) -> None:  # noqa: F811
    runner, number = office.app.test_cli_runner(), STAFF[Role.AUDIT]

    def activate(number: str) -> tuple[int, str]:
        done = runner.invoke(args=["admin", "activate"], input=number + "\n")
        return done.exit_code, done.stdout

    status, told = activate(number)
    assert (status, bool(re.fullmatch(r"[a-z2-7]{4}(-[a-z2-7]{4}){3}\n", told))) == (0, True)
    assert [activate(other)[0] for other in (ALICE, COMPANY, STRANGER)] == [1, 1, 1], "no staff, no person, nobody"
    newcomer = browser(office, number, second_factor=False)
    sent = form(newcomer.open("/me/security/activation").text, code=told.strip())
    assert newcomer.open("/me/security/activation", sent).url == "/me/security"
