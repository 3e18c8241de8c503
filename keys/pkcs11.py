"""Signing keys inside a hardware module (密码机): PKCS #11 (OASIS) through python-pkcs11; ES256 alone.

SM2 has no mechanism in the standard that modules share, so SM2 keys stay wrapped software keys until a module's own
interface (GM/T 0018, SDF) is written. A session is opened once in a process and used by one thread at a time.
"""

from __future__ import annotations

import hashlib
import os
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from keys.errors import RingError
from keys.signer import KeyMaterialError, PublicKey, es256_public

if TYPE_CHECKING:
    from pathlib import Path

_P256 = "secp256r1"
_UNCOMPRESSED = b"\x04\x41\x04"  # OCTET STRING around the point 04‖x‖y


@dataclass(slots=True)
class Token:
    """One token of a module, named by its label. Shows neither PIN nor keys."""

    module: Path
    label: str
    pin: str = field(repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False, compare=False)
    _session: Any = field(default=None, repr=False, compare=False)
    _process: int = field(default=0, repr=False, compare=False)

    def generate(self, label: str) -> None:
        """Make a P-256 key pair that cannot leave the token. Raise RingError, also where the label is taken."""
        from pkcs11 import Attribute, KeyType
        from pkcs11.util.ec import encode_named_curve_parameters

        with self._lock, _told():
            session = self._open()
            if self._find(label, private=True) is not None:
                raise RingError(f"the token already has a key {label!r}")
            parameters = session.create_domain_parameters(
                KeyType.EC, {Attribute.EC_PARAMS: encode_named_curve_parameters(_P256)}, local=True
            )
            private = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False, Attribute.SIGN: True}
            parameters.generate_keypair(
                store=True, label=label, id=label.encode(), private_template=private, public_template={}
            )

    def signer(self, label: str) -> ModuleSigner:
        """Return the signer of the key with that label. Raise KeyMaterialError where there is none."""
        from pkcs11 import Attribute

        with self._lock, _told():
            public = self._find(label, private=False)
            if public is None or self._find(label, private=True) is None:
                raise KeyMaterialError(f"the token has no key {label!r}")
            point = bytes(public[Attribute.EC_POINT])
        if len(point) != 67 or not point.startswith(_UNCOMPRESSED):
            raise KeyMaterialError(f"the key {label!r} is none on P-256")
        return ModuleSigner(es256_public(point[3:35], point[35:]), self, label)

    def sign(self, label: str, digest: bytes) -> bytes:
        """Return r ‖ s over a SHA-256 digest. Raise RingError."""
        from pkcs11 import Mechanism

        with self._lock, _told():
            key = self._find(label, private=True)
            if key is None:
                raise RingError(f"the token has no key {label!r} any more")
            return bytes(key.sign(digest, mechanism=Mechanism.ECDSA))

    def destroy(self, label: str) -> None:
        """Delete the key pair with that label. Raise RingError."""
        with self._lock, _told():
            for private in (True, False):
                key = self._find(label, private=private)
                if key is not None:
                    key.destroy()

    def _find(self, label: str, *, private: bool) -> Any:
        from pkcs11 import Attribute, ObjectClass

        kind = ObjectClass.PRIVATE_KEY if private else ObjectClass.PUBLIC_KEY
        found = list(self._open().get_objects({Attribute.LABEL: label, Attribute.CLASS: kind}))
        if len(found) > 1:
            raise RingError(f"the token has {len(found)} keys {label!r}")
        return found[0] if found else None

    def _open(self) -> Any:
        """Return this process's session; a forked child may not use its parent's."""
        import pkcs11

        if self._session is None or self._process != os.getpid():
            library = pkcs11.lib(str(self.module))
            if self._session is not None:
                library.reinitialize()
            self._session = library.get_token(token_label=self.label).open(rw=True, user_pin=self.pin)
            self._process = os.getpid()
        return self._session


@dataclass(frozen=True, slots=True)
class ModuleSigner:
    """A Signer (ES256) whose private key is in the module."""

    public: PublicKey
    _token: Token = field(repr=False)
    _label: str

    @property
    def kid(self) -> str:
        """Return the key's identifier."""
        return self.public.kid

    @property
    def algorithm(self) -> str:
        """Return the key's algorithm."""
        return self.public.algorithm

    def sign(self, data: bytes) -> bytes:
        """Sign `data`: r ‖ s, as the Signer protocol says."""
        return self._token.sign(self._label, hashlib.sha256(data).digest())


class _told:  # noqa: N801 (used like a function)
    """Turns the module's errors into RingError, in words."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        from pkcs11.exceptions import PKCS11Error

        if isinstance(error, PKCS11Error | RuntimeError):
            raise RingError(f"the PKCS #11 module refused: {type(error).__name__} {error}".rstrip()) from error
