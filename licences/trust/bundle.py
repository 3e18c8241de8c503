"""The trust bundle (信任包): what a verifier needs before it goes offline, as one signed file (compact JWS).

Its payload has `keys`, `dictionaries`, `templates`, `status_lists` and `issuers` (`docs/status-and-trust.md`). It is
signed with a key of its own that stands among its `keys` as `trust`; a verifier compares that key's full thumbprint
(RFC 7638) with one it got by another way, its pin, or finds it in the bundle it had before. `sequence` rises with
every edition and `exp` ends it, so that an old bundle is noticed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from keys import jwk, jws
from keys.base64url import b64u, unb64u
from keys.signer import thumbprint
from keys.strict_json import strict_json
from licences.status import token_list

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from keys.signer import PublicKey, Signer
    from licences.status.token_list import Signed

TYPE: Final = "trust-bundle+jwt"
MAX_BUNDLE: Final = 2 * 1024 * 1024  # characters
#: Beyond so many bytes the tokens of lists are left out, the oldest first: a verifier fetches them by their `uri`.
#: No reader of ours takes more than 2**20 bytes of JSON.
MAX_PAYLOAD: Final = 1_000_000
T = TypeVar("T")

LICENCE, LICENCE_SM2, TRUST = "licence", "licence-sm2", "trust"


class BundleError(ValueError):
    """The bundle is refused; `code` is one of `keys.jws`, or `not_a_bundle`, `not_pinned`, `older`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Template:
    """The face behind a template of paper codes: the type's code and names, and the fields in their order."""

    type_code: str
    name: str
    fields: tuple[tuple[str, str, str], ...]  # name, title, type


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a bundle says; times are Unix seconds, `keys` are by use and kid, `lists` by address."""

    issuer: str
    sequence: int
    issued_at: int
    expires_at: int
    signed_by: str  # full thumbprint of the key, base64url
    is_pinned: bool
    keys: Mapping[str, Mapping[str, PublicKey]]
    revoked: frozenset[str]
    dictionaries: Mapping[str, str] = field(repr=False)  # by id, SHA-256 in hexadecimal digits
    templates: Mapping[bytes, Template] = field(repr=False)
    lists: Mapping[str, Signed] = field(repr=False)

    @property
    def pins(self) -> frozenset[str]:
        """Return the thumbprints by which a later bundle may be signed."""
        return frozenset(pin(key) for key in self.keys[TRUST].values())


def pin(key: PublicKey) -> str:
    """Return the full thumbprint of a key (RFC 7638, SHA-256, base64url)."""
    return b64u(thumbprint(key.members))


def write(body: Mapping[str, Any], *, sequence: int, issued_at: int, expires_at: int, signer: Signer) -> str:
    """Return a signed bundle."""
    payload = {"sequence": sequence, "iat": issued_at, "exp": expires_at, **body}
    return jws.encode(payload, signer=signer, typ=TYPE)


def read(text: str, *, pins: Collection[str] | None, former: Bundle | None = None) -> Bundle:
    """Return what a bundle says, whatever the day.

    `pins` are the thumbprints of the keys that are trusted; None trusts the bundle's own key, which `is_pinned` then
    denies. `former` is the bundle held until now: its `trust` keys are trusted too, and nothing older is taken.

    Raises:
        BundleError: with the code of what is wrong.
    """
    text = text.strip()
    key = _own_key(text)
    trusted = frozenset(pins or ()) | (former.pins if former is not None else frozenset())
    is_pinned = pins is not None or former is not None
    if is_pinned and pin(key) not in trusted:
        raise BundleError("not_pinned")
    try:
        payload = jws.decode(text, keys={key.kid: key}, typ=TYPE, max_bytes=MAX_BUNDLE).payload
    except jws.JWSError as error:
        raise BundleError(error.code) from None
    try:
        bundle = _bundle(payload, signed_by=pin(key), is_pinned=is_pinned)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BundleError("not_a_bundle") from None
    if former is not None and (bundle.issuer != former.issuer or bundle.sequence < former.sequence):
        raise BundleError("older")
    return bundle


def _own_key(text: str) -> PublicKey:
    """Return the key that a bundle names as its signer's, not believed yet: there is nothing else to look it up in."""
    if len(text) > MAX_BUNDLE:
        raise BundleError("too_large")
    try:
        head, body, _ = text.split(".")
        kid = strict_json(unb64u(head), max_bytes=2_048)["kid"]
        listed = strict_json(unb64u(body))["keys"]
        named = [entry["jwk"] for entry in listed if (entry["use"], entry["kid"]) == (TRUST, kid)]
        (key,) = (jwk.parse({**found, "kid": kid}) for found in named)
    except (ValueError, KeyError, TypeError):
        raise BundleError("not_a_bundle") from None
    return key


def _bundle(payload: dict[str, Any], *, signed_by: str, is_pinned: bool) -> Bundle:
    keys: dict[str, dict[str, PublicKey]] = {LICENCE: {}, LICENCE_SM2: {}, TRUST: {}}
    revoked = frozenset(_of(str, entry["kid"]) for entry in payload["revoked_keys"])
    for entry in (entry for entry in payload["keys"] if entry["kid"] not in revoked):
        keys.setdefault(entry["use"], {})[entry["kid"]] = jwk.parse({**entry["jwk"], "kid": entry["kid"]})
    return Bundle(
        issuer=_of(str, payload["issuer"]),
        sequence=_of(int, payload["sequence"]),
        issued_at=_moment(payload["iat"]),
        expires_at=_moment(payload["exp"]),
        signed_by=signed_by,
        is_pinned=is_pinned,
        keys=keys,
        revoked=revoked,
        dictionaries={_of(str, entry["id"]): _of(str, entry["sha256"]) for entry in payload["dictionaries"]},
        templates={bytes.fromhex(entry["id"]): _template(entry) for entry in payload["templates"]},
        lists=_lists(payload["status_lists"], keys[LICENCE]),
    )


def _template(entry: dict[str, Any]) -> Template:
    fields = tuple((_of(str, f["name"]), _of(str, f["title"]), _of(str, f["type"])) for f in entry["fields"])
    return Template(_of(str, entry["type"]), _of(str, entry["name"]), fields)


def _lists(listed: list[dict[str, Any]], keys: Mapping[str, PublicKey]) -> dict[str, Signed]:
    """Read the tokens of lists: each is signed by itself, for it is also fetched by itself."""
    found = (token_list.read_jwt(entry["token"], keys=keys) for entry in listed if "token" in entry)
    return {signed.uri: signed for signed in found}


def _moment(value: object) -> int:
    moment = _of(int, value)
    if not 0 <= moment <= token_list.LATEST:
        raise ValueError("no time of ours")
    return moment


def _of(kind: type[T], value: object) -> T:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"not {kind.__name__}")
    return value
