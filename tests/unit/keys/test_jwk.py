import random
from itertools import count

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from keys import jwk
from keys.base64url import b64u
from keys.jwk import JWKError, UnknownKeyTypeError
from keys.signer import Algorithm, generate_private, load_private, ps256_public
from tests.unit.keys.cases import vector

EC = vector("jose/signatures.json")["es256"]["jwk"]
OKP = vector("jose/signatures.json")["eddsa"]["jwk"]
RSA_KEY = rsa.generate_private_key(65537, 2048)
RSA = ps256_public(RSA_KEY.public_key()).jwk()
SM2 = load_private(Algorithm.SM2, generate_private(Algorithm.SM2)).public.jwk()


@pytest.mark.parametrize(
    ("member", "algorithm"),
    [(EC, "ES256"), (OKP, "EdDSA"), (RSA, "PS256"), (SM2, "SM2")],
    ids=["es256", "eddsa", "ps256", "sm2"],
)
def test_type_decides_the_algorithm(member, algorithm):
    key = jwk.parse(member)
    assert key.algorithm == algorithm
    assert key.jwk() == member
    assert jwk.parse(member | {"kid": "k", "use": "sig", "alg": algorithm, "key_ops": ["verify"]}).kid == "k"


@pytest.mark.parametrize("secret", ["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
def test_private_members_are_refused_even_in_a_set(secret):
    with pytest.raises(JWKError):
        jwk.parse(EC | {secret: "AA"})
    with pytest.raises(JWKError):
        jwk.parse_set({"keys": [EC, OKP | {secret: "AA"}]})


@pytest.mark.parametrize(
    "member",
    [
        {},
        {"kty": "oct"},
        {"kty": "EC"},
        {"kty": ["EC"], "crv": "P-256"},
        EC | {"crv": "P-384"},
        OKP | {"crv": "Ed448"},
        EC | {"use": "enc"},
        EC | {"use": ["sig"]},
        EC | {"key_ops": ["sign"]},
        EC | {"key_ops": "verify"},
        EC | {"alg": "HS256"},
        EC | {"alg": "EdDSA"},
        RSA | {"alg": "RS256"},
        RSA | {"alg": "RSA1_5"},
    ],
    ids=count(),
)
def test_keys_for_something_else_are_passed_over_in_a_set(member):
    with pytest.raises(UnknownKeyTypeError):
        jwk.parse(member)
    assert list(jwk.parse_set({"keys": [member, EC | {"kid": "good"}]})) == ["good"]


@pytest.mark.parametrize(
    "member",
    [
        EC | {"x": None},
        EC | {"x": 1},
        EC | {"x": EC["x"] + "="},
        EC | {"x": EC["x"][:-1]},
        EC | {"x": "AA" + EC["x"]},
        EC | {"x": EC["y"]},
        EC | {"x": "A" * 1025},
        OKP | {"x": "AA"},
        EC | {"kid": ""},
        EC | {"kid": 1},
        EC | {"kid": "k" * 257},
        RSA | {"n": b64u(bytes(256))},
        RSA | {"n": b64u(b"\x00" + b"\xff" * 256)},
        RSA | {"n": b64u(b"\xff" * 128)},
        RSA | {"n": b64u(b"\xff" * 513)},
        RSA | {"e": b64u(b"\x02")},
        RSA | {"e": b64u(b"\x01")},
        RSA | {"e": ""},
        RSA | {"e": b64u(b"\xff" * 5)},
    ],
)
def test_damaged_keys_are_refused(member):
    with pytest.raises(JWKError) as error:
        jwk.parse(member)
    assert not isinstance(error.value, UnknownKeyTypeError)


@pytest.mark.parametrize(
    "jwks", [{}, {"keys": None}, {"keys": {}}, {"keys": [None]}, {"keys": [EC] * 2}, {"keys": [OKP] * 33}], ids=count()
)
def test_bad_sets_are_refused(jwks):
    with pytest.raises(JWKError):
        jwk.parse_set(jwks)


def test_mutants_are_refused_or_other_keys():
    source = random.Random(7517)
    values = [None, True, 0, -1, 1e9, "", "AA", "é", [], {}, ["verify"], "sig", b64u(bytes(32)), EC["y"]]
    for _ in range(2000):
        member = dict(source.choice([EC, OKP, RSA, SM2]))
        for _ in range(source.randint(1, 2)):
            member[source.choice(["kty", "crv", "x", "y", "n", "e", "kid", "use", "alg", "key_ops"])] = source.choice(
                values
            )
        try:
            jwk.parse(member)
        except JWKError:
            continue
