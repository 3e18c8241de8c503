"""A licence is put into a wallet (OpenID4VCI 1.0): offered, redeemed, given in copies, told of, ended, refused."""

from __future__ import annotations

import base64
import html
import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import cbor2
import jwt
import pytest
import time_machine
from sqlalchemy import update

from idservice.models import Person
from keys.ring import Purpose
from licences.formats.disclosures import read as read_disclosure
from licences.models import Licence
from licences.status.entries import reference
from licences.wallets.issuance import copies, datasets, making, metadata
from licences.wallets.issuance.detail_type import OPENID_CREDENTIAL
from tests.identity import Browser, Flow, answer_of, basic, claims_of, header_of, token
from tests.town import ALICE, BOB, Town
from tests.wallet_issuance import (
    OTHER_WALLET,
    SCOPE,
    WALLET,
    Pocket,
    by_value,
    code_of,
    enter_wallets,
    new_key,
    offered,
    places,
    proof,
    refused,
    taken,
    type_code_without,
)


@pytest.fixture(scope="module", autouse=True)
def _wallets(town: Town) -> None:
    town.act(enter_wallets)


@pytest.fixture(scope="module")
def licence(town: Town) -> Licence:
    return town.issue("driving_licence")


@pytest.fixture
def pocket(town: Town, licence: Licence) -> Pocket:
    """A wallet with a token for all forms of the licence."""
    offer, made = offered(town, licence, "sd-jwt", "mdoc", "jwt")
    found = Pocket(town)
    assert found.redeem(offer, made.second).status_code == 200
    return found


# --- what is offered --------------------------------------------------------------------------------------------


def test_the_metadata_names_every_type_in_every_form_in_both_languages(town: Town) -> None:
    answer = town.web.get(metadata.PATH)
    found = answer.json
    assert found["credential_issuer"] == town.house.settings.issuer
    types = town.web.get("/v1/licence-types?limit=200").json["items"]
    named = found["credential_configurations_supported"]
    assert set(named) == {f"{kind['code']}.{form}" for kind in types for form in ("sd-jwt", "mdoc", "jwt")}
    assert all({d["locale"] for d in c["credential_metadata"]["display"]} == {"zh-CN", "en"} for c in named.values())
    again = town.web.get(metadata.PATH, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.get_data()) == (304, b"")


def test_the_metadata_comes_signed_where_a_jwt_is_asked_for(town: Town) -> None:
    text = town.web.get(metadata.PATH, headers={"Accept": "application/jwt"}).text
    key = jwt.PyJWK(town.house.keys.signer(Purpose.LICENCE).public.jwk() | {"alg": "ES256"})
    said = jwt.decode(text, key, algorithms=["ES256"])
    assert header_of(text)["typ"] == "openidvci-issuer-metadata+jwt"
    assert said["sub"] == said["credential_issuer"] == town.house.settings.issuer
    assert (
        said["credential_configurations_supported"]
        == town.web.get(metadata.PATH).json["credential_configurations_supported"]
    )


def test_a_type_says_at_its_own_address_which_claims_it_has(town: Town, licence: Licence) -> None:
    answer = town.web.get(f"/credentials/{licence.type_code}")
    assert answer.json["vct"].endswith(f"/credentials/{licence.type_code}")
    named = {claim["path"][0] for claim in answer.json["claims"]}
    assert {"holder_name", "age_over_18", "face_vehicle_class"} <= named
    assert town.web.get("/credentials/nothing").status_code == 404


def test_an_offer_by_reference_is_the_offer_by_value(town: Town, licence: Licence) -> None:
    offer, made = offered(town, licence)
    address = town_path(town, made.by_reference)
    assert town.web.get(address).json == offer
    assert made.second is not None
    assert made.second not in made.by_value + made.by_reference
    assert town.web.get(address[:-1] + ("A" if address[-1] != "A" else "B")).status_code == 404
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=6), tick=False):
        assert town.web.get(address).status_code == 404
        refused(Pocket(town).redeem(offer, made.second), "invalid_grant")


