"""Token Status List: the same bits as a foreign implementation reads, and no mutant of a list is believed."""

import json
import random
import zlib
from dataclasses import replace

import cbor2
import joserfc.jwk
import joserfc.jws
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from token_status_list import BitArray

from keys import jws
from keys.base64url import b64u, unb64u
from licences.status import token_list
from licences.status.edition import LIFE, TTL, name_of
from licences.status.token_list import SIZE, Status, StatusListError, read_jwt
from tests.unit.licences.status.lists import ENTRIES, ISSUER, SIGNED_AT, SIGNER, edition, token

KEYS = {SIGNER.kid: SIGNER.public}


def forged(claims: dict[str, object], typ: str = token_list.JWT_TYPE) -> str:
    return jws.encode(claims, signer=SIGNER, typ=typ)


def stated(**changes: object) -> dict[str, object]:
    claims: dict[str, object] = jws.decode(token(), keys=KEYS, typ=token_list.JWT_TYPE, max_bytes=10**6).payload
    return claims | changes


def listed(lst: object, bits: object = 2) -> dict[str, object]:
    return stated(status_list={"bits": bits, "lst": lst})


def test_the_draft_s_example_of_two_bits() -> None:
    """Section 4.1: twelve places of two bits are C9 44 F9."""
    values = [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]
    assert token_list.pack(enumerate(values))[:3].hex() == "c944f9"


def test_what_is_read_is_what_was_written() -> None:
    read = read_jwt(token(), keys=KEYS)
    assert (read.uri, read.issued_at, read.ttl) == (f"{ISSUER}/status/0", SIGNED_AT, TTL)
    assert read.expires_at == SIGNED_AT + LIFE.total_seconds()
    assert {index: read.status(index) for index, _ in ENTRIES} == dict(ENTRIES)
    assert read.status(2) == Status.VALID
    for outside in (-1, SIZE):
        with pytest.raises(StatusListError, match="no_such_place"):
            read.status(outside)


def test_a_foreign_reader_finds_the_same_statuses_in_the_jwt() -> None:
    key = joserfc.jwk.ECKey.import_key(SIGNER.public.jwk())
    read = joserfc.jws.deserialize_compact(token(), key, algorithms=["ES256"])
    assert read.protected["typ"] == "statuslist+jwt"
    bits = BitArray.load(json.loads(read.payload)["status_list"])
    assert len(bits) == SIZE
    assert {index for index in range(SIZE) if bits.get(index)} == {index for index, _ in ENTRIES}
    assert {index: bits.get(index) for index, _ in ENTRIES} == dict(ENTRIES)


def test_a_foreign_reader_finds_the_same_statuses_in_the_cwt() -> None:
    message = cbor2.loads(edition().tokens(SIGNER)[name_of(0, "cwt")])
    assert message.tag == 18
    protected, unprotected, payload, signature = message.value
    assert cbor2.loads(protected) == {1: -7, 4: SIGNER.kid.encode(), 16: "application/statuslist+cwt"}
    assert unprotected == {}
    point = joserfc.jwk.ECKey.import_key(SIGNER.public.jwk()).public_key
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    covered = cbor2.dumps(["Signature1", protected, b"", payload])  # RFC 9052 section 4.4
    point.verify(encode_dss_signature(r, s), covered, ec.ECDSA(hashes.SHA256()))
    claims = cbor2.loads(payload)
    assert (claims[2], claims[6], claims[65534]) == (f"{ISSUER}/status/0", SIGNED_AT, TTL)
    assert claims[4] == SIGNED_AT + LIFE.total_seconds()
    bits = BitArray(claims[65533]["bits"], zlib.decompress(claims[65533]["lst"]))
    assert {index: bits.get(index) for index, _ in ENTRIES} == dict(ENTRIES)


def test_the_signers_certificate_stands_in_both_for_readers_that_know_it_by_that() -> None:
    made = replace(edition(), chain=(b"0\x03\x02\x01\x07",)).tokens(SIGNER)
    text, message = made[name_of(0, "jwt")].decode(), cbor2.loads(made[name_of(0, "cwt")])
    assert json.loads(unb64u(text.split(".")[0]))["x5c"] == ["MAMCAQc="]
    assert message.value[1] == {33: b"0\x03\x02\x01\x07"}
    assert read_jwt(text, keys=KEYS) == read_jwt(token(), keys=KEYS), "the key is found by kid all the same"


def test_what_is_no_list_is_refused() -> None:
    bomb = zlib.compress(b"\0" * (SIZE // 4 + 1))
    cases = {
        "wrong_type": forged(stated(), "JWT"),
        "not_a_list: no list": forged({"sub": "x", "iat": 1, "exp": 2, "ttl": 3}),
        "not_a_list: another claim": forged(stated(status="VALID")),
        "not_a_list: one bit": forged(listed(b64u(zlib.compress(b"\0")), bits=1)),
        "not_a_list: too much inflated": forged(listed(b64u(bomb))),
        "not_a_list: bytes left over": forged(listed(b64u(zlib.compress(b"\0") + b"\0"))),
        "not_a_list: cut short": forged(listed(b64u(zlib.compress(b"\0" * 99)[:-3]))),
        "not_a_list: padding": forged(listed(b64u(zlib.compress(b"\0")) + "==")),
        "not_a_list: empty": forged(listed(b64u(zlib.compress(b"")))),
        "not_a_list: a number": forged(listed(7)),
        "not_a_list: no sub": forged(stated(sub=None)),
        "not_a_list: broken time": forged(stated(ttl=True)),
        "not_a_list: no year of ours": forged(stated(exp=2**53 - 1)),
        "bad_claim": forged(stated(exp="soon")),
        "unknown_key": token().replace(".", f".{b64u(b'{}')}.", 1)[:50],
    }
    for case, text in cases.items():
        with pytest.raises(StatusListError) as refused:
            read_jwt(text, keys=KEYS)
        assert refused.value.code in {case.partition(":")[0], "malformed"}, case
    with pytest.raises(StatusListError, match="unknown_key"):
        read_jwt(token(), keys={})


def no_mutant_is_believed(count: int) -> None:
    """Change, drop or double one character of a list anywhere."""
    chance, genuine = random.Random(4), token([(7, 1)])
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=~ "
    for number in range(count):
        place = chance.randrange(len(genuine))
        piece = chance.choice(alphabet) * chance.choice((0, 1, 1, 1, 2))
        mutant = genuine[:place] + piece + genuine[place + 1 :]
        if mutant == genuine:
            continue
        try:
            read_jwt(mutant, keys=KEYS)
        except StatusListError:
            continue
        pytest.fail(f"mutant {number} at {place} was believed")


def test_no_mutant_of_a_list_is_believed() -> None:
    no_mutant_is_believed(1_000)


@pytest.mark.soak
def test_no_mutant_of_a_list_is_believed_ever() -> None:
    no_mutant_is_believed(100_000)


def test_a_million_places_with_one_in_a_hundred_revoked_are_small() -> None:
    revoked = random.Random(1).sample(range(1_000_000), 10_000)
    compressed = token_list.compress(token_list.pack((index, 1) for index in revoked))
    assert len(compressed) <= 16 * 1024
    assert unb64u(b64u(compressed)) == compressed
