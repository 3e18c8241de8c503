"""The holder's proof that a look at his data stands in the tamper-evident log, for him to check without us.

The log holds a salted commitment to the audit row, and the row the digest of what the holder reads. `entry`, `salt` and
`facts` open both; `examples/check_access.py` checks them with nothing but the log's verifier key.
"""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any

import structlog

from idservice import accesses
from idservice.errors import Kind, Problem, register
from idservice.log import proof, tree
from keys.tlog_proof import TlogProof

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idservice.call import Call
    from idservice.models import AccessRecord

log = structlog.get_logger(__name__)

register(
    {
        "not_in_log_yet": Kind(409, "记录尚未进入防篡改日志，请稍后再试", "The record is not in the log yet"),
        "log_damaged": Kind(503, "防篡改日志无法核对", "The tamper-evident log contradicts itself"),
    }
)

SOON = "5"  # seconds


def prove(call: Call, record_id: str) -> dict[str, Any]:
    """Return the proof of one look at the caller's own data.

    Raises:
        Problem: forbidden; not_found; not_in_log_yet, with Retry-After.
    """
    record = accesses.find(call, record_id)
    found = of_records(call, [record]).get(record_id)
    if found is None:
        raise Problem("not_in_log_yet", "The log takes it in within a few seconds.", headers={"Retry-After": SOON})
    return found


def of_records(call: Call, records: Sequence[AccessRecord]) -> dict[str, dict[str, Any]]:
    """Return the proofs of records, all under one checkpoint, by identifier; those not in the log are left out."""
    try:
        proved = proof.prove_all(call.session, [record.audit_id for record in records], tree.opener(call.house))
    except tree.LogDamagedError as error:
        log.error("log.damaged", reason=str(error)[:300])  # noqa: TRY400 - the reason says where
        raise Problem("log_damaged", "The operator must look at the log.") from None
    return {
        record.record_id: _shown(record.record_id, proved[record.audit_id], accesses.text_of(call, record))
        for record in records
        if record.audit_id in proved
    }


def _shown(record_id: str, found: dict[str, Any], facts: str) -> dict[str, Any]:
    path = tuple(map(b64decode, found["proof"]))
    portable = TlogProof(found["log_index"], path, found["checkpoint"], b64decode(found["leaf"])).text()
    return {"id": record_id, **found, "facts": facts, "tlog_proof": portable}