def town_path(town: Town, by_reference: str) -> str:
    address = parse_qs(urlsplit(by_reference).query)["credential_offer_uri"][0]
    return address.removeprefix(town.house.settings.issuer)


def test_an_app_offers_what_its_holder_has_and_nothing_else(town: Town, licence: Licence) -> None:
    body = {"licence": licence.identifier, "forms": ["sd-jwt", "mdoc"]}
    made = town.post("/v1/wallet-offers", body, town.person(ALICE))
    assert made.status_code == 201, made.text
    offer = by_value(made.json["credential_offer"])
    assert Pocket(town).redeem(offer, made.json["tx_code"]).status_code == 200
    asked = town.post("/v1/wallet-offers", body | {"grant": "authorization_code"}, town.person(ALICE)).json
    assert asked["tx_code"] is None
    assert town.post("/v1/wallet-offers", body, town.person(BOB)).status_code == 404
    assert town.post("/v1/wallet-offers", body, town.machine("issuer")).status_code == 403


# --- the pre-authorized code ------------------------------------------------------------------------------------


def test_an_offer_is_taken_once(town: Town, licence: Licence) -> None:
    offer, made = offered(town, licence)
    answer = Pocket(town).redeem(offer, made.second)
    assert answer.status_code == 200
    assert "authorization_details" not in answer.json
    refused(Pocket(town).redeem(offer, made.second), "invalid_grant")
    alive = town.web.post(
        "/openid4vci/credential", json={}, headers={"Authorization": f"Bearer {answer.json['access_token']}"}
    )
    refused(alive, "invalid_credential_request")  # and not invalid_token: a stranger's second use ends nothing


def test_three_wrong_second_codes_end_an_offer(town: Town, licence: Licence) -> None:
    offer, made = offered(town, licence)
    wrong = f"{(int(made.second or 0) + 1) % 1_000_000:06}"
    unknown = {"grants": {"urn:ietf:params:oauth:grant-type:pre-authorized_code": {"pre-authorized_code": "x" * 43}}}
    said = {Pocket(town).redeem(unknown, "123456").text}
    for _ in range(3):
        answer = Pocket(town).redeem(offer, wrong)
        refused(answer, "invalid_grant")
        said.add(answer.text)
    locked = Pocket(town).redeem(offer, made.second)
    refused(locked, "invalid_grant")
    assert said == {locked.text}  # unknown, wrong and locked are told alike


def test_a_request_without_the_second_code_costs_no_try(town: Town, licence: Licence) -> None:
    offer, made = offered(town, licence)
    for _ in range(5):
        refused(Pocket(town).redeem(offer, None), "invalid_request")
    assert Pocket(town).redeem(offer, made.second).status_code == 200


def test_who_is_not_registered_for_it_gets_nothing(town: Town, licence: Licence) -> None:
    offer, made = offered(town, licence)
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:pre-authorized_code", "pre-authorized_code": code_of(offer)}
    answer = token(town.app, form | {"tx_code": made.second or ""}, basic("wallet-app"))
    refused(answer, "unauthorized_client")
    assert Pocket(town).redeem(offer, made.second).status_code == 200


def test_a_locked_person_redeems_nothing(town: Town) -> None:
    title = town.issue("real_estate_title", BOB)
    offer, made = offered(town, title, number=BOB)

    def status(value: str) -> None:
        town.act(
            lambda call: call.session.execute(
                update(Person).where(Person.subject == town.subjects[BOB]).values(status=value)
            )
        )

    status("locked")
    refused(Pocket(town).redeem(offer, made.second), "invalid_grant")
    status("active")


