"""Staff add a first second factor with a code of their department, and with nothing less; citizens need none."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import time_machine
from sqlalchemy import delete, select, update

from idservice.admin.models import Administrator
from idservice.admin.roles import Role
from idservice.login import activation, second_factor, session, totp
from idservice.login.models import ActivationCode, Lock, Passkey, RecoveryCode, Totp
from idservice.models import AuditEntry, LoginSession, Staff
from idservice.oauth import families
from tests.factors import give_app, now_code
from tests.identity import PASSWORD, Browser, Page
from tests.town import ALICE, CIVIL, CLERK, OFFICER, Town

PAGE = "/me/security/activation"
WAYS_IN = ("/me/security/app", "/me/security/passkey")
POSTS = ("/me/security/app", "/me/security/passkey", "/me/security/codes")


@pytest.fixture(autouse=True)
def clean(town: Town) -> Iterator[None]:
    yield
    town.forget_tokens()
    for table in (Totp, Lock, ActivationCode, RecoveryCode, Administrator):
        town.act(lambda call, table=table: call.session.execute(delete(table)))


def by_password(town: Town, number: str = CLERK) -> Browser:
    browser = Browser(town.app)
    assert browser.log_in(number=number).status == 200
    return browser


def code_for(town: Town, number: str = CLERK, *, at: datetime | None = None) -> str:
    code = activation.new_code()
    made = activation.hash_of(code)
    town.act(lambda call: activation.enter(call, town.subjects[number], made), now=at)
    return code


def press(browser: Browser, path: str, **values: str) -> Page:
    token = browser.open("/verify").form["values"]["csrf_token"]
    return browser.open(path, {"csrf_token": token, **values})


def app_of(page: Page) -> pyotp.TOTP:
    found = re.search(r'ona-setup__secret">([A-Z2-7 ]+)<', page.text)
    assert found, page.text
    return pyotp.TOTP(found[1].replace(" ", ""))


def factors(town: Town, number: str = CLERK) -> int:
    """How many rows of factors somebody has, begun or in use."""
    return sum(
        len(town.act(lambda call, t=table: call.session.scalars(select(t.subject).where(t.subject == whose)).all()))
        for table in (Totp, Passkey, RecoveryCode)
        if (whose := town.subjects[number])
    )


def test_a_password_alone_adds_no_factor_to_staff(town: Town) -> None:
    for number in (CLERK, OFFICER):
        thief = by_password(town, number)
        for path in WAYS_IN:
            page = thief.open(path)
            assert page.url.startswith(f"{PAGE}?to="), path
            assert "ona-setup" not in page.text
        for path in POSTS:
            assert press(thief, path, code="000000", ticket="x", credential="{}").url.startswith(PAGE), path
        assert factors(town, number) == 0


def test_an_administrator_without_a_post_is_staff_too(town: Town) -> None:
    row = {"subject": town.subjects[ALICE], "role": str(Role.AUDIT), "given_at": datetime.now(UTC)}
    thief = by_password(town, ALICE)
    assert thief.open("/me/security/app").url == "/me/security/app"
    town.act(lambda call: call.session.add(Administrator(**row)))
    assert thief.open("/me/security/app").url.startswith(PAGE)
    assert press(thief, "/me/security/codes").url.startswith(PAGE)


def test_who_becomes_staff_with_a_password_alone_falls_under_it_even_halfway(town: Town) -> None:
    """What the thief was shown before is of no use to him after, nor is it what the owner then puts into use."""
    thief = by_password(town, ALICE)
    page = thief.open("/me/security/app")
    seen = app_of(page)
    post = Staff(subject=town.subjects[ALICE], department=CIVIL, role="clerk")
    town.act(lambda call: call.session.add(post))
    try:
        assert thief.submit(page, code=now_code(seen)).url.startswith(PAGE)
        owner = by_password(town, ALICE)
        page = owner.submit(owner.open("/me/security/app"), code=code_for(town, ALICE))
        assert app_of(page).secret != seen.secret
        assert thief.open("/me/security/app").url.startswith(PAGE), "the code opens the session that used it"
        assert owner.submit(page, code=now_code(app_of(page))).status == 200
    finally:
        town.act(lambda call: call.session.execute(delete(Staff).where(Staff.subject == town.subjects[ALICE])))


def test_who_becomes_staff_with_a_second_factor_goes_on_with_it(town: Town) -> None:
    app, browser = give_app(town, town.subjects[CLERK]), by_password(town)
    page = browser.open("/me/security/passkey")
    assert page.url.startswith("/login/second?")
    browser.submit(page, code=now_code(app))
    assert town.act(lambda call: totp.is_in_use(call, town.subjects[CLERK]))


def test_the_code_leads_a_clerk_to_his_first_factor_and_on_to_his_desk(town: Town) -> None:
    code, browser = code_for(town), by_password(town)
    page = browser.open("/me/security/app?to=/counter?a=1")
    assert "请当面向平台的系统管理员索取" in page.text
    page = browser.submit(page, code=f" {code.upper()} ")
    assert page.url == "/me/security/app?to=/counter?a=1"
    app = app_of(page)
    wrong = browser.submit(page, code="12345")
    assert (wrong.status, app_of(wrong).secret) == (400, app.secret), "a slip does not cost another code"
    arrived = browser.submit(wrong, code=now_code(app))
    assert (arrived.status, arrived.url) == (200, "/counter?a=1")
    assert browser.open(PAGE).url == "/me/security", "nothing is left to be entered"
    deeds = town.act(lambda call: call.session.scalars(select(AuditEntry.deed)).all())
    assert {"idservice:activation_code:make", "idservice:activation_code:use", "idservice:factor:add"} <= set(deeds)
    assert code not in " ".join(town.act(lambda call: call.session.scalars(select(AuditEntry.facts)).all()))
    (kept,) = town.act(lambda call: call.session.scalars(select(ActivationCode.code_hash)).all())
    assert kept == activation.hash_of(code)


def test_a_code_works_once_for_one_person_for_a_day(town: Town) -> None:
    code = code_for(town)
    first, other = by_password(town), by_password(town, OFFICER)
    assert press(other, PAGE, code=code).status == 400, "somebody else's"
    assert press(first, PAGE, code=code).url == "/me/security"
    assert press(by_password(town), PAGE, code=code).status == 400, "a second time, in another session"
    late = code_for(town, OFFICER, at=datetime.now(UTC) - timedelta(hours=24, seconds=1))
    assert press(other, PAGE, code=late).status == 400
    older, newer = code_for(town, OFFICER), code_for(town, OFFICER)
    assert press(other, PAGE, code=older).status == 400, "a newer one was made"
    assert press(other, PAGE, code=newer).status == 200


def test_of_parallel_uses_of_one_code_one_succeeds(town: Town) -> None:
    code = code_for(town)
    browsers = [by_password(town) for _ in range(4)]
    pages = [browser.open(PAGE) for browser in browsers]
    with ThreadPoolExecutor(4) as pool:
        found = list(
            pool.map(lambda pair: pair[0].submit(pair[1], code=code).status, zip(browsers, pages, strict=True))
        )
    assert sorted(found) == [200, 400, 400, 400]
    assert [browser.open("/me/security/app").url.startswith(PAGE) for browser in browsers].count(False) == 1


def test_wrong_codes_count_at_the_gate_of_second_factors(town: Town) -> None:
    code, thief = code_for(town), by_password(town)
    for _ in range(5):
        assert press(thief, PAGE, code="aaaa-bbbb-cccc-dddd").status == 400
    assert press(thief, PAGE, code=code).status == 400, "shut"
    row = town.act(lambda call: call.session.get_one(Lock, (town.subjects[CLERK], "second")))
    assert row.failures == 5
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=61), tick=False):
        assert press(by_password(town), PAGE, code=code).status == 200


@pytest.mark.parametrize("path", POSTS)
def test_who_was_asked_for_no_factor_adds_none_beside_one_that_its_owner_adds_meanwhile(
    town: Town, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """PostgreSQL shows each statement what was committed before it: between two looks a factor may appear."""
    thief, looks = by_password(town), iter([[]])
    monkeypatch.setattr(second_factor, "ways_of", lambda *_: next(looks, [second_factor.Way.TOTP]))
    token = thief.open("/verify").form["values"]["csrf_token"]
    answer = thief.client.post(path, data={"csrf_token": token, "code": "000000"})
    assert answer.headers.get("Location", "").startswith(PAGE), answer.status
    assert factors(town) == 0


def test_a_new_code_is_needed_once_the_last_factor_is_gone_and_the_login_is_by_password(town: Town) -> None:
    app, browser = give_app(town, town.subjects[CLERK]), by_password(town)
    browser.submit(browser.open("/login/second?to=/me"), code=now_code(app))
    press(browser, "/me/security/remove-app")
    assert browser.open("/me/security/app").url == "/me/security/app", "he has just shown the one that he replaces"
    assert by_password(town).open("/me/security/app").url.startswith(PAGE)


def test_a_new_password_opens_no_way_around(town: Town) -> None:
    """Changing it needs no code, and what a code has opened ends with the sessions."""
    browser = by_password(town)
    assert browser.open("/me/security/password").url == "/me/security/password"
    press(browser, PAGE, code=code_for(town))
    cookie = browser.client.get_cookie(session.COOKIE)
    assert cookie is not None
    town.act(lambda call: families.kill_all(call, town.subjects[CLERK], reason="test"))
    town.act(lambda call: session.end(call, cookie.value))
    assert by_password(town).open("/me/security/app").url.startswith(PAGE)


def test_a_stale_login_is_asked_again_before_the_code(town: Town) -> None:
    code, browser = code_for(town), by_password(town)
    past = datetime.now(UTC) - timedelta(minutes=16)
    town.act(lambda call: call.session.execute(update(LoginSession).values(auth_time=past)))
    assert press(browser, PAGE, code=code).url.startswith("/login/again?")
    assert town.act(lambda call: call.session.scalar(select(ActivationCode.used_at))) is None


def test_a_login_that_grows_stale_after_the_code_costs_no_other_code(town: Town) -> None:
    """It opens the browser in which it was entered, to whoever logs in anew there, and nobody elsewhere."""
    browser, thief = by_password(town), by_password(town)
    press(browser, PAGE, code=code_for(town))
    past = datetime.now(UTC) - timedelta(minutes=16)
    town.act(lambda call: call.session.execute(update(LoginSession).values(auth_time=past)))
    for other, arrives in ((browser, "/me/security/app"), (thief, f"{PAGE}?to=%2Fme%2Fsecurity%2Fapp")):
        page = other.open("/me/security/app")
        assert page.url.startswith("/login/again?")
        assert other.submit(page, password=PASSWORD).url == arrives
    page = browser.open("/me/security/app")
    assert browser.submit(page, code=now_code(app_of(page))).status == 200


def test_citizens_add_a_factor_as_before(town: Town) -> None:
    browser = by_password(town, ALICE)
    assert browser.open(f"{PAGE}?to=/me/licences").url == "/me/licences"
    page = browser.open("/me/security/app")
    assert browser.submit(page, code=now_code(app_of(page))).status == 200


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example/", "/\\evil.example"])
def test_the_way_on_from_a_code_stays_on_this_site(town: Town, to: str) -> None:
    browser = by_password(town)
    sent = {"csrf_token": browser.open("/verify").form["values"]["csrf_token"], "code": code_for(town), "to": to}
    answer = browser.client.post(PAGE, data=sent)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/me")
