"""SM2 signatures (椭圆曲线公钥密码算法) by the system's libcrypto; GB/T 32918.2-2016, GB/T 32918.5-2017, GB/T 35276.

`cryptography` has SM3 but no SM2, and pure Python is far too slow at a counter and leaks the key through timing.
So the elliptic-curve work is left to OpenSSL 3.0 or later through ctypes, which lets go of the GIL meanwhile; the
digest e = SM3(ZA ‖ M) is made here, so any identity works. Where libcrypto has no SM2, signatures are still verified,
slowly (`keys.sm2_pure`), and signing is refused.

    private, public = generate()
    signature = sign(private, b"message")          # DER SEQUENCE {INTEGER r, INTEGER s}
    verify(public, b"message", signature)          # True
"""

from __future__ import annotations

import ctypes
import ctypes.util
import secrets
import sys
import weakref
from functools import lru_cache
from typing import TYPE_CHECKING

from keys import sm2_pure
from keys.sm2_pure import (
    DEFAULT_IDENTITY,
    SM2Error,
    check_public,
    raw_to_signature,
    signature_digest,
    signature_to_raw,
    sm3,
    za,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "DEFAULT_IDENTITY",
    "SM2Error",
    "SM2Unavailable",
    "check_public",
    "generate",
    "is_available",
    "public_key",
    "raw_to_signature",
    "sign",
    "signature_to_raw",
    "sm3",
    "verify",
    "za",
]

_POINTER, _SIZE, _INT = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
_SIGNATURES: dict[str, tuple[type | None, tuple[type, ...]]] = {  # C name: (result, arguments)
    "OpenSSL_version_num": (ctypes.c_ulong, ()),
    "ERR_clear_error": (None, ()),
    "d2i_AutoPrivateKey": (_POINTER, (_POINTER, _POINTER, ctypes.c_long)),
    "d2i_PUBKEY": (_POINTER, (_POINTER, _POINTER, ctypes.c_long)),
    "EVP_PKEY_free": (None, (_POINTER,)),
    "EVP_PKEY_get_octet_string_param": (_INT, (_POINTER, ctypes.c_char_p, _POINTER, _SIZE, _POINTER)),
    "EVP_PKEY_CTX_new": (_POINTER, (_POINTER, _POINTER)),
    "EVP_PKEY_CTX_free": (None, (_POINTER,)),
    "EVP_PKEY_sign_init": (_INT, (_POINTER,)),
    "EVP_PKEY_sign": (_INT, (_POINTER, _POINTER, _POINTER, ctypes.c_char_p, _SIZE)),
    "EVP_PKEY_verify_init": (_INT, (_POINTER,)),
    "EVP_PKEY_verify": (_INT, (_POINTER, ctypes.c_char_p, _SIZE, ctypes.c_char_p, _SIZE)),
}
_NAMES = {
    "darwin": ("libcrypto.3.dylib", "/opt/homebrew/opt/openssl@3/lib/libcrypto.3.dylib",
               "/usr/local/opt/openssl@3/lib/libcrypto.3.dylib"),
    "win32": ("libcrypto-3-x64.dll", "libcrypto-3.dll", "libcrypto-3-arm64.dll"),
}  # fmt: skip
_UNIX_NAMES = ("libcrypto.so.3", "libcrypto.so.4")

# AlgorithmIdentifier {id-ecPublicKey, SM2 curve 1.2.156.10197.1.301}, and the DER that stands before a key's bytes.
_ALGORITHM = bytes.fromhex("3013 06072a8648ce3d0201 06082a811ccf5501822d")
_PUBLIC_PREFIX = bytes.fromhex("3059") + _ALGORITHM + bytes.fromhex("034200")
_PRIVATE_PREFIX = bytes.fromhex("3041 020100") + _ALGORITHM + bytes.fromhex("0427 3025 020101 0420")


_IDLE_CONTEXTS = 4  # of one key; as many threads as verify at once make more, which are freed again


class SM2Unavailable(RuntimeError):
    """No libcrypto with SM2 was found, so nothing can be signed here."""


def is_available() -> bool:
    """Return whether this machine's libcrypto can sign with SM2; if not, only the slow `verify` works."""
    return _library() is not None


