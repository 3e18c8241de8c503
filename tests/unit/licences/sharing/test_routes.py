"""Bad input at the doors of sharing, and the administrators' page, command and API of its permissions."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update
from werkzeug.serving import make_server

from idservice.admin import roles
from idservice.admin.models import Administrator
from idservice.admin.roles import Role
from idservice.http.endpoint import CONTRACTS, Contract
from idservice.models import LoginSession, Person, TokenFamily
from idservice.oauth import clients
from licences.sharing import guangdong_routes, permissions
from licences.sharing import routes as sharing_routes
from tests.builders import migrate
from tests.databases import SqliteDatabases
from tests.identity import CALLBACK, SECRET, Browser, Flow, bearer, redeem
from tests.ports import free_port
from tests.sharing import GROUND, ask, holder, permit, register, status
from tests.town import ALICE, BOB, MATTER, OFFICER, SECURITY, Town, build_town, type_of

NAMES = {blueprint.name for blueprint in (sharing_routes.blueprint, guangdong_routes.blueprint)}
MINE = [c for c in CONTRACTS if c.name.split(".")[0] in NAMES and c.scope == "licences.share"]
ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    [],
    {},
    [[]],
    "",
    " ",
    "\x00",
    "\u202e",
    "x" * 100_000,
    "'; DROP TABLE x; --",
    "../..",
]
CARD = type_of("resident_card").code


@pytest.fixture(scope="module")
def card(town: Town) -> str:
    return town.issue("resident_card").identifier


@pytest.mark.parametrize("contract", MINE, ids=lambda c: c.name)
def test_nonsense_is_answered_in_the_operations_own_form_or_as_a_problem(
    town: Town, card: str, contract: Contract
) -> None:
    headers = town.machine("share-app")
    good = holder(
        certificateIdentifier=card, qrcode="x", certNo="1", holder="王", fileData="eA==", useCause="x",
        operator={"idNumber": ALICE}, fileType="pdf", validDays=1,
    )  # fmt: skip
    for name in (*good, "unknown"):
        for value in ODD:
            _known(
                town.web.open(
                    contract.path, method=contract.method, json={"data": good | {name: value}}, headers=headers
                )
            )
            _known(
                town.web.open(
                    contract.path, method=contract.method, json={"data": value, "head": value}, headers=headers
                )
            )
    for raw in (b"", b"{", b"\xff", b"[]", b"x" * (1024 * 1024 + 1)):
        answer = town.web.open(
            contract.path, method=contract.method, data=raw, content_type="application/json", headers=headers
        )
        _known(answer)
    for query in ("auth_code=%00", "auth_code=" + "x" * 5_000, "auth_code=a&auth_code=b", "org_code=1", "unknown=1"):
        _known(town.web.open(f"{contract.path}?{query}", method=contract.method, headers=headers, json={}))


def _known(answer: Any) -> None:
    if answer.status_code == 200:
        assert "head" in answer.json or answer.json["ack_code"] in {"SUCCESS", "FAILURE"}
        return
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.mimetype == "application/problem+json"


def administrator(town: Town, number: str, role: Role) -> Browser:
    subject = town.subjects[number]
    town.act(lambda call: call.session.execute(delete(Administrator).where(Administrator.subject == subject)))
    town.act(lambda call: roles.give(call, subject, role))
    town.act(lambda call: call.session.execute(update(Person).where(Person.subject == subject).values(level=3)))
    browser = town.browser(number)
    two_factors = {"amr": ["pwd", "otp", "mfa"], "level": 3}
    town.act(lambda call: call.session.execute(update(LoginSession).values(**two_factors)))
    return browser


def press(browser: Browser, **form: Any) -> Any:
    return browser.submit(browser.open("/admin/sharing"), **form)


def test_the_page_takes_two_administrators_to_widen_and_one_to_end(town: Town, card: str) -> None:
    system, security = administrator(town, BOB, Role.SYSTEM), administrator(town, OFFICER, Role.SECURITY)
    assert town.browser(ALICE).open("/admin/sharing").status == 403
    wanted = {
        "client_id": "share-app", "type": CARD, "matter": MATTER, "department": SECURITY, "ground": GROUND,
        "operations": "read",
    }  # fmt: skip
    assert press(system, do="ask", **wanted | {"ground": ""}).status == 422
    assert "govuk-error-summary" in press(system, do="ask", **wanted | {"client_id": "none"}).text
    press(system, do="ask", **wanted)
    looked = {"certificateIdentifier": card}
    assert status(ask(town, "queryCertInfo", looked)) == 100, "it waits"
    row = town.act(permissions.listed)[0]
    one = f"share-app|{CARD}|{row.asked_at.isoformat()}"
    assert press(security, do=f"agree.share-app|{CARD}|2026-01-01T00:00:00+00:00").status == 409, "not what he saw"
    assert press(system, do=f"agree.{one}").status == 403
    press(security, do=f"agree.{one}")
    assert status(ask(town, "queryCertInfo", looked)) == 0
    assert status(ask(town, "downloadFile", looked)) == 100, "another operation"
    assert press(security, do="ask", **wanted).status == 403
    press(security, do=f"revoke.{one}")
    assert status(ask(town, "queryCertInfo", looked)) == 100


def manager(town: Town, number: str, role: Role) -> dict[str, str]:
    """The token of an administrator's app, after a login with two factors."""
    administrator(town, number, role)
    flow = Flow("console", "openid admin.manage")
    code = Browser(town.app).code(flow, number=number, acting="self")
    found = bearer(redeem(town.app, flow, code).json["access_token"])
    two_factors = {"amr": ["pwd", "otp", "mfa"], "level": 3}
    town.act(lambda call: call.session.execute(update(TokenFamily).values(**two_factors)))
    return found