def test_details_in_the_token_request_narrow_what_was_offered(town: Town, licence: Licence) -> None:
    offer, made = offered(town, licence, "sd-jwt", "mdoc")
    name = f"{licence.type_code}.sd-jwt"
    wanted = [{"type": "openid_credential", "credential_configuration_id": name}]
    pocket = Pocket(town)
    answer = pocket.redeem(offer, made.second, authorization_details=json.dumps(wanted))
    (detail,) = answer.json["authorization_details"]
    assert detail["credential_configuration_id"] == name
    assert len(detail["credential_identifiers"]) == 1
    refused(pocket.want(f"{licence.type_code}.mdoc", new_key()), "insufficient_scope", 403)
    nonce = pocket.nonce()
    body = {"credential_identifier": detail["credential_identifiers"][0], "proofs": {"jwt": [proof(new_key(), nonce)]}}
    assert pocket.ask(body).status_code == 200


def test_the_holder_finds_the_wallet_among_his_apps_and_ends_its_tokens_there(
    town: Town, licence: Licence, pocket: Pocket
) -> None:
    listed = town.web.get("/v1/consents", headers=town.person(ALICE))
    assert WALLET in listed.text
    ended = town.web.post(f"/v1/consents/{WALLET}/withdrawals", headers=town.person(ALICE))
    assert ended.status_code == 201, ended.text
    refused(pocket.want(f"{licence.type_code}.sd-jwt", new_key()), "invalid_token", 401)


# --- the authorization code -------------------------------------------------------------------------------------


def by_code(town: Town, scope: str | None = SCOPE, number: str = ALICE, **more: str) -> Any:
    """Log in to the wallet by the authorization code flow, and return its token response."""
    flow = Flow(WALLET, scope or "")
    code = Browser(town.app).code(flow, number=number, **({"scope": scope} | more))
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": flow.redirect_uri, "client_id": WALLET}
    return token(town.app, form | {"code_verifier": flow.verifier})


def test_by_scope_a_wallet_asks_for_any_licence_of_its_holder(town: Town, licence: Licence) -> None:
    pocket = Pocket(town)
    got = by_code(town).json
    pocket.headers = {"Authorization": f"Bearer {got['access_token']}"}
    assert pocket.want(f"{licence.type_code}.sd-jwt", new_key()).status_code == 200
    refused(pocket.want("11370000XX0000000L001.sd-jwt", new_key()), "unknown_credential_configuration")
    refused(pocket.want(f"{licence.type_code}.pdf", new_key()), "unknown_credential_configuration")
    nothing = f"{type_code_without(town)}.sd-jwt"
    refused(pocket.want(nothing, new_key()), "credential_request_denied")


def test_by_details_a_wallet_is_told_identifiers_and_asks_by_them(town: Town, licence: Licence) -> None:
    detail = {"type": OPENID_CREDENTIAL.name, "credential_configuration_id": f"{licence.type_code}.sd-jwt"}
    got = by_code(town, None, authorization_details=json.dumps([detail])).json
    (told,) = got["authorization_details"]
    pocket = Pocket(town, headers={"Authorization": f"Bearer {got['access_token']}"})
    (name,) = told["credential_identifiers"]
    assert licence.identifier not in name
    answer = pocket.ask({"credential_identifier": name, "proofs": {"jwt": [proof(new_key(), pocket.nonce())]}})
    assert answer.status_code == 200, answer.text
    stranger = {"credential_identifier": "A" * 22, "proofs": {"jwt": [proof(new_key(), pocket.nonce())]}}
    refused(pocket.ask(stranger), "unknown_credential_identifier")
    refused(pocket.want(f"{licence.type_code}.mdoc", new_key()), "insufficient_scope", 403)


def test_an_offer_by_issuer_state_is_for_the_person_it_was_made_for_and_once(town: Town, licence: Licence) -> None:
    offer, _made = offered(town, licence, allowed=False)
    state = offer["grants"]["authorization_code"]["issuer_state"]
    flow = Flow(WALLET, SCOPE)
    page = Browser(town.app).open(flow.url(issuer_state=state))
    assert page.asks_to_log_in
    stranger = Browser(town.app)
    page = stranger.log_in(stranger.open(flow.url(issuer_state=state)), number=BOB)
    assert answer_of(page)["error"] == "access_denied"
    assert by_code(town, issuer_state=state).status_code == 200
    page = Browser(town.app).open(Flow(WALLET, SCOPE).url(issuer_state=state))
    assert answer_of(page)["error"] == "invalid_request"
    page = Browser(town.app).open(Flow(WALLET, SCOPE).url(issuer_state="x"))
    assert answer_of(page)["error"] == "invalid_request"


