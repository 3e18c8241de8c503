"""Disclosures of an SD-JWT (选择性披露项): RFC 9901 section 4.2 for their form, section 7.1 for putting them back.

A disclosure is base64url of `[salt, name, value]` (a member of an object) or `[salt, value]` (an element of an array).
The issuer signs its SHA-256 digest; who shows the credential hands over the disclosures he wants to be read.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, Final

from keys.base64url import b64u, unb64u
from keys.strict_json import StrictJSONError, strict_json
from keys.verdict import Reason
from licences.formats.refusal import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterable

DIGESTS: Final = "_sd"
PLACEHOLDER: Final = "..."
HASH_CLAIM: Final = "_sd_alg"
HASH: Final = "sha-256"
MAX_DEPTH: Final = 16
MAX_DISCLOSURES: Final = 200

#: Names that carry the structure itself; no claim may be called so (RFC 9901 section 4.1).
STRUCTURAL: Final = frozenset({DIGESTS, PLACEHOLDER, HASH_CLAIM})

_MAX_DISCLOSURE = 16_384  # characters
#: Salt, name and value as texts without escapes: what nearly every disclosure is, read at once.
_TEXTS = re.compile(r'\["([^"\\\x00-\x1f]*)", ?"([^"\\\x00-\x1f]*)", ?"([^"\\\x00-\x1f]*)"\]')
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False).encode

_REASONS = {
    "unknown_key": Reason.ISSUER_UNKNOWN,
    "issuer": Reason.ISSUER_UNKNOWN,
    "signature": Reason.SIGNATURE_INVALID,
    "algorithm": Reason.SIGNATURE_INVALID,
    "wrong_type": Reason.FORMAT_UNKNOWN,
    "vct": Reason.FORMAT_UNKNOWN,
    "hash_unknown": Reason.FORMAT_UNKNOWN,
    "key_binding_unsupported": Reason.FORMAT_UNKNOWN,
    "holder_key": Reason.HOLDER_MISMATCH,
    "key_binding_missing": Reason.HOLDER_MISMATCH,
    "key_binding": Reason.HOLDER_MISMATCH,
    "key_binding_audience": Reason.REPLAYED,
    "key_binding_nonce": Reason.REPLAYED,
    "key_binding_time": Reason.REPLAYED,
    "expired": Reason.EXPIRED,
    "not_yet_valid": Reason.NOT_YET_VALID,
    "disclosure_unreferenced": Reason.DOCUMENT_ALTERED,
    "disclosure_repeated": Reason.DOCUMENT_ALTERED,
}


class SDJWTError(FormatError):
    """An SD-JWT that is refused; `code` says why, `reason` is the word of the closed list for it.

    Codes: those of `keys.jws.JWSError`, and `form key_binding_unsupported hash_unknown issuer vct expired not_yet_valid
    disclosure disclosure_repeated disclosure_unreferenced digest digest_repeated claim_clash claim_reserved
    claim_unknown too_deep not_json seed signer`; those of `licences.formats.key_binding` stand there.
    """

    reasons = _REASONS


def to_json(value: object) -> bytes:
    """Return the one text of a JSON value, members in order of their names; raises `SDJWTError("not_json")`."""
    try:
        return _encode(value).encode("utf-8")
    except (TypeError, ValueError):
        raise SDJWTError("not_json") from None


def write(salt: str, name: str, value: object) -> str:
    """Return the disclosure of member `name`; the same arguments always give the same text."""
    if type(value) is str:  # most are, and a text has an encoder of its own
        try:
            return b64u(f'["{salt}",{_encode(name)},{_encode(value)}]'.encode())
        except UnicodeEncodeError:
            raise SDJWTError("not_json") from None
    return b64u(to_json([salt, name, value]))


def digest(disclosure: str) -> str:
    """Return base64url of SHA-256 over the disclosure as it is transmitted (RFC 9901 section 4.2.3)."""
    return b64u(hashlib.sha256(disclosure.encode("ascii")).digest())


def read(disclosure: str) -> list[Any]:
    """Return the two or three members of a disclosure; raises `SDJWTError("disclosure")`."""
    try:
        if len(disclosure) > _MAX_DISCLOSURE:
            raise SDJWTError("disclosure")
        data = unb64u(disclosure)
        texts = _TEXTS.fullmatch(data.decode())
        if texts is not None:
            return list(texts.groups())
        members = strict_json(data, max_depth=MAX_DEPTH)
    except (StrictJSONError, ValueError):
        raise SDJWTError("disclosure") from None
    if type(members) is not list or len(members) not in {2, 3}:
        raise SDJWTError("disclosure")
    if type(members[0]) is not str or (len(members) == 3 and type(members[1]) is not str):
        raise SDJWTError("disclosure")
    return members


def refuse_structural_names(value: object, depth: int = 0) -> None:
    """Raise `SDJWTError` where a claim in `value` is called like a part of the structure, or nests too deeply."""
    if depth > MAX_DEPTH:
        raise SDJWTError("too_deep")
    if isinstance(value, dict):
        if not STRUCTURAL.isdisjoint(value):
            raise SDJWTError("claim_reserved")
        for inner in value.values():
            if type(inner) is not str:
                refuse_structural_names(inner, depth + 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            refuse_structural_names(inner, depth + 1)


def restore(payload: dict[str, Any], disclosures: Iterable[str]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the claims with the disclosed ones in place, and the names disclosed at the top level.

    Every disclosure must be called for by exactly one digest; digests without a disclosure stay hidden (or are decoys).
    """
    pool: dict[str, list[Any]] = {}
    for disclosure in disclosures:
        members = read(disclosure)
        key = digest(disclosure)
        if key in pool:
            raise SDJWTError("disclosure_repeated")
        pool[key] = members
    if payload.get(HASH_CLAIM, HASH) != HASH:
        raise SDJWTError("hash_unknown")
    bare = {name: value for name, value in payload.items() if name != HASH_CLAIM}
    claims = _Restoration(pool).claims(bare, 0)
    if pool:
        raise SDJWTError("disclosure_unreferenced")
    return claims, tuple([name for name in claims if name not in bare])


