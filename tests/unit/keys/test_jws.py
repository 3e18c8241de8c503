import hashlib
import hmac
import json
import random

import joserfc.jwk
import joserfc.jws
import joserfc.jwt
import jwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from keys import jws
from keys.base64url import b64u
from keys.jws import JWSError
from keys.signer import Algorithm, generate_private, load_private, ps256_public
from tests.cost import costs_less
from tests.unit.keys.cases import cases, vector

VECTORS = vector("jose/signatures.json")
SIGNER = load_private(Algorithm.ES256, generate_private(Algorithm.ES256))
ED_SIGNER = load_private(Algorithm.EDDSA, generate_private(Algorithm.EDDSA))
SM2_SIGNER = load_private(Algorithm.SM2, generate_private(Algorithm.SM2))
KEYS = {signer.kid: signer.public for signer in (SIGNER, ED_SIGNER, SM2_SIGNER)}
PAYLOAD = {"iss": "https://id.example", "sub": "u", "exp": 4102444800, "姓名": "😀"}
TOKEN = jws.encode(PAYLOAD, signer=SIGNER, typ="at+jwt")


def signed(header: str, payload: str, signer=SIGNER) -> str:
    """Sign any text, however wrong."""
    signing_input = f"{b64u(header.encode())}.{b64u(payload.encode())}"
    return f"{signing_input}.{b64u(signer.sign(signing_input.encode()))}"


def jwk_of(signer) -> dict[str, str]:
    return signer.public.jwk() | {"kid": signer.kid, "alg": str(signer.algorithm), "use": "sig"}


def code_of(token: str, *, typ: str | frozenset[str | None] = "at+jwt", **how) -> str:
    with pytest.raises(JWSError) as error:
        jws.decode(token, keys=KEYS, typ=typ, **how)
    return error.value.code


def test_rfc7515_a3():
    facts = VECTORS["es256"]
    decoded = jws.decode_with_jwk(facts["token"], jwks={"keys": [facts["jwk"]]}, typ=frozenset({None}))
    assert decoded.payload == facts["payload"]
    assert decoded.header == {"alg": "ES256"}


def test_rfc8037_a4_signature_holds_but_its_payload_is_not_json():
    facts = VECTORS["eddsa"]
    with pytest.raises(JWSError, match="bad_payload"):
        jws.decode_with_jwk(facts["token"], jwks={"keys": [facts["jwk"]]}, typ=frozenset({None}))
    with pytest.raises(JWSError, match="signature"):
        jws.decode_with_jwk(facts["token"][:-4] + "AAAA", jwks={"keys": [facts["jwk"]]}, typ=frozenset({None}))


@pytest.mark.parametrize("signer", [SIGNER, ED_SIGNER], ids=["es256", "eddsa"])
def test_round_trip_and_other_libraries_agree(signer):
    token = jws.encode(PAYLOAD, signer=signer, typ="at+jwt")
    decoded = jws.decode(token, keys=KEYS, typ="at+jwt")
    assert decoded.payload == PAYLOAD
    assert decoded.header == {"alg": signer.algorithm, "kid": signer.kid, "typ": "at+jwt"}
    key = jwt.PyJWK.from_dict(jwk_of(signer))
    assert jwt.decode(token, key, algorithms=[signer.algorithm]) == PAYLOAD


def test_joserfc_agrees():
    key = joserfc.jwk.import_key(jwk_of(SIGNER))
    assert joserfc.jwt.decode(TOKEN, key, algorithms=["ES256"]).claims == PAYLOAD


def test_further_headers():
    token = jws.encode(PAYLOAD, signer=SIGNER, typ="dc+sd-jwt", headers={"vctm": ["x"]})
    assert code_of(token, typ="dc+sd-jwt") == "header_refused"
    assert jws.decode(token, keys=KEYS, typ="dc+sd-jwt", headers=frozenset({"vctm"})).header["vctm"] == ["x"]


def test_no_further_header_opens_the_forbidden_ones():
    token = signed(json.dumps({"alg": "ES256", "kid": SIGNER.kid, "typ": "at+jwt", "jku": "https://e.example"}), "{}")
    assert code_of(token, headers=frozenset({"jku"})) == "header_refused"


