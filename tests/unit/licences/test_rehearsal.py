"""What does not hold is refused before it is stored."""

import pytest

from idservice.errors import Problem
from keys.verdict import Check, Reason, Result
from licences import artefacts, rehearsal
from seals.report import Format, SealReport, SignatureReport
from tests.town import Town


def test_a_credential_that_does_not_verify_is_refused(town: Town) -> None:
    licence = town.issue()
    made = town.act(lambda call: artefacts.credential(call, licence))
    assert made is not None
    town.act(lambda call: rehearsal.refuse_credential(call, made))
    head, _, rest = made.partition("~")
    with pytest.raises(Problem) as refused:
        town.act(lambda call: rehearsal.refuse_credential(call, f"{head[:-4]}AAAA~{rest}"))
    assert refused.value.code == "rehearsal_failed"


def test_a_seal_that_does_not_hold_is_refused_by_name() -> None:
    wrong = Check("signature", Result.FAIL, "", Reason.SEAL_INVALID)
    with pytest.raises(Problem) as refused:
        rehearsal.refuse_seal(SealReport(Format.SIGNATURE, (SignatureReport(checks=(wrong,)),)))
    assert refused.value.code == "rehearsal_failed"
    assert "signature" in refused.value.detail
