"""Who issued a token, to whom, for how long: the registered claims of RFC 7519 section 4.1, after the signature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keys.jws import JWSError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


def check(
    payload: Mapping[str, Any],
    *,
    issuer: str,
    audience: str,
    now: datetime,
    leeway: int = 10,
    max_lifetime: int | None = None,
    sole_audience: bool = False,
) -> None:
    """Raise JWSError (`issuer audience expired not_yet_valid lifetime bad_claim`) unless the claims hold at `now`.

    `exp` is required and exact; `leeway` seconds are granted to clocks that run ahead (`iat`, `nbf`) only.
    `max_lifetime` bounds the seconds from `iat`, where given, and from now until `exp`.
    `sole_audience` asks for `aud` to be exactly this one text.
    """
    if payload.get("iss") != issuer:
        raise JWSError("issuer")
    found = payload.get("aud")
    if found != audience and (sole_audience or not isinstance(found, list) or audience not in found):
        raise JWSError("audience")
    moment = now.timestamp()
    expires = _seconds(payload, "exp")
    if expires is None:
        raise JWSError("bad_claim")
    if moment >= expires:
        raise JWSError("expired")
    for name in ("iat", "nbf"):
        start = _seconds(payload, name)
        if start is not None and start > moment + leeway:
            raise JWSError("not_yet_valid")
    if max_lifetime is not None:
        issued = _seconds(payload, "iat")
        if expires - moment > max_lifetime + leeway or (issued is not None and expires - issued > max_lifetime):
            raise JWSError("lifetime")


def _seconds(payload: Mapping[str, Any], name: str) -> float | None:
    if name not in payload:
        return None
    value = payload[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise JWSError("bad_claim")
    return value