@pytest.mark.parametrize("name", ["alg", "kid", "typ", "jwk", "crit", "b64"])
def test_encode_refuses_headers_that_are_not_the_callers(name):
    with pytest.raises(ValueError):
        jws.encode(PAYLOAD, signer=SIGNER, typ="at+jwt", headers={name: "x"})


def test_encode_refuses_sm2_and_nan():
    with pytest.raises(ValueError):
        jws.encode(PAYLOAD, signer=SM2_SIGNER, typ="at+jwt")
    with pytest.raises(ValueError):
        jws.encode({"x": float("nan")}, signer=SIGNER, typ="at+jwt")


def test_no_jws_with_an_sm2_key():
    token = signed(json.dumps({"alg": "SM2", "kid": SM2_SIGNER.kid, "typ": "at+jwt"}), "{}", SM2_SIGNER)
    assert code_of(token) == "algorithm"


@cases(vector("jose/headers_refused.json"))
def test_header_refused_although_rightly_signed(case):
    token = signed(json.dumps(case["header"]).replace("$KID", SIGNER.kid), json.dumps(PAYLOAD))
    assert code_of(token) == case["code"]


@cases(vector("jose/payloads_refused.json"))
def test_payload_refused_although_rightly_signed(case):
    token = signed(json.dumps({"alg": "ES256", "kid": SIGNER.kid, "typ": "at+jwt"}), case["payload"])
    assert code_of(token) == case["code"]


def test_duplicate_header_members_are_refused():
    header = f'{{"alg":"none","alg":"ES256","kid":"{SIGNER.kid}","typ":"at+jwt"}}'
    assert code_of(signed(header, "{}")) == "malformed"


def test_hmac_with_the_public_key_is_refused():
    signing_input = ".".join(
        b64u(json.dumps(part).encode()) for part in ({"alg": "HS256", "kid": SIGNER.kid, "typ": "at+jwt"}, PAYLOAD)
    )
    tag = hmac.digest(json.dumps(SIGNER.public.jwk()).encode(), signing_input.encode(), hashlib.sha256)
    assert code_of(f"{signing_input}.{b64u(tag)}") == "algorithm"


def test_a_key_of_another_algorithm_under_the_same_kid():
    token = jws.encode(PAYLOAD, signer=SIGNER, typ="at+jwt")
    with pytest.raises(JWSError, match="algorithm"):
        jws.decode(token, keys={SIGNER.kid: ED_SIGNER.public}, typ="at+jwt")


def test_a_foreign_key_under_the_same_kid():
    other = load_private(Algorithm.ES256, generate_private(Algorithm.ES256))
    with pytest.raises(JWSError, match="signature"):
        jws.decode(TOKEN, keys={SIGNER.kid: other.public}, typ="at+jwt")


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"])
def test_type_in_any_case_and_with_application(typ):
    token = jws.encode(PAYLOAD, signer=SIGNER, typ=typ)
    assert jws.decode(token, keys=KEYS, typ="at+jwt").payload == PAYLOAD


def test_absent_type_only_where_expected():
    token = signed(json.dumps({"alg": "ES256", "kid": SIGNER.kid}), "{}")
    assert jws.decode(token, keys=KEYS, typ=frozenset({None, "client-authentication+jwt"})).payload == {}
    assert code_of(token, typ=frozenset({"client-authentication+jwt"})) == "wrong_type"
    assert code_of(TOKEN, typ=frozenset({None})) == "wrong_type"


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "a.b",
        TOKEN + ".",
        "." + TOKEN,
        TOKEN + "=",
        TOKEN + "\n",
        " " + TOKEN,
        TOKEN.replace(".", ".."),
        TOKEN.rpartition(".")[0] + ".",
        TOKEN.rpartition(".")[0],
        TOKEN.replace(".", "。", 1),
        TOKEN[:-1] + "é",
        "e30." + TOKEN.partition(".")[2],
        '{"alg":"none"}.e30.',
    ],
)
def test_malformed(token):
    assert code_of(token) in {"malformed", "unknown_key", "signature"}


