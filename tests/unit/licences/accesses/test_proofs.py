"""A log that contradicts itself proves nothing, and says so."""

import pytest
from sqlalchemy import update

from idservice import audit
from idservice.errors import Problem
from idservice.log.sequencer import sequence
from idservice.models import LogCheckpoint
from licences.accesses import proofs
from tests.town import BOB, Town, now


def test_a_damaged_log_is_no_fault_of_the_holder_s(town: Town) -> None:
    subject, caller = town.subjects[BOB], town.caller(BOB)
    record = town.act(lambda call: audit.record_access(call, audit.Deed.CLAIMS_RELEASED, subject=subject, facts={}))
    with pytest.raises(Problem, match="not_in_log_yet"):
        town.act(lambda call: proofs.prove(call, record), caller=caller)
    sequence(town.house, now())
    assert town.act(lambda call: proofs.prove(call, record), caller=caller)["id"] == record
    town.act(lambda call: call.session.execute(update(LogCheckpoint).values(note="x/log\n1\nAAAA\n\n— x/log AAAA\n")))
    with pytest.raises(Problem, match="log_damaged"):
        town.act(lambda call: proofs.prove(call, record), caller=caller)
