"""Administrators at work, on the pages and over the API: what one asks for, another decides."""

import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from idservice.admin import roles
from idservice.admin.roles import Role
from idservice.models import LoginSession, TokenFamily
from idservice.oauth import clients
from tests.identity import (
    AGENT,
    ALICE,
    CALLBACK,
    COMPANY,
    PASSWORD,
    SECRET,
    STRANGER,
    Browser,
    City,
    Flow,
    basic,
    bearer,
    citizen_number,
    redeem,
    token,
)

STAFF = {role: citizen_number(f"3716021980010{place}001") for place, role in enumerate(Role, 1)}
TWO_FACTORS = {"amr": ["pwd", "otp", "mfa"], "level": 3}


@pytest.fixture(scope="module")
def office(city: City) -> City:
    """The city with one administrator of each role, and an app for them."""
    from idservice.login.password import set_password
    from idservice.register import people
    from tests.builders import act

    def prepare(call: Any) -> None:
        for role, number in STAFF.items():
            subject = people.enrol(call, number=number, name="钱管理", level=3)
            set_password(call, subject, PASSWORD)
            roles.give(call, subject, role)
        clients.register(
            call, client_id="console", name="管理台", unit="示范单位", auth_method="client_secret_basic", secret=SECRET,
            grant_types=["authorization_code"], scope="openid admin.manage", redirect_uris=[CALLBACK],
        )  # fmt: skip

    act(city.house, prepare)
    return city


def do(office: City, statement: Any) -> None:
    office.house.database.run(lambda session: session.execute(statement), write=True)


def browser(office: City, number: str, *, second_factor: bool = True) -> Browser:
    """A browser in which that person is logged in, with two factors or one."""
    found = office.browser()
    found.log_in(number=number)
    if second_factor:
        do(office, update(LoginSession).values(**TWO_FACTORS))
    return found


_headers: dict[tuple[int, str], dict[str, str]] = {}


def api(office: City, number: str, *, second_factor: bool = True) -> Callable[..., Any]:
    key = (id(office), number)
    if key not in _headers:
        flow = Flow("console", "openid admin.manage")
        _headers[key] = bearer(
            redeem(office.app, flow, office.browser().code(flow, number=number)).json["access_token"]
        )
    do(office, update(TokenFamily).values(**TWO_FACTORS if second_factor else {"amr": ["pwd"], "level": 3}))
    web = office.app.test_client()

    def ask(path: str, body: Any = None) -> Any:
        path = f"/v1/admin{path}"
        return web.post(path, json=body, headers=_headers[key]) if body else web.get(path, headers=_headers[key])

    return ask


def form(text: str, **values: str) -> dict[str, str]:
    """The token of a page's forms with the values that somebody enters."""
    (found, *_) = re.findall(r'name="csrf_token" value="([^"]+)"', text)
    return {"csrf_token": found, **values}


APP = {
    "name": "新应用", "unit": "示范单位", "auth_method": "client_secret_basic", "grant_types": ["client_credentials"],
    "scope": "matters.read",
}  # fmt: skip


def test_an_app_over_the_api_from_request_to_disabling(office: City) -> None:
    system, security = api(office, STAFF[Role.SYSTEM]), api(office, STAFF[Role.SECURITY])
    asked = system("/clients", APP)
    assert (asked.status_code, asked.json["state"]) == (201, "waiting"), asked.text
    client_id, secret = asked.json["client_id"], asked.json["client_secret"]
    grant = {"grant_type": "client_credentials"}
    assert token(office.app, grant, basic(client_id, secret)).status_code == 401
    (waiting,) = security("/approvals").json["items"]
    assert waiting["id"] == asked.json["request"]
    assert secret not in json.dumps(waiting)
    path = f"/approvals/{waiting['id']}/decisions"
    assert system(path, {"decision": "approve"}).json["code"] == "forbidden"
    done = security(path, {"decision": "approve"})
    assert (done.status_code, done.json["state"]) == (201, "approved"), done.text
    assert token(office.app, grant, basic(client_id, secret)).status_code == 200

    rotated = system(f"/clients/{client_id}/changes", {"change": "rotate_secret", "overlap_hours": 1}).json
    assert security(f"/approvals/{rotated['request']}/decisions", {"decision": "approve"}).status_code == 201
    for known in (secret, rotated["client_secret"]):
        assert token(office.app, grant, basic(client_id, known)).status_code == 200

    wider = system(f"/clients/{client_id}/changes", {"change": "widen_scope", "scope": "lookups.create"}).json
    assert security(f"/approvals/{wider['request']}/decisions", {"decision": "refuse"}).json["state"] == "refused"
    listed = {item["client_id"]: item for item in system("/clients").json["items"]}
    assert listed[client_id]["scope"] == "matters.read"
    assert "secret_hash" not in listed[client_id]

    assert system(f"/clients/{client_id}/changes", {"change": "disable"}).json["state"] == "done"
    assert token(office.app, grant, basic(client_id, secret)).status_code == 401
    page = system("/clients?limit=2").json
    assert len(page["items"]) == 2
    assert system(f"/clients?limit=2&cursor={page['next_cursor']}").json["items"][0]["client_id"] > page["next_cursor"]


