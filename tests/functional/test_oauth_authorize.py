"""The authorization endpoint (RFC 9700, RFC 9207, OpenID Connect Core): what is refused, and where the refusal goes."""

import random
import time
from urllib.parse import quote, urlencode

import pytest

from tests.identity import (
    AGENT,
    ALICE,
    CALLBACK,
    ISSUER,
    City,
    Flow,
    answer_of,
    claims_of,
    query_of,
    redeem,
)

EVIL_REDIRECTS = {
    "another_host": "http://127.0.0.2:4001/cb",
    "one_character": "http://127.0.0.1:4001/cc",
    "extra_path": "http://127.0.0.1:4001/cb/x",
    "trailing_slash": "http://127.0.0.1:4001/cb/",
    "extra_query": "http://127.0.0.1:4001/cb?x=1",
    "dot_dot": "http://127.0.0.1:4001/cb/..;/x",
    "encoded_dots": "http://127.0.0.1:4001/%2e%2e/cb",
    "user_information": "http://127.0.0.1:4001@evil.example/cb",
    "backslash": "http://127.0.0.1:4001\\@evil.example/cb",
    "upper_case_host": "HTTP://127.0.0.1:4001/cb",
    "fragment": "http://127.0.0.1:4001/cb#f",
    "port_of_a_confidential_client": "http://127.0.0.1:4002/cb",
    "https": "https://127.0.0.1:4001/cb",
    "script": "javascript:alert(1)",
    "relative": "//evil.example/cb",
    "newline": "http://127.0.0.1:4001/cb\r\nX: y",
    "nul": "http://127.0.0.1:4001/cb\0",
}


@pytest.mark.parametrize("uri", EVIL_REDIRECTS.values(), ids=EVIL_REDIRECTS.keys())
@pytest.mark.parametrize(
    "changes", [{}, {"response_type": "token"}, {"scope": "nonsense"}, {"response_mode": "form_post"}]
)
def test_nothing_is_ever_sent_to_an_unregistered_uri(city: City, uri: str, changes: dict[str, str]) -> None:
    page = city.browser().open(Flow(redirect_uri=uri).url(**changes))
    assert page.status == 400
    assert "Location" not in page.headers
    assert page.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "nobody"},
        {"client_id": None},
        {"client_id": "counter"},
        {"redirect_uri": None},
        {"client_id": "b\0asic"},
        {"client_id": "x" * 5000},
    ],
    ids=["unknown", "missing", "not_for_people", "no_redirect_uri", "nul", "long"],
)
def test_an_app_that_is_not_known_gets_no_redirect(city: City, changes: dict[str, str | None]) -> None:
    assert city.browser().open(Flow().url(**changes)).status == 400


REFUSALS = {
    "implicit": ({"response_type": "token"}, "unsupported_response_type"),
    "hybrid": ({"response_type": "code id_token"}, "unsupported_response_type"),
    "no_response_type": ({"response_type": None}, "invalid_request"),
    "form_post": ({"response_mode": "form_post"}, "invalid_request"),
    "fragment": ({"response_mode": "fragment"}, "invalid_request"),
    "no_pkce": ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    "challenge_without_method": ({"code_challenge_method": None}, "invalid_request"),
    "plain": ({"code_challenge_method": "plain"}, "invalid_request"),
    "lower_case_s256": ({"code_challenge_method": "s256"}, "invalid_request"),
    "short_challenge": ({"code_challenge": "a" * 42}, "invalid_request"),
    "long_challenge": ({"code_challenge": "a" * 44}, "invalid_request"),
    "unknown_scope": ({"scope": "openid nonsense"}, "invalid_scope"),
    "scope_of_others": ({"scope": "openid licences.issue"}, "invalid_scope"),
    "no_scope": ({"scope": None}, "invalid_scope"),
    "two_spaces": ({"scope": "openid  profile"}, "invalid_scope"),
    "request_object": ({"request": "eyJ"}, "request_not_supported"),
    "request_uri": ({"request_uri": "https://example.com/r"}, "request_uri_not_supported"),
    "registration": ({"registration": "{}"}, "registration_not_supported"),
    "prompt_none_and_login": ({"prompt": "none login"}, "invalid_request"),
    "prompt_unknown": ({"prompt": "dance"}, "invalid_request"),
    "max_age_negative": ({"max_age": "-1"}, "invalid_request"),
    "max_age_words": ({"max_age": "soon"}, "invalid_request"),
    "max_age_arabic_digits": ({"max_age": "٣"}, "invalid_request"),
    "other_resource": ({"resource": "https://other.example"}, "invalid_target"),
    "long_nonce": ({"nonce": "n" * 513}, "invalid_request"),
    "nul_in_nonce": ({"nonce": "a\0b"}, "invalid_request"),
    "long_parameter": ({"anything": "x" * 2049}, "invalid_request"),
    "nobody_logged_in": ({"prompt": "none"}, "login_required"),
}


