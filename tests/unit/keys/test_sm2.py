import gc
import json
import random
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import gmalg
import pytest

from keys import sm2, sm2_pure

if TYPE_CHECKING:
    from collections.abc import Callable

VECTORS = Path(__file__).parents[2] / "vectors" / "sm2"
EXAMPLE = json.loads((VECTORS / "gbt32918_5.json").read_text(encoding="utf-8"))
MALFORMED = json.loads((VECTORS / "malformed_signatures.json").read_text(encoding="utf-8"))

_E = EXAMPLE["signature"]
PRIVATE = bytes.fromhex(_E["private"])
PUBLIC = b"\x04" + bytes.fromhex(_E["x"] + _E["y"])
MESSAGE = _E["message"].encode()
RAW = bytes.fromhex(_E["r"] + _E["s"])
SIGNATURE = sm2.raw_to_signature(RAW)

needs_libcrypto = pytest.mark.skipif(not sm2.is_available(), reason="no libcrypto of OpenSSL >= 3.0 with SM2 here")


@pytest.fixture(params=["libcrypto", "pure"])
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run the test on either way of verifying; `pure` is what a machine without SM2 in libcrypto does."""
    if request.param == "pure":
        monkeypatch.setattr(sm2, "_library", lambda: None)
    elif not sm2.is_available():
        pytest.skip("no libcrypto of OpenSSL >= 3.0 with SM2 here")
    return str(request.param)


def test_the_reference_machine_has_libcrypto_sm2() -> None:
    assert sm2.is_available(), "OpenSSL >= 3.0 with SM2 is expected wherever the whole suite runs"


@pytest.mark.parametrize("case", EXAMPLE["sm3"], ids=lambda case: case["name"])
def test_sm3(case: dict[str, str]) -> None:
    assert sm2.sm3(bytes.fromhex(case["message"])).hex().upper() == case["digest"]


def test_example_intermediate_values() -> None:
    assert sm2.za(PUBLIC, _E["identity"].encode()).hex().upper() == _E["za"]
    assert sm2_pure.signature_digest(PUBLIC, MESSAGE).hex().upper() == _E["e"]


@pytest.mark.parametrize("shared", [-1, 0, 1, len(MESSAGE) - 1, len(MESSAGE), len(MESSAGE) + 1, 1 << 20])
def test_what_messages_share_changes_no_digest(shared: int) -> None:
    for _again in range(2):
        assert sm2_pure.signature_digest(PUBLIC, MESSAGE, shared=shared).hex().upper() == _E["e"]
    assert sm2.verify(PUBLIC, MESSAGE, SIGNATURE, shared=shared)
    assert not sm2.verify(PUBLIC, MESSAGE + b".", SIGNATURE, shared=shared)


def test_long_messages_are_hashed_whole_and_none_is_kept() -> None:
    sm2_pure._begun.cache_clear()
    message = bytes(sm2_pure.MAX_SHARED + 1)
    whole = sm2_pure.signature_digest(PUBLIC, message)
    assert sm2_pure.signature_digest(PUBLIC, message, shared=len(message)) == whole
    assert sm2_pure._begun.cache_info().currsize == 0
    assert sm2_pure.signature_digest(PUBLIC, message, shared=sm2_pure.MAX_SHARED) == whole
    assert sm2_pure._begun.cache_info().currsize == 1


def test_example_signature_from_its_k() -> None:
    d, k, e = (int(_E[name], 16) for name in ("private", "k", "e"))
    x, _, z = sm2_pure._double_multiply(k, (sm2_pure.GX, sm2_pure.GY, 1), 0, sm2_pure.INFINITY)
    r = (e + x * pow(z, -2, sm2_pure.P) % sm2_pure.P) % sm2_pure.N
    s = pow(1 + d, -1, sm2_pure.N) * (k - r * d) % sm2_pure.N
    assert (f"{r:064X}", f"{s:064X}") == (_E["r"], _E["s"])


def test_example_verifies(path: str) -> None:
    assert sm2.verify(PUBLIC, MESSAGE, SIGNATURE)
    assert sm2.verify(PUBLIC[1:], MESSAGE, SIGNATURE)
    assert not sm2.verify(PUBLIC, MESSAGE + b".", SIGNATURE)
    assert not sm2.verify(PUBLIC, MESSAGE, SIGNATURE, identity=b"someone else")


@needs_libcrypto
def test_public_key_of_the_example() -> None:
    assert sm2.public_key(PRIVATE) == PUBLIC


@needs_libcrypto
def test_generated_keys_differ_and_sign() -> None:
    (first, public), (second, _) = sm2.generate(), sm2.generate()
    assert first != second
    assert (len(first), len(public), public[0]) == (32, 65, 4)
    assert sm2.verify(public, b"", sm2.sign(first, b""))


@needs_libcrypto
def test_signatures_are_randomised() -> None:
    assert sm2.sign(PRIVATE, MESSAGE) != sm2.sign(PRIVATE, MESSAGE)


@needs_libcrypto
@pytest.mark.parametrize("identity", [b"1234567812345678", b"a", "区政务服务中心".encode(), b"x" * 4095])
@pytest.mark.parametrize("size", [0, 1, 55, 64, 65_536])
def test_gmalg_agrees_both_ways(identity: bytes, size: int) -> None:
    message = random.Random(size).randbytes(size)
    private, public = sm2.generate()
    oracle = gmalg.SM2(private, identity, public)
    raw = sm2.signature_to_raw(sm2.sign(private, message, identity=identity))
    assert oracle.verify(message, raw[:32], raw[32:])
    theirs = b"".join(part.rjust(32, b"\0") for part in oracle.sign(message))
    assert sm2.verify(public, message, sm2.raw_to_signature(theirs), identity=identity)


@needs_libcrypto
@pytest.mark.parametrize("identity", [b"\0", b"1234567812345678", b"x" * 8190], ids=["zero", "default", "longest"])
def test_the_openssl_command_agrees(identity: bytes, openssl: str, tmp_path: Path) -> None:
    private, public = sm2.generate()
    signature = sm2.sign(private, MESSAGE, identity=identity)
    for name, data in (("key", sm2._PUBLIC_PREFIX + public), ("message", MESSAGE), ("signature", signature)):
        (tmp_path / name).write_bytes(data)
    verify = [openssl, "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key", "-rawin", "-digest", "sm3"]
    verify += ["-in", "message", "-sigfile", "signature", "-pkeyopt"]
    for distid, answer in ((identity, 0), (identity + b"x", 1)):
        if len(distid) <= sm2_pure.MAX_IDENTITY:
            run = [*verify, f"hexdistid:{distid.hex()}"]
            assert subprocess.run(run, cwd=tmp_path, capture_output=True, timeout=120, check=False).returncode == answer


@needs_libcrypto
def test_pure_verification_agrees_with_libcrypto(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for number in range(40):
        private, public = sm2.generate()
        made.append((public, str(number).encode(), sm2.sign(private, str(number).encode())))
    monkeypatch.setattr(sm2, "_library", lambda: None)
    assert all(sm2.verify(*one) for one in made)
    assert not any(sm2.verify(public, message + b"?", signature) for public, message, signature in made)


@pytest.mark.parametrize("case", MALFORMED, ids=lambda case: case["name"])
def test_malformed_signature_is_refused(case: dict[str, str], path: str) -> None:
    signature = bytes.fromhex(case["signature"])
    assert not sm2.verify(PUBLIC, MESSAGE, signature)
    with pytest.raises(sm2.SM2Error):
        sm2.signature_to_raw(signature)


@pytest.mark.parametrize(
    ("r", "s"), [(0, 1), (1, 0), (sm2_pure.N, 1), (1, sm2_pure.N), (1, sm2_pure.N - 1), (2**256 - 1, 1)]
)
def test_raw_out_of_range_is_refused(r: int, s: int) -> None:
    with pytest.raises(sm2.SM2Error):
        sm2.raw_to_signature(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


@pytest.mark.parametrize("size", [0, 63, 65, 128])
def test_raw_of_the_wrong_length_is_refused(size: int) -> None:
    with pytest.raises(sm2.SM2Error):
        sm2.raw_to_signature(b"\x01" * size)


def test_der_and_raw_are_inverse() -> None:
    rng = random.Random(41)
    for _ in range(500):
        raw = (rng.getrandbits(rng.randint(1, 255)) or 1).to_bytes(32, "big") + rng.randrange(1, 2**200).to_bytes(
            32, "big"
        )
        if (int.from_bytes(raw[:32], "big") + int.from_bytes(raw[32:], "big")) != sm2_pure.N:
            assert sm2.signature_to_raw(sm2.raw_to_signature(raw)) == raw


BAD_PUBLIC = {
    "empty": b"",
    "short": PUBLIC[:-1],
    "long": PUBLIC + b"\0",
    "compressed": b"\x03" + PUBLIC[1:33],
    "hybrid": b"\x07" + PUBLIC[1:],
    "infinity": b"\x00",
    "zero": b"\x04" + bytes(64),
    "not on the curve": PUBLIC[:-1] + bytes([PUBLIC[-1] ^ 1]),
    "x not reduced": b"\x04" + b"\xff" * 32 + PUBLIC[33:],
    "a point of P-256": bytes.fromhex(
        "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    ),
}


@pytest.mark.parametrize("public", BAD_PUBLIC.values(), ids=BAD_PUBLIC.keys())
def test_bad_public_key_is_refused(public: bytes, path: str) -> None:
    assert not sm2.verify(public, MESSAGE, SIGNATURE)
    with pytest.raises(sm2.SM2Error):
        sm2.check_public(public)


@needs_libcrypto
@pytest.mark.parametrize(
    "private", [b"", b"\x01" * 31, b"\x01" * 33, bytes(32), *((sm2_pure.N + i).to_bytes(32, "big") for i in (-1, 0, 1))]
)
def test_bad_private_key_is_refused_without_showing_it(private: bytes) -> None:
    for deed in (lambda: sm2.sign(private, b""), lambda: sm2.public_key(private)):
        with pytest.raises(sm2.SM2Error) as caught:
            deed()
        assert private.hex() not in str(caught.value) or not private


@needs_libcrypto
def test_largest_and_smallest_private_key() -> None:
    for number in (1, sm2_pure.N - 2):
        private = number.to_bytes(32, "big")
        assert sm2.verify(sm2.public_key(private), MESSAGE, sm2.sign(private, MESSAGE))


@needs_libcrypto
def test_a_key_object_shows_nothing_of_the_key() -> None:
    key = sm2._private_key(PRIVATE)
    assert PRIVATE.hex() not in repr(key).lower()
    assert PRIVATE not in repr(key).encode()


def test_identity_too_long(path: str) -> None:
    with pytest.raises(sm2.SM2Error):
        sm2.verify(PUBLIC, MESSAGE, SIGNATURE, identity=b"x" * 8192)


@needs_libcrypto
def test_infinity_is_not_a_signature(path: str) -> None:
    # With the private key one can find s such that s·G + (r+s)·P is the point at infinity.
    d = int.from_bytes(PRIVATE, "big")
    e = int(_E["e"], 16)
    for r in (e % sm2_pure.N, 5):
        s = -r * d * pow(1 + d, -1, sm2_pure.N) % sm2_pure.N
        raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        assert not sm2.verify(PUBLIC, MESSAGE, sm2.raw_to_signature(raw))


def test_without_libcrypto_nothing_is_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sm2, "_library", lambda: None)
    assert not sm2.is_available()
    deeds: list[Callable[[], object]] = [
        sm2.generate,
        lambda: sm2.sign(PRIVATE, MESSAGE),
        lambda: sm2.public_key(PRIVATE),
    ]
    for deed in deeds:
        with pytest.raises(sm2.SM2Unavailable, match=r"OpenSSL 3\.0"):
            deed()


def test_a_library_that_is_absent_or_wrong_is_passed_over() -> None:
    assert sm2._load("libcrypto-that-is-not-there.so") is None
    assert sm2._load("libc.so.6") is None


@needs_libcrypto
def test_a_library_that_verifies_anything_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    c = sm2._library()
    monkeypatch.setattr(sm2._Key, "verify", lambda *_: True)
    assert not sm2._passes_example(c)


@needs_libcrypto
def test_threads_share_keys() -> None:
    pairs = [sm2.generate() for _ in range(3)]
    wrong = []

    def work(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(60):
            private, public = rng.choice(pairs)
            message = rng.randbytes(20)
            signature = sm2.sign(private, message)
            if not sm2.verify(public, message, signature) or sm2.verify(public, message + b"!", signature):
                wrong.append(message)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not wrong


@needs_libcrypto
def test_a_failed_verification_spoils_none_that_follows() -> None:
    """What an operation failed in is not used again, and what is kept ready for the next ones is bounded."""
    key = sm2._imported_public(sm2._library(), PUBLIC)  # type: ignore[arg-type]
    digest = sm2.signature_digest(PUBLIC, MESSAGE)
    for _ in range(3):
        assert key.verify(digest, SIGNATURE)
        assert not key.verify(digest[::-1], SIGNATURE)
        assert not key.verify(digest, b"0")
    taken = [key._verifying.take() for _ in range(10)]
    assert len(set(taken)) == 10
    for context in taken:
        key._verifying.give(context, good=True)
    assert len(key._verifying.idle) == sm2._IDLE_CONTEXTS
    assert key.verify(digest, SIGNATURE)


@needs_libcrypto
def test_native_keys_are_freed(monkeypatch: pytest.MonkeyPatch) -> None:
    c = sm2._library()
    assert c is not None
    freed = []
    real = c.EVP_PKEY_free

    def free(handle: int) -> None:
        freed.append(handle)
        real(handle)

    monkeypatch.setattr(c, "EVP_PKEY_free", free)
    key = sm2._Key(c, "d2i_PUBKEY", sm2._PUBLIC_PREFIX + PUBLIC, PUBLIC)
    handle = key._handle
    del key
    gc.collect()
    assert freed == [handle]


def _mutated(rng: random.Random, data: bytes) -> bytes:
    """Return `data` with one seeded change: bit flip, byte, insertion, removal, or a swapped slice."""
    spot = rng.randrange(len(data))
    kind = rng.randrange(5)
    if kind == 0:
        return data[:spot] + bytes([data[spot] ^ (1 << rng.randrange(8))]) + data[spot + 1 :]
    if kind == 1:
        return data[:spot] + rng.randbytes(1) + data[spot + 1 :]
    if kind == 2:
        return data[:spot] + rng.randbytes(rng.randint(1, 4)) + data[spot:]
    if kind == 3:
        return data[:spot] + data[spot + rng.randint(1, 4) :]
    return data[spot:] + data[:spot]


def _well_formed_mutant(rng: random.Random) -> bytes:
    """Return a signature whose DER is right and whose r or s is not."""
    r, s = int.from_bytes(RAW[:32], "big"), int.from_bytes(RAW[32:], "big")
    r, s = rng.choice(
        [(r ^ (1 << rng.randrange(256)), s), (r, s ^ (1 << rng.randrange(256))), (s, r), (r, sm2_pure.N - s)]
    )
    r, s = r % sm2_pure.N or 1, s % sm2_pure.N or 1
    return sm2.raw_to_signature(r.to_bytes(32, "big") + s.to_bytes(32, "big")) if r + s != sm2_pure.N else b""


def _mutants(seed: int, count: int) -> list[tuple[bytes, bytes, bytes]]:
    rng = random.Random(seed)
    made: list[tuple[bytes, bytes, bytes]] = []
    while len(made) < count:
        public, message, signature = PUBLIC, MESSAGE, SIGNATURE
        kind = rng.randrange(4)
        if kind == 0:
            signature = _mutated(rng, signature)
        elif kind == 1:
            signature = _well_formed_mutant(rng)
        elif kind == 2:
            message = _mutated(rng, message)
        else:
            public = _mutated(rng, public)
        if (public, message, signature) != (PUBLIC, MESSAGE, SIGNATURE) and public != PUBLIC[1:]:
            made.append((public, message, signature))
    return made


@needs_libcrypto
def test_ten_thousand_mutants_are_refused() -> None:
    accepted = [mutant for mutant in _mutants(32918, 10_000) if sm2.verify(*mutant)]
    assert not accepted


def test_mutants_are_refused_by_pure_verification(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sm2, "_library", lambda: None)
    accepted = [mutant for mutant in _mutants(35276, 500) if sm2.verify(*mutant)]
    assert not accepted
