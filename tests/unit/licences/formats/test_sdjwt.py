import json
import random
import string
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jwcrypto.jwk import JWK
from sd_jwt.common import SDObj
from sd_jwt.holder import SDJWTHolder
from sd_jwt.issuer import SDJWTIssuer
from sd_jwt.verifier import SDJWTVerifier

from keys import jws
from keys.base64url import b64u, unb64u
from keys.signer import Algorithm, generate_private, load_private
from licences.formats import sdjwt
from licences.formats.disclosures import SDJWTError, digest

VECTORS = Path(__file__).parents[3] / "vectors" / "sdjwt"
ISSUER, VCT = "https://id.example", "https://id.example/types/resident_card"
NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
PRIVATE = generate_private(Algorithm.ES256)
SIGNER = load_private(Algorithm.ES256, PRIVATE)
KEYS = {SIGNER.kid: SIGNER.public}
CLAIMS: dict[str, Any] = {
    "identifier": "1.2.3",
    "status": {"status_list": {"idx": 7, "uri": "https://id.example/status/1"}},
    "name": "王小明",
    "address": {"county": "示范区", "street": "演示路1号"},
    "classes": ["C1", "E"],
    "online": False,
    "members": 3,
}
HIDDEN = ("name", "address", "classes", "online", "members")


def unsigned(claims: dict[str, Any] = CLAIMS, hidden: tuple[str, ...] = HIDDEN, **changes: Any) -> sdjwt.Unsigned:
    facts = {"issuer": ISSUER, "vct": VCT, "kid": SIGNER.kid, "seed": b"s" * 32, "issued_at": NOW}
    facts["expires_at"] = NOW + timedelta(days=30)
    return sdjwt.build(claims, hidden, **{**facts, **changes})


def credential(**changes: Any) -> str:
    return sdjwt.sign(unsigned(**changes), SIGNER)


def verified(text: str, **changes: Any) -> sdjwt.Verified:
    return sdjwt.verify(text, **{"keys": KEYS, "issuer": ISSUER, "now": NOW, **changes})


def refusal(text: str, **changes: Any) -> str:
    with pytest.raises(SDJWTError) as caught:
        verified(text, **changes)
    return caught.value.code


def resigned(payload: dict[str, Any], typ: str = "dc+sd-jwt", *disclosures: str) -> str:
    return "~".join((jws.encode(payload, signer=SIGNER, typ=typ), *disclosures, ""))


def test_all_is_read_when_all_is_shown() -> None:
    found = verified(credential())
    times = {"iat": int(NOW.timestamp()), "exp": int((NOW + timedelta(days=30)).timestamp())}
    assert found.claims == {**CLAIMS, "iss": ISSUER, "vct": VCT, **times}
    assert sorted(found.disclosed) == sorted(HIDDEN)
    assert found.kid == SIGNER.kid


def test_only_what_is_presented_can_be_read() -> None:
    shown = sdjwt.present(credential(), ["name"])
    found = verified(shown)
    assert found.disclosed == ("name",)
    assert "address" not in found.claims
    assert found.claims["identifier"] == "1.2.3"
    assert "演示路" not in "".join(unb64u(part).decode() for part in shown.split("~")[1:-1])


def test_presenting_nothing_leaves_the_open_claims() -> None:
    shown = sdjwt.present(credential(), [])
    assert shown.count("~") == 1
    assert verified(shown).disclosed == ()


def test_the_same_record_gives_the_same_bytes() -> None:
    turned = dict(reversed(CLAIMS.items()))
    assert unsigned() == unsigned(claims=turned, hidden=tuple(reversed(HIDDEN)))


def test_bytes_are_those_laid_down_once() -> None:
    fact = json.loads((VECTORS / "credential.json").read_text("utf-8"))
    made = sdjwt.build(
        fact["claims"],
        fact["disclosable"],
        issuer=fact["issuer"],
        vct=fact["vct"],
        kid=fact["kid"],
        seed=bytes.fromhex(fact["seed"]),
        issued_at=datetime.fromisoformat(fact["issued_at"]),
        expires_at=datetime.fromisoformat(fact["expires_at"]),
    )
    assert made.signing_input.decode() == fact["signing_input"]
    assert list(made.disclosures) == fact["disclosures"]


def test_another_seed_hides_the_same_values_elsewhere() -> None:
    one, other = unsigned(), unsigned(seed=b"t" * 32)
    assert not set(map(digest, one.disclosures)) & set(map(digest, other.disclosures))


