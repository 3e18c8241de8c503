"""The SM2 signature scheme in plain integers: curve, identity digest, signature encoding, and a slow verification.

GB/T 32918.2-2016 (scheme), GB/T 32918.5-2017 (curve), GB/T 35276 = GM/T 0009 (encoding), GB/T 32905 (SM3).
Everything here works on public values only, so it need not run in constant time; signing is left to libcrypto
(`keys.sm2`). A verification takes a few milliseconds, about ten times as long as there.
"""

from __future__ import annotations

from functools import lru_cache

from cryptography.hazmat.primitives import hashes

P = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_00000000_FFFFFFFF_FFFFFFFF
A = P - 3
B = 0x28E9FA9E_9D9F5E34_4D5A9E4B_CF6509A7_F39789F5_15AB8F92_DDBCBD41_4D940E93
N = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_7203DF6B_21C6052B_53BBF409_39D54123
GX = 0x32C4AE2C_1F198119_5F990446_6A39C994_8FE30BBF_F2660BE1_715A4589_334C74C7
GY = 0xBC3736A2_F4F6779C_59BDCEE3_6B692153_D0A9877C_C62A4740_02DF32E5_2139F0A0

DEFAULT_IDENTITY = b"1234567812345678"  # GM/T 0009 clause 10; certificates and seals use it too
MAX_IDENTITY = 8191  # bytes: ENTL counts bits in two octets
MAX_SIGNATURE = 72  # bytes: two 33-byte INTEGERs in a SEQUENCE

MAX_SHARED = 1 << 16  # bytes; a stranger's messages must not fill the memory
Point = tuple[int, int, int]  # Jacobian: (X/Z², Y/Z³); Z = 0 is the point at infinity
INFINITY: Point = (1, 1, 0)


class SM2Error(ValueError):
    """A key, identity or signature that GB/T 32918 does not allow. Never quotes private material."""


_SM3 = hashes.Hash(hashes.SM3())


def sm3(data: bytes) -> bytes:
    """Return the 32-byte SM3 digest (密码杂凑算法) of `data` (GB/T 32905)."""
    digest = _SM3.copy()  # half as dear as a new one
    digest.update(data)
    return digest.finalize()


def check_public(public: bytes) -> bytes:
    """Return `public` (65 bytes 04‖x‖y or 64 bytes x‖y) as 65 bytes. Raise SM2Error unless it is on the curve."""
    point = b"\x04" + public if len(public) == 64 else public
    if len(point) != 65 or point[0] != 4:
        raise SM2Error("an SM2 public key is 65 bytes (04 x y) or 64 bytes (x y)")
    x, y = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")
    # The curve's order is prime, so a finite point on it is in the right group: no further check is needed.
    if x >= P or y >= P or (y * y - (x * x + A) * x - B) % P:
        raise SM2Error("the SM2 public key is not a point of the curve")
    return bytes(point)


@lru_cache(maxsize=1024)
def za(public: bytes, identity: bytes = DEFAULT_IDENTITY) -> bytes:
    """Return ZA, the 32-byte digest of a signer's identity, curve and public key (GB/T 32918.2 clause 5.5).

    Raise SM2Error for a bad key or an identity longer than 8191 bytes.
    """
    if len(identity) > MAX_IDENTITY:
        raise SM2Error("an SM2 identity has at most 8191 bytes")
    entl = (8 * len(identity)).to_bytes(2, "big")
    curve = b"".join(value.to_bytes(32, "big") for value in (A, B, GX, GY))
    return sm3(entl + identity + curve + check_public(public)[1:])


def signature_digest(public: bytes, message: bytes, identity: bytes = DEFAULT_IDENTITY, shared: int = 0) -> bytes:
    """Return e = SM3(ZA ‖ message), the 32 bytes that are really signed (GB/T 32918.2 clause 6.1).

    `shared` is how many bytes at its start the message has in common with others: these are hashed once for all of
    them. It changes the time alone, never the value.
    """
    if not 0 < shared <= MAX_SHARED:
        return sm3(za(public, identity) + message)
    digest = _begun(za(public, identity), message[:shared]).copy()
    digest.update(message[shared:])
    return digest.finalize()


