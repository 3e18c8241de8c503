"""Consent receipts as documents: what they say, how they are kept, when they hold."""

import dataclasses
import json
from datetime import UTC, datetime

import pytest

from idservice.oauth import consent_receipt
from idservice.oauth.consent_receipt import TYPE, Event, Facts, Purpose, body, pack, text_version, unpack, verify
from keys.base64url import b64u, unb64u
from keys.jws import encode
from keys.signer import Algorithm, Signer, generate_private, load_private

ISSUER = "https://id.example"
NOON = datetime(2026, 11, 22, 12, 0, 5, 678_901, tzinfo=UTC)
PROFILE = Purpose("scope", "profile", ("姓名", ""), ("Name", "as registered"), ("name",))
FACTS = Facts(
    issuer=ISSUER,
    receipt_id="a" * 32,
    at=NOON,
    event=Event.GIVEN,
    subject="s" * 43,
    actor=None,
    client_id="app",
    app="示范应用",
    unit="示范单位",
    purposes=[PROFILE.as_json("zh")],
    language="zh-CN",
)


@pytest.fixture(scope="module")
def signer() -> Signer:
    return load_private(Algorithm.ES256, generate_private(Algorithm.ES256))


def signed(signer: Signer, facts: Facts = FACTS, typ: str = TYPE, **changes: object) -> str:
    return encode({**body(facts), **changes}, signer=signer, typ=typ)


def test_it_says_who_allowed_what_to_whom_when_and_how_to_take_it_back() -> None:
    assert body(FACTS) == {
        "iss": ISSUER,
        "jti": "a" * 32,
        "iat": 1795348805,
        "sub": "s" * 43,
        "schema_version": "1",
        "event": {
            "event_type": "given",
            "event_time": "2026-11-22T12:00:05.678Z",
            "validity_duration": "until_withdrawn",
        },
        "jurisdiction": "CN",
        "language": "zh-CN",
        "collection_method": "consent_page",
        "pii_controller": {"party_id": "app", "party_name": "示范单位", "service": "示范应用"},
        "lawful_basis": "consent",
        "purposes": [
            {
                "purpose": "姓名",
                "purpose_type": "scope",
                "name": "profile",
                "pii_information": ["name"],
                "text_version": text_version(("姓名", ""), ("Name", "as registered")),
            }
        ],
        "withdrawal_method": {"page": f"{ISSUER}/me/apps", "api": f"{ISSUER}/v1/consents/app/withdrawals"},
    }


def test_a_withdrawal_names_what_it_withdraws_and_who_acted() -> None:
    facts = dataclasses.replace(FACTS, event=Event.WITHDRAWN, previous="b" * 32, actor="p" * 43)
    said = body(facts)
    assert said["event"]["event_type"] == "withdrawn"
    assert said["event"]["withdraws"] == "b" * 32
    assert "validity_duration" not in said["event"]
    assert said["event"]["extent"] == "all"
    assert said["act"] == {"sub": "p" * 43}
    assert body(dataclasses.replace(FACTS, previous="b" * 32))["event"]["follows"] == "b" * 32


def test_the_words_are_those_of_the_page_and_their_version_is_that_of_both_languages() -> None:
    chinese, english = PROFILE.as_json("zh"), PROFILE.as_json("en")
    assert (english["purpose"], english["explanation"]) == ("Name", "as registered")
    assert "explanation" not in chinese
    assert chinese["text_version"] == english["text_version"]
    changed = dataclasses.replace(PROFILE, en=("Name", "as in the register"))
    assert changed.as_json("zh")["text_version"] != chinese["text_version"]
    detailed = dataclasses.replace(PROFILE, detail={"type": "licence-show"}, pii_types=())
    assert detailed.as_json("zh")["detail"] == {"type": "licence-show"}
    assert "pii_information" not in detailed.as_json("zh")


def test_it_is_kept_small_and_comes_back_to_the_character(signer: Signer) -> None:
    receipt = signed(signer)
    assert unpack(pack(receipt)) == receipt
    assert len(pack(receipt)) < len(receipt) * 0.6
    for other in ("a.b", "e30.e30.AAAA"):
        with pytest.raises(ValueError, match=r"."):
            pack(other)


def test_a_receipt_holds_by_the_issuers_key(signer: Signer) -> None:
    keys = {signer.kid: signer.public}
    report = verify(signed(signer) + "\n", keys=keys, issuer=ISSUER)
    assert report.ok
    assert report.claims["purposes"][0]["name"] == "profile"
    assert report.as_json()["checks"] == [{"name": "format", "result": "ok"}, {"name": "signature", "result": "ok"}]


def altered(receipt: str) -> str:
    header, payload, signature = receipt.split(".")
    claims = json.loads(unb64u(payload))
    claims["purposes"] = []
    return f"{header}.{b64u(json.dumps(claims).encode())}.{signature}"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda s: altered(signed(s)), "signature_invalid"),
        (lambda s: signed(s, typ="JWT"), "unreadable"),
        (lambda s: signed(s, schema_version="2"), "unreadable"),
        (lambda s: signed(s, purposes=["all"]), "unreadable"),
        (lambda s: signed(s, event={"event_type": "sold", "event_time": ""}), "unreadable"),
        (lambda s: signed(s, iss="https://other.example"), "issuer_unknown"),
        (lambda _s: "no receipt", "unreadable"),
        (lambda s: signed(s)[: consent_receipt.MAX_BYTES] * 60, "unreadable"),
        (lambda _s: signed(load_private(Algorithm.ES256, generate_private(Algorithm.ES256))), "issuer_unknown"),
    ],
    ids=["altered", "typ", "version", "purposes", "event", "issuer", "text", "long", "key"],
)
def test_whatever_was_not_signed_as_a_receipt_does_not_hold(signer: Signer, change: object, reason: str) -> None:
    report = verify(change(signer), keys={signer.kid: signer.public}, issuer=ISSUER)  # type: ignore[operator]
    assert not report.ok
    assert report.as_json()["reasons"] == [reason]
    assert report.claims == {}