@pytest.mark.parametrize(("changes", "error"), REFUSALS.values(), ids=REFUSALS.keys())
def test_every_other_fault_goes_back_to_the_app_with_state_and_iss(
    city: City, changes: dict[str, str | None], error: str
) -> None:
    flow = Flow()
    page = city.browser().open(flow.url(**changes))
    assert page.status == 303
    assert page.url.startswith(CALLBACK + "?")
    answer = answer_of(page)
    assert (answer["error"], answer["state"], answer["iss"]) == (error, flow.state, ISSUER)


@pytest.mark.parametrize("name", ["state", "scope", "nonce", "code_challenge", "prompt", "response_type", "anything"])
def test_a_parameter_sent_twice_is_refused(city: City, name: str) -> None:
    page = city.browser().open(Flow().url() + "&" + urlencode([(name, "openid"), (name, "openid")]))
    assert answer_of(page)["error"] in {"invalid_request", "unsupported_response_type", "invalid_scope"}


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_client_and_redirect_uri_sent_twice_go_nowhere(city: City, name: str) -> None:
    value = {"client_id": "basic", "redirect_uri": CALLBACK}[name]
    assert city.browser().open(f"{Flow().url()}&{name}={quote(value)}").status == 400


def test_a_native_app_may_listen_on_any_loopback_port(city: City) -> None:
    flow = Flow("public", redirect_uri="http://127.0.0.1:50123/cb")
    assert redeem(city.app, flow, city.browser().code(flow)).status_code == 200
    for other in ("http://localhost:50123/cb", "http://127.0.0.1:50123/other", "http://[::1]:50123/cb"):
        assert city.browser().open(Flow("public", redirect_uri=other).url()).status == 400


def test_unknown_parameters_hints_and_locales_do_no_harm(city: City) -> None:
    flow = Flow()
    extra = {
        "login_hint": "110101190001010009",
        "acr_values": "high",
        "display": "popup",
        "foo": "bar",
        "ui_locales": "en-GB zh",
    }
    page = city.browser().open(flow.url(**extra))
    assert page.status == 200
    assert '<html lang="en"' in page.text
    visible = page.text.split("<main")[1]
    assert 'value="110101190001010009"' not in visible, "a hint is never filled in"
    got = redeem(city.app, flow, city.browser().code(flow, **extra)).json
    assert claims_of(got["id_token"])["acr"] == "urn:ona:acr:password", "what was done, not what was asked for"


def test_whoever_is_not_logged_in_does_so_at_the_address_of_the_request(city: City) -> None:
    browser, flow = city.browser(), Flow()
    url = flow.url(prompt="consent")
    first, page = browser.open(url), browser.open(url)
    assert page.url == url
    assert page.asks_to_log_in
    assert "应用 basic" in page.text
    assert "http://127.0.0.1:4001" in page.headers["Content-Security-Policy"].partition("form-action")[2]
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Frame-Options"] == "DENY"
    for shown in (first, page):  # it may be opened in two windows, and anew in each
        assert dict(query_of(browser.log_in(shown).url))["state"] == flow.state
    assert 'name="decision"' in browser.open(url).text, "going back to it leads on"