def test_over_the_api_it_takes_the_same_two(town: Town, card: str) -> None:
    town.act(
        lambda call: clients.register(
            call, client_id="console", name="管理台", unit="示范单位", auth_method="client_secret_basic", secret=SECRET,
            grant_types=["authorization_code"], scope="openid admin.manage", redirect_uris=[CALLBACK],
        )
    )  # fmt: skip
    system, security = manager(town, BOB, Role.SYSTEM), manager(town, OFFICER, Role.SECURITY)
    wanted = {
        "client_id": "other-app", "type": CARD, "operations": ["read"], "department": SECURITY, "matter": MATTER,
        "ground": GROUND,
    }  # fmt: skip
    rows, one = "/v1/sharing-permissions", f"/v1/sharing-permissions/other-app/{CARD}"
    assert town.post(rows, wanted, security).status_code == 403
    asked = town.post(rows, wanted, system)
    assert (asked.status_code, asked.json["agreed_at"]) == (201, None)
    assert town.web.get(rows, headers=system).json["items"][0]["client_id"] == "other-app", "what waits comes first"
    seen = {"asked_at": asked.json["asked_at"]}
    assert town.post(f"{one}/agreement", seen, system).status_code == 403
    assert town.post(f"{one}/agreement", {"asked_at": "2026-01-01T00:00:00Z"}, security).status_code == 409
    assert status(ask(town, "queryCertInfo", {"certificateIdentifier": card}, "other-app")) == 100
    assert town.post(f"{one}/agreement", seen, security).status_code == 201
    assert town.post(f"{one}/agreement", seen, security).status_code == 409
    assert status(ask(town, "queryCertInfo", {"certificateIdentifier": card}, "other-app")) == 0
    assert town.web.delete(one, headers=security).status_code == 204
    assert town.web.delete(one, headers=security).status_code == 404
    assert status(ask(town, "queryCertInfo", {"certificateIdentifier": card}, "other-app")) == 100


def test_the_command_asks_and_ends_and_does_not_agree(town: Town, card: str) -> None:
    run = town.app.test_cli_runner().invoke
    options = ["--operation", "read", "--department", SECURITY, "--matter", MATTER, "--ground", GROUND]
    assert run(args=["sharing", "allow", "share-app", CARD, *options]).exit_code == 0
    assert status(ask(town, "queryCertInfo", {"certificateIdentifier": card})) == 100
    listed = json.loads(run(args=["sharing", "list", "--json"]).output)["items"]
    assert {one["client_id"]: one["agreed_at"] for one in listed if one["client_id"] == "share-app"} == {
        "share-app": None
    }
    assert "待同意" in run(args=["sharing", "list"]).output
    assert run(args=["sharing", "revoke", "share-app", CARD]).exit_code == 0
    assert run(args=["sharing", "revoke", "share-app", CARD]).exit_code == 1
    assert run(args=["sharing", "allow", "none", CARD, *options]).exit_code == 1


@pytest.mark.parametrize(
    "changes", [{"type": "1" * 21}, {"matter": "none"}, {"matter": "DM-M-003"}, {"department": "1" * 18}]
)
def test_a_permission_fits_a_matter_that_needs_the_type(town: Town, changes: dict[str, str]) -> None:
    wanted = {
        "client_id": "share-app", "type": CARD, "operations": ["read"], "department": SECURITY, "matter": MATTER,
        "ground": GROUND, "unattended": False,
    }  # fmt: skip
    with pytest.raises(Exception, match="invalid"):
        town.act(lambda call: permissions.ask(call, wanted | changes))


def test_the_example_finds_reads_downloads_and_verifies(tmp_path: Path) -> None:
    """A department's backend as it stands in examples/, over HTTP, with no library."""
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    built = build_town(tmp_path, SqliteDatabases(tmp_path).fresh(migrate), issuer=issuer)
    register(built)
    permit(built, unattended=True)
    built.issue("resident_card")
    client = {"name": "share", "client_id": "share-app", "client_secret": SECRET}
    (tmp_path / "city.json").write_text(json.dumps({"issuer": issuer, "clients": [client]}))
    server = make_server("127.0.0.1", port, built.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        command = [sys.executable, "examples/share_licence.py", str(tmp_path / "city.json")]
        done = subprocess.run(
            [*command, ALICE, CARD, str(tmp_path)], capture_output=True, text=True, check=False, timeout=60
        )
        nobody = subprocess.run([*command, BOB, CARD], capture_output=True, text=True, check=False, timeout=60)
    finally:
        server.shutdown()
        thread.join(timeout=60)
        built.house.database.engine.dispose()
    assert done.returncode == 0, done.stderr
    assert "holder_name: 王小明" in done.stdout
    assert "验证通过" in done.stdout
    assert len(list(tmp_path.glob("ZJ*.ofd"))) == 1
    assert (nobody.returncode, nobody.stdout) == (2, "")
