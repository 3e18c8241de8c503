"""How much may be asked of a wallet (最小必要): what a matter needs, or what the app was given a right to.

Personal Information Protection Law article 6. Who names neither may ask whether somebody holds a licence, and reads no
more than every copy shows anyway: its type, its issuer, its dates, whether it is in force.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from idservice.errors import FieldProblem, Problem
from licences import catalogue
from licences.artefacts import VCT_PATH
from licences.counter import matters
from licences.counter.matter_definition import Way
from licences.formats import mdoc_elements
from licences.formats.mdoc_elements import SPACE
from licences.predicates import AGE_OVER
from licences.wallets.presentation import claim_names, dcql
from licences.wallets.presentation.claim_names import UNKNOWN
from licences.wallets.presentation.dcql import JWT_VC, MDOC, SD_JWT, DCQLError
from licences.wallets.presentation.models import WalletRight
from licences.wallets.presentation.request import Profile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from idservice.call import Call
    from licences.wallets.presentation.dcql import Claim, CredentialQuery, Query

ALL: Final = "*"
#: The type of a credential of which nothing can be held back, in rights: no matter needs all of a licence.
WHOLE: Final = JWT_VC


def read(call: Call, body: Mapping[str, Any]) -> tuple[dict[str, Any], Query]:
    """Return what is asked, as JSON and read: the query as it was given, or one made of `types` or of the matter.

    Raises:
        Problem: not_found, for the matter or a type; invalid, for a query that is none or against the profile's rules;
            fields_exceeded, naming every type and claim that neither the matter nor a right covers.
    """
    stated = body.get("dcql_query") or _query_of(call, body)
    try:
        query = dcql.parse(stated)
    except DCQLError as error:
        place = f"/dcql_query{error.pointer}"
        raise Problem("invalid", "", errors=[FieldProblem(place, error.code, "see OpenID4VP section 6")]) from None
    _check_profile(query, Profile(body["profile"]))
    allowed = _allowed(call, body.get("matter"))
    excess = [problem for n, one in enumerate(query.credentials.values()) for problem in _excess(call, n, one, allowed)]
    if excess:
        raise Problem("fields_exceeded", "Name the matter, and ask for no more than it needs.", errors=excess[:50])
    return stated, query


def type_codes(call: Call, asked: CredentialQuery) -> list[str]:
    """Return by which types a credential is limited: codes of our licence types, or the types of others."""
    if asked.format == JWT_VC:
        return [WHOLE]
    named = sorted(name for names in asked.types for name in names)
    if asked.format == SD_JWT:
        prefix = f"{call.settings.signs_as}{VCT_PATH}/"
        return [name.removeprefix(prefix) for name in named]
    ours = {mdoc_elements.doc_type(e.type.slug, code): code for code, e in catalogue.entries(call).items()}
    return [ours.get(name, name) for name in named]


def is_ours(call: Call, code: str) -> bool:
    """Return whether a type is one of our licence types."""
    return code in catalogue.entries(call)


def _allowed(call: Call, matter: str | None) -> dict[str, frozenset[str]] | None:
    """Return by type the fields that the matter, or else the app's own right, allows; None where there is neither."""
    if matter is not None:
        found: dict[str, frozenset[str]] = {}
        for proof in matters.find(call, matter).needed:
            if proof.type_code is not None and Way.LICENCE in proof.ways:
                found[proof.type_code] = found.get(proof.type_code, frozenset()) | frozenset(proof.fields)
        return found
    rights = call.session.scalars(select(WalletRight).where(WalletRight.client_id == (call.caller.client_id or "")))
    return {right.type: frozenset(right.fields) for right in rights} or None


def _excess(
    call: Call, place: int, asked: CredentialQuery, allowed: Mapping[str, frozenset[str]] | None
) -> list[FieldProblem]:
    """Return what of one credential nobody has allowed."""
    at, found = f"/dcql_query/credentials/{place}", []
    for code in type_codes(call, asked):
        fields, ours = (allowed or {}).get(code), is_ours(call, code)
        if fields is None and (allowed is not None or not ours):
            found.append(FieldProblem(f"{at}/meta", "exceeded", f"not a type you may ask for: {code[:100]}"))
            continue
        for number, claim in enumerate(asked.claims):
            field = _field(claim, asked.format) if ours else str(claim.path[asked.format == MDOC])
            if field is None or ALL in (fields or ()) or field in (fields or ()):
                continue
            problem = "no such claim" if field == UNKNOWN else f"not a field you may ask for: {field[:60]}"
            found.append(FieldProblem(f"{at}/claims/{number}", "exceeded", problem))
        if code == WHOLE and ALL not in (fields or ()):
            found.append(FieldProblem(at, "exceeded", "nothing of such a credential can be held back"))
    return found


def _field(claim: Claim, kind: str) -> str | None:
    return claim_names.of_mdoc(claim.path) if kind == MDOC else claim_names.of_sd_jwt(claim.path)


def _check_profile(query: Query, profile: Profile) -> None:
    if profile is Profile.OPEN:
        return
    for place, asked in enumerate(query.credentials.values()):
        if asked.format not in {SD_JWT, MDOC} or not asked.is_bound:
            at = f"/dcql_query/credentials/{place}"
            raise Problem("invalid", "", errors=[FieldProblem(at, "profile", "haip: dc+sd-jwt or mso_mdoc, bound")])


# --- a query made for the asker -----------------------------------------------------------------------------------


def _query_of(call: Call, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a query for some types, each in either of two formats, or for all that a matter needs."""
    wanted: list[tuple[str, str, tuple[str, ...], bool]]
    if body.get("types"):
        wanted = [(f"licence{n}", code, (), True) for n, code in enumerate(dict.fromkeys(body["types"]))]
    elif body.get("matter") is not None:
        proofs = matters.find(call, body["matter"]).needed
        wanted = [
            (f"{proof.proof}", proof.type_code, proof.fields, proof.required)
            for proof in proofs
            if proof.type_code is not None and Way.LICENCE in proof.ways
        ]
    else:
        wanted = []
    if not wanted:
        message = "name types, a matter that licences prove, or a query"
        raise Problem("invalid", "", errors=[FieldProblem("/dcql_query", "required", message)])
    pairs = [_pair(call, name, code, fields) for name, code, fields, _required in wanted]
    sets = [
        {"options": [[one["id"]] for one in pair], "required": required}
        for pair, (*_named, required) in zip(pairs, wanted, strict=True)
    ]
    return {"credentials": [one for pair in pairs for one in pair], "credential_sets": sets}


def _pair(call: Call, name: str, code: str, fields: Iterable[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the queries for one licence as SD-JWT VC and as mdoc."""
    kind = catalogue.find(call, code).type
    claims = [claim for field in fields if (claim := claim_names.of_field(field)) is not None]
    vct = f"{call.settings.signs_as}{VCT_PATH}/{code}"
    sd_jwt: dict[str, Any] = {"id": name, "format": SD_JWT, "meta": {"vct_values": [vct]}}
    if claims:
        sd_jwt["claims"] = [{"path": [claim]} for claim in claims]
    elements = [{"path": [SPACE, element]} for element in ("licence_type", *claims) if element not in AGE_OVER]
    doc_type = mdoc_elements.doc_type(kind.slug, code)
    return sd_jwt, {"id": f"{name}-mdoc", "format": MDOC, "meta": {"doctype_value": doc_type}, "claims": elements}