def test_another_language_is_chosen_without_losing_the_request(city: City) -> None:
    browser, flow = city.browser(), Flow()
    page = browser.open(flow.url(prompt="consent"))
    page = browser.open(page.in_language("en"))
    assert page.url.startswith("/oauth/authorize?")
    assert page.asks_to_log_in
    assert '<html lang="en"' in page.text
    page = browser.submit(browser.log_in(page), decision="allow")
    assert redeem(city.app, flow, answer_of(page)["code"]).status_code == 200
    assert '<html lang="en"' in browser.open("/me").text


@pytest.mark.parametrize(("tongue", "more"), [("en", {}), ("zh", {}), ("zh", {"ui_locales": "en"})])
def test_another_language_is_chosen_after_a_wrong_password(city: City, tongue: str, more: dict[str, str]) -> None:
    browser, flow = city.browser(), Flow()
    browser.open(f"/login?lang={'zh' if tongue == 'en' else 'en'}")
    page = browser.log_in(browser.open(flow.url(prompt="consent", **more)), password="wrong")
    assert page.status == 400
    page = browser.open(page.in_language(tongue))
    assert page.status == 200
    assert f'<html lang="{tongue}' in page.text
    page = browser.submit(browser.log_in(page), decision="allow")
    assert redeem(city.app, flow, answer_of(page)["code"]).status_code == 200


def test_the_language_link_of_a_refused_login_leads_to_no_other_site(city: City) -> None:
    browser = city.browser()
    page = browser.submit(browser.open("/login"), to="//evil.example/", number=ALICE, password="wrong")
    assert page.in_language("en") == "/login?to=%2Fme&lang=en"


@pytest.mark.parametrize("more", [{"login_hint": ALICE}, {"ui_locales": "en"}])
def test_an_address_that_is_not_one_to_stay_at_leads_to_the_login_page(city: City, more: dict[str, str]) -> None:
    page = city.browser().open(Flow().url(**more))
    assert page.url.startswith("/login?to=")
    assert page.asks_to_log_in
    assert ALICE not in page.url + page.text, "who is hinted at stands in no address and on no page of ours"


def test_a_request_may_come_as_a_post(city: City) -> None:
    flow = Flow()
    page = city.browser().open("/oauth/authorize", dict(query_of(flow.url())))
    assert page.status == 200
    assert page.asks_to_log_in


def test_a_request_without_nonce_or_state_succeeds(city: City) -> None:
    browser = city.browser()
    browser.code(Flow())
    page = browser.open(Flow().url(nonce=None, state=None))
    assert answer_of(page).keys() == {"code", "iss", "session_state"}


def test_state_comes_back_exactly(city: City) -> None:
    browser = city.browser()
    browser.code(Flow())
    for state in ("a b&c=d?e#f%20", "中文 ü", "x" * 2000, "=&=&"):
        assert answer_of(browser.open(Flow().url(state=state)))["state"] == state


def test_prompt_none_answers_without_a_page(city: City) -> None:
    browser = city.browser()
    browser.code(Flow("sector-a"))
    assert "code" in answer_of(browser.open(Flow("sector-a").url(prompt="none")))
    more = browser.open(Flow("sector-a", scope="openid profile").url(prompt="none"))
    assert answer_of(more)["error"] == "consent_required"


def test_prompt_login_asks_again_and_the_new_login_is_what_the_app_hears_of(city: City) -> None:
    browser, first = city.browser(), Flow()
    earlier = claims_of(redeem(city.app, first, browser.code(first)).json["id_token"])["auth_time"]
    time.sleep(1.1)
    flow = Flow()
    page = browser.open(flow.url(prompt="login"))
    assert page.asks_to_log_in
    answer = answer_of(browser.log_in(page))
    assert claims_of(redeem(city.app, flow, answer["code"]).json["id_token"])["auth_time"] > earlier


def test_prompt_login_cannot_be_satisfied_by_an_old_login(city: City) -> None:
    browser, flow = city.browser(), Flow()
    browser.code(Flow())
    url = flow.url(prompt="login")
    page = browser.open(url)
    to = page.form["values"]["to"]
    assert browser.open(to).asks_to_log_in, "coming back without logging in"
    assert browser.open(url).asks_to_log_in


