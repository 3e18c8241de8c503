"""What a wallet sends back (钱包答复): OpenID4VP 1.0 sections 8.1 to 8.3.1, `direct_post` and `direct_post.jwt`.

An encrypted answer is a compact JWE (RFC 7516) to a key that was made for this one request: ECDH-ES with AES-GCM, and
nothing else. The tokens within are taken apart here and verified elsewhere.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from keys.base64url import unb64u
from keys.signer import es256_public, thumbprint
from keys.strict_json import StrictJSONError, strict_json

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_RESPONSE: Final = 300_000  # characters
ALGORITHM: Final = "ECDH-ES"
ENCRYPTIONS: Final = ("A128GCM", "A256GCM")
_JWE_PARTS: Final = 5
_MAX_HEADER: Final = 2_048
_HEADER: Final = frozenset({"alg", "enc", "kid", "epk", "apu", "apv", "typ", "cty"})
_MOST_PRESENTATIONS: Final = 32
_ERROR: Final = 64  # characters


class ResponseError(ValueError):
    """The answer is refused.

    Codes: `too_large malformed not_encrypted encrypted encryption decryption state vp_token`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: presentations by the id of their query, or the error that the wallet gives for having none."""

    presentations: Mapping[str, tuple[str, ...]]
    error: str | None = None


def read(form: Mapping[str, str], *, key: Mapping[str, str] | None, state: str) -> Answer:
    """Return what a form says.

    Args:
        form: the members of the post, each given once.
        key: the private JWK of this request, where the answer is to be encrypted.
        state: what the request sent along.

    Raises:
        ResponseError: with the code of what is wrong.
    """
    if sum(map(len, form.values())) > MAX_RESPONSE:
        raise ResponseError("too_large")
    if "error" in form:  # an error may come in the clear (section 8.3.1)
        return _refusal(form, state)
    if key is None:
        if "response" in form:
            raise ResponseError("encrypted")
        _check_state(form, state)
        return Answer(_tokens(_json(form.get("vp_token", ""))))
    if "response" not in form:
        raise ResponseError("not_encrypted")
    opened = _json(_decrypted(form["response"], key))
    if not isinstance(opened, dict):
        raise ResponseError("malformed")
    if "error" in opened:
        return _refusal(opened, state)
    _check_state(opened, state)
    return Answer(_tokens(opened.get("vp_token")))


def jwk_thumbprint(key: Mapping[str, str]) -> bytes:
    """Return the SHA-256 thumbprint (RFC 7638) of a P-256 key."""
    return thumbprint(es256_public(unb64u(key["x"]), unb64u(key["y"])).members)


def _refusal(members: Mapping[str, Any], state: str) -> Answer:
    _check_state(members, state)
    return Answer({}, str(members["error"])[:_ERROR])


def _check_state(members: Mapping[str, Any], state: str) -> None:
    given = members.get("state")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), state.encode()):
        raise ResponseError("state")


def _decrypted(token: str, key: Mapping[str, str]) -> str:
    """Return the text of a JWE to `key`; its header is read before any key is touched."""
    from joserfc import jwe  # here, because few requests need so large a library
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey

    parts = token.split(".")
    if len(parts) != _JWE_PARTS or len(parts[0]) > _MAX_HEADER or parts[1]:
        raise ResponseError("encryption")
    try:
        header = strict_json(unb64u(parts[0]), max_depth=3)
    except (StrictJSONError, ValueError):
        raise ResponseError("encryption") from None
    if not isinstance(header, dict) or not header.keys() <= _HEADER or header.get("kid") != key["kid"]:
        raise ResponseError("encryption")
    if header.get("alg") != ALGORITHM or header.get("enc") not in ENCRYPTIONS:
        raise ResponseError("encryption")
    try:
        opened = jwe.decrypt_compact(token, ECKey.import_key(dict(key)), algorithms=[ALGORITHM, *ENCRYPTIONS])
        return (opened.plaintext or b"").decode("utf-8")
    except (JoseError, ValueError, TypeError, KeyError):
        raise ResponseError("decryption") from None


def _json(text: str) -> Any:
    try:
        return strict_json(text.encode("utf-8", "surrogatepass"), max_bytes=MAX_RESPONSE, max_depth=8)
    except (StrictJSONError, ValueError):
        raise ResponseError("malformed") from None


def _tokens(stated: Any) -> dict[str, tuple[str, ...]]:
    """Return the presentations of a vp_token (section 8.1): an object of arrays, none of them empty."""
    if not isinstance(stated, dict) or not stated:
        raise ResponseError("vp_token")
    found = {}
    for name, presentations in stated.items():
        if not isinstance(presentations, list) or not 0 < len(presentations) <= _MOST_PRESENTATIONS:
            raise ResponseError("vp_token")
        if not all(isinstance(one, str) and one for one in presentations):
            raise ResponseError("vp_token")
        found[str(name)] = tuple(presentations)
    return found
