from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from idservice.call import Caller
from idservice.errors import Problem
from idservice.login import step_up
from idservice.login.levels import PASSKEY, PASSWORD, TWO_FACTOR, Act

NOW = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)
VISITOR = Caller(channel="page", person="p", amr=("pwd",), auth_time=NOW, level=3)
STRONG = replace(VISITOR, amr=("pwd", "otp", "mfa"))


def call_of(caller: Caller) -> Any:
    return SimpleNamespace(caller=caller, now=NOW, settings=SimpleNamespace(issuer="https://id.example"))


@pytest.mark.parametrize(
    ("caller", "acr_values", "lacking"),
    [
        (VISITOR, [], None),
        (VISITOR, [PASSWORD], None),
        (VISITOR, ["urn:elsewhere"], None),
        (VISITOR, [TWO_FACTOR], TWO_FACTOR),
        (VISITOR, [PASSKEY, TWO_FACTOR], TWO_FACTOR),
        (STRONG, [TWO_FACTOR], None),
        (STRONG, [PASSKEY], PASSKEY),
        (Caller(channel="page"), [PASSWORD], PASSWORD),
    ],
)
def test_what_a_request_lacks(caller: Caller, acr_values: list[str], lacking: str | None) -> None:
    assert step_up.lacking(call_of(caller), acr_values) == lacking


def test_an_act_goes_on_where_login_and_level_are_enough() -> None:
    step_up.demand(call_of(VISITOR), Act.CHANGE_PASSWORD)
    step_up.demand(call_of(STRONG), Act.ADMINISTER)


@pytest.mark.parametrize(
    ("caller", "act", "needed"),
    [
        (VISITOR, Act.ADMINISTER, TWO_FACTOR),
        (replace(VISITOR, signals=("new_device",)), Act.CHANGE_PASSWORD, TWO_FACTOR),
        (replace(VISITOR, auth_time=NOW - timedelta(minutes=16)), Act.CHANGE_PASSWORD, step_up.LOGIN),
        (replace(STRONG, auth_time=None), Act.CHANGE_PASSWORD, step_up.LOGIN),
    ],
)
def test_a_visitor_is_sent_to_prove_more(caller: Caller, act: Act, needed: str) -> None:
    with pytest.raises(step_up.StepUpNeeded) as raised:
        step_up.demand(call_of(caller), act)
    assert raised.value.needed == needed


@pytest.mark.parametrize("channel", ["page", "api"])
def test_no_login_makes_up_for_a_level(channel: str) -> None:
    with pytest.raises(Problem, match="level_too_low"):
        step_up.demand(call_of(replace(STRONG, channel=channel, level=2)), Act.ADMINISTER)


def test_a_program_is_challenged_as_rfc_9470_says() -> None:
    program = replace(VISITOR, channel="api", auth_time=NOW - timedelta(hours=1))
    with pytest.raises(Problem) as raised:
        step_up.demand(call_of(program), Act.CHANGE_PASSWORD)
    assert raised.value.kind.status == 401
    assert raised.value.headers["WWW-Authenticate"] == (
        'Bearer error="insufficient_user_authentication", acr_values="urn:ona:acr:password", max_age="900"'
    )
    with pytest.raises(Problem) as raised:
        step_up.demand(call_of(program), Act.ADMINISTER)
    assert raised.value.headers["WWW-Authenticate"].endswith(f'acr_values="{TWO_FACTOR}"')


def test_a_post_used_by_a_weak_login_is_refused_in_the_words_of_page_and_program() -> None:
    on_page = step_up.refusal(VISITOR, Act.ACT_AS_STAFF)
    assert isinstance(on_page, step_up.StepUpNeeded)
    assert on_page.needed == TWO_FACTOR
    program = step_up.refusal(replace(VISITOR, channel="api", scheme="dpop"), Act.ACT_AS_STAFF)
    assert isinstance(program, Problem)
    assert program.headers["WWW-Authenticate"].startswith('DPoP error="insufficient_user_authentication"')
    assert TWO_FACTOR in program.headers["WWW-Authenticate"]


def test_the_way_there_leads_back() -> None:
    assert step_up.page_for(TWO_FACTOR, "/a?b=c") == "/login/second?acr=urn%3Aona%3Aacr%3Atwo-factor&to=%2Fa%3Fb%3Dc"
    assert step_up.page_for(step_up.LOGIN, "/a?b=c") == "/login/again?to=%2Fa%3Fb%3Dc"


@pytest.mark.parametrize(
    ("issuer", "has_passkeys"),
    [
        ("https://id.example", True),
        ("http://localhost:8000", True),
        ("http://127.0.0.1:8000", False),
        ("http://[::1]:8000", False),
    ],
)
def test_passkeys_are_offered_under_a_name_only(issuer: str, has_passkeys: bool) -> None:
    settings: Any = SimpleNamespace(issuer=issuer)
    assert (PASSKEY in step_up.offered(settings)) is has_passkeys