def test_the_order_of_digests_tells_nothing() -> None:
    digests = json.loads(unb64u(unsigned().signing_input.decode().split(".")[1]))["_sd"]
    assert digests == sorted(digests)


def test_the_header_names_type_algorithm_and_key() -> None:
    header = json.loads(unb64u(credential().split(".", maxsplit=1)[0]))
    assert header == {"alg": "ES256", "kid": SIGNER.kid, "typ": "dc+sd-jwt"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"seed": b"short"}, "seed"),
        ({"hidden": ("name", "age")}, "claim_unknown"),
        ({"claims": {"iss": "https://evil.example"}, "hidden": ()}, "claim_reserved"),
        ({"claims": {"exp": 1}, "hidden": ()}, "claim_reserved"),
        ({"hidden": ("status",)}, "claim_reserved"),
        ({"claims": {"_sd": ["x"]}, "hidden": ()}, "claim_reserved"),
        ({"claims": {"a": [{"b": {"...": "x"}}]}, "hidden": ("a",)}, "claim_reserved"),
        ({"claims": {"a": float("inf")}, "hidden": ("a",)}, "not_json"),
        ({"claims": {"a": "\udfff"}, "hidden": ()}, "not_json"),
        ({"claims": {"\udfff": "a"}, "hidden": ("\udfff",)}, "not_json"),
    ],
)
def test_what_cannot_be_built(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(SDJWTError) as caught:
        unsigned(**changes)
    assert caught.value.code == code


def test_endless_claims_are_refused_without_recursion() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(SDJWTError) as caught:
        unsigned(claims={"a": endless}, hidden=("a",))
    assert caught.value.code == "too_deep"


def test_another_key_cannot_sign_under_a_foreign_name() -> None:
    other = load_private(Algorithm.ES256, generate_private(Algorithm.ES256))
    with pytest.raises(SDJWTError) as caught:
        sdjwt.sign(unsigned(), other)
    assert caught.value.code == "signer"
    forged = sdjwt.finish(unsigned(), other.sign(unsigned().signing_input))
    assert refusal(forged) == "signature"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"keys": {}}, "unknown_key"),
        ({"issuer": "https://other.example"}, "issuer"),
        ({"vct": "https://id.example/types/driving_licence"}, "vct"),
        ({"now": NOW + timedelta(days=30)}, "expired"),
        ({"now": NOW - timedelta(seconds=11)}, "not_yet_valid"),
    ],
)
def test_policy(changes: dict[str, Any], code: str) -> None:
    assert refusal(credential(), **changes) == code


def test_the_last_second_counts() -> None:
    assert verified(credential(), now=NOW + timedelta(days=30) - timedelta(seconds=1))
    assert verified(credential(), now=NOW - timedelta(seconds=10))
    assert verified(credential(expires_at=None), now=NOW + timedelta(days=9_999))


def test_an_expired_credential_can_still_be_named() -> None:
    text = credential(expires_at=NOW - timedelta(days=1))
    assert sdjwt.authenticate(text, keys=KEYS, issuer=ISSUER).claims["name"] == "王小明"


def test_the_former_media_type_is_read() -> None:
    payload = {"iss": ISSUER, "vct": VCT}
    assert verified(resigned(payload, "vc+sd-jwt")).claims == payload
    assert refusal(resigned(payload, "JWT")) == "wrong_type"


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"iss": ISSUER}, "vct"),
        ({"iss": ISSUER, "vct": ""}, "vct"),
        ({"iss": ISSUER, "vct": 1}, "vct"),
        ({"iss": [ISSUER], "vct": VCT}, "issuer"),
        ({"iss": ISSUER, "vct": VCT, "exp": "9999999999"}, "bad_claim"),
        ({"iss": ISSUER, "vct": VCT, "exp": True}, "bad_claim"),
        ({"iss": ISSUER, "vct": VCT, "nbf": int(NOW.timestamp()) + 60}, "not_yet_valid"),
        ({"iss": ISSUER, "vct": VCT, "_sd_alg": "sha-512"}, "hash_unknown"),
    ],
)
def test_signed_payloads_that_are_refused(payload: dict[str, Any], code: str) -> None:
    assert refusal(resigned(payload)) == code


@pytest.mark.parametrize("name", ["iss", "exp", "nbf", "iat", "cnf", "vct", "status"])
def test_claims_that_must_stand_in_the_open(name: str) -> None:
    disclosure = b64u(json.dumps(["s", name, 1]).encode())
    payload = {"iss": ISSUER, "vct": VCT, "_sd": [digest(disclosure)]}
    payload.pop(name, None)
    assert refusal(resigned(payload, "dc+sd-jwt", disclosure)) in {"claim_reserved", "issuer", "vct"}