def test_max_age(city: City) -> None:
    browser = city.browser()
    browser.code(Flow())
    assert "code" in answer_of(browser.open(Flow().url(max_age="10000")))
    page = browser.open(Flow().url(max_age="0"))
    assert page.asks_to_log_in
    assert "code" in answer_of(browser.log_in(page))


def test_a_step_is_good_for_one_request_and_one_browser(city: City) -> None:
    browser = city.browser()
    browser.code(Flow(), number=AGENT)
    flow = Flow()
    choice = browser.open(flow.url())
    chosen = browser.submit(choice, acting=city.mandate)
    assert chosen.status in {200, 303}
    step = dict(query_of(browser.submit(browser.open(flow.url(prompt="consent")), acting=city.mandate).url))["step"]
    moved = browser.open(Flow().url() + "&step=" + step)
    assert 'name="acting"' in moved.text, "another request begins at its beginning"
    stranger = city.browser()
    stranger.code(Flow(), number=AGENT)
    assert 'name="acting"' in stranger.open(flow.url(prompt="consent") + "&step=" + step).text
    for broken in (step[:-1], step + "x", "", "....", "é" * 10, "A" * 5000):
        assert 'name="acting"' in browser.open(flow.url(prompt="consent") + "&" + urlencode({"step": broken})).text


def test_a_person_can_only_act_where_he_has_a_mandate(city: City) -> None:
    browser, flow = city.browser(), Flow()
    choice = browser.log_in(browser.open(flow.url()), number=AGENT)
    for wrong in ("0" * 32, "", city.company, "SELF"):
        assert 'name="acting"' in browser.submit(choice, acting=wrong).text


def test_an_id_token_hint_must_be_of_the_person_logged_in(city: City) -> None:
    browser, flow = city.browser(), Flow()
    mine = redeem(city.app, flow, browser.code(flow)).json["id_token"]
    other_flow = Flow("post")
    for_another_app = redeem(city.app, other_flow, browser.code(other_flow)).json["id_token"]
    agents_flow = Flow()
    agents = redeem(city.app, agents_flow, city.browser().code(agents_flow, number=AGENT)).json
    assert "code" in answer_of(browser.open(Flow().url(id_token_hint=mine, prompt="none")))
    for hint in (agents["id_token"], for_another_app, agents["access_token"], mine[:-4] + "AAAA", "x"):
        assert answer_of(browser.open(Flow().url(id_token_hint=hint)))["error"] == "login_required"


def test_a_decision_from_another_site_is_refused(city: City) -> None:
    browser = city.browser()
    page = browser.log_in(browser.open(Flow("other").url()))
    action = page.form["action"]
    assert browser.open(action, {"decision": "allow"}).status == 403
    assert browser.open(action, {"decision": "allow", "csrf_token": "forged"}).status == 403
    assert city.browser().open(action, {**page.form["values"], "decision": "allow"}).status == 403, "another browser"


def test_an_answer_is_never_a_server_error_whatever_is_sent(city: City) -> None:
    chance = random.Random(20261122)
    browser = city.browser()
    browser.code(Flow())
    values = [
        "",
        " ",
        "\0",
        "\r\n",
        "é",
        "\ud7ff",
        "a" * 3000,
        "openid",
        "none",
        "login",
        "code",
        "S256",
        "-1",
        "1e9",
        "%",
        "{}",
        "[]",
    ]
    for _ in range(300):
        pairs = query_of(Flow().url())
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(len(pairs))
            name, value = pairs[place]
            pairs[place] = chance.choice([(name, chance.choice(values)), (name + "x", value), (name, value[::-1])])
        if chance.random() < 0.3:
            pairs.append(
                (
                    chance.choice(["prompt", "max_age", "step", "id_token_hint", "lang", "resource"]),
                    chance.choice(values),
                )
            )
        page = browser.open("/oauth/authorize?" + urlencode(pairs))
        assert page.status in {200, 303, 400}, pairs
        assert page.status != 303 or page.url.startswith(CALLBACK + "?"), pairs
