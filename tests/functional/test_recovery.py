"""A forgotten password, by level, for known and unknown alike; and what a checker of real persons can and cannot do."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select, update

from idservice.login import recovery, session, sms, stand_in
from idservice.login.models import Lock, SentCode
from idservice.login.password import set_password
from idservice.login.recovery_pages import START
from idservice.models import AuditEntry, Password, Person
from keys.ring import Purpose
from tests.builders import act, migrate
from tests.databases import Databases, noting_statements
from tests.factors import checked, forget_factors, messages
from tests.identity import (
    AGENT,
    ALICE,
    COMPANY,
    PASSWORD,
    STRANGER,
    Browser,
    City,
    Page,
    build_city,
    is_alive,
    logged_in,
)

NEW = "three unrelated words"
ALICE_NAME, AGENT_NAME = "王小明", "李晓华"


@pytest.fixture(scope="module")
def city(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("forgetful")
    url = databases.fresh(migrate)
    built = build_city(folder, url, sms_sender=f"file:{folder / 'sms.jsonl'}", demo=True)
    yield built
    built.house.database.engine.dispose()
    databases.drop(url)


@pytest.fixture
def sent(city: City) -> Path:
    path = Path(str(city.house.settings.sms_sender).removeprefix("file:"))
    path.unlink(missing_ok=True)
    return path


@pytest.fixture(autouse=True)
def clean(city: City) -> Iterator[None]:
    forget_factors(city)
    set_level(city, city.agent, 2)
    set_level(city, city.alice, 3)
    give_phone(city)
    yield
    for subject in (city.alice, city.agent):
        act(city.house, lambda call, s=subject: set_password(call, s, PASSWORD))


def set_level(city: City, subject: str, level: int) -> None:
    change = update(Person).where(Person.subject == subject).values(level=level, status="active")
    act(city.house, lambda call: call.session.execute(change) and None)


def give_phone(city: City) -> None:
    def give(call: Any) -> None:
        sealed = call.cipher.seal(b"13900005678", table="person", column="phone_sealed", row=city.agent)
        call.session.get_one(Person, city.agent).phone_sealed = sealed

    act(city.house, give)


def asked(browser: Browser, number: str) -> Page:
    return browser.submit(browser.open(START), number=number)


def proved(city: City, browser: Browser, sent: Path, number: str = AGENT, name: str = AGENT_NAME) -> Page:
    page = asked(browser, number)
    return browser.submit(page, code=messages(sent)[-1]["code"], name=name)


def plain(page: Page) -> str:
    """The page without what is random in it."""
    text = page.text
    for value in page.form["values"].values():
        text = text.replace(value, "*") if value else text
    return text


def test_level_2_recovers_with_telephone_and_name(city: City, sent: Path) -> None:
    got = logged_in(city, number=AGENT)
    browser = city.browser()
    page = proved(city, browser, sent)
    assert page.url == "/recover/next"
    done = browser.submit(page, password=NEW, again=NEW)
    assert done.status == 200
    assert not is_alive(city, got), "tokens with offline_access end too"
    told = messages(sent)[-1]
    assert (told["to"], told["code"]) == ("13900005678", None)
    assert city.browser().log_in(number=AGENT).status == 400
    assert city.browser().log_in(number=AGENT, password=NEW).status == 200
    assert "/recover/next" not in browser.open("/recover/next").url, "a recovery is good once"
    deeds = act(city.house, lambda call: call.session.scalars(select(AuditEntry.deed)).all())
    assert {"idservice:recovery:begin", "idservice:password:reset", "idservice:password:change"} <= set(deeds)


def test_level_3_needs_a_check_of_the_real_person_too(city: City, sent: Path) -> None:
    browser = city.browser()
    page = proved(city, browser, sent, ALICE, ALICE_NAME)
    assert "核验本人" in page.text
    token = page.form["values"]["csrf_token"]
    early = browser.open("/recover/password", {"csrf_token": token, "password": NEW, "again": NEW})
    assert "核验本人" in early.text, "nothing is set before the check"
    page = checked(browser, page)
    assert page.url == "/recover/next"
    assert browser.submit(page, password=NEW, again=NEW).status == 200
    assert city.browser().log_in(password=NEW).status == 200


def test_somebody_elses_face_recovers_nothing(city: City, sent: Path) -> None:
    browser = city.browser()
    page = checked(browser, proved(city, browser, sent, ALICE, ALICE_NAME), is_same=False)
    assert (page.status, "核验没有通过" in page.text) == (400, True)
    assert "核验本人" in browser.open("/recover/next").text


def test_level_4_is_recovered_at_a_counter(city: City, sent: Path) -> None:
    set_level(city, city.agent, 4)
    browser = city.browser()
    page = proved(city, browser, sent)
    assert "政务服务窗口" in page.text
    token = browser.open("/login").form["values"]["csrf_token"]
    browser.open("/recover/password", {"csrf_token": token, "password": NEW, "again": NEW})
    assert city.browser().log_in(number=AGENT).status == 200, "the old password holds"


@pytest.mark.parametrize("number", [STRANGER, COMPANY, "hello", "", "1" * 5000], ids=lambda n: n[:6] or "empty")
def test_an_unknown_number_is_answered_as_a_known_one_is(city: City, sent: Path, number: str) -> None:
    known, unknown = asked(city.browser(), AGENT), asked(city.browser(), number)
    assert (known.status, plain(known)) == (unknown.status, plain(unknown))
    assert [name for name, _ in known.headers] == [name for name, _ in unknown.headers]
    assert [message["to"] for message in messages(sent)] == ["13900005678"]
    browser = city.browser()
    refused = browser.submit(asked(browser, number), code="123456", name=AGENT_NAME)
    wrong = city.browser()
    other = wrong.submit(asked(wrong, AGENT), code="000000", name="别人")
    assert (refused.status, plain(refused)) == (other.status, plain(other)) == (400, plain(other))


@pytest.mark.parametrize("step", ["send", "prove"])
def test_an_unknown_number_costs_the_same_work(city: City, sent: Path, step: str, monkeypatch: Any) -> None:
    """The same statements, the same number of decryptions, one message to somebody or to nobody."""

    def work(number: str) -> list[str]:
        browser, done = city.browser(), []
        page = browser.open("/recover") if step == "send" else asked(browser, number)

        opened = type(city.house.cipher).open

        def count(self, *arguments, **named):
            done.append("decrypt")
            return opened(self, *arguments, **named)

        monkeypatch.setattr(type(city.house.cipher), "open", count)
        values = {"number": number} if step == "send" else {"code": "000000", "name": "别人"}
        with noting_statements(city.house.database) as statements:
            browser.submit(page, **values)
        monkeypatch.undo()
        done += [statement.split("WHERE")[0] for statement in statements]
        return sorted(done)

    work(STRANGER)  # what is made once is made now
    work(AGENT)
    for _ in range(6):  # open, then locked
        known, unknown = work(AGENT), work(STRANGER)
        assert known == unknown
        assert known.count("decrypt") == 3  # number, name and telephone
        assert any(statement.startswith("INSERT INTO audit_entry") for statement in known), "the writer is heard too"


def test_stand_ins_have_their_rows_where_nobody_has_logged_in_yet(city: City, sent: Path) -> None:
    asked(city.browser(), STRANGER)
    rows = select(func.count()).select_from(Password).where(Password.subject.startswith("nobody"))
    assert act(city.house, lambda call: call.session.scalar(rows)) == stand_in.MANY


@pytest.mark.parametrize(
    ("name", "is_right"), [("李 晓华", True), ("李晓", False), ("", False), ("王小明", False), ("\ud800", False)]
)
def test_the_name_must_be_the_one_on_record(city: City, sent: Path, name: str, is_right: bool) -> None:
    name = name.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    page = proved(city, city.browser(), sent, name=name)
    assert (page.status != 400) is is_right


def test_a_code_sent_before_a_rotation_is_still_good(city: City, sent: Path) -> None:
    browser = city.browser()
    page = asked(browser, AGENT)
    city.house.keys.rotate(Purpose.TOKEN, now=datetime.now(UTC))
    assert browser.submit(page, code=messages(sent)[-1]["code"], name=AGENT_NAME).url == "/recover/next"


def test_five_wrong_answers_lock_recovery_for_that_person_and_nobody_else(city: City, sent: Path) -> None:
    browser = city.browser()
    page = asked(browser, AGENT)
    code = messages(sent)[-1]["code"]
    for _ in range(5):
        browser.submit(page, code=other_than(code), name=AGENT_NAME)
    assert browser.submit(page, code=code, name=AGENT_NAME).status == 400
    fresh = city.browser()
    assert proved(city, fresh, sent).status == 400, "a new code is behind the same lock"
    assert proved(city, city.browser(), sent, ALICE, ALICE_NAME).status == 200
    assert city.browser().log_in(number=AGENT).status == 200, "and the owner still logs in"


def test_a_stranger_keeps_nobody_from_recovering_on_a_device_of_his_own(city: City, sent: Path) -> None:
    """Neither by wrong answers nor by asking for every message there is."""
    home, stranger = city.browser(), city.browser()
    assert home.log_in(number=AGENT).status == 200
    home.client.delete_cookie(session.COOKIE)
    for _ in range(sms.MOST + 1):
        page = asked(stranger, AGENT)
        stranger.submit(page, code=other_than(messages(sent)[-1]["code"]), name=AGENT_NAME)
    assert lock_of(city, city.agent).locked_until is not None
    assert len(messages(sent)) == sms.MOST
    assert "/recover/next" not in proved(city, city.browser(), sent).url
    assert proved(city, home, sent).url == "/recover/next"


def test_on_a_known_device_recovery_is_guessed_no_faster(city: City, sent: Path) -> None:
    home = city.browser()
    home.log_in(number=AGENT)
    page = asked(home, AGENT)
    for _ in range(5):
        home.submit(page, code=other_than(messages(sent)[-1]["code"]), name=AGENT_NAME)
    assert proved(city, home, sent).status == 400
    assert proved(city, city.browser(), sent).status == 400, "and what was guessed there counts for everybody"


def test_a_form_that_is_over_locks_nobody(city: City, sent: Path) -> None:
    """Expired, tried five times, or one whose code was never sent."""
    browser = city.browser()
    page = asked(browser, AGENT)
    with time_machine.travel(datetime.now(UTC) + sms.LIFE + timedelta(seconds=1), tick=False):
        for _ in range(6):
            assert browser.submit(page, code="", name="别人").status == 400
    assert lock_of(city, city.agent) is None
    for _ in range(sms.MOST):
        page = asked(browser, AGENT)
    assert len(messages(sent)) == sms.MOST
    for _ in range(6):
        browser.submit(page, code="", name="别人")
    assert lock_of(city, city.agent) is None
    give = update(SentCode).values(tries=sms.TRIES - 1)
    act(city.house, lambda call: call.session.execute(give) and None)
    for _ in range(6):
        browser.submit(page, code="", name="别人")
    assert lock_of(city, city.agent).failures == 1


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def lock_of(city: City, subject: str) -> Any:
    return act(city.house, lambda call: call.session.get(Lock, (subject, "recovery")))


def test_a_code_expires(city: City, sent: Path) -> None:
    browser = city.browser()
    page = asked(browser, AGENT)
    code = messages(sent)[-1]["code"]
    with time_machine.travel(datetime.now(UTC) + sms.LIFE + timedelta(seconds=1), tick=False):
        assert browser.submit(page, code=code, name=AGENT_NAME).status == 400


def test_a_recovery_is_good_in_its_own_browser_and_for_a_while(city: City, sent: Path) -> None:
    browser = city.browser()
    page = proved(city, browser, sent)
    assert page.url == "/recover/next"
    assert city.browser().open("/recover/next").url == "/recover"
    with time_machine.travel(datetime.now(UTC) + recovery.LIFE + timedelta(seconds=1), tick=False):
        assert browser.open("/recover/next").url == "/recover"


def test_of_parallel_ends_of_one_recovery_one_succeeds(city: City, sent: Path) -> None:
    browser = city.browser()
    proved(city, browser, sent)
    secret = recovery_secret(browser)

    def finish(number: int) -> bool:
        return act(
            city.house,
            lambda call: (
                recovery.finish(call, recovery.find(call, secret), f"{NEW} {number}")
                if recovery.find(call, secret)
                else False
            ),
        )

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(finish, range(4))) == [False, False, False, True]


def recovery_secret(browser: Browser) -> str:
    with browser.client.session_transaction(base_url="https://localhost") as kept:
        return str(kept["recovery"])


def test_a_closed_account_is_not_recovered(city: City, sent: Path) -> None:
    act(
        city.house,
        lambda call: (
            call.session.execute(update(Person).where(Person.subject == city.agent).values(status="locked")) and None
        ),
    )
    asked(city.browser(), AGENT)
    assert messages(sent) == []


def test_a_weak_password_leaves_the_recovery_open(city: City, sent: Path) -> None:
    browser = city.browser()
    page = proved(city, browser, sent)
    page = browser.submit(page, password="12345678", again="12345678")
    assert page.status == 400
    assert browser.submit(page, password=NEW, again=NEW).status == 200


def test_an_old_telephone_hears_that_another_took_its_place(city: City, sent: Path, tmp_path: Path) -> None:
    """Not in a dry run, not where nothing changes, and the new one hears nothing."""
    file = tmp_path / "people.csv"

    def bring_in(phone: str, *options: str) -> None:
        file.write_text(f"number,name,phone\n{AGENT},{AGENT_NAME},{phone}\n", "utf-8")
        done = city.app.test_cli_runner().invoke(args=["register", "import", "people", str(file), *options])
        assert done.exit_code == 0, done.output

    bring_in("13900005678")
    bring_in("13700009999", "--dry-run")
    assert messages(sent) == []
    bring_in("13700009999")
    (told,) = messages(sent)
    assert (told["to"], told["code"]) == ("13900005678", None)
    assert "手机号码刚刚更换" in told["text"]
    assert AGENT not in told["text"]


def test_no_sender_no_recovery(databases: Databases, tmp_path: Path) -> None:
    url = databases.fresh(migrate)
    built = build_city(tmp_path, url)
    browser = built.browser()
    page = browser.open("/recover")
    assert 'name="number"' not in page.text
    token = browser.open("/login").form["values"]["csrf_token"]
    assert browser.open("/recover", {"csrf_token": token, "number": ALICE}).status == 404
    built.house.database.engine.dispose()
    databases.drop(url)
