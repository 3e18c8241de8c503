"""The settings say what wraps the ring's keys, and a ring opened otherwise does not open."""

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest

from idservice.key_ring import open_ring
from keys.errors import RingError
from keys.ring import Purpose
from tests.builders import build_settings

KEK = base64.b64encode(b"k" * 32).decode()


def test_the_setting_wraps_the_ring(tmp_path: Path) -> None:
    config = build_settings(tmp_path, "sqlite://", key_encryption_key=KEK)
    open_ring(config, create=True).ensure_all(datetime.now(UTC))
    assert open_ring(config).signer(Purpose.LICENCE)
    with pytest.raises(RingError, match="ONA_KEY_ENCRYPTION_KEY"):
        open_ring(build_settings(tmp_path, "sqlite://"))


def test_without_settings_the_ring_has_its_own(tmp_path: Path) -> None:
    config = build_settings(tmp_path, "sqlite://")
    with pytest.raises(RingError, match="flask keys new"):
        open_ring(config)
    open_ring(config, create=True)
    assert (tmp_path / "keys" / "kek").exists()


def test_a_damaged_setting_is_told(tmp_path: Path) -> None:
    with pytest.raises(RingError, match="openssl rand"):
        open_ring(build_settings(tmp_path, "sqlite://", key_encryption_key="short"), create=True)


def test_a_module_that_is_not_there_is_told(tmp_path: Path) -> None:
    config = build_settings(
        tmp_path, "sqlite://", pkcs11_module=tmp_path / "none.so", pkcs11_token="t", pkcs11_pin="1234"
    )
    with pytest.raises(RingError, match="PKCS #11"):
        open_ring(config, create=True).ensure_all(datetime.now(UTC))