@pytest.mark.parametrize("path", ["/clients", "/approvals", "/audit-entries"])
def test_without_a_second_factor_or_a_role_nothing_opens(office: City, path: str) -> None:
    refused = api(office, STAFF[Role.AUDIT], second_factor=False)(path)
    assert (refused.status_code, refused.json["code"]) == (401, "insufficient_user_authentication")
    assert 'acr_values="urn:ona:acr:two-factor"' in refused.headers["WWW-Authenticate"]
    assert api(office, ALICE)(path).status_code == 403
    machine = office.app.test_client().get(f"/v1/admin{path}", headers=basic("counter"))
    assert machine.status_code == 401


def test_people_are_found_by_whole_number_alone_and_locked_by_two(office: City) -> None:
    system, security = api(office, STAFF[Role.SYSTEM]), api(office, STAFF[Role.SECURITY])
    found = system("/searches", {"number": ALICE}).json
    assert (found["name"], found["number"], found["status"]) == (
        "王**",
        ALICE[:3] + "***********" + ALICE[-4:],
        "active",
    )
    missing = [system("/searches", {"number": number}) for number in (STRANGER, ALICE[:17], "%")]
    assert {answer.status_code for answer in missing} == {404}
    assert len({answer.json["detail"] for answer in missing}) == 1
    visitor = office.browser()
    visitor.log_in()
    for change, open_page in (("disable", False), ("enable", False)):
        asked = system(f"/people/{found['subject']}/changes", {"change": change}).json
        assert security(f"/approvals/{asked['request']}/decisions", {"decision": "approve"}).status_code == 201
        assert ("/login" not in visitor.open("/me/apps").url) is open_page, "his session stays ended"
    visitor.log_in()
    assert "平台管理" in visitor.open("/me/accesses").text or "administration" in visitor.open("/me/accesses").text


def test_roles_are_given_by_two_and_never_a_second_one(office: City) -> None:
    system, security = api(office, STAFF[Role.SYSTEM]), api(office, STAFF[Role.SECURITY])
    agent = system("/searches", {"number": AGENT}).json["subject"]
    assert system(f"/people/{agent}/changes", {"change": "give_role", "role": "audit"}).status_code == 403
    assert security(f"/people/{agent}/changes", {"change": "give_role"}).json["errors"][0]["pointer"] == "/role"
    asked = security(f"/people/{agent}/changes", {"change": "give_role", "role": "audit"}).json
    decisions = f"/approvals/{asked['request']}/decisions"
    assert security(decisions, {"decision": "approve"}).json["code"] == "second_person"
    assert system(decisions, {"decision": "approve"}).json["state"] == "approved"
    again = security(f"/people/{agent}/changes", {"change": "give_role", "role": "system"})
    assert again.json["code"] == "role_taken"
    assert security(f"/people/{agent}/changes", {"change": "take_role"}).json["state"] == "done"


def test_a_mandate_is_revoked_and_a_guardian_refused_over_the_api(office: City) -> None:
    system, security = api(office, STAFF[Role.SYSTEM]), api(office, STAFF[Role.SECURITY])
    company = system("/searches", {"number": COMPANY}).json
    (held,) = [item for item in company["mandates"] if item["id"] == office.mandate]
    asked = system("/mandate-revocations", {"subject": office.agent, "mandate": held["id"]}).json
    assert security(f"/approvals/{asked['request']}/decisions", {"decision": "approve"}).status_code == 201
    assert system("/searches", {"number": COMPANY}).json["mandates"][0]["state"] == "withdrawn"
    refused = system("/guardianships", {"minor": ALICE, "guardian": AGENT})
    assert refused.json["errors"][0] == {"pointer": "/minor", "code": "age", "message": "of the wrong age for this"}


def test_the_audit_administrator_reads_the_log_and_nobody_else(office: City) -> None:
    entries = api(office, STAFF[Role.AUDIT])("/audit-entries?limit=200").json["items"]
    deeds = {entry["deed"] for entry in entries}
    assert "idservice:admin_request:approve" in deeds or "idservice:administrator:give_role" in deeds
    assert api(office, STAFF[Role.SYSTEM])("/audit-entries").status_code == 403
    assert api(office, STAFF[Role.AUDIT])("/searches", {"number": ALICE}).status_code == 403


