"""The counter beside a key: one for each signature, whoever makes it, and none without it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from keys.counted import count_of, counted
from keys.keyfile import RingError
from keys.signer import Algorithm, generate_private, load_private


@pytest.fixture
def key() -> object:
    return load_private(Algorithm.ES256, generate_private(Algorithm.ES256))


def test_every_signature_counts_and_is_the_keys_own(tmp_path: Path, key: object) -> None:
    signer = counted(key, tmp_path)  # type: ignore[arg-type]
    assert count_of(tmp_path, signer.kid) == 0
    assert signer.public.verify(b"x", signer.sign(b"x"))
    assert (signer.kid, signer.algorithm) == (key.kid, key.algorithm)  # type: ignore[attr-defined]
    counted(key, tmp_path).sign(b"y")  # type: ignore[arg-type]
    assert count_of(tmp_path, signer.kid) == 2


def test_threads_lose_no_count(tmp_path: Path, key: object) -> None:
    signer = counted(key, tmp_path)  # type: ignore[arg-type]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(signer.sign, [b"x"] * 200))
    assert count_of(tmp_path, signer.kid) == 200


def test_a_key_that_cannot_count_does_not_sign(tmp_path: Path, key: object) -> None:
    (tmp_path / "counters").write_bytes(b"in the way")
    signer = counted(key, tmp_path)  # type: ignore[arg-type]
    with pytest.raises(RingError, match="cannot be counted"):
        signer.sign(b"x")
    with pytest.raises(RingError, match="cannot be read"):
        count_of(tmp_path, signer.kid)
