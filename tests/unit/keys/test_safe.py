"""Private keys at rest: wrapped, bound to their place, opened only by the right key-encryption key; and erased."""

import base64
import json
import secrets
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keys.errors import RingError
from keys.keyfile import Purpose, State
from keys.ring import KeyRing
from keys.safe import Safe, decode_kek

NOW = datetime(2026, 6, 1, tzinfo=UTC)
KEK = secrets.token_bytes(32)


def stored(directory: Path) -> dict[str, str]:
    """The private member of every key file, by purpose and kid."""
    files = (path for path in directory.rglob("*.json"))
    return {f"{path.parent.name}/{path.stem}": json.loads(path.read_text())["private"] for path in files}


def test_a_new_ring_wraps_every_key(tmp_path: Path) -> None:
    ring = KeyRing.open(tmp_path / "keys", create=True)
    ring.ensure_all(NOW)
    ring.new_seal_key("37160000000001", now=NOW)
    kept = stored(tmp_path / "keys")
    assert len(kept) >= 11
    assert all(text.startswith("kek1:") for text in kept.values())
    assert (tmp_path / "keys" / "kek").stat().st_mode & 0o777 == 0o600
    signature = ring.seal_signer("37160000000001").sign(b"x")
    again = KeyRing.open(tmp_path / "keys")
    assert again.seal_signer("37160000000001").public.verify(b"x", signature)


def test_without_the_key_encryption_key_nothing_opens(tmp_path: Path) -> None:
    KeyRing.open(tmp_path / "keys", create=True, kek=KEK).ensure_all(NOW)
    assert not (tmp_path / "keys" / "kek").exists()
    with pytest.raises(RingError, match="ONA_KEY_ENCRYPTION_KEY"):
        KeyRing.open(tmp_path / "keys")
    with pytest.raises(RingError, match="ONA_KEY_ENCRYPTION_KEY"):
        KeyRing.open(tmp_path / "keys", kek=bytes(32))
    assert KeyRing.open(tmp_path / "keys", kek=KEK).list()


def test_an_older_ring_is_read_and_can_be_wrapped(tmp_path: Path) -> None:
    ring = KeyRing.open(tmp_path / "keys", create=True)
    (tmp_path / "keys" / "kek").unlink()
    plain = KeyRing.open(tmp_path / "keys")
    plain.ensure_all(NOW)
    assert not any(text.startswith("kek1:") for text in stored(tmp_path / "keys").values())
    before = {info.kid for info in plain.list()}
    wrapping = KeyRing.open(tmp_path / "keys", kek=KEK)
    assert wrapping.wrap_all() == len(before)
    assert all(text.startswith("kek1:") for text in stored(tmp_path / "keys").values())
    assert {info.kid for info in KeyRing.open(tmp_path / "keys", kek=KEK).list()} == before
    assert ring is not plain


def test_an_older_ring_gets_a_key_of_its_own_and_others_go_on(tmp_path: Path) -> None:
    KeyRing.open(tmp_path / "keys", create=True)
    (tmp_path / "keys" / "kek").unlink()
    one, other = KeyRing.open(tmp_path / "keys"), KeyRing.open(tmp_path / "keys")
    one.ensure_all(NOW)
    one.wrap_all()
    assert all(text.startswith("kek1:") for text in stored(tmp_path / "keys").values())
    other.reload_if_changed(at_once=True)
    assert other.signer(Purpose.LICENCE).kid == one.signer(Purpose.LICENCE).kid


def test_a_ring_moves_from_its_own_key_to_one_from_outside(tmp_path: Path) -> None:
    KeyRing.open(tmp_path / "keys", create=True).ensure_all(NOW)
    KeyRing.open(tmp_path / "keys", kek=KEK).wrap_all()
    (tmp_path / "keys" / "kek").unlink()
    assert KeyRing.open(tmp_path / "keys", kek=KEK).signer(Purpose.LICENCE)


def test_a_wrapped_key_is_bound_to_its_place(tmp_path: Path) -> None:
    safe = Safe((KEK,))
    wrapped = safe.wrap("secret", "seal/1")
    assert safe.unwrap(wrapped, "seal/1") == "secret"
    for text, place in (
        (wrapped, "seal/2"),
        (wrapped[:-12] + "AAAAAAAAAAA=", "seal/1"),
        ("kek1:?", "seal/1"),
        ("kek1:", "seal/1"),
    ):
        with pytest.raises(RingError):
            safe.unwrap(text, place)
    assert KEK.hex() not in repr(safe)
    assert "b'" not in repr(safe)


def test_a_destroyed_seals_key_is_gone(tmp_path: Path) -> None:
    ring = KeyRing.open(tmp_path / "keys", create=True)
    public = ring.new_seal_key("37160000000001", now=NOW)
    path = tmp_path / "keys" / "seal" / f"{public.kid}.json"
    private = json.loads(path.read_text())["private"]
    ring.erase(public.kid)
    ring.erase(public.kid)
    assert private not in path.read_text()
    assert json.loads(path.read_text())["private"] == ""
    assert [info.state for info in ring.list()] == [State.ERASED]
    with pytest.raises(RingError):
        ring.seal_signer("37160000000001")
    with pytest.raises(RingError):
        KeyRing.open(tmp_path / "keys").seal_signer("37160000000001")
    assert ring.new_seal_key("37160000000001", now=NOW).kid != public.kid


def test_only_keys_of_seals_are_erased(tmp_path: Path) -> None:
    ring = KeyRing.open(tmp_path / "keys", create=True)
    ring.ensure_all(NOW)
    with pytest.raises(RingError, match="retire or revoke"):
        ring.erase(ring.signer(Purpose.LICENCE).kid)


@pytest.mark.parametrize("text", ["", "?", base64.b64encode(b"x" * 31).decode(), base64.b64encode(b"x" * 33).decode()])
def test_a_key_encryption_key_has_32_bytes(text: str) -> None:
    with pytest.raises(RingError, match="openssl rand"):
        decode_kek(text)


def test_a_key_encryption_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    KeyRing.open(tmp_path / "keys", create=True)
    (tmp_path / "keys" / "kek").chmod(0o644)
    with pytest.raises(RingError, match="readable"):
        KeyRing.open(tmp_path / "keys")