def generate() -> tuple[bytes, bytes]:
    """Return a fresh key pair: 32-byte big-endian scalar and 65-byte point 04‖x‖y. Raise SM2Unavailable."""
    private = (secrets.randbelow(sm2_pure.N - 2) + 1).to_bytes(32, "big")  # 1 <= d <= n-2, clause 6.1 of part 1
    return private, public_key(private)


def public_key(private: bytes) -> bytes:
    """Return the 65-byte public point of a 32-byte `private` scalar. Raise SM2Error or SM2Unavailable."""
    return _private_key(private).public


def sign(private: bytes, message: bytes, *, identity: bytes = DEFAULT_IDENTITY) -> bytes:
    """Return the DER signature of `message` (hashed with SM3 under `identity`, at most 8191 bytes).

    Raise SM2Error for a bad key or identity, SM2Unavailable where libcrypto has no SM2.
    """
    key = _private_key(private)
    return key.sign(signature_digest(key.public, message, identity))


def verify(
    public: bytes, message: bytes, signature: bytes, *, identity: bytes = DEFAULT_IDENTITY, shared: int = 0
) -> bool:
    """Return whether `signature` (strict DER) was made over `message` under `identity` with the key of `public`.

    `public` is 65 bytes 04‖x‖y or 64 bytes x‖y. Whatever is malformed (key or signature) makes the answer False;
    only an identity of more than 8191 bytes raises SM2Error. Works without libcrypto too, slowly. `shared` is how many
    bytes at its start the message has in common with others that are verified: they are hashed once.
    """
    if len(identity) > sm2_pure.MAX_IDENTITY:
        raise SM2Error("an SM2 identity has at most 8191 bytes")
    try:
        raw = signature_to_raw(signature)
        point = _checked(public)
    except SM2Error:
        return False
    digest = signature_digest(point, message, identity, shared)
    c = _library()
    if c is None:
        return sm2_pure.verify_digest(point, digest, raw)
    return _imported_public(c, point).verify(digest, signature)


class _Key:
    """A native EVP_PKEY, freed with this object. Shows nothing of the key; safe to share between threads."""

    __slots__ = ("__weakref__", "_c", "_handle", "_signing", "_verifying", "public")

    def __init__(self, c: ctypes.CDLL, reader: str, der: bytes, public: bytes | None = None) -> None:
        buffer = ctypes.create_string_buffer(der, len(der))
        position = _POINTER(ctypes.addressof(buffer))
        self._c = c
        self._handle = getattr(c, reader)(None, ctypes.byref(position), len(der))
        ctypes.memset(buffer, 0, len(der))
        if not self._handle:
            c.ERR_clear_error()
            raise SM2Error("libcrypto refused the SM2 key")
        self._signing = _Contexts(c, self._handle, c.EVP_PKEY_sign_init)
        self._verifying = _Contexts(c, self._handle, c.EVP_PKEY_verify_init)
        # Not at exit: the process gives everything back then, and libcrypto may have been unloaded already.
        weakref.finalize(self, _free, c, self._handle, self._signing.idle, self._verifying.idle).atexit = False
        self.public = public or self._public()

    def sign(self, digest: bytes) -> bytes:
        """Return the DER signature of a 32-byte digest e."""
        out, size = ctypes.create_string_buffer(sm2_pure.MAX_SIGNATURE), _SIZE(sm2_pure.MAX_SIGNATURE)
        context = self._signing.take()
        done: bool = context != 0 and self._c.EVP_PKEY_sign(context, out, ctypes.byref(size), digest, len(digest)) == 1
        self._signing.give(context, good=done)
        if not done:
            raise SM2Error("libcrypto could not sign with the SM2 key")
        return out.raw[: size.value]

    def verify(self, digest: bytes, signature: bytes) -> bool:
        """Return whether the DER `signature` fits a 32-byte digest e; whatever libcrypto dislikes is False."""
        context = self._verifying.take()
        holds: bool = (
            context != 0 and self._c.EVP_PKEY_verify(context, signature, len(signature), digest, len(digest)) == 1
        )
        self._verifying.give(context, good=holds)
        return holds

    def _public(self) -> bytes:
        out, size = ctypes.create_string_buffer(65), _SIZE(0)
        if self._c.EVP_PKEY_get_octet_string_param(self._handle, b"pub", out, 65, ctypes.byref(size)) != 1:
            self._c.ERR_clear_error()
            raise SM2Error("libcrypto gave no public key for the SM2 key")
        return check_public(out.raw[: size.value])


