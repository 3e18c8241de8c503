"""Wallets nobody here wrote: OpenID4VP, DCQL, SD-JWT and mdoc from npm, over HTTP; `sd-jwt` from PyPI."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sd_jwt.holder import SDJWTHolder
from werkzeug.serving import WSGIRequestHandler, make_server

from keys.base64url import b64u
from licences.wallets.presentation import rights
from tests.builders import migrate
from tests.databases import SqliteDatabases
from tests.peers import peer
from tests.town import ALICE, MATTER, Town, build_town, type_of
from tests.wallets import Wallet, ask, request

CARD = type_of("resident_card").code


class Quiet(WSGIRequestHandler):
    """Says nothing of each request."""

    def log_request(self, *_facts: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Build a town under a host name: wallets compare names with certificates."""
    folder = tmp_path_factory.mktemp("town")
    built = build_town(folder, SqliteDatabases(folder).fresh(migrate), issuer="http://localhost:8000")
    yield built
    built.house.database.engine.dispose()


@pytest.fixture(scope="module")
def server(town: Town) -> Iterator[str]:
    made = make_server("127.0.0.1", 0, town.app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    thread.join()


@pytest.fixture(scope="module")
def wallet(town: Town) -> Wallet:
    return Wallet(town)


@pytest.fixture(scope="module")
def held(town: Town, wallet: Wallet) -> dict[str, list[dict[str, str]]]:
    card, household = town.issue("resident_card"), town.issue("household_register")
    return {
        "dc+sd-jwt": [{"format": "dc+sd-jwt", "credential": wallet.sd_jwt(one)} for one in (card, household)],
        "mso_mdoc": [{"format": "mso_mdoc", "credential": b64u(wallet.mdoc(one))} for one in (card, household)],
        "jwt_vc_json": [{"format": "jwt_vc_json", "credential": wallet.jwt_vc(card)}],
    }


def present(town: Town, server: str, wallet: Wallet, credentials: Any, asked: dict[str, Any]) -> dict[str, Any]:
    question = {"link": asked["link"], "server": server, "issuer": town.house.settings.issuer}
    told = peer.ask("wallet_presents", {**question, "jwk": wallet.jwk, "credentials": credentials})
    assert told["version"] == 100, "1.0 final"
    assert told["satisfied"], told
    assert told["status"] == 200, told["answer"]
    assert told["answer"]["redirect_uri"].startswith("http://localhost:8000/wallet/answered/")
    return dict(told)


def read(town: Town, asked: dict[str, Any]) -> dict[str, Any]:
    answer = town.post(f"/v1/wallet-requests/{asked['id']}/verifications", {}, town.machine("counter"))
    assert answer.status_code == 201, answer.text
    report: dict[str, Any] = answer.json["report"]
    return report


@pytest.mark.parametrize(
    ("form", "manner"),
    [
        ("dc+sd-jwt", {"profile": "haip"}),
        ("mso_mdoc", {"profile": "haip"}),
        ("dc+sd-jwt", {"response_mode": "direct_post"}),
        ("mso_mdoc", {"client_id_prefix": "x509_san_dns", "response_mode": "direct_post"}),
        ("mso_mdoc", {"client_id_prefix": "redirect_uri"}),
    ],
)
def test_a_foreign_wallet_answers_what_a_matter_asks(
    town: Town, server: str, wallet: Wallet, held: dict[str, Any], form: str, manner: dict[str, Any]
) -> None:
    asked = ask(town, matter=MATTER, **manner)
    told = present(town, server, wallet, held[form], asked)
    prefix = manner.get("client_id_prefix", "x509_hash")
    assert told["prefix"] == prefix
    assert told["request"]["response_mode"] == manner.get("response_mode", "direct_post.jwt")
    suffix = "" if form == "dc+sd-jwt" else "-mdoc"
    assert sorted(told["presented"]) == [f"household{suffix}", f"identity{suffix}"]
    report = read(town, asked)
    assert (report["ok"], report["reasons"]) == (True, [])
    assert report["licences"][0]["holder"]["number"] == ALICE


def test_a_foreign_wallet_presents_a_whole_credential(
    town: Town, server: str, wallet: Wallet, held: dict[str, Any]
) -> None:
    meta = {"type_values": [["VerifiableCredential"]]}
    town.act(lambda call: rights.put(call, "counter", "jwt_vc_json", ["*"]))
    asked = ask(town, dcql_query={"credentials": [{"id": "vc", "format": "jwt_vc_json", "meta": meta}]})
    town.act(lambda call: rights.remove(call, "counter", "jwt_vc_json"))
    present(town, server, wallet, held["jwt_vc_json"], asked)
    assert read(town, asked)["licence"]["holder"]["number"] == ALICE


def test_a_presentation_made_by_the_reference_implementation_is_taken(
    town: Town, wallet: Wallet, held: dict[str, Any]
) -> None:
    from jwcrypto.jwk import JWK

    asked = request(town, types=[CARD])
    holder = SDJWTHolder(held["dc+sd-jwt"][0]["credential"])
    right = asked.asked()
    holder.create_presentation({"holder_name": True}, right.nonce, right.audience, JWK(**wallet.jwk), "ES256")
    answer = asked.answer({asked.query("dc+sd-jwt")["id"]: [holder.sd_jwt_presentation]})
    assert answer.status_code == 200, answer.text
    assert asked.read().json["report"]["ok"]
