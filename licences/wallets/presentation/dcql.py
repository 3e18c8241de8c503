"""What is asked of a wallet (数字凭证查询语言): DCQL, OpenID4VP 1.0 section 6, read strictly.

A query names credentials by format and type, the claims wanted of each, and which credentials answer together. Members
that the language does not have are refused and not passed over: a misspelt `claims` would ask for something else.
Whether presentations meet a query is decided in `licences.wallets.presentation.dcql_match`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SD_JWT, MDOC, JWT_VC = "dc+sd-jwt", "mso_mdoc", "jwt_vc_json"
FORMATS: Final = (SD_JWT, MDOC, JWT_VC)
AUTHORITIES: Final = frozenset({"aki", "etsi_tl", "openid_federation"})

MOST_CREDENTIALS: Final = 16
MOST_CLAIMS: Final = 64
MOST_STEPS: Final = 8
_MOST = 32  # of everything else
_LONGEST = 512  # characters

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_META: Final = {SD_JWT: "vct_values", MDOC: "doctype_value", JWT_VC: "type_values"}
_QUERY: Final = frozenset({"credentials", "credential_sets"})
_SET: Final = frozenset({"options", "required"})
_AUTHORITY: Final = frozenset({"type", "values"})
_CLAIM: Final = frozenset({"id", "path", "values"})
_CREDENTIAL: Final = frozenset(
    {
        "id",
        "format",
        "multiple",
        "meta",
        "trusted_authorities",
        "require_cryptographic_holder_binding",
        "claims",
        "claim_sets",
    }
)

Step: TypeAlias = str | int | None
Constant: TypeAlias = str | int | bool


class DCQLError(ValueError):
    """The query is refused; `pointer` (RFC 6901) says where, `code` why.

    Codes: `type required unknown empty too_many format id repeated reference length`.
    """

    def __init__(self, pointer: str, code: str) -> None:
        super().__init__(f"{pointer}: {code}")
        self.pointer = pointer
        self.code = code


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim (section 6.3): where it stands in the credential, and the values that alone will do, if any."""

    path: tuple[Step, ...]
    id: str | None = None
    values: tuple[Constant, ...] = ()


