"""Staff who have lost their second factor: it is taken away by two administrators or the operator, wholly."""

import re
from collections.abc import Iterator
from typing import Any

import pyotp
import pytest
from sqlalchemy import delete, update

from idservice.admin.roles import Role
from idservice.login import activation, recovery_codes, second_factor, session
from idservice.login.models import ActivationCode
from idservice.models import Person
from tests.builders import act
from tests.factors import forget_factors, give_app, now_code
from tests.functional.test_walk_administration import STAFF, api, browser, do, form, office  # noqa: F401 - a fixture
from tests.identity import ALICE, COMPANY, OFFLINE, STRANGER, Browser, City, Flow, is_alive, logged_in

AUDITOR, ENTER = STAFF[Role.AUDIT], "/me/security/activation"
WANTED, AGREED = {"change": "reset_factors"}, {"decision": "approve"}


@pytest.fixture(autouse=True)
def clean(office: City) -> Iterator[None]:  # noqa: F811
    yield
    forget_factors(office)
    act(office.house, lambda call: call.session.execute(delete(ActivationCode)) and None)


def subject_of(office: City, number: str) -> str:  # noqa: F811
    return str(api(office, STAFF[Role.SYSTEM])("/searches", {"number": number}).json["subject"])


def reset(office: City, subject: str) -> None:  # noqa: F811
    asked = api(office, STAFF[Role.SYSTEM])(f"/people/{subject}/changes", WANTED)
    assert (asked.status_code, asked.json["state"]) == (201, "waiting"), asked.text
    done = api(office, STAFF[Role.SECURITY])(f"/approvals/{asked.json['request']}/decisions", AGREED)
    assert (done.status_code, done.json["act"], done.json["state"]) == (201, "factor.reset", "approved"), done.text


def press(visitor: Browser, path: str, **values: str) -> Any:
    token = visitor.open("/verify").form["values"]["csrf_token"]
    return visitor.open(path, {"csrf_token": token, **values})


def test_the_old_factor_and_codes_sessions_and_tokens_are_over_and_the_next_factor_needs_a_code(
    office: City,  # noqa: F811
) -> None:
    subject = subject_of(office, AUDITOR)
    app, codes = give_app(office, subject), act(office.house, lambda call: recovery_codes.make(call, subject))
    old = office.browser()
    old.log_in(number=AUDITOR)
    assert old.submit(old.open("/login/second?to=/me"), code=now_code(app)).status == 200
    got = logged_in(office, Flow(scope=OFFLINE), number=AUDITOR)
    assert is_alive(office, got)
    earlier = activation.new_code()
    act(office.house, lambda call: activation.enter(call, subject, activation.hash_of(earlier)))

    reset(office, subject)

    assert old.open("/me/security").url.startswith("/login"), "his sessions are over"
    assert not is_alive(office, got)
    his = office.browser()
    assert his.log_in(number=AUDITOR).status == 200
    for way, code in (("totp", now_code(app, steps=1)), ("code", codes[0]), ("code", codes[9])):
        press(his, "/login/second", way=way, code=code, to="/admin/overview")
        assert his.open("/admin/overview").url.startswith("/login/second?"), "not by the old one"
    for path in ("/me/security/app", "/me/security/passkey"):
        assert his.open(path).url.startswith(f"{ENTER}?to="), path
    for path in ("/me/security/app", "/me/security/codes", "/me/security/passkey"):
        assert press(his, path, code="000000").url.startswith(ENTER), path
    assert press(his, ENTER, code=earlier).status == 400, "a code from before the loss"
    assert act(office.house, lambda call: second_factor.ways_of(call, subject)) == []

    system, security = api(office, STAFF[Role.SYSTEM]), api(office, STAFF[Role.SECURITY])
    asked = system(f"/people/{subject}/changes", {"change": "activation_code"}).json
    assert security(f"/approvals/{asked['request']}/decisions", AGREED).status_code == 201
    assert press(his, ENTER, code=asked["activation_code"], to="/me/security/app").url == "/me/security/app"
    assert "ona-setup__secret" in his.open("/me/security/app").text


