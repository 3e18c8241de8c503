"""Fifty threads over four server processes, on every database: what is good once is given once.

The requests are made ready in this process, over the same database and keys, and raced over the wire.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select, update

from idservice.ids import secret_hash
from idservice.models import RefreshToken, TokenFamily
from idservice.oauth.refreshing import REPEATED_WITHIN
from licences.showing import device_codes
from tests.builders import act
from tests.databases import Databases
from tests.device import Device
from tests.fapi import Fapi, register
from tests.functional.nodes import Answer, Node, Nodes, race, running
from tests.grants import DEVICE_GRANT, enter_code, register_apps, start_device
from tests.identity import (
    OFFLINE,
    SECRET,
    City,
    Flow,
    basic,
    introspect,
    logged_in,
    query_of,
)
from tests.town import AGENT, ALICE, COMPANY, Town, copy_town, found

WORKERS, RUNNERS = 4, 50
LONG_ROUNDS = 20


@dataclass
class Ground:
    """A town that issues licences, its people's apps, and the processes that serve both."""

    town: Town
    city: City
    fapi: Fapi
    nodes: Nodes
    identifier: str

    def race(self, deed: Callable[[Node], Answer]) -> list[Answer]:
        return race(self.nodes, deed, RUNNERS)


@pytest.fixture(scope="module")
def ground(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder, url = tmp_path_factory.mktemp("races"), databases.fresh(found)
    town = copy_town(folder, url)
    people = (town.subjects[ALICE], town.subjects[AGENT], town.subjects[COMPANY])
    city = City(town.app, town.house, *people, "", ec.generate_private_key(ec.SECP256R1()))
    register(city, "basic", auth_method="client_secret_basic", secret=SECRET)
    register(city, "fapi", profile="fapi2")
    register_apps(city)
    identifier = town.issue().identifier
    town.show(identifier)  # what is made once is made now
    with running(Nodes(town.house.settings, folder / "nodes", *[{}] * WORKERS)) as nodes:
        yield Ground(town, city, Fapi(city), nodes, identifier)
    town.house.database.engine.dispose()
    databases.drop(url)


def outcomes(answers: list[Answer]) -> Counter[tuple[int, str | None]]:
    return Counter((answer.status_code, answer.json.get("error")) for answer in answers)


def winner(answers: list[Answer]) -> Any:
    return next(answer.json for answer in answers if answer.status_code == 200)


def revoked_for(ground: Ground, refresh_token: str) -> str | None:
    family = select(RefreshToken.family_id).where(RefreshToken.token_hash == secret_hash(refresh_token))
    query = select(TokenFamily.revoked_for).where(TokenFamily.family_id == family.scalar_subquery())
    return act(ground.city.house, lambda call: call.session.execute(query).scalar_one())


def one_code(ground: Ground) -> None:
    flow = Flow(scope=OFFLINE)
    code = ground.city.browser().code(flow)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": flow.redirect_uri,
        "code_verifier": flow.verifier,
    }
    answers = ground.race(lambda node: node.send("POST", "/oauth/token", form, basic("basic")))
    assert outcomes(answers) == {(200, None): 1, (400, "invalid_grant"): RUNNERS - 1}
    got = winner(answers)
    assert revoked_for(ground, got["refresh_token"]) == "reuse"
    assert not introspect(ground.city, got["access_token"])["active"]


def one_refresh_token(ground: Ground) -> None:
    first = logged_in(ground.city)
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    answers = ground.race(lambda node: node.send("POST", "/oauth/token", form, basic("basic")))
    assert outcomes(answers) == {(200, None): 1, (400, "invalid_grant"): RUNNERS - 1}
    got = winner(answers)
    assert revoked_for(ground, first["refresh_token"]) == "reuse"
    assert not any(introspect(ground.city, text)["active"] for text in (got["access_token"], got["refresh_token"]))


def one_bound_refresh_token(ground: Ground) -> None:
    """The holder of the key may have lost the answer: all get the same one for some seconds, and then it is reuse."""
    fapi = ground.fapi
    first = fapi.logged_in()
    wanted = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}

    def refresh(node: Node) -> Answer:
        return node.send("POST", "/oauth/token", {**wanted, **fapi.assertion()}, fapi.proof("POST", "/oauth/token"))

    answers = ground.race(refresh)
    assert outcomes(answers) == {(200, None): RUNNERS}
    assert len({answer.text for answer in answers}) == 1
    assert fapi.is_active(answers[0].json["access_token"])
    mine = RefreshToken.token_hash == secret_hash(first["refresh_token"])
    act(
        ground.city.house,
        lambda call: (
            call.session.execute(
                update(RefreshToken).where(mine).values(used_at=call.now - REPEATED_WITHIN - timedelta(seconds=1))
            )
            and None
        ),
    )
    assert outcomes(ground.race(refresh)) == {(400, "invalid_grant"): RUNNERS}
    assert revoked_for(ground, first["refresh_token"]) == "reuse"
    assert not fapi.is_active(answers[0].json["access_token"])