@dataclass(frozen=True, slots=True)
class CredentialQuery:
    """One credential (section 6.1).

    `types` are alternatives: the vct of a dc+sd-jwt, the docType of an mdoc, the types of a W3C credential that must
    all be there. `claim_sets` are alternatives too, by places in `claims`; without any, all claims are wanted.
    `authorities` are (type, value) pairs, of which one must have certified the issuer.
    """

    id: str
    format: str
    types: tuple[frozenset[str], ...]
    claims: tuple[Claim, ...] = ()
    claim_sets: tuple[tuple[int, ...], ...] = ()
    multiple: bool = False
    is_bound: bool = True
    authorities: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class CredentialSet:
    """Credentials that answer together (section 6.2): one of `options` is enough."""

    options: tuple[frozenset[str], ...]
    required: bool = True


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query; without `sets` every credential is wanted."""

    credentials: Mapping[str, CredentialQuery]
    sets: tuple[CredentialSet, ...] = field(default=())


def parse(stated: object) -> Query:
    """Return the query that a JSON value states; raises `DCQLError`."""
    members = _object(stated, "", _QUERY, needed=("credentials",))
    credentials: dict[str, CredentialQuery] = {}
    for place, item in enumerate(_array(members["credentials"], "/credentials", most=MOST_CREDENTIALS)):
        found = _credential(item, f"/credentials/{place}")
        if found.id in credentials:
            raise DCQLError(f"/credentials/{place}/id", "repeated")
        credentials[found.id] = found
    sets = _each(members, "credential_sets", "", lambda item, at: _set(item, at, credentials))
    return Query(credentials, sets)


def _credential(stated: object, at: str) -> CredentialQuery:
    members = _object(stated, at, _CREDENTIAL, needed=("id", "format", "meta"))
    kind = members["format"]
    if kind not in FORMATS:
        raise DCQLError(f"{at}/format", "format")
    claims = _each(members, "claims", at, lambda item, place: _claim(item, place, kind), most=MOST_CLAIMS)
    return CredentialQuery(
        id=_id(members["id"], f"{at}/id"),
        format=kind,
        types=_types(kind, members["meta"], f"{at}/meta"),
        claims=claims,
        claim_sets=_claim_sets(members, at, claims),
        multiple=_flag(members, "multiple", at, default=False),
        is_bound=_flag(members, "require_cryptographic_holder_binding", at, default=True),
        authorities=frozenset(chain.from_iterable(_each(members, "trusted_authorities", at, _authority))),
    )


def _types(kind: str, stated: object, at: str) -> tuple[frozenset[str], ...]:
    """Return the alternatives of `meta` (appendix B)."""
    name = _META[kind]
    value = _object(stated, at, frozenset({name}), needed=(name,))[name]
    at = f"{at}/{name}"
    if kind == MDOC:
        return (frozenset({_text(value, at)}),)
    if kind == SD_JWT:
        return tuple(frozenset({_text(item, f"{at}/{n}")}) for n, item in enumerate(_array(value, at)))
    return tuple(
        frozenset(_text(word, f"{at}/{n}") for word in _array(item, f"{at}/{n}"))
        for n, item in enumerate(_array(value, at))
    )


def _claim(stated: object, at: str, kind: str) -> Claim:
    known = _CLAIM | {"intent_to_retain"} if kind == MDOC else _CLAIM
    members = _object(stated, at, known, needed=("path",))
    _flag(members, "intent_to_retain", at, default=False)
    path = tuple(_step(step, f"{at}/path/{n}") for n, step in enumerate(_array(members["path"], f"{at}/path")))
    if len(path) > MOST_STEPS:
        raise DCQLError(f"{at}/path", "too_many")
    if kind == MDOC and not (len(path) == 2 and all(isinstance(step, str) for step in path)):
        raise DCQLError(f"{at}/path", "type")  # namespace and element, appendix B.2.4
    return Claim(
        path,
        id=_id(members["id"], f"{at}/id") if "id" in members else None,
        values=_each(members, "values", at, _constant),
    )


def _claim_sets(members: Mapping[str, Any], at: str, claims: tuple[Claim, ...]) -> tuple[tuple[int, ...], ...]:
    places = {claim.id: place for place, claim in enumerate(claims) if claim.id is not None}
    if len(places) < sum(claim.id is not None for claim in claims):
        raise DCQLError(f"{at}/claims", "repeated")
    if "claim_sets" not in members:
        return ()
    if not claims or len(places) < len(claims):
        raise DCQLError(f"{at}/claims", "required")

    def alternative(stated: object, where: str) -> tuple[int, ...]:
        return tuple(places[_known(name, f"{where}/{n}", places)] for n, name in enumerate(_array(stated, where)))

    return _each(members, "claim_sets", at, alternative)


def _set(stated: object, at: str, credentials: Mapping[str, CredentialQuery]) -> CredentialSet:
    members = _object(stated, at, _SET, needed=("options",))

    def option(stated: object, where: str) -> frozenset[str]:
        return frozenset(_known(name, f"{where}/{n}", credentials) for n, name in enumerate(_array(stated, where)))

    return CredentialSet(_each(members, "options", at, option), _flag(members, "required", at, default=True))


def _authority(stated: object, at: str) -> tuple[tuple[str, str], ...]:
    members = _object(stated, at, _AUTHORITY, needed=("type", "values"))
    kind = _text(members["type"], f"{at}/type")
    if kind not in AUTHORITIES:
        raise DCQLError(f"{at}/type", "unknown")
    return tuple((kind, _text(value, f"{at}/values")) for value in _array(members["values"], f"{at}/values"))


# --- JSON values ---------------------------------------------------------------------------------------------------


def _each(
    members: Mapping[str, Any], name: str, at: str, read: Callable[[object, str], Any], *, most: int = _MOST
) -> tuple[Any, ...]:
    """Return what stands in an array that may be absent but not empty."""
    if name not in members:
        return ()
    where = f"{at}/{name}"
    return tuple(read(item, f"{where}/{place}") for place, item in enumerate(_array(members[name], where, most=most)))


def _object(stated: object, at: str, known: frozenset[str], *, needed: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(stated, dict):
        raise DCQLError(at, "type")
    if strange := sorted(str(name) for name in stated.keys() - known):
        raise DCQLError(f"{at}/{_step_of(strange[0])}", "unknown")
    if missing := [name for name in needed if name not in stated]:
        raise DCQLError(f"{at}/{missing[0]}", "required")
    return stated


def _array(stated: object, at: str, *, most: int = _MOST) -> list[Any]:
    if not isinstance(stated, list):
        raise DCQLError(at, "type")
    if not stated:
        raise DCQLError(at, "empty")
    if len(stated) > most:
        raise DCQLError(at, "too_many")
    return stated


def _flag(members: Mapping[str, Any], name: str, at: str, *, default: bool) -> bool:
    value = members.get(name, default)
    if not isinstance(value, bool):
        raise DCQLError(f"{at}/{name}", "type")
    return value


def _text(stated: object, at: str) -> str:
    if not isinstance(stated, str):
        raise DCQLError(at, "type")
    if not 0 < len(stated) <= _LONGEST:
        raise DCQLError(at, "length")
    return stated


def _id(stated: object, at: str) -> str:
    if not isinstance(stated, str) or not _ID.fullmatch(stated):
        raise DCQLError(at, "id")
    return stated


def _known(stated: object, at: str, known: Mapping[Any, object]) -> str:
    if not isinstance(stated, str) or stated not in known:
        raise DCQLError(at, "reference")
    return stated


def _step(stated: object, at: str) -> Step:
    if stated is None or isinstance(stated, str):
        return None if stated is None else _text(stated, at)
    if isinstance(stated, bool) or not isinstance(stated, int) or not 0 <= stated < 1 << 31:
        raise DCQLError(at, "type")
    return stated


def _constant(stated: object, at: str) -> Constant:
    if isinstance(stated, str):
        return _text(stated, at)
    if not isinstance(stated, int):
        raise DCQLError(at, "type")
    return stated


def _step_of(name: str) -> str:
    return name[:40].replace("~", "~0").replace("/", "~1")
