"""A company and its legal representative come by seals, put both on a contract, and lose them when they change."""

import base64
import io
import re
from collections.abc import Iterator
from typing import Any

import pyotp
import pytest
from sqlalchemy import update

from idservice.models import Person
from idservice.oauth import clients
from idservice.register import legal_entities, mandates, representatives
from seals.check import check_file
from seals.verify import read_anchors
from tests.builders import migrate
from tests.databases import Databases
from tests.factors import SECRET_32, TWO_FACTOR, give_app, now_code
from tests.identity import CALLBACK, SECRET, Browser, Flow, answer_of, bearer, redeem
from tests.town import AGENT, ALICE, BOB, COMPANY, OFFICER, SECURITY, Town, build_town, now
from tests.unit.seals.documents import document_files
from tests.unit.seals.made import pack

NAME = "滨州示范食品有限公司"


@pytest.fixture(scope="module")
def town(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    url = databases.fresh(migrate)
    built = build_town(tmp_path_factory.mktemp("owners"), url, seal_office=SECURITY)

    def prove(call: Any) -> None:
        for number in (ALICE, BOB, AGENT, OFFICER):
            call.session.execute(update(Person).where(Person.subject == built.subjects[number]).values(level=3))
        representatives.change_representative(call, built.subjects[COMPANY], built.subjects[ALICE])
        clients.register(
            call, client_id="erp", name="企业系统", unit=NAME, auth_method="client_secret_basic", secret=SECRET,
            grant_types=["authorization_code"], scope="openid seals.use", redirect_uris=[CALLBACK],
        )  # fmt: skip

    built.act(prove)
    yield built
    built.house.database.engine.dispose()
    databases.drop(url)


def applied(browser: Browser, **values: str) -> str:
    form = browser.open("/me/seals/apply")
    assert form.status == 200
    shown = browser.submit(form, reason="签订合同", **values)
    assert shown.status == 200, shown.text
    return shown.url.rsplit("/", 1)[1]


def made(town: Town, seal_id: str) -> None:
    officer = town.browser(OFFICER)
    assert seal_id in officer.open("/seals").text
    for deed in ("approve", "make"):
        assert officer.submit(officer.open(f"/seals/{seal_id}"), change=deed, reason="同意").status == 200


def strengthened(browser: Browser, town: Town, number: str, where: str) -> Any:
    """Open a page that wants a second factor, show one, and return the page."""
    give_app(town, town.subjects[number])  # type: ignore[arg-type] # anew, or a code could not be shown twice
    page = browser.open(where)
    if "/login/second" in page.url:
        page = browser.submit(page, code=now_code(pyotp.TOTP(SECRET_32)))
    assert page.url == where, page.text
    return page


def sealed(browser: Browser, town: Town, seal_id: str, document: bytes, number: str = ALICE) -> bytes:
    page = strengthened(browser, town, number, f"/seals/{seal_id}/use")
    answer = browser.client.post(
        f"/seals/{seal_id}/use",
        data={
            "csrf_token": page.form["values"]["csrf_token"],
            "purpose": "合同",
            "files": [(io.BytesIO(document), "contract.ofd")],
        },
        content_type="multipart/form-data",
        headers={"Accept": "text/html"},
    )
    assert answer.status_code == 303, answer.text
    where = str(answer.headers["Location"])
    asked = browser.open(where)
    (picture,) = re.findall(r'src="(/seals/drafts/[^"]+first-page.png)"', asked.text)
    drawn = browser.client.get(picture)
    assert (drawn.status_code, drawn.data[:4]) == (200, b"\x89PNG")
    done = browser.submit(asked)
    (result,) = re.findall(rf'href="({where}/[0-9a-f]{{32}})"', done.text)
    return bytes(browser.client.get(result).data)


def test_a_contract_gets_two_seals_and_a_change_ends_them(town: Town) -> None:
    leader = town.browser(ALICE)
    form = strengthened(leader, town, ALICE, "/me/seals/apply")
    wrong = leader.submit(form, organisation=COMPANY, kind="special", special="公安局", reason="x")
    assert wrong.status == 422
    assert 'id="special-error"' in wrong.text
    blank = leader.submit(form, organisation=COMPANY, kind="contract", reason="")
    assert 'id="reason-error"' in blank.text
    contract = applied(leader, organisation=COMPANY, kind="contract")
    own = applied(leader, organisation=COMPANY, kind="representative")
    waiting = leader.open(f"/seals/{contract}")
    assert "等待印章管理机关的经办人员审批" in waiting.text
    for seal_id in (contract, own):
        assert "/use" not in leader.open(f"/seals/{seal_id}").text
        made(town, seal_id)
    shown = leader.open("/me/seals")
    assert shown.text.count("data:image/png;base64,") == 2
    assert "王小明法定代表人名章" in shown.text
    assert shown.text.count('/use"') == 2
    agents = town.browser(AGENT).open("/me/seals").text
    assert contract in agents
    assert '/use"' not in agents, "he is not named"
    once = sealed(leader, town, contract, pack(document_files()))
    twice = sealed(leader, town, own, once)
    report = check_file(twice, anchors=town.act(read_anchors), now=now())
    assert report.ok, report.as_json()
    assert [one.seal.name for one in report.signatures if one.seal] == [f"{NAME}合同专用章", "王小明法定代表人名章"]
    assert "合同" in leader.open(f"/seals/{contract}").text
    # the office sees the seal and not what it was used for
    officer = town.browser(OFFICER).open(f"/seals/{contract}")
    assert officer.status == 200
    assert "用章记录" not in officer.text
    # a stranger sees nothing, and the agent does not use what does not name him
    for number in (BOB, AGENT):
        browser = town.browser(number)
        assert browser.open(f"/seals/{own}").status == 403
        assert own not in browser.open("/me/seals").text
    assert town.browser(BOB).open(f"/seals/{contract}").status == 403
    # a new representative, then a new name, in the legal-entity register
    town.act(lambda call: representatives.change_representative(call, town.subjects[COMPANY], town.subjects[BOB]))
    assert "已缴销" in leader.open(f"/seals/{own}").text
    table = {"number": COMPANY, "name": "滨州新名食品有限公司"}

    def rename(call: Any) -> None:
        real = legal_entities.prepare(call.cipher, 1, table, now().date())
        assert legal_entities.take(call, [real], dry_run=False).changed == 1

    town.act(rename)
    assert "已缴销" in town.browser(BOB).open(f"/seals/{contract}").text
    assert check_file(twice, anchors=town.act(read_anchors), now=now()).ok, "what was sealed before goes on holding"


def test_a_program_acts_for_the_company_by_a_token_with_two_factors(town: Town) -> None:
    town.act(lambda call: representatives.change_representative(call, town.subjects[COMPANY], town.subjects[BOB]))
    facts = {"person": town.subjects[AGENT], "principal": town.subjects[COMPANY], "role": "agent"}
    seat = town.act(lambda call: mandates.grant(call, **facts))
    strong, weak = (token(town, AGENT, seat, acr=acr) for acr in (TWO_FACTOR, None))
    body = {"kind": "finance", "reason": "收款", "organisation": COMPANY}
    answer = town.web.post("/v1/seals", json=body, headers=strong)
    assert answer.status_code == 201, answer.text
    seal_id = answer.json["id"]
    assert (answer.json["owner_kind"], answer.json["organisation"]) == ("organisation", COMPANY)
    assert (
        town.web.post(
            f"/v1/seals/{seal_id}/changes", json={"change": "approve", "reason": "x"}, headers=strong
        ).status_code
        == 403
    )
    made(town, seal_id)
    use: dict[str, Any] = {"file": (io.BytesIO(b"x"), "x"), "purpose": "收款"}
    refused = town.web.post(f"/v1/seals/{seal_id}/uses", data=use, headers=strong)
    assert refused.json["code"] == "seal_use_not_permitted", "he is not named"
    leader = town.browser(BOB)  # who leads since
    page = leader.open(f"/seals/{seal_id}")
    named = leader.open(f"/seals/{seal_id}/users", {"csrf_token": page.form["values"]["csrf_token"], "who": AGENT})
    assert "李**" in named.text
    for headers, status in ((weak, 401), (strong, 201)):
        use = {"file": (io.BytesIO(b"x"), "x"), "purpose": "收款"}
        done = town.web.post(f"/v1/seals/{seal_id}/uses", data=use, headers=headers)
        assert done.status_code == status, done.text
        if status == 401:
            assert "insufficient_user_authentication" in done.headers["WWW-Authenticate"]
    assert check_file(
        base64.b64decode(done.json["result"]["data"]), document=b"x", anchors=town.act(read_anchors), now=now()
    ).ok


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"kind": "contract"}, "/department"),
        ({"kind": "contract", "department": "x"}, "/department"),
        ({"kind": "no such kind", "department": SECURITY}, "/kind"),
        ({"kind": "personal", "department": SECURITY}, "/kind"),
        ({"kind": "contract", "department": SECURITY, "organisation": COMPANY}, "/kind"),
        ({"kind": "special", "special": "专用章公安", "department": SECURITY}, "/special"),
        ({"kind": "contract", "department": SECURITY, "users": ["1"]}, "/users/0"),
    ],
)
def test_an_application_that_cannot_be_is_told_what_is_wrong(town: Town, body: dict[str, Any], pointer: str) -> None:
    answer = town.web.post("/v1/seals", json={"reason": "x", **body}, headers=town.machine("issuer"))
    assert answer.status_code == 422
    (fault,) = answer.json["errors"]
    assert fault["pointer"] == pointer
    assert fault["message"]


def token(town: Town, number: str, mandate: str, *, acr: str | None) -> dict[str, str]:
    """Return the header of a program in the name of somebody who acts for the company."""
    give_app(town, town.subjects[number])  # type: ignore[arg-type]
    browser, flow = Browser(town.app), Flow("erp", "openid seals.use")
    page = browser.log_in(browser.open(flow.url(acr_values=acr)), number=number)
    if acr is not None:
        page = browser.submit(page, code=now_code(pyotp.TOTP(SECRET_32)))
    page = browser.submit(page, acting=mandate)
    if page.status == 200:
        page = browser.submit(page, decision="allow")
    return bearer(redeem(town.app, flow, answer_of(page)["code"]).json["access_token"])