def test_trailing_bits_make_no_second_token():
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    accepted = []
    for character in alphabet:
        try:
            jws.decode(TOKEN[:-1] + character, keys=KEYS, typ="at+jwt")
        except JWSError:
            continue
        accepted.append(character)
    assert accepted == [TOKEN[-1]]


def test_sizes_are_refused_before_any_work():
    def read():
        assert code_of("A" * 10_000_000) == "too_large"
        assert code_of("." * 10_000_000) == "too_large"
        assert code_of("A" * 2049 + ".e30.AA") == "too_large"
        assert code_of("e30.e30." + "A" * 684) == "too_large"
        assert code_of(TOKEN, max_bytes=len(TOKEN) - 1) == "too_large"
        assert jws.decode(TOKEN, keys=KEYS, typ="at+jwt", max_bytes=len(TOKEN)).payload == PAYLOAD

    assert costs_less(0.5, read)


def test_deep_payload_is_refused():
    header = json.dumps({"alg": "ES256", "kid": SIGNER.kid, "typ": "at+jwt"})
    assert code_of(signed(header, '{"a":' + "[" * 5000 + "]" * 5000 + "}")) == "bad_payload"


def test_ps256_of_an_app():
    private = rsa.generate_private_key(65537, 2048)
    member = ps256_public(private.public_key()).jwk()
    token = jwt.encode(PAYLOAD, private, algorithm="PS256")
    assert jws.decode_with_jwk(token, jwks={"keys": [member]}, typ=frozenset({"JWT"})).payload == PAYLOAD
    for algorithm in ("RS256", "PS384"):
        with pytest.raises(JWSError, match="unknown_key"):
            jws.decode_with_jwk(
                jwt.encode(PAYLOAD, private, algorithm=algorithm), jwks={"keys": [member]}, typ=frozenset({"JWT"})
            )
    head, body, _ = token.split(".")
    rs256 = b64u(private.sign(f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256()))
    with pytest.raises(JWSError, match="signature"):
        jws.decode_with_jwk(f"{head}.{body}.{rs256}", jwks={"keys": [member]}, typ=frozenset({"JWT"}))


def test_app_key_is_found_by_kid_or_by_being_the_only_one():
    other = load_private(Algorithm.ES256, generate_private(Algorithm.ES256))
    named = jws.encode(PAYLOAD, signer=SIGNER, typ="JWT")
    unnamed = signed('{"alg":"ES256","typ":"JWT"}', json.dumps(PAYLOAD))
    both = {"keys": [jwk_of(other), jwk_of(SIGNER)]}
    mixed = {"keys": [jwk_of(ED_SIGNER), jwk_of(SIGNER)]}
    assert jws.decode_with_jwk(named, jwks=both, typ="JWT").payload == PAYLOAD
    assert jws.decode_with_jwk(unnamed, jwks=mixed, typ="JWT").payload == PAYLOAD
    for token, jwks in ((unnamed, both), (named, {"keys": [jwk_of(other)]}), (named, {"keys": []}), (named, {})):
        with pytest.raises(JWSError, match="unknown_key"):
            jws.decode_with_jwk(token, jwks=jwks, typ="JWT")


def test_no_mutant_is_accepted():
    source = random.Random(7515)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.="
    for _ in range(10_000):
        mutant = list(TOKEN)
        for _ in range(source.randint(1, 3)):
            position = source.randrange(len(mutant))
            mutant[position : position + source.randint(0, 2)] = source.choice(alphabet) * source.randint(0, 2)
        text = "".join(mutant)
        if text != TOKEN:
            with pytest.raises(JWSError):
                jws.decode(text, keys=KEYS, typ="at+jwt")


def test_a_chain_of_certificates_is_stated_and_never_believed():
    token = jws.encode(PAYLOAD, signer=SIGNER, typ="at+jwt", chain=[b"leaf", b"middle"])
    header = joserfc.jws.extract_compact(token.encode()).headers()
    assert header["x5c"] == ["bGVhZg==", "bWlkZGxl"]
    assert code_of(token) == "header_refused"
