"""The key ring as the settings want it: where it lies, what wraps it, and which module holds keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keys.pkcs11 import Token
from keys.ring import KeyRing
from keys.safe import decode_kek

if TYPE_CHECKING:
    from idservice.settings import Settings


def open_ring(settings: Settings, *, create: bool = False) -> KeyRing:
    """Open the key ring of these settings; `create` makes an empty one where none is.

    Raises:
        RingError: there is none, or it cannot be opened with what the settings say.
    """
    kek = decode_kek(settings.key_encryption_key) if settings.key_encryption_key else None
    token = None
    if settings.pkcs11_module and settings.pkcs11_token and settings.pkcs11_pin:
        token = Token(settings.pkcs11_module, settings.pkcs11_token, settings.pkcs11_pin)
    return KeyRing.open(settings.keys_dir, create=create, kek=kek, token=token)
