"""Fifty at once: of parallel uses of one code, refresh token or assertion exactly one succeeds, on every database."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from sqlalchemy import func, select

from idservice.models import TokenFamily
from tests.builders import act
from tests.functional.test_oauth_assertion import assertion_for, with_assertion
from tests.identity import City, Flow, basic, introspect, redeem, token

MANY = 50


def at_once(deed: Callable[[], Any]) -> list[Any]:
    """Run `deed` in many threads that all start together, and return what each got."""
    start, got, lock = threading.Barrier(MANY), [], threading.Lock()

    def run() -> None:
        start.wait(timeout=30)
        answer = deed()
        with lock:
            got.append(answer)

    threads = [threading.Thread(target=run) for _ in range(MANY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert len(got) == MANY
    return got


def outcomes(answers: list[Any]) -> Counter[tuple[int, str | None]]:
    return Counter((answer.status_code, answer.json.get("error")) for answer in answers)


def test_one_code_redeemed_fifty_times_at_once(city: City) -> None:
    flow = Flow(scope="openid offline_access")
    code = city.browser().code(flow)
    answers = at_once(lambda: redeem(city.app, flow, code))
    assert outcomes(answers) == {(200, None): 1, (400, "invalid_grant"): MANY - 1}
    winner = next(answer.json for answer in answers if answer.status_code == 200)
    assert not introspect(city, winner["access_token"])["active"], "the code was used again: everything from it is dead"


def test_one_refresh_token_used_fifty_times_at_once(city: City) -> None:
    flow = Flow(scope="openid offline_access")
    first = redeem(city.app, flow, city.browser().code(flow)).json
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    killed = select(func.count()).where(TokenFamily.revoked_for == "reuse")
    before = act(city.house, lambda call: call.session.scalar(killed)) or 0
    answers = at_once(lambda: token(city.app, form, basic("basic")))
    assert outcomes(answers) == {(200, None): 1, (400, "invalid_grant"): MANY - 1}
    assert act(city.house, lambda call: call.session.scalar(killed)) == before + 1, "this family"


def test_one_assertion_used_fifty_times_at_once(city: City) -> None:
    flow = Flow("jwt", scope="openid offline_access")
    got = with_assertion(city, {**grant_of(flow, city.browser().code(flow))}, assertion_for(city)).json
    assertion = assertion_for(city)
    answers = at_once(lambda: with_assertion(city, {"token": got["access_token"]}, assertion, "/oauth/introspect"))
    assert outcomes(answers) == {(200, None): 1, (401, "invalid_client"): MANY - 1}


def grant_of(flow: Flow, code: str) -> dict[str, str]:
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": flow.redirect_uri,
        "code_verifier": flow.verifier,
    }
