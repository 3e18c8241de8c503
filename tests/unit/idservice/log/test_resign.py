"""A checkpoint key is revoked: the log stands still until somebody vouches for it with a new key."""

from pathlib import Path

import pytest

from idservice.call import House
from idservice.log import tree
from idservice.log.findings import Code
from idservice.log.resign import resign
from idservice.log.sequencer import sequence
from keys.ring import Purpose
from tests.unit.idservice.log.deeds import NOON, change, check, fill, newest_note, record


def revoke(house: House) -> None:
    """Revoke the checkpoint key and make another one."""
    house.keys.revoke(house.keys.signer(Purpose.CHECKPOINT).kid)
    house.keys.new(Purpose.CHECKPOINT, now=NOON)


def test_a_revoked_key_stops_the_log_until_it_is_signed_anew(house: House, checkpoint_file: Path) -> None:
    fill(house, 3, 300)
    revoke(house)
    record(house, 2)
    assert {f.code for f in check(house).findings} == {Code.CHECKPOINT_MISSING, Code.CHECKPOINT_INVALID}
    with pytest.raises(tree.LogDamagedError):
        sequence(house, NOON)

    assert resign(house, NOON) == 2
    assert checkpoint_file.read_text() == newest_note(house)
    assert check(house).ok
    assert sequence(house, NOON) == 2
    assert check(house, [checkpoint_file.read_text()]).ok


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_entry SET actor = 'person:nobody' WHERE log_index = 250",
        "DELETE FROM audit_entry WHERE log_index = 302",
        "DELETE FROM log_tile WHERE level = 1",
        "UPDATE log_checkpoint SET note = 'x' WHERE size = 3",
        "DELETE FROM log_checkpoint WHERE size = 303",
    ],
)
def test_a_damaged_log_is_not_signed_anew(house: House, sql: str) -> None:
    fill(house, 3, 300)
    revoke(house)
    assert change(house, sql) == 1
    before = newest_note(house)
    with pytest.raises(tree.LogDamagedError):
        resign(house, NOON)
    assert newest_note(house) == before


def test_nothing_is_signed_anew_beside_a_sequencer(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(house, 3)
    monkeypatch.setattr(type(house.database), "try_lock", lambda *_: False)
    with pytest.raises(tree.LogDamagedError, match="sequencer"):
        resign(house, NOON)