def one_pushed_request(ground: Ground) -> None:
    fapi, browser = ground.fapi, ground.city.browser()
    fapi.answer(fapi.pushed(fapi.flow()), browser)
    url = fapi.pushed(fapi.flow())
    cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in browser.client._cookies.values())
    answers = ground.race(lambda node: node.send("GET", url, headers={"Accept": "text/html", "Cookie": cookies}))
    told = Counter((answer.status_code, "code=" in answer.headers.get("Location", "")) for answer in answers)
    assert told == {(303, True): 1, (400, False): RUNNERS - 1}


def one_device_code(ground: Ground) -> None:
    started, browser = start_device(ground.city, "kiosk").json, ground.city.browser()
    browser.submit(enter_code(browser, started["user_code"]), decision="allow")
    form = {"grant_type": DEVICE_GRANT, "device_code": started["device_code"]}
    answers = ground.race(lambda node: node.send("POST", "/oauth/token", form, basic("kiosk")))
    assert outcomes(answers) == {(200, None): 1, (400, "invalid_grant"): RUNNERS - 1}


def one_proof(ground: Ground) -> None:
    text = ground.fapi.logged_in()["access_token"]
    headers = {"Authorization": f"DPoP {text}", **ground.fapi.proof("GET", "/v1/accesses", token=text)}
    answers = ground.race(lambda node: node.send("GET", "/v1/accesses", headers=headers))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: RUNNERS - 1}


def one_client_assertion(ground: Ground) -> None:
    form = {**dict(query_of(ground.fapi.flow().url())), **ground.fapi.assertion()}
    answers = ground.race(lambda node: node.send("POST", "/oauth/par", form))
    assert outcomes(answers) == {(201, None): 1, (401, "invalid_client"): RUNNERS - 1}


def one_show_code(ground: Ground) -> None:
    code, counter = ground.town.show(ground.identifier), ground.town.machine("counter")
    answers = ground.race(lambda node: node.send("POST", "/v1/verifications", headers=counter, body={"text": code}))
    told = Counter((answer.status_code, answer.json["ok"], tuple(answer.json["reasons"])) for answer in answers)
    assert told == {(200, True, ()): 1, (200, False, ("replayed",)): RUNNERS - 1}


def one_offline_show_code(ground: Ground) -> None:
    device, counter = Device(), ground.town.machine("counter")
    act(ground.city.house, lambda call: device_codes.end_all(call, ground.town.subjects[ALICE]))
    device.enrol(ground.town, ground.identifier)
    code = device.code(ground.identifier)
    answers = ground.race(lambda node: node.send("POST", "/v1/verifications", headers=counter, body={"text": code}))
    told = Counter((answer.status_code, answer.json["ok"], tuple(answer.json["reasons"])) for answer in answers)
    assert told == {(200, True, ()): 1, (200, False, ("replayed",)): RUNNERS - 1}


def one_presentation_request(ground: Ground) -> None:
    """Answered once though its holder presses fifty times, and read once by who asked."""
    counter = ground.town.machine("counter")
    asked = ground.town.post("/v1/presentation-requests", {"question": "licences", "purpose": "受理"}, counter).json
    holder, where = ground.town.browser(ALICE), f"/me/requests/{asked['code']}"
    form = {
        "csrf_token": holder.open(where).form["values"]["csrf_token"],
        "licences": ground.identifier,
        "part": "masked",
        "decision": "give",
    }
    cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in holder.client._cookies.values())
    headers = {"Accept": "text/html", "Cookie": cookies}
    given = ground.race(lambda node: node.send("POST", where, form, headers))
    assert Counter(answer.status_code for answer in given) == {200: 1, 409: RUNNERS - 1}
    read = f"/v1/presentation-requests/{asked['id']}/verifications"
    answers = ground.race(lambda node: node.send("POST", read, headers=counter, body={}))
    told = Counter((answer.status_code, answer.json.get("code")) for answer in answers)
    assert told == {(201, None): 1, (409, "presentation_request_unanswered"): RUNNERS - 1}
    assert next(answer for answer in answers if answer.status_code == 201).json["report"]["ok"]


RACES = [
    one_code,
    one_refresh_token,
    one_bound_refresh_token,
    one_pushed_request,
    one_device_code,
    one_proof,
    one_client_assertion,
    one_show_code,
    one_offline_show_code,
    one_presentation_request,
]


@pytest.mark.parametrize("raced", RACES, ids=lambda raced: raced.__name__)
def test_one_of_fifty_over_four_processes(ground: Ground, raced: Callable[[Ground], None]) -> None:
    raced(ground)


@pytest.mark.soak
@pytest.mark.parametrize("raced", RACES, ids=lambda raced: raced.__name__)
def test_one_of_fifty_over_four_processes_again_and_again(ground: Ground, raced: Callable[[Ground], None]) -> None:
    for _ in range(LONG_ROUNDS):
        raced(ground)
