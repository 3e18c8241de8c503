"""Rehearse what was just made (签发自检) with the verifier everybody else uses: what does not hold is not stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idservice.errors import Kind, Problem, register
from keys.ring import Purpose
from keys.verdict import Result
from licences.formats import sdjwt
from seals.stamp import export
from seals.verify import refuse_revoked, verify

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.artefacts import Record
    from seals.report import SealReport
    from seals.stamp import Stamp

register({"rehearsal_failed": Kind(500, "签发自检未通过，未签发", "The rehearsal failed; nothing was issued")})


def rehearse(call: Call, record: Record, stamped: Stamp, credential: str, code: str) -> None:
    """Verify what was just made with the verifier everybody else uses; what does not hold is not stored.

    Raises:
        Problem: seal_certificate_revoked or rehearsal_failed.
    """
    refuse_credential(call, credential)
    sealed = export(call, stamped, document=record.content, name=code)
    refuse_seal(verify(call, sealed, document=record.content))


def refuse_credential(call: Call, credential: str) -> None:
    """Refuse a credential that does not hold.

    Raises:
        Problem: rehearsal_failed.
    """
    try:
        keys = call.keys.public(Purpose.LICENCE)
        sdjwt.verify(credential, keys=keys, issuer=call.settings.signs_as, now=call.now)
    except sdjwt.SDJWTError as error:
        raise Problem("rehearsal_failed", f"The credential does not verify: {error.code}.") from None


def refuse_seal(report: SealReport) -> None:
    """Refuse a seal that, by its report, does not hold.

    Raises:
        Problem: seal_certificate_revoked or rehearsal_failed.
    """
    if not report.ok:
        refuse_revoked(report)
        wrong = [c.name for s in report.signatures for c in s.checks if c.result in {Result.FAIL, Result.NOT_CHECKED}]
        raise Problem("rehearsal_failed", f"The seal does not verify: {', '.join(wrong)}.")