# --- copies -----------------------------------------------------------------------------------------------------


def test_no_two_copies_share_what_would_link_them(town: Town, licence: Licence, pocket: Pocket) -> None:
    given: list[dict[str, Any]] = []
    for _ in range(2):
        answer = pocket.want(f"{licence.type_code}.sd-jwt", *(new_key() for _ in range(5)))
        given += answer.json["credentials"]
    seen = [parts_of(one["credential"]) for one in given]
    for one, other in itertools.combinations(seen, 2):
        for name in ("key", "index", "signature", "salts", "digests"):
            assert not one[name] & other[name], name
        assert one["open"].keys() == other["open"].keys()
        alike = {name for name in one["open"] if one["open"][name] == other["open"][name]}
        assert alike == {
            "_sd_alg", "exp", "iat", "iss", "issuing_authority", "licence_name", "licence_type", "vct",
        }  # fmt: skip
    assert all(one["open"]["exp"] % 3600 == 0 for one in seen)
    assert not any(licence.identifier in json.dumps(one["open"]) for one in seen)


def parts_of(credential: str) -> dict[str, Any]:
    jwt, *disclosures, _ = credential.split("~")
    said = claims_of(jwt)
    cnf, status = said.pop("cnf"), said.pop("status")
    return {
        "key": {cnf["jwk"]["x"]},
        "index": {status["status_list"]["idx"]},
        "signature": {jwt.rpartition(".")[2]},
        "salts": {read_disclosure(text)[0] for text in disclosures},
        "digests": set(said.pop("_sd")),
        "open": said,
    }


def test_no_two_mdocs_share_salt_key_or_place(licence: Licence, pocket: Pocket) -> None:
    answer = pocket.want(f"{licence.type_code}.mdoc", new_key(), new_key())
    seen = []
    for one in answer.json["credentials"]:
        read = cbor2.loads(base64.urlsafe_b64decode(one["credential"] + "=="))
        mso = cbor2.loads(cbor2.loads(read["issuerAuth"][2]).value)
        items = [cbor2.loads(item.value) for space in read["nameSpaces"].values() for item in space]
        digests = {digest for space in mso["valueDigests"].values() for digest in space.values()}
        seen.append((
            {item["random"] for item in items}, digests, {mso["status"]["status_list"]["idx"]},
            {mso["deviceKeyInfo"]["deviceKey"][-2]},
        ))  # fmt: skip
        assert mso["validityInfo"]["signed"] == mso["validityInfo"]["signed"].replace(microsecond=0)
    assert not any(one & other for one, other in zip(*seen, strict=True))


def test_one_suspension_reaches_every_copy_and_what_its_holder_ended_stays_ended(town: Town) -> None:
    title = town.issue()
    pocket = taken(town, title)
    other = taken(town, title, "sd-jwt", client_id=OTHER_WALLET)
    assert [value for _, value in places(town, title)] == [0] * 8
    body = {"client_id": WALLET, "licence": title.identifier}
    assert town.post("/v1/wallet-copies/revocations", body, town.person(BOB)).json["ended"] == 0
    assert town.post("/v1/wallet-copies/revocations", body, town.person(ALICE)).json["ended"] == 6
    assert sorted(value for _, value in places(town, title)) == [0, 0, 1, 1, 1, 1, 1, 1]
    assert town.change(title.identifier, "suspend", reason="x").status_code == 201
    assert sorted(value for _, value in places(town, title)) == [1] * 6 + [2, 2]
    assert town.change(title.identifier, "resume", reason="x").status_code == 201
    assert sorted(value for _, value in places(town, title)) == [0, 0] + [1] * 6
    refused(pocket.want(f"{type_code_without(town)}.sd-jwt", new_key()), "insufficient_scope", 403)
    assert town.change(title.identifier, "revoke", reason="x").status_code == 201
    assert [value for _, value in places(town, title)] == [1] * 8
    refused(other.want(f"{title.type_code}.sd-jwt", new_key()), "credential_request_denied")
    named = {group["licence"] for group in town.web.get("/v1/wallet-copies", headers=town.person(ALICE)).json["items"]}
    assert title.identifier in named  # the other wallet's copies: of no use any more, and still there


