"""Credentials from elsewhere are believed by an entered trust bundle, and by nothing else."""

import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from keys.base64url import b64u
from keys.signer import Algorithm, generate_private, load_private
from licences.formats import key_binding, sdjwt
from licences.trust import bundle
from licences.trust.bundle import BundleError
from licences.wallets.presentation import issuers, rights
from tests.town import Town, now
from tests.unit.licences.formats.papers import SIGNER as FOREIGN_SIGNER
from tests.unit.licences.status.lists import ISSUER, edition
from tests.unit.licences.trust import bundles
from tests.wallets import Request, Wallet, request

VCT = f"{ISSUER}/credentials/pass"
(PIN,) = bundles.PINS


@pytest.fixture(scope="module")
def wallet(town: Town) -> Wallet:
    return Wallet(town)


def bundle_of(*, sequence: int = 1, moment: datetime | None = None, days: int = 7) -> str:
    """The bundle of a city elsewhere: place 1 of its list is suspended, place 4 has ended."""
    begin = int((moment or now()).timestamp())
    token = edition(moment=begin).tokens(FOREIGN_SIGNER)["0/jwt"].decode()
    times = {"issued_at": begin, "expires_at": begin + days * bundles.DAY}
    return bundle.write(bundles.body(token), sequence=sequence, **times, signer=bundles.TRUST_SIGNER)


def credential(wallet: Wallet, *, place: int | None = 2, signer: Any = FOREIGN_SIGNER, issuer: str = ISSUER) -> str:
    status = {} if place is None else {"status": {"status_list": {"uri": f"{ISSUER}/status/0", "idx": place}}}
    claims = {"name": "李四", "secret": "x", "cnf": key_binding.confirmation(wallet.signer.public.jwk()), **status}
    facts = {"issuer": issuer, "vct": VCT, "kid": signer.kid, "seed": secrets.token_bytes(32)}
    unsigned = sdjwt.build(claims, ["name", "secret"], issued_at=now(), **facts)
    return sdjwt.sign(unsigned, signer)


def ask(town: Town) -> Request:
    one = {"id": "pass", "format": "dc+sd-jwt", "meta": {"vct_values": [VCT]}, "claims": [{"path": ["name"]}]}
    return request(town, dcql_query={"credentials": [one]})


def present(town: Town, wallet: Wallet, shown: str, *names: str) -> Any:
    asked = ask(town)
    answer = asked.answer({"pass": [asked.show(wallet, shown, *(names or ("name",)))]})
    return asked.read().json if answer.status_code == 200 else answer.json["error_description"]


def test_a_foreign_issuer_is_believed_by_his_bundle_alone(town: Town, wallet: Wallet) -> None:
    town.act(lambda call: rights.put(call, "counter", VCT, ["name"]))
    assert present(town, wallet, credential(wallet)) == "pass: issuer."
    found = town.act(lambda call: issuers.put(call, bundle_of(), pin=PIN))
    assert found.issuer == ISSUER
    told = present(town, wallet, credential(wallet), "name", "secret")
    assert told["report"]["ok"], told
    assert told["credentials"] == [{"id": "pass", "issuer": ISSUER, "type": VCT, "claims": {"name": "李四"}}]
    stranger = load_private(Algorithm.ES256, generate_private(Algorithm.ES256))
    assert present(town, wallet, credential(wallet, signer=stranger)) == "pass: unknown_key."
    assert present(town, wallet, credential(wallet, issuer="https://third.example")) == "pass: issuer."
    ours = credential(wallet, issuer=town.house.settings.signs_as)
    assert present(town, wallet, ours) == "pass: unknown_key.", "a foreign key signs nothing of ours"
    asked = ask(town)
    thief = asked.show(Wallet(town), credential(wallet), "name")
    assert asked.answer({"pass": [thief]}).json["error_description"] == "pass: key_binding."


@pytest.mark.parametrize(("place", "reason"), [(1, "suspended"), (4, "revoked"), (None, "status_stale")])
def test_its_lists_say_what_holds(town: Town, wallet: Wallet, place: int | None, reason: str) -> None:
    town.act(lambda call: rights.put(call, "counter", VCT, ["name"]))
    town.act(lambda call: issuers.put(call, bundle_of(), pin=PIN))
    told = present(town, wallet, credential(wallet, place=place))
    assert (told["report"]["ok"], told["report"]["reasons"]) == (False, [reason])


def test_an_old_bundle_is_told_from_a_new_one(town: Town, wallet: Wallet, tmp_path: Any) -> None:
    town.act(lambda call: rights.put(call, "counter", VCT, ["name"]))
    town.act(lambda call: issuers.remove(call, ISSUER))
    stale = bundle_of(sequence=7, moment=datetime.now(UTC) - timedelta(days=8))
    town.act(lambda call: issuers.put(call, stale, pin=PIN))
    assert present(town, wallet, credential(wallet))["report"]["reasons"] == ["status_stale"]
    run = town.app.test_cli_runner().invoke
    file = tmp_path / "bundle"
    for text, code in ((bundle_of(sequence=6), "older"), ("x", "not_a_bundle"), ("证", "not_a_bundle")):
        file.write_text(text, encoding="utf-8")
        done = run(args=["wallets", "issuers", "put", str(file), "--pin", PIN])
        assert (done.exit_code, code in done.output + done.stderr) == (1, True)
    file.write_text(bundle_of(sequence=8), encoding="ascii")
    assert run(args=["wallets", "issuers", "put", str(file), "--pin", "other"]).exit_code == 1
    assert run(args=["wallets", "issuers", "put", str(file), "--pin", PIN]).exit_code == 0
    assert ISSUER in run(args=["wallets", "issuers", "list"]).output
    assert run(args=["wallets", "issuers", "remove", ISSUER]).exit_code == 0
    assert run(args=["wallets", "issuers", "remove", ISSUER]).exit_code == 1


def test_this_house_is_no_foreign_issuer(town: Town) -> None:
    stated = bundles.body() | {"issuer": town.house.settings.signs_as}
    with pytest.raises(BundleError, match="own"):
        town.act(lambda call: issuers.put(call, bundles.text(stated), pin=PIN))


def test_the_issuer_that_a_credential_names_is_found_without_belief() -> None:
    def token(payload: Any) -> str:
        return f"e30.{b64u(json.dumps(payload).encode())}.x~"

    assert issuers.issuer_of(token({"iss": "https://a.example"})) == "https://a.example"
    for odd in ("", "x", "a.b.c", token([]), token({}), token({"iss": 1})):
        assert issuers.issuer_of(odd) is None
