import json
import os
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keys import keyfile
from keys.keyfile import KeyFile, KeyInfo, Purpose, RingError, State
from keys.ring import KeyRing

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = KeyFile(KeyInfo(Purpose.FIELDS, "0123456789abcdef", "secret", State.ACTIVE, NOW, NOW), "A" * 43 + "=")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    keyfile.write(tmp_path, KEY)
    return tmp_path / "fields" / "0123456789abcdef.json"


def test_round_trip(path, tmp_path):
    assert keyfile.read_all(tmp_path) == [KEY]


def test_modes_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        KeyRing.open(tmp_path / "keys", create=True).ensure_all(NOW)
    finally:
        os.umask(before)
    for found in [tmp_path / "keys", *(tmp_path / "keys").rglob("*")]:
        assert found.stat().st_mode & 0o777 == (0o700 if found.is_dir() else 0o600)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644])
def test_file_open_to_others_is_refused(path, tmp_path, mode):
    path.chmod(mode)
    with pytest.raises(RingError, match="chmod 600"):
        keyfile.read_all(tmp_path)


@pytest.mark.parametrize("folder", [".", "licence"])
@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_directory_open_to_others_is_refused(tmp_path, folder, mode):
    directory = tmp_path / "keys"
    KeyRing.open(directory, create=True).ensure_all(NOW)
    (directory / folder).chmod(mode)
    with pytest.raises(RingError, match="writable by other accounts"):
        KeyRing.open(directory)


@pytest.mark.parametrize(
    "change",
    [
        {"purpose": "index"},
        {"purpose": "unknown"},
        {"purpose": None},
        {"kid": "fedcba9876543210"},
        {"kid": 1},
        {"kid": "../x"},
        {"algorithm": "ES256"},
        {"state": "sleeping"},
        {"created_at": "yesterday"},
        {"created_at": "2026-03-01T12:00:00"},
        {"created_at": "0001-01-01T00:00:00+14:00"},
        {"created_at": 0},
        {"activated_at": []},
        {"name": 1},
        {"private": None},
    ],
    ids=repr,
)
def test_damaged_record_is_refused(path, tmp_path, change):
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(RingError):
        keyfile.read_all(tmp_path)


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "{" * 5000, "x" * 20_000, "\ufeff{}"])
def test_no_record_is_refused(path, tmp_path, text):
    path.write_text(text)
    with pytest.raises(RingError, match="not a key file"):
        keyfile.read_all(tmp_path)


def test_mutants_are_refused_or_the_same_key_otherwise_described(path, tmp_path):
    source = random.Random(600)
    original = path.read_bytes()
    for _ in range(1000):
        mutant = bytearray(original)
        mutant[source.randrange(len(mutant))] = source.randrange(256)
        path.write_bytes(mutant)
        try:
            (key,) = keyfile.read_all(tmp_path)
        except RingError:
            continue
        assert (key.info.purpose, key.info.kid, key.info.algorithm) == (Purpose.FIELDS, KEY.info.kid, "secret")


def test_failed_replacement_leaves_the_old_bytes_and_no_litter(path, monkeypatch):
    before = path.read_bytes()

    def dies(_descriptor):
        raise OSError("disk full")

    monkeypatch.setattr(keyfile.os, "fsync", dies)
    with pytest.raises(OSError, match="disk full"):
        keyfile.replace_file(path, b"new")
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_private_material_is_not_printed():
    assert KEY.private not in repr(KEY)
