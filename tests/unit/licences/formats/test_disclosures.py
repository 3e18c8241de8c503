import json
from pathlib import Path
from typing import Any

import pytest

from keys.base64url import b64u
from keys.verdict import Reason
from licences.formats import disclosures
from licences.formats.disclosures import SDJWTError

VECTORS = Path(__file__).parents[3] / "vectors" / "sdjwt"


def facts(file: str, section: str) -> pytest.MarkDecorator:
    rows: list[dict[str, Any]] = json.loads((VECTORS / f"{file}.json").read_text("utf-8"))[section]
    return pytest.mark.parametrize("fact", [pytest.param(row, id=row["name"]) for row in rows])


def assembled(fact: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Replace {0}, {1} ... by the digests of the disclosures before, as an issuer works from the inside outwards."""
    texts: list[str] = []

    def filled(text: str) -> str:
        for place, disclosure in enumerate(texts):
            text = text.replace(f'"{{{place}}}"', f'"{disclosures.digest(disclosure)}"')
        return text

    for text in fact["disclosures"]:
        texts += [b64u(filled(text).encode())]
    return json.loads(filled(json.dumps(fact["payload"]))), texts


@facts("disclosures", "rfc9901")
def test_published_disclosures(fact: dict[str, Any]) -> None:
    assert disclosures.read(fact["disclosure"]) == fact["members"]
    assert disclosures.digest(fact["disclosure"]) == fact["digest"]


@facts("disclosures", "refused")
def test_malformed_disclosures_are_refused(fact: dict[str, Any]) -> None:
    with pytest.raises(SDJWTError) as caught:
        disclosures.read(b64u(fact["json"].encode()))
    assert caught.value.code == "disclosure"


@pytest.mark.parametrize("text", ["", "=", "WyJhIiwx XQ", "WyJzIiwxXR", "WyJzIiwxXQ==", "é", "A" * 16_385])
def test_text_that_is_not_strict_base64url(text: str) -> None:
    with pytest.raises(SDJWTError):
        disclosures.read(text)


@facts("payloads", "restored")
def test_claims_are_put_back(fact: dict[str, Any]) -> None:
    payload, texts = assembled(fact)
    before = json.dumps(payload)
    claims, disclosed = disclosures.restore(payload, texts)
    assert (claims, list(disclosed)) == (fact["claims"], fact["disclosed"])
    assert json.dumps(payload) == before


@facts("payloads", "refused")
def test_structures_that_are_refused(fact: dict[str, Any]) -> None:
    payload, texts = assembled(fact)
    with pytest.raises(SDJWTError) as caught:
        disclosures.restore(payload, texts)
    assert caught.value.code == fact["code"]


def test_depth_counts_through_disclosures() -> None:
    texts = [b64u(b'["s","a",1]')]
    for _ in range(30):
        texts.append(b64u(json.dumps(["s", "a", {"_sd": [disclosures.digest(texts[-1])]}]).encode()))
    with pytest.raises(SDJWTError) as caught:
        disclosures.restore({"_sd": [disclosures.digest(texts[-1])]}, texts)
    assert caught.value.code == "too_deep"


def test_a_digest_cycle_cannot_be_made_but_a_self_reference_ends() -> None:
    with pytest.raises(SDJWTError) as caught:
        disclosures.restore({"_sd": ["x"]}, [b64u(b'["s","a",{"_sd":["x"]}]')])
    assert caught.value.code == "disclosure_unreferenced"


@pytest.mark.parametrize("value", [float("nan"), b"bytes", "\ud800", {1: "a", "b": 2}, object()])
def test_what_json_cannot_say(value: object) -> None:
    with pytest.raises(SDJWTError) as caught:
        disclosures.to_json(value)
    assert caught.value.code == "not_json"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("signature", Reason.SIGNATURE_INVALID),
        ("unknown_key", Reason.ISSUER_UNKNOWN),
        ("expired", Reason.EXPIRED),
        ("disclosure_unreferenced", Reason.DOCUMENT_ALTERED),
        ("form", Reason.UNREADABLE),
    ],
)
def test_every_refusal_has_a_word_of_the_closed_list(code: str, reason: Reason) -> None:
    assert SDJWTError(code).reason is reason