def test_the_pages_from_a_new_app_to_its_approval(office: City) -> None:
    system, security = browser(office, STAFF[Role.SYSTEM]), browser(office, STAFF[Role.SECURITY])
    page = system.open("/admin/clients/new")
    assert page.status == 200
    page = system.open("/admin/clients/new", form(page.text, name="窗口应用"))
    assert (page.status, "请先改正以下问题" in page.text) == (422, True)
    entered = form(
        page.text, name="窗口应用", unit="示范单位", client_id="window", auth_method="client_secret_basic",
        grant_types="client_credentials", scope="matters.read",
    )  # fmt: skip
    page = system.open("/admin/clients/new", entered)
    (secret,) = re.findall(r"<code>([A-Za-z0-9_-]{43})</code>", page.text)
    page = security.open("/admin/overview")
    assert "1 项申请等您复核" in page.text
    page = security.open("/admin/approvals")
    (button,) = re.findall(r'value="(approve\.[0-9a-f]{32})"', page.text)
    assert secret not in page.text
    assert "approve." not in system.open("/admin/approvals").text, "not to whoever asked"
    page = security.open("/admin/approvals", form(page.text, decision=button))
    assert page.url == "/admin/approvals?done=approve"
    assert token(office.app, {"grant_type": "client_credentials"}, basic("window", secret)).status_code == 200
    page = system.open("/admin/clients/window")
    assert "窗口应用" in page.text
    page = system.open("/admin/clients/window", form(page.text, change="rotate_secret"))
    assert "密钥只在这里显示一次" in page.text
    page = system.open("/admin/approvals")
    (own,) = re.findall(r'value="(withdraw\.[0-9a-f]{32})"', page.text)
    assert system.open("/admin/approvals", form(page.text, decision=own)).url == "/admin/approvals?done=withdraw"
    page = system.open("/admin/clients/window", form(page.text, change="disable"))
    assert page.url == "/admin/clients/window?done=done"


def test_the_pages_of_people_organisations_and_guardians(office: City) -> None:
    system, security = browser(office, STAFF[Role.SYSTEM]), browser(office, STAFF[Role.SECURITY])
    for kind, number, name in (("people", ALICE, "王**"), ("organisations", COMPANY, "滨州示范食品有限公司")):
        page = system.open(f"/admin/{kind}")
        missing = system.open(f"/admin/{kind}", form(page.text, number=STRANGER))
        assert (missing.status, "未找到" in missing.text) == (404, True)
        page = system.open(f"/admin/{kind}", form(page.text, number=number))
        assert page.status == 200
        assert name in page.text
        assert ALICE not in page.text + page.url
    page = system.open(f"/admin/people/{office.alice}")
    page = system.open(f"/admin/people/{office.alice}", form(page.text, change="disable"))
    assert page.url.endswith("?done=asked")
    page = security.open(f"/admin/people/{office.alice}")
    page = security.open(f"/admin/people/{office.alice}", form(page.text, change="give_role", role="audit"))
    assert page.url.endswith("?done=asked")
    page = system.open("/admin/guardianships")
    page = system.open("/admin/guardianships", form(page.text, minor=STRANGER, guardian=ALICE))
    assert (page.status, "没有登记这个号码" in page.text) == (422, True)
    assert system.open("/admin/people/" + "0" * 32).status == 404
    assert system.open("/admin/people", form(page.text, number="")).status == 404


def test_the_pages_send_whoever_has_one_factor_to_prove_a_second(office: City) -> None:
    once = office.browser()
    once.log_in(number=STAFF[Role.AUDIT])
    do(office, update(LoginSession).values(amr=["pwd"]))
    assert "/login/second" in once.open("/admin/audit").url
    do(office, update(LoginSession).values(**TWO_FACTORS))
    page = once.open("/admin/audit")
    assert (page.status, "审计记录" in page.text) == (200, True)
    assert once.open("/admin/people").status == 403
    citizen = browser(office, ALICE)
    for path in ("/admin/overview", "/admin/clients", "/admin/people", "/admin/approvals", "/admin/audit"):
        assert citizen.open(path).status == 403


def test_the_first_administrators_are_appointed_by_the_operator(office: City) -> None:
    runner = office.app.test_cli_runner()

    def appoint(role: str, number: str) -> tuple[int, str]:
        done = runner.invoke(args=["admin", "appoint", role], input=io.StringIO(number + "\n").read())
        return done.exit_code, done.stdout + done.stderr

    assert appoint("system", AGENT)[0] == 0
    status, told = appoint("audit", AGENT)
    assert (status, "三员不得兼任" in told, AGENT in told) == (1, True, False)
    assert appoint("audit", COMPANY)[0] == 1
    assert appoint("audit", STRANGER)[0] == 1
    listed = json.loads(runner.invoke(args=["admin", "list", "--json"]).stdout)["items"]
    assert sorted(one["role"] for one in listed) == ["audit", "security", "system", "system"]
    assert "system" in runner.invoke(args=["admin", "list"]).stdout