def test_nobody_does_it_alone_for_himself_or_for_one_who_is_disabled(office: City) -> None:  # noqa: F811
    system, security = api(office, STAFF[Role.SYSTEM]), api(office, STAFF[Role.SECURITY])
    subject = {number: subject_of(office, number) for number in (*STAFF.values(), ALICE)}
    for one in subject.values():
        give_app(office, one)

    def ask(who: Any, number: str) -> Any:
        return who(f"/people/{subject[number]}/changes", WANTED)

    assert ask(security, AUDITOR).json["code"] == "forbidden"
    assert ask(system, STAFF[Role.SYSTEM]).json["code"] == "forbidden", "about himself"
    assert ask(system, ALICE).json["code"] == "conflict", "no staff"
    his = f"/approvals/{ask(system, STAFF[Role.SECURITY]).json['request']}/decisions"
    assert system(his, AGREED).json["code"] == "forbidden", "alone"
    assert security(his, AGREED).json["code"] == "forbidden", "whom it concerns"
    asked = f"/approvals/{ask(system, AUDITOR).json['request']}/decisions"
    status = update(Person).where(Person.subject == subject[AUDITOR])
    do(office, status.values(status="locked"))
    try:
        assert security(asked, AGREED).json["code"] == "conflict"
        assert ask(system, AUDITOR).json["code"] == "conflict"
    finally:
        do(office, status.values(status="active"))
    for one in subject.values():
        assert act(office.house, lambda call, s=one: second_factor.ways_of(call, s)) == ["totp"]
    for path in (his, asked):
        assert security(path, {"decision": "refuse"}).status_code == 201


def test_it_is_asked_for_on_the_page_of_a_person_and_approved_on_that_of_approvals(office: City) -> None:  # noqa: F811
    subject = subject_of(office, AUDITOR)
    system, path = browser(office, STAFF[Role.SYSTEM]), f"/admin/people/{subject}"
    button, code = 'value="reset_factors"', 'value="activation_code"'
    page = system.open(path).text
    assert (button in page, code in page) == (False, True), "he has none"
    give_app(office, subject)
    give_app(office, office.alice)
    page = system.open(path)
    assert (button in page.text, code in page.text) == (True, False)
    assert "Ask to take away lost second factors" in system.open(f"{path}?lang=en").text
    assert button not in system.open(f"/admin/people/{office.alice}").text, "no staff"
    assert button not in system.open(f"/admin/people/{subject_of(office, STAFF[Role.SYSTEM])}").text, "himself"
    security = browser(office, STAFF[Role.SECURITY])
    assert button not in security.open(path).text
    assert system.open(path, form(page.text, change="reset_factors")).url == f"{path}?done=asked"
    page = security.open("/admin/approvals?lang=zh")
    assert "移除第二因素" in page.text
    (approve,) = re.findall(r'value="(approve\.[0-9a-f]{32})"', page.text)
    assert security.open("/admin/approvals", form(page.text, decision=approve)).url == "/admin/approvals?done=approve"
    page = system.open(path).text
    assert (button in page, code in page) == (False, True), "his next one needs a code"


def test_the_operator_does_it_where_nobody_is_left_to_agree(office: City) -> None:  # noqa: F811
    runner, subject = office.app.test_cli_runner(), subject_of(office, AUDITOR)

    def run(number: str) -> int:
        return int(runner.invoke(args=["admin", "reset-factors"], input=number + "\n").exit_code)

    give_app(office, subject)
    old = browser(office, AUDITOR)
    assert [run(other) for other in (ALICE, COMPANY, STRANGER)] == [1, 1, 1], "no staff, no person, nobody"
    assert old.open("/me/security").url == "/me/security"
    assert run(AUDITOR) == 0
    assert old.open("/me/security").url.startswith("/login")
    assert act(office.house, lambda call: second_factor.ways_of(call, subject)) == []
    assert run(AUDITOR) == 1, "nothing is left"


@pytest.mark.parametrize("path", ["/me/security/app", "/me/security/passkey", "/me/security/codes"])
def test_a_session_that_ends_while_it_adds_a_factor_adds_none(
    office: City,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    his = browser(office, AUDITOR)
    secret = his.open("/me/security/app").text.split('ona-setup__secret">')[1].split("<")[0].replace(" ", "")
    monkeypatch.setattr(session, "hold", lambda _call: False)
    page = press(his, path, code=now_code(pyotp.TOTP(secret)))
    assert page.url.startswith("/login/again?"), page.url
    subject = subject_of(office, AUDITOR)
    assert act(office.house, lambda call: second_factor.ways_of(call, subject)) == []