@lru_cache(maxsize=64)
def _begun(head: bytes, shared: bytes) -> hashes.Hash:
    """Return the state of SM3 after `head` and `shared`; it is copied and never finished."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(head + shared)
    return digest


def signature_to_raw(signature: bytes) -> bytes:
    """Return r‖s (64 bytes) of a DER `SEQUENCE {INTEGER r, INTEGER s}`.

    Strict: raise SM2Error for any other encoding than the one DER allows, and for r or s outside 1..n-1 or r + s = n.
    """
    if not 2 < len(signature) <= MAX_SIGNATURE or signature[:2] != bytes([0x30, len(signature) - 2]):
        raise SM2Error("an SM2 signature is one DER SEQUENCE of two INTEGERs")
    r, rest = _integer(signature[2:])
    s, rest = _integer(rest)
    if rest:
        raise SM2Error("bytes follow the SM2 signature")
    _check_range(r, s)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def raw_to_signature(raw: bytes) -> bytes:
    """Return the DER form of r‖s (64 bytes). Raise SM2Error for a wrong length or values out of range."""
    if len(raw) != 64:
        raise SM2Error("a raw SM2 signature is r and s, 32 bytes each")
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    _check_range(r, s)
    # A leading zero bit keeps an INTEGER positive: bit_length // 8 + 1 bytes are always enough and never too many.
    body = b"".join(bytes([2, size := v.bit_length() // 8 + 1]) + v.to_bytes(size, "big") for v in (r, s))
    return bytes([0x30, len(body)]) + body


def verify_digest(public: bytes, digest: bytes, raw: bytes) -> bool:
    """Return whether `raw` (r‖s, 64 bytes in range) signs `digest` under `public` (GB/T 32918.2 clause 7.1)."""
    point = check_public(public)
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    key = (int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big"), 1)
    x, _, z = _double_multiply(s, (GX, GY, 1), (r + s) % N, key)
    if z == 0:
        return False
    x1 = x * pow(z, -2, P) % P
    return (int.from_bytes(digest, "big") + x1) % N == r


def _integer(der: bytes) -> tuple[int, bytes]:
    """Split one positive, minimal DER INTEGER of at most 33 bytes off the front of `der`."""
    size = der[1] if len(der) > 1 else 0
    value = der[2 : 2 + size]
    if der[:1] != b"\x02" or not 0 < size <= 33 or len(value) != size:
        raise SM2Error("an SM2 signature holds two INTEGERs")
    if value[0] & 0x80:
        raise SM2Error("an INTEGER of the SM2 signature is negative")
    if size > 1 and value[0] == 0 and not value[1] & 0x80:
        raise SM2Error("an INTEGER of the SM2 signature is not minimal")
    return int.from_bytes(value, "big"), der[2 + size :]


def _check_range(r: int, s: int) -> None:
    if not (0 < r < N and 0 < s < N) or r + s == N:
        raise SM2Error("r or s of the SM2 signature is out of range")


def _double_multiply(u: int, g: Point, v: int, q: Point) -> Point:
    """Return u·g + v·q, both scalars walked in one pass (Shamir's trick)."""
    table = (INFINITY, g, q, _add(g, q))
    total = INFINITY
    for bit in range(255, -1, -1):
        total = _double(total)
        total = _add(total, table[(u >> bit & 1) | (v >> bit & 1) << 1])
    return total


def _double(p: Point) -> Point:
    """Return 2·p; the formula uses a = -3."""
    x, y, z = p
    if z == 0:
        return INFINITY
    delta, gamma = z * z % P, y * y % P
    beta = x * gamma % P
    alpha = 3 * (x - delta) * (x + delta) % P
    x3 = (alpha * alpha - 8 * beta) % P
    z3 = ((y + z) ** 2 - gamma - delta) % P
    return x3, (alpha * (4 * beta - x3) - 8 * gamma * gamma) % P, z3


def _add(p: Point, q: Point) -> Point:
    """Return p + q for any two points, equal, opposite or infinite."""
    (x1, y1, z1), (x2, y2, z2) = p, q
    if z1 == 0:
        return q
    if z2 == 0:
        return p
    z1z1, z2z2 = z1 * z1 % P, z2 * z2 % P
    u1, u2 = x1 * z2z2 % P, x2 * z1z1 % P
    s1, s2 = y1 * z2 * z2z2 % P, y2 * z1 * z1z1 % P
    h, w = (u2 - u1) % P, (s2 - s1) % P
    if h == 0:
        return _double(p) if w == 0 else INFINITY
    hh = h * h % P
    hhh, v = h * hh % P, u1 * hh % P
    x3 = (w * w - hhh - 2 * v) % P
    return x3, (w * (v - x3) - s1 * hhh) % P, h * z1 * z2 % P
