"""Fifty at once, on every database: one proof, one pushed request, one assertion, one bound refresh token."""

from collections import Counter
from datetime import UTC, datetime

import time_machine
from sqlalchemy import func, select

from idservice.models import AccessToken, TokenFamily
from tests.builders import act
from tests.fapi import Fapi, new_key
from tests.functional.test_oauth_races import MANY, at_once, outcomes
from tests.identity import answer_of, query_of, token


def test_one_proof_sent_fifty_times_at_once(fapi: Fapi) -> None:
    text = fapi.logged_in()["access_token"]
    headers = {"Authorization": f"DPoP {text}", **fapi.proof("GET", "/v1/accesses", token=text)}
    answers = at_once(lambda: fapi.app.test_client().get("/v1/accesses", headers=headers))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: MANY - 1}


def test_one_proof_for_fifty_redemptions_at_once(fapi: Fapi) -> None:
    fapi.push(fapi.flow(), bare=False)
    proof, form = fapi.proof("POST", "/oauth/par"), dict(query_of(fapi.flow().url()))
    answers = at_once(lambda: token(fapi.app, form | fapi.assertion(), proof, "/oauth/par"))
    assert outcomes(answers) == {(201, None): 1, (400, "invalid_dpop_proof"): MANY - 1}


def test_one_assertion_pushes_fifty_times_at_once(fapi: Fapi) -> None:
    form = {**dict(query_of(fapi.flow().url())), **fapi.assertion()}
    answers = at_once(lambda: token(fapi.app, form, path="/oauth/par"))
    assert outcomes(answers) == {(201, None): 1, (401, "invalid_client"): MANY - 1}


def test_one_pushed_request_finished_fifty_times_at_once(fapi: Fapi) -> None:
    browser = fapi.city.browser()
    fapi.answer(fapi.pushed(fapi.flow()), browser)
    url = fapi.pushed(fapi.flow())
    cookies = browser.client._cookies

    def finish() -> tuple[int, bool]:
        client = fapi.app.test_client()
        client._cookies = dict(cookies)
        answer = client.get(url, headers={"Accept": "text/html"})
        return answer.status_code, "code=" in answer.headers.get("Location", "")

    assert Counter(at_once(finish)) == {(303, True): 1, (400, False): MANY - 1}


def test_a_pushed_request_opened_by_fifty_browsers_at_once_is_one_browsers(fapi: Fapi) -> None:
    url = fapi.pushed(fapi.flow())

    def visit() -> int:
        return fapi.app.test_client().get(url, headers={"Accept": "text/html"}).status_code

    assert Counter(at_once(visit)) == {303: 1, 400: MANY - 1}


def test_one_code_redeemed_fifty_times_at_once_with_its_key(fapi: Fapi) -> None:
    flow = fapi.flow()
    code = fapi.code(flow, bare=False)
    answers = at_once(lambda: fapi.redeem(flow, code))
    assert outcomes(answers) == {(200, None): 1, (400, "invalid_grant"): MANY - 1}


def test_one_bound_refresh_token_used_fifty_times_at_once_gives_one_answer(fapi: Fapi) -> None:
    first = fapi.logged_in()
    issued = act(fapi.city.house, lambda call: call.session.scalar(select(func.count()).select_from(AccessToken)))
    # An answer is repeated for some seconds: as many as pass, however long fifty refreshes take this machine.
    with time_machine.travel(datetime.now(UTC), tick=False):
        answers = at_once(lambda: fapi.refresh(first["refresh_token"]))
    assert outcomes(answers) == {(200, None): MANY}
    assert len({answer.text for answer in answers}) == 1, "one refresh, and its answer again and again"
    now = act(fapi.city.house, lambda call: call.session.scalar(select(func.count()).select_from(AccessToken)))
    assert (now or 0) - (issued or 0) == 1
    assert fapi.refresh(answers[0].json["refresh_token"]).status_code == 200


def test_a_refresh_token_used_fifty_times_at_once_with_fifty_keys_is_its_owners(fapi: Fapi) -> None:
    first = fapi.logged_in()
    answers = at_once(lambda: fapi.refresh(first["refresh_token"], proof={"key": new_key()}))
    assert outcomes(answers) == {(400, "invalid_grant"): MANY}
    reused = select(func.count()).where(TokenFamily.revoked_for == "reuse", TokenFamily.client_id == "fapi")
    before = act(fapi.city.house, lambda call: call.session.scalar(reused))
    assert fapi.refresh(first["refresh_token"]).status_code == 200
    assert act(fapi.city.house, lambda call: call.session.scalar(reused)) == before
    assert "code" in answer_of(fapi.answer(fapi.pushed(fapi.flow())))
