"""Open the record of a licence and judge the seal on it; a sealed document likewise (验章).

SQLite has one writer, and every look writes. Judging a seal costs more than all that a look writes, a document's a
hundred times as much, and hangs on nothing that is decided while the writer's lock is held. So an operation that looks
may have it done before, in a transaction that only reads, while others write: `foresee_code`, `foresee_scan`.

What was found there decides nothing. The look reads every row anew, and takes over what was found for the very same
row, each column equal, or for the very same bytes; anything else is judged as if nothing had been foreseen. A
certificate that is revoked while a look waits for its turn counts from the next look on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from keys.fields import FieldError
from keys.verdict import Check, Reason, Result
from licences import artefacts, identifier, portions, show
from licences.artefacts import Record
from licences.change import find_held
from licences.models import Licence
from seals.verify import verify as verify_seal

if TYPE_CHECKING:
    from collections.abc import Collection

    from idservice.call import Call
    from licences.portions import Walk
    from licences.scan import Scan
    from seals.report import SealReport


@dataclass(frozen=True, slots=True)
class Judged:
    """A licence as its row stands, its record, and whether the department's seal holds on that."""

    licence: Licence
    record: Record
    seal: Check


@dataclass(frozen=True, slots=True)
class Foresight:
    """What was found before the transaction that writes: licences by identifier, and a document with its report."""

    licences: Mapping[str, Judged] = field(default_factory=dict)
    document: tuple[bytes, SealReport] | None = None


def judge(call: Call, licence: Licence) -> Judged:
    """Return the record of a licence, opened, and the check of the seal on it.

    Raises:
        FieldError: the record cannot be opened.
    """
    if isinstance(call.foreseen, Foresight):
        found = call.foreseen.licences.get(licence.identifier)
        if found is not None and found.licence == licence:
            return found
    record = artefacts.open_record(call, licence)
    return Judged(licence, record, seal_check(call, licence, record))


def judge_document(call: Call, data: bytes) -> SealReport:
    """Return the report on the seals of a file, at this instant."""
    if isinstance(call.foreseen, Foresight) and call.foreseen.document is not None:
        judged, report = call.foreseen.document
        if judged == data:
            return report
    return verify_seal(call, data)


def seal_check(call: Call, licence: Licence, record: Record, walk: Walk | None = None) -> Check:
    """Return whether the department's seal holds on the record of a licence; `walk` is of one over many."""
    verdict = portions.judge(call, licence, record, walk)
    if verdict.ok:
        return Check("seal", Result.OK)
    failed = [check for check in verdict.checks if check.reason is not None]
    reason = next((check.reason for check in failed), Reason.SEAL_INVALID)
    result = Result.FAIL if any(check.result is Result.FAIL for check in failed) else Result.NOT_CHECKED
    return Check("seal", result, ", ".join(check.name for check in failed), reason)


def foresee_code(call: Call, text: str, types: Collection[str] | None = None) -> Foresight:
    """Return what a look at the licences of a show code will need; of those types alone, where they are given.

    Whoever holds a code that lives is told of its licences; for any other text nothing is read, so the time this takes
    tells nobody what he could not ask.
    """
    code = show.find_code(text)
    if code is None:
        return Foresight()
    with call.house.database.turn:
        return Foresight(_shown(call, code, types))


def _shown(call: Call, code: str, types: Collection[str] | None) -> dict[str, Judged]:
    waiting = show.waiting(call, code)
    if waiting is None:
        return {}
    found = {}
    for shown in waiting.licences:
        if types is not None and identifier.type_code(shown) not in types:
            continue
        licence = find_held(call, waiting.subject, shown)
        with contextlib.suppress(FieldError, ValueError):  # the look itself says what is wrong with it
            if licence is not None and (judged := judge(call, licence)).record.metadata is not None:
                found[shown] = judged
    return found


def foresee_scan(call: Call, scan: Scan) -> Foresight:
    """Return what the verification of what was scanned will need."""
    if scan.document is not None:
        return Foresight(document=(scan.document, verify_seal(call, scan.document)))
    return foresee_code(call, scan.text or "")