def test_a_copy_says_where_its_status_is_and_its_issuer_knows_whose_it_is(town: Town) -> None:
    title = town.issue()
    pocket = taken(town, title, "sd-jwt", copies_each=1)
    credential = pocket.want(f"{title.type_code}.sd-jwt", new_key()).json["credentials"][0]["credential"]
    index = parts_of(credential)["index"]
    found = [place for place, _ in places(town, title)]
    told = town.act(lambda call: {reference(call, place).index: copies.licence_at(call, place) for place in found})
    assert told[index.pop()] == (town.subjects[ALICE], title.identifier)
    assert town.act(lambda call: copies.licence_at(call, -1)) is None


def test_it_stands_on_the_holders_record(town: Town, licence: Licence, pocket: Pocket) -> None:
    pocket.want(f"{licence.type_code}.sd-jwt", new_key())
    looks = town.web.get("/v1/accesses", headers=town.person(ALICE)).json["items"]
    assert looks[0]["act"] == "licences:wallet_copy:make"
    assert looks[0]["who"] == "钱包 pocket"


def test_copies_end_with_their_licence(town: Town, pocket: Pocket, licence: Licence) -> None:
    said = claims_of(pocket.want(f"{licence.type_code}.jwt", new_key()).json["credentials"][0]["credential"])
    ends = datetime.fromtimestamp(said["exp"], UTC)
    assert ends <= datetime.now(UTC) + making.LIFE
    assert town.row(licence.identifier).valid_until is not None


# --- pages ------------------------------------------------------------------------------------------------------


def test_a_holder_puts_a_licence_into_a_wallet_and_takes_it_back(town: Town) -> None:
    title = town.issue()
    browser = town.browser(ALICE)
    assert f"/me/wallets/offers/{title.identifier}" in browser.open(f"/me/licences/{title.identifier}").text
    page = browser.open(f"/me/wallets/offers/{title.identifier}")
    assert browser.submit(page, forms="nothing").status == 422
    page = browser.submit(page, forms=f"{title.type_code}.sd-jwt")
    assert page.status == 200, page.text
    assert page.headers["Cache-Control"] == "no-store"
    link = page.text.partition('href="openid-credential-offer')[2].partition('"')[0]
    offer = by_value("openid-credential-offer" + html.unescape(link))
    groups = page.text.partition("ona-show__code")[2].partition("</p>")[0]
    digits = "".join(part.partition("<")[0] for part in groups.split("<span>")[1:])
    assert len(digits) == 6
    assert digits not in link
    pocket = Pocket(town)
    assert pocket.redeem(offer, digits).status_code == 200
    assert pocket.want(f"{title.type_code}.sd-jwt", new_key()).status_code == 200
    page = browser.open("/me/wallets")
    assert "钱包 pocket" in page.text
    before = page.text.count("|")
    page = browser.open(
        "/me/wallets/end",
        {**page.form["values"], "group": f"{WALLET}|{title.identifier}|{title.type_code}.sd-jwt"},
    )
    assert page.text.count("|") < before
    assert [value for _, value in places(town, title)] == [1]
    assert town.browser(BOB).open(f"/me/wallets/offers/{title.identifier}").status == 404


def test_names_of_licences_are_not_told_by_their_identifiers(town: Town, licence: Licence) -> None:
    name = town.act(lambda call: datasets.name(call, town.subjects[ALICE], "x.sd-jwt", licence.identifier))
    other = town.act(lambda call: datasets.name(call, town.subjects[BOB], "x.sd-jwt", licence.identifier))
    assert name != other
