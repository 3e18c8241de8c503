"""Checks of real persons: what a checker's word does, and every word that is not quite the one that was asked for."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, update

from idservice.login import demo_checker, proofing
from idservice.login.models import Proofing
from idservice.models import Person
from keys.jws import encode
from keys.signer import Algorithm, generate_private, load_private
from tests.builders import act, migrate
from tests.databases import Databases
from tests.factors import checked
from tests.identity import AGENT, Browser, City, build_city

AGENT_NAME = "李晓华"


@pytest.fixture(scope="module")
def city(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    url = databases.fresh(migrate)
    built = build_city(tmp_path_factory.mktemp("checked"), url, demo=True)
    yield built
    built.house.database.engine.dispose()
    databases.drop(url)


@pytest.fixture(autouse=True)
def real_name(city: City) -> None:
    change = update(Person).where(Person.subject == city.agent).values(level=2)
    act(city.house, lambda call: call.session.execute(change) and None)


def level_of(city: City, subject: str) -> int:
    return act(city.house, lambda call: call.session.get_one(Person, subject).level)


def person(city: City) -> Browser:
    browser = city.browser()
    assert browser.log_in(number=AGENT).status == 200
    return browser


def test_a_check_raises_a_real_name_to_a_real_person(city: City) -> None:
    browser = person(city)
    page = checked(browser, browser.open("/me/security"))
    assert page.url == "/me/security"
    assert level_of(city, city.agent) == 3
    assert "/me/security/check" not in page.text, "there is nothing more to raise here"


def test_somebody_elses_face_raises_nothing(city: City) -> None:
    browser = person(city)
    page = checked(browser, browser.open("/me/security"), is_same=False)
    assert page.status == 400
    assert level_of(city, city.agent) == 2


@pytest.fixture
def question(city: City) -> tuple[str, dict[str, Any]]:
    """A nonce that the face checker was asked with, and what it ought to say."""
    found = act(city.house, lambda call: proofing.begin(call, city.agent, "face", purpose="raise", browser="b"))
    now = int(datetime.now(UTC).timestamp())
    said = {
        "iss": "face", "aud": "http://127.0.0.1:8000", "iat": now, "exp": now + 300, "nonce": found.nonce,
        "alive": True, "who": proofing.who(found.nonce, AGENT, AGENT_NAME),
    }  # fmt: skip
    return found.nonce, said


def word(city: City, said: dict[str, Any], *, signer: Any = None, typ: str = proofing.TYPE) -> str:
    return encode(said, signer=signer or demo_checker.signer(city.house.keys), typ=typ)


def answer(city: City, result: str) -> str | None:
    return act(city.house, lambda call: proofing.answer(call, result))


def test_a_good_word_counts_once_in_the_browser_that_asked(city: City, question: Any) -> None:
    name = answer(city, word(city, question[1]))
    assert name is not None
    assert answer(city, word(city, question[1])) is None, "the word counts once"
    assert act(city.house, lambda call: proofing.claim(call, name, browser="another")) is None
    assert act(city.house, lambda call: proofing.claim(call, name, browser="b")) is not None
    assert act(city.house, lambda call: proofing.claim(call, name, browser="b")) is None


FORGED = {
    "not_alive": {"alive": False},
    "alive_as_text": {"alive": "true"},
    "no_nonce": {"nonce": "x" * 43},
    "nonce_as_number": {"nonce": 5},
    "other_person": {"who": "0" * 64},
    "who_not_ascii": {"who": "é" * 64},
    "other_checker": {"iss": "ctid"},
    "other_audience": {"aud": "https://elsewhere.example"},
    "several_audiences": {"aud": ["https://elsewhere.example"]},
    "expired": {"exp": 1},
    "too_long": {"exp": 9_999_999_999},
    "of_the_future": {"iat": 9_999_999_990},
}


@pytest.mark.parametrize("change", FORGED.values(), ids=FORGED.keys())
def test_a_word_that_is_not_quite_right_counts_for_nothing(city: City, question: Any, change: dict[str, Any]) -> None:
    assert answer(city, word(city, question[1] | change)) is None
    assert level_of(city, city.agent) == 2


def test_only_the_checkers_own_key_and_type_count(city: City, question: Any) -> None:
    stranger = load_private(Algorithm.EDDSA, generate_private(Algorithm.EDDSA))
    assert answer(city, word(city, question[1], signer=stranger)) is None
    assert answer(city, word(city, question[1], typ="JWT")) is None
    for text in ("", "x", "a.b.c", "." * 4000):
        assert answer(city, text) is None
    assert answer(city, word(city, question[1])) is not None


def test_a_late_word_counts_for_nothing(city: City, question: Any) -> None:
    _, said = question
    with time_machine.travel(datetime.now(UTC) + proofing.LIFE + timedelta(seconds=1), tick=False):
        now = int(datetime.now(UTC).timestamp())
        assert answer(city, word(city, said | {"iat": now, "exp": now + 60})) is None


def test_a_check_that_somebody_else_began_raises_nobody_else(city: City, question: Any) -> None:
    name = answer(city, word(city, question[1]))
    other = city.browser()
    other.log_in()
    assert other.open(f"/login/proofing?check={name}").status == 400
    assert level_of(city, city.agent) == 2


@pytest.mark.parametrize("check", ["", "zz", "00", "%00", "x" * 3000])
def test_odd_names_of_checks_are_refused(city: City, check: str) -> None:
    assert city.browser().open(f"/login/proofing?check={check}").status == 400


def test_the_demonstrations_checker_exists_in_demonstrations_only(city: City, question: Any) -> None:
    plain_house = replace(city.house, settings=replace(city.house.settings, demo=False))
    assert proofing.checkers(plain_house) == {}
    form = {"nonce": question[0], "return_to": "https://elsewhere.example"}
    assert city.browser().open("/login/demo-checker", form).status == 404
    assert city.browser().open("/login/demo-checker", {"nonce": "x"}).status == 404


def test_nothing_personal_goes_to_a_checker(city: City) -> None:
    browser = person(city)
    page = browser.submit(browser.open("/me/security"), checker="face")
    assert set(page.form["values"]) == {"nonce", "audience", "return_to"}
    assert AGENT not in page.text
    rows = act(city.house, lambda call: call.session.scalars(select(Proofing)).all())
    assert all(page.form["values"]["nonce"].encode() not in row.nonce_hash for row in rows)