class _Contexts:
    """The EVP_PKEY_CTX of one key for one kind of operation, made ready once and used again (EVP_PKEY_sign(3)).

    One serves one operation at a time: `take` and `give` are single steps on a list, so threads never share one.
    """

    __slots__ = ("_c", "_key", "_ready", "idle")

    def __init__(self, c: ctypes.CDLL, key: int, ready: Callable[[int], int]) -> None:
        self._c, self._key, self._ready = c, key, ready
        self.idle: list[int] = []

    def take(self) -> int:
        """Return one that is ready, 0 where libcrypto refuses."""
        try:
            return self.idle.pop()
        except IndexError:
            pass
        context = self._c.EVP_PKEY_CTX_new(self._key, None)
        if not context:
            raise MemoryError("libcrypto has no memory for an SM2 operation")
        if self._ready(context) != 1:
            self._c.EVP_PKEY_CTX_free(context)
            return 0
        return int(context)

    def give(self, context: int, *, good: bool) -> None:
        """Take one back; what an operation failed in is not used again."""
        if good and len(self.idle) < _IDLE_CONTEXTS:
            self.idle.append(context)
            return
        self._c.EVP_PKEY_CTX_free(context)
        if not good:
            # `ssl` may share this libcrypto, and would take a left-over entry for an error of its own.
            self._c.ERR_clear_error()


def _free(c: ctypes.CDLL, key: int, *contexts: list[int]) -> None:
    for idle in contexts:
        for context in idle:
            c.EVP_PKEY_CTX_free(context)
    c.EVP_PKEY_free(key)


def _private_key(private: bytes) -> _Key:
    c = _library()
    if c is None:
        raise SM2Unavailable(
            "SM2 signing needs the system's libcrypto of OpenSSL 3.0 or later, built with SM2 "
            "(Debian, Ubuntu: libssl3; Fedora: openssl-libs; macOS: brew install openssl@3)"
        )
    return _imported_private(c, private)


# Importing a key costs as much as a signature, so the keys used last are kept.
@lru_cache(maxsize=64)
def _imported_private(c: ctypes.CDLL, private: bytes) -> _Key:
    if len(private) != 32 or not 0 < int.from_bytes(private, "big") < sm2_pure.N - 1:
        raise SM2Error("an SM2 private key is 32 bytes, a number from 1 to n-2")
    return _Key(c, "d2i_AutoPrivateKey", _PRIVATE_PREFIX + private)


_checked = lru_cache(maxsize=512)(check_public)


@lru_cache(maxsize=512)
def _imported_public(c: ctypes.CDLL, point: bytes) -> _Key:
    return _Key(c, "d2i_PUBKEY", _PUBLIC_PREFIX + point, point)


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL | None:
    """Return the first libcrypto that passes the standard's own example, or None."""
    for name in _NAMES.get(sys.platform, _UNIX_NAMES):
        if (c := _load(name)) is not None:
            return c
    # Not on macOS, which ends a process that loads its own unversioned libcrypto.
    other = None if sys.platform == "darwin" else ctypes.util.find_library("crypto")
    return _load(other) if other else None


def _load(name: str) -> ctypes.CDLL | None:
    try:
        c = ctypes.CDLL(name)
        for function, (result, arguments) in _SIGNATURES.items():
            entry = getattr(c, function)
            entry.restype, entry.argtypes = result, arguments
    except (OSError, AttributeError):  # not there, or some other library (LibreSSL, OpenSSL 1.1)
        return None
    return c if c.OpenSSL_version_num() >> 28 >= 3 and _passes_example(c) else None


def _passes_example(c: ctypes.CDLL) -> bool:
    """Return whether `c` verifies the example of GB/T 32918.5 annex A, refuses a changed one, and can sign."""
    private = bytes.fromhex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8")
    digest = bytes.fromhex("f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640")
    raw = bytes.fromhex(
        "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
        "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
    )
    signature = raw_to_signature(raw)
    try:
        key = _Key(c, "d2i_AutoPrivateKey", _PRIVATE_PREFIX + private)
        public = _Key(c, "d2i_PUBKEY", _PUBLIC_PREFIX + key.public, key.public)
        return (
            public.verify(digest, signature)
            and not public.verify(digest[::-1], signature)
            and public.verify(digest, key.sign(digest))
        )
    except SM2Error:
        return False