def test_a_key_binding_token_is_refused_by_name() -> None:
    text = credential()
    assert refusal(text + "eyJ.eyJ.sig") == "key_binding_unsupported"
    with pytest.raises(SDJWTError):
        sdjwt.present(text + "x", ["name"])


@pytest.mark.parametrize("text", ["", "~", "~~", "abc", "a.b.c", "a.b.c~", "~a.b.c~", "é~", "\0~", "a.b.c~~"])
def test_text_that_is_no_credential(text: str) -> None:
    assert refusal(text) in {"form", "malformed"}


def test_size_and_number_are_bounded() -> None:
    text = credential()
    assert refusal(text + "A" * 65_536 + "~") == "too_large"
    assert refusal(text + "WyJzIiwxXQ~" * 201) == "form"


@pytest.mark.parametrize("name", ["age", "status", "identifier"])
def test_presenting_what_is_not_there(name: str) -> None:
    with pytest.raises(SDJWTError) as caught:
        sdjwt.present(credential(), [name])
    assert caught.value.code == "claim_unknown"


def test_a_disclosure_of_another_credential_is_foreign() -> None:
    jwt = credential().split("~")[0]
    stranger = credential(seed=b"t" * 32).split("~")[1]
    assert refusal(f"{jwt}~{stranger}~") == "disclosure_unreferenced"


def refuse_mutants(count: int, seed: int) -> None:
    rng = random.Random(seed)
    original = credential()
    letters = string.ascii_letters + string.digits + "-_.~= \n\0"
    accepted = []
    for _ in range(count):
        mutant = mutate(rng, original, letters)
        # Cut off right behind a tilde, it is a presentation of fewer claims, which is the holder's right.
        if mutant != original and not (original.startswith(mutant) and mutant.endswith("~")):
            try:
                verified(mutant)
            except SDJWTError:
                continue
            accepted.append(mutant)
    assert accepted == []


def test_ten_thousand_mutants_are_refused() -> None:
    refuse_mutants(10_000, 9901)


@pytest.mark.soak
def test_a_hundred_thousand_mutants_are_refused() -> None:
    refuse_mutants(100_000, 19)


def mutate(rng: random.Random, text: str, letters: str) -> str:
    place = rng.randrange(len(text))
    parts = text.split("~")
    one = rng.randrange(len(parts) - 1)
    return rng.choice(
        (
            text[:place] + rng.choice(letters) + text[place + 1 :],
            text[:place] + text[place + 1 :],
            text[:place] + rng.choice(letters) + text[place:],
            text[:place] + chr(ord(text[place]) ^ 1 << rng.randrange(7)) + text[place + 1 :],
            "~".join((*parts[:one], parts[one], *parts[one:])),
            text[:place],
            text[place:],
        )
    )


def foreign_key() -> tuple[JWK, JWK]:
    key = JWK.from_pem(PRIVATE.encode())
    return key, JWK.from_json(key.export_public())


@pytest.mark.parametrize("hidden", [HIDDEN, ("name",), ()])
def test_the_reference_implementation_reads_ours(hidden: tuple[str, ...]) -> None:
    shown = sdjwt.present(credential(hidden=hidden), hidden[:1])
    verifier = SDJWTVerifier(shown, lambda _issuer, _header: foreign_key()[1])
    payload = verifier.get_verified_payload()
    assert payload == verified(shown).claims


def test_we_read_the_reference_implementation() -> None:
    claims: dict[Any, Any] = {
        "iss": ISSUER,
        "vct": VCT,
        SDObj("name"): "王小明",
        "address": {SDObj("street"): "演示路1号", "county": "示范区"},
        "classes": [SDObj("C1"), "E"],
    }
    issuer = SDJWTIssuer(
        claims,
        foreign_key()[0],
        sign_alg="ES256",
        add_decoy_claims=True,
        extra_header_parameters={"typ": "dc+sd-jwt", "kid": SIGNER.kid},
    )
    holder = SDJWTHolder(issuer.sd_jwt_issuance)
    holder.create_presentation({"name": True, "address": {"street": True}, "classes": [True]})
    everything, shown = verified(issuer.sd_jwt_issuance), verified(holder.sd_jwt_presentation)
    assert everything.claims == {
        "iss": ISSUER,
        "vct": VCT,
        "name": "王小明",
        "address": {"street": "演示路1号", "county": "示范区"},
        "classes": ["C1", "E"],
    }
    assert shown == everything
    holder.create_presentation({})
    assert "name" not in verified(holder.sd_jwt_presentation).claims