class _Restoration:
    """One walk through a payload: `pool` shrinks as disclosures are used, `seen` makes a repeated digest an error."""

    def __init__(self, pool: dict[str, list[Any]]) -> None:
        self._pool = pool
        self._seen: set[str] = set()

    def claims(self, value: dict[str, Any], depth: int) -> dict[str, Any]:
        if depth > MAX_DEPTH:
            raise SDJWTError("too_deep")
        if PLACEHOLDER in value or HASH_CLAIM in value:
            raise SDJWTError("claim_reserved")
        found = {
            name: inner if type(inner) is str else self._value(inner, depth)
            for name, inner in value.items()
            if name != DIGESTS
        }
        digests = value.get(DIGESTS, [])
        if not isinstance(digests, list):
            raise SDJWTError("digest")
        for key in digests:
            members = self._take(key)
            if members is not None:
                name, inner = _member(members)
                if name in found:
                    raise SDJWTError("claim_clash")
                found[name] = inner if type(inner) is str else self._value(inner, depth)
        return found

    def _value(self, value: Any, depth: int) -> Any:
        if isinstance(value, dict):
            return self.claims(value, depth + 1)
        if isinstance(value, list):
            return self._elements(value, depth + 1)
        return value

    def _elements(self, values: list[Any], depth: int) -> list[Any]:
        if depth > MAX_DEPTH:
            raise SDJWTError("too_deep")
        found = []
        for value in values:
            if not (isinstance(value, dict) and PLACEHOLDER in value):
                found.append(self._value(value, depth))
                continue
            if len(value) != 1:
                raise SDJWTError("claim_reserved")
            members = self._take(value[PLACEHOLDER])
            if members is not None:
                if len(members) != 2:
                    raise SDJWTError("disclosure")
                found.append(self._value(members[1], depth))
        return found

    def _take(self, key: object) -> list[Any] | None:
        if not isinstance(key, str):
            raise SDJWTError("digest")
        if key in self._seen:
            raise SDJWTError("digest_repeated")
        self._seen.add(key)
        return self._pool.pop(key, None)


def _member(members: list[Any]) -> tuple[str, Any]:
    if len(members) != 3:
        raise SDJWTError("disclosure")
    _, name, value = members
    if name in STRUCTURAL:
        raise SDJWTError("claim_reserved")
    return name, value
