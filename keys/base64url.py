"""Base64url without padding, RFC 4648 section 5 as JOSE uses it (RFC 7515 appendix C), read strictly."""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64

_STANDARD = b"+/"
_URL = b"-_"
_WRITE = bytes.maketrans(_STANDARD, _URL)
# What only the standard alphabet and padding have becomes a character that no alphabet has.
_READ = bytes.maketrans(_URL + _STANDARD + b"=", _STANDARD + b"\0\0\0")
# The last characters whose left-over bits are zero (RFC 4648 section 3.5), by the length of the text modulo 4.
_LAST = {0: None, 2: frozenset(b"AQgw"), 3: frozenset(b"AEIMQUYcgkosw048")}
_PADDING = {0: b"", 2: b"==", 3: b"="}


def b64u(data: bytes) -> str:
    """Return `data` in base64url without padding."""
    return b2a_base64(data, newline=False).translate(_WRITE).rstrip(b"=").decode("ascii")


def unb64u(text: str) -> bytes:
    """Return the bytes of canonical unpadded base64url; ValueError for anything else.

    One byte string has exactly one accepted text: padding, foreign characters, white space and non-zero trailing
    bits (RFC 4648 section 3.5) are refused.
    """
    octets = text.encode("ascii")
    left = len(octets) & 3
    if left == 1:
        raise ValueError("not base64url")
    last = _LAST[left]
    if last is not None and octets[-1] not in last:
        raise ValueError("not canonical base64url")
    return a2b_base64(octets.translate(_READ) + _PADDING[left], strict_mode=True)
