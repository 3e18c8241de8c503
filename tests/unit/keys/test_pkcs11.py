"""A real module (SoftHSM2): keys are made in it, sign from it, never leave it, and die in it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keys.errors import RingError
from keys.pkcs11 import Token
from keys.ring import KeyRing, Purpose
from keys.signer import KeyMaterialError

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)
PIN = "1234"
pytestmark = pytest.mark.softhsm


@pytest.fixture(scope="session")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Token]:
    """A fresh token; the module reads its configuration once in a process, hence one for the whole session."""
    module, program = next((path for path in MODULES if Path(path).exists()), None), shutil.which("softhsm2-util")
    if module is None or program is None:
        pytest.skip("no SoftHSM2: install softhsm2")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(folder / "conf")
    command = [program, "--init-token", "--free", "--label", "tests", "--so-pin", "5678", "--pin", PIN]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    yield Token(Path(module), "tests", PIN)
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


def test_a_key_signs_from_inside(token: Token) -> None:
    token.generate("one")
    signer = token.signer("one")
    signature = signer.sign(b"message")
    assert (len(signature), signer.algorithm, signer.kid) == (64, "ES256", signer.public.kid)
    assert signer.public.verify(b"message", signature)
    assert not signer.public.verify(b"other", signature)
    assert PIN not in repr(token)
    assert PIN not in repr(signer)


def test_a_label_is_used_once(token: Token) -> None:
    token.generate("twice")
    with pytest.raises(RingError, match="already"):
        token.generate("twice")


def test_a_destroyed_key_is_gone(token: Token) -> None:
    token.generate("gone")
    signer = token.signer("gone")
    token.destroy("gone")
    token.destroy("gone")
    with pytest.raises(RingError, match="any more"):
        signer.sign(b"x")
    with pytest.raises(KeyMaterialError):
        token.signer("gone")


def test_a_wrong_pin_or_token_is_told_in_words(token: Token) -> None:
    for wrong in (Token(token.module, "tests", "0000"), Token(token.module, "nobody", PIN)):
        with pytest.raises(RingError, match="PKCS #11"):
            wrong.generate("x")


def test_a_ring_keeps_its_es256_keys_in_the_module(token: Token, tmp_path: Path) -> None:
    ring = KeyRing.open(tmp_path / "keys", create=True, token=token)
    ring.ensure_all(NOW)
    ring.new_seal_key("37160000000001", Purpose.DOCUMENT, now=NOW)
    sm2 = ring.new_seal_key("37160000000001", now=NOW)
    kept = {path.parent.name: path.read_text() for path in (tmp_path / "keys").rglob("*.json")}
    for purpose in ("id-token", "access-token", "licence", "trust", "document"):
        assert '"pkcs11:' in kept[purpose]
    assert '"kek1:' in kept["seal"], "SM2 is no mechanism of PKCS #11: wrapped software"
    again = KeyRing.open(tmp_path / "keys", token=token)
    for signer in (again.signer(Purpose.LICENCE), again.seal_signer("37160000000001", Purpose.DOCUMENT)):
        assert signer.public.verify(b"x", signer.sign(b"x"))
    assert again.public(Purpose.LICENCE).keys() == ring.public(Purpose.LICENCE).keys()
    kid = again.seal_signer("37160000000001", Purpose.DOCUMENT).kid
    again.erase(kid)
    again.erase(sm2.kid)
    with pytest.raises(RingError):
        again.seal_signer("37160000000001", Purpose.DOCUMENT)
    with pytest.raises(RingError, match="damaged"):
        KeyRing.open(tmp_path / "keys")
