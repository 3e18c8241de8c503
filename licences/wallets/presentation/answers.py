"""Judge a wallet's answer (答复核验): what holds when it comes, and what the register says when it is read.

When it comes, signatures, holder binding and the query decide whether it is taken at all. Of what is taken only
identifiers and the names of disclosed fields are kept. When it is read, each licence is judged as at every other
verification, and the look is on its holder's record before anything leaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from idservice import audit
from idservice.errors import Kind, Problem, register
from keys.verdict import Check, Reason, Result
from licences import verify
from licences.change import find_any
from licences.deeds import Deed
from licences.guard.admit import admit
from licences.status.entries import key_of
from licences.status.models import StatusEntry
from licences.status.token_list import Status
from licences.verify import Report
from licences.wallets.issuance import copies
from licences.wallets.presentation import claim_names, dcql_match, presented
from licences.wallets.presentation.dcql import JWT_VC, SD_JWT
from licences.wallets.presentation.dcql_match import NotMetError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from idservice.call import Call
    from licences.asker import Asker
    from licences.wallets.presentation.dcql import CredentialQuery, Query
    from licences.wallets.presentation.device_response import Session
    from licences.wallets.presentation.presented import Presented

register({"wallet_response": Kind(400, "钱包的答复无法采用", "The wallet's response cannot be used")})

MOST: Final = 16  # presentations in one answer
_LEEWAY: Final = 300  # seconds that clocks may differ
_STATUS: Final = {Status.INVALID: Reason.REVOKED, Status.SUSPENDED: Reason.SUSPENDED}


def judge(call: Call, query: Query, presentations: Mapping[str, Sequence[str]], session: Session) -> dict[str, Any]:
    """Return what is to be kept of an answer that answers the query with presentations that hold.

    Raises:
        Problem: wallet_presentation or wallet_response, with the code of what is wrong.
    """
    if sum(map(len, presentations.values())) > MOST:
        raise Problem("wallet_response", "too_many.")
    found: dict[str, list[Presented]] = {}
    for name, tokens in presentations.items():
        asked = query.credentials.get(name)
        if asked is None:
            raise Problem("wallet_response", "unasked.")
        found[name] = [presented.verify(call, asked, token, session) for token in tokens]
    try:
        dcql_match.check(query, {name: [one.candidate for one in each] for name, each in found.items()})
    except NotMetError as error:
        place = f"{error.credential}: " if error.credential else ""
        raise Problem("wallet_presentation", f"{place}{error.code}.") from None
    return {"presented": [_kept(call, query.credentials[name], one) for name, each in found.items() for one in each]}


def report(call: Call, kept: Sequence[Mapping[str, Any]], asker: Asker, *, matter: str | None) -> Report:
    """Return the report on what was presented, and write each look on its holder's record.

    Raises:
        Problem: quota_exceeded.
    """
    admit(call, asker, matter=None, subject=None, number=None)
    made = Report("wallet")
    holders = {holder for one in kept if (holder := _add(call, made, one, asker, matter)) is not None}
    if len(holders) > 1:
        made.checks.append(Check("holder", Result.NOTICE, "these licences have more than one holder"))
    if not made.licences:
        facts: dict[str, Any] = {"scanned": made.scanned, "reasons": made.reasons, "operator": asker.operator}
        audit.record(call, Deed.VERIFIED, **facts)
    return made


def elsewhere(kept: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what was disclosed of credentials from elsewhere: of these alone the register says nothing."""
    return [
        {"id": one["id"], **{name: one["foreign"][name] for name in ("issuer", "type", "claims")}}
        for one in kept
        if one["foreign"] is not None
    ]


def _kept(call: Call, asked: CredentialQuery, one: Presented) -> dict[str, Any]:
    """Return what is kept of a presentation: whose it is by its place, and of what it disclosed, that which was asked.

    A copy in a wallet need not name its licence: its issuer knows it by the place in the status lists.
    """
    known = None if one.place is None else copies.licence_at(call, one.place)
    met = dcql_match.claims_met(asked, one.candidate.claims) or ()
    wanted = {str(claim.path[0] if asked.format == SD_JWT else claim.path[-1]) for claim in met}
    told = [name for name in one.disclosed if asked.format == JWT_VC or name in wanted]
    foreign = None
    if one.foreign is not None:
        claims = {name: one.candidate.claims[name] for name in sorted(wanted & one.candidate.claims.keys())}
        foreign = {
            "issuer": one.foreign.issuer,
            "type": one.foreign.type,
            "claims": claims,
            "reason": one.foreign.reason,
        }
    return {
        "id": asked.id,
        "foreign": foreign,
        "identifier": one.identifier if known is None else known[1],
        "fields": claim_names.fields_told(told),
        "is_bound": one.candidate.is_bound,
        "place": one.place,
        "begins": one.begins,
        "ends": one.ends,
    }


def _add(call: Call, made: Report, one: Mapping[str, Any], asker: Asker, matter: str | None) -> str | None:
    """Add one presentation to the report; return whose licence it shows, None where the register has none such."""
    made.checks.append(Check("credential", Result.OK, one["id"]))
    bound = Result.OK if one["is_bound"] else Result.NOTICE
    made.checks.append(Check("holder_binding", bound, "" if one["is_bound"] else "whoever has a copy could show it"))
    if one["foreign"] is not None:
        made.checks += [check for check in (_period(call, one), _of_elsewhere(one["foreign"])) if check is not None]
        return None
    made.checks += [check for check in (_period(call, one), _status(call, one)) if check is not None]
    licence = find_any(call, one["identifier"])
    if licence is None:
        made.checks.append(Check("register", Result.FAIL, "not in the register", Reason.ISSUER_UNKNOWN))
        return None
    verify.add_presented(call, made, licence, asker, one["fields"], matter=matter)
    return licence.subject


def _period(call: Call, one: Mapping[str, Any]) -> Check | None:
    """Return what is wrong with the copy's own dates."""
    moment = call.now.timestamp()
    if one["ends"] is not None and moment >= one["ends"]:
        return Check("copy_period", Result.FAIL, "the copy has run out: its holder gets a new one", Reason.EXPIRED)
    if one["begins"] is not None and moment + _LEEWAY < one["begins"]:
        return Check("copy_period", Result.FAIL, "the copy does not hold yet", Reason.NOT_YET_VALID)
    return None


def _of_elsewhere(foreign: Mapping[str, Any]) -> Check:
    """Return what was known of a credential from elsewhere when it came."""
    if foreign["reason"] is None:
        return Check("register", Result.NOTICE, f"issued elsewhere: {foreign['issuer']}")
    reason = Reason(foreign["reason"])
    result = Result.NOT_CHECKED if reason is Reason.STATUS_STALE else Result.FAIL
    return Check("copy_status", result, f"issued elsewhere: {foreign['issuer']}", reason)


def _status(call: Call, one: Mapping[str, Any]) -> Check | None:
    """Return what our status lists say of this very copy; its holder may have revoked it, the licence holding on."""
    if one["place"] is None:
        return None
    entry = call.session.get(StatusEntry, one["place"])
    status = Status.VALID if entry is None else Status(entry.value)
    if status is not Status.VALID:
        return Check("copy_status", Result.FAIL, str(status.name).lower(), _STATUS[status])
    if entry is None or entry.licence_key != key_of(one["identifier"]):
        return Check("copy_status", Result.FAIL, "no such place in our lists", Reason.DOCUMENT_ALTERED)
    return Check("copy_status", Result.OK)
