"""An inclusion proof convinces somebody who has the verifier key, and no other row than its own."""

import base64

import pytest

from idservice.call import House
from idservice.log import tree
from idservice.log.proof import NotInLogError, prove
from keys.merkle import leaf_hash, verify_inclusion
from tests.unit.idservice.log.deeds import ask, change, fill, record


def proof_of(house: House, entry_id: str):
    return house.database.run(lambda session: prove(session, entry_id, tree.opener(house)), write=False)


@pytest.mark.parametrize("place", [0, 1, 255, 256, 299])
def test_a_proof_leads_to_the_signed_root(house: House, place: int) -> None:
    fill(house, 256, 44)
    (row,) = ask(house, "SELECT entry_id FROM audit_entry WHERE log_index = :place", place=place)
    found = proof_of(house, row.entry_id)
    checkpoint = tree.opener(house)(found["checkpoint"])
    leaf = leaf_hash(base64.b64decode(found["leaf"]))
    path = [base64.b64decode(node) for node in found["proof"]]
    assert found["log_index"] == place
    assert verify_inclusion(leaf, place, checkpoint.size, path, checkpoint.root)
    assert not verify_inclusion(leaf, place + 1, checkpoint.size, path, checkpoint.root)


def test_an_entry_that_is_not_in_the_log(house: House) -> None:
    fill(house, 2)
    (waiting,) = record(house, 1)
    with pytest.raises(NotInLogError, match="no such entry"):
        proof_of(house, "0" * 32)
    with pytest.raises(NotInLogError, match="not in the log yet"):
        proof_of(house, waiting)


def test_a_changed_entry_has_no_proof(house: House) -> None:
    fill(house, 5)
    (row,) = ask(house, "SELECT entry_id FROM audit_entry WHERE log_index = 3")
    change(house, "UPDATE audit_entry SET outcome = 'refused' WHERE log_index = 3")
    with pytest.raises(tree.LogDamagedError):
        proof_of(house, row.entry_id)
    change(house, "DELETE FROM log_tile")
    with pytest.raises(tree.LogDamagedError):
        proof_of(house, row.entry_id)
