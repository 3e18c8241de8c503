"""What a wallet shows of a credential that is one JWT (可验证表述): OpenID4VP 1.0 appendix B.1, `jwt_vc_json`.

The holder signs a presentation around the credential, for one verifier (`aud`) and one question (`nonce`), with the key
that the credential names (`cnf`). Nothing of such a credential can be held back, so only who may read all of it is to
ask for one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from keys import jws
from keys.base64url import unb64u
from keys.strict_json import StrictJSONError, strict_json
from licences.formats import jwt_vc, key_binding

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from keys.signer import PublicKey
    from licences.formats.key_binding import Asked

MAX_PRESENTATION: Final = 98_304  # characters
_TYPES: Final[frozenset[str | None]] = frozenset({"JWT", "vp+jwt", None})
_LEEWAY: Final = 10  # seconds granted to a telephone's clock that runs ahead


class PresentationError(ValueError):
    """The presentation is refused; codes: `malformed holder_key holder_signature audience nonce time`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def verify(token: str, asked: Asked, *, keys: Mapping[str, PublicKey], issuer: str, now: datetime) -> dict[str, Any]:
    """Return the credential within a presentation if its issuer and its holder signed, the latter for this question.

    Raises:
        PresentationError: the presentation.
        CredentialError: the credential, as `jwt_vc.authenticate`.
    """
    inner = _inner(token)
    found = jwt_vc.authenticate(inner, keys=keys, issuer=issuer)
    key = key_binding.holder_key(found)
    if key is None:
        raise PresentationError("holder_key")
    try:
        payload = jws.decode_with_key(token, key=key, typ=_TYPES, max_bytes=MAX_PRESENTATION).payload
    except jws.JWSError:
        raise PresentationError("holder_signature") from None
    if payload.get("aud") != asked.audience:
        raise PresentationError("audience")
    if payload.get("nonce") != asked.nonce:
        raise PresentationError("nonce")
    moment, made = now.timestamp(), payload.get("iat")
    if made is None or not -key_binding.MOST_SECONDS <= made - moment <= _LEEWAY:
        raise PresentationError("time")
    if moment >= payload.get("exp", float("inf")) or payload.get("nbf", moment) > moment + _LEEWAY:
        raise PresentationError("time")
    return found


def _inner(token: str) -> str:
    """Return the one credential that a presentation says it holds, nothing of it believed yet."""
    parts = token.split(".") if len(token) <= MAX_PRESENTATION else []
    if len(parts) != 3:
        raise PresentationError("malformed")
    try:
        payload = strict_json(unb64u(parts[1]), max_depth=16)
    except (StrictJSONError, ValueError):
        raise PresentationError("malformed") from None
    stated = payload.get("vp") if isinstance(payload, dict) else None
    held = stated.get("verifiableCredential") if isinstance(stated, dict) else None
    if isinstance(held, list) and len(held) == 1:
        (held,) = held
    if not isinstance(held, str):
        raise PresentationError("malformed")
    return held
