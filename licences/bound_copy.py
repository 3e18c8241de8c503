"""Judge a wallet's copy that comes without its holder's proof (未证明持有的钱包副本): scanned, pasted or handed on.

Such a copy names its holder's key, and whoever once saw the copy could show it: it holds only where the key is proven
to who asks (`licences.wallets.presentation`). What else is wrong with it is said all the same, and nothing of its face.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from keys.verdict import Check, Reason, Result
from licences.formats import jwt_vc
from licences.status import entries
from licences.status.models import StatusEntry
from licences.status.token_list import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idservice.call import Call
    from licences.formats import mdoc

#: What stands in the lists' rows as the form of a wallet's copy.
FORM: Final = "wallet"
UNPROVEN: Final = Check(
    "holder_binding",
    Result.NOT_CHECKED,
    "whoever has seen the copy could show it: ask the holder's wallet",
    Reason.HOLDER_UNPROVEN,
)
_LEEWAY: Final = 300  # seconds that clocks may differ
_STATUS: Final = {
    Status.VALID: Check("copy_status", Result.OK),
    Status.INVALID: Check("copy_status", Result.FAIL, "it has ended", Reason.REVOKED),
    Status.SUSPENDED: Check("copy_status", Result.FAIL, "", Reason.SUSPENDED),
}


def of_sd_jwt(call: Call, claims: Mapping[str, Any]) -> list[Check] | None:
    """Return what holds of an SD-JWT VC that we signed, None where it is no wallet's."""
    return _judge(call, claims.get("status"), claims.get("nbf"), claims.get("exp"))


def of_mdoc(call: Call, found: mdoc.Verified) -> list[Check] | None:
    """Return what holds of an mdoc that we signed, None where it is no wallet's."""
    return _judge(call, found.status, found.validity.begins.timestamp(), found.validity.ends.timestamp())


def of_jwt_vc(call: Call, claims: Mapping[str, Any]) -> list[Check] | None:
    """Return what holds of a JWT VC that we signed, None where it is no wallet's."""
    begins = datetime.fromisoformat(claims["validFrom"]).astimezone(UTC).timestamp()
    return _judge(call, jwt_vc.reference_of(claims), begins, claims.get("exp"))


def period(begins: float | None, ends: float | None, now: datetime) -> list[Check]:
    """Return what is wrong with a copy's own dates (Unix seconds), nothing where they hold."""
    moment = now.timestamp()
    if ends is not None and moment >= ends:
        return [Check("copy_period", Result.FAIL, "the copy has run out: its holder gets a new one", Reason.EXPIRED)]
    if begins is not None and moment + _LEEWAY < begins:
        return [Check("copy_period", Result.FAIL, "the copy does not hold yet", Reason.NOT_YET_VALID)]
    return []


def _judge(call: Call, status: object, begins: float | None, ends: float | None) -> list[Check] | None:
    place = entries.place_of(call, status)
    entry = None if place is None else call.session.get(StatusEntry, place)
    if entry is None or entry.form != FORM:
        return None
    return [Check("credential", Result.OK), *period(begins, ends, call.now), _STATUS[Status(entry.value)], UNPROVEN]
