from datetime import UTC, datetime, timedelta

import pytest

from keys.keyfile import KeyFile, KeyInfo, Purpose, RingError, State
from keys.signer import Algorithm, generate_private, load_private
from keys.snapshot import build

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def signing_key(state: State, *, activated_at: datetime | None = None, private: str = "") -> KeyFile:
    private = private or generate_private(Algorithm.ES256)
    kid = load_private(Algorithm.ES256, private).kid
    return KeyFile(KeyInfo(Purpose.LICENCE, kid, "ES256", state, NOW, activated_at), private)


def secret_key(private: str) -> KeyFile:
    return KeyFile(KeyInfo(Purpose.FIELDS, "0" * 16, "secret", State.ACTIVE, NOW, NOW), private)


@pytest.mark.parametrize("state", list(State))
def test_who_may_meet_what(state):
    key = signing_key(state)
    snapshot = build([key], {})
    assert (key.info.kid in snapshot.public[Purpose.LICENCE]) is (state not in {State.REVOKED, State.ERASED})
    assert (snapshot.active == {Purpose.LICENCE: key.info.kid}) is (state is State.ACTIVE)
    assert snapshot.files == {key.info.kid: key}


def test_newest_of_two_active_keys_wins():
    older = signing_key(State.ACTIVE, activated_at=NOW)
    newer = signing_key(State.ACTIVE, activated_at=NOW + timedelta(seconds=1))
    for order in ([older, newer], [newer, older]):
        assert build(order, {}).active[Purpose.LICENCE] == newer.info.kid


def test_known_signers_are_taken_over():
    key = signing_key(State.ACTIVE)
    first = build([key], {})
    assert build([key], first.signers).signers[key.info.kid] is first.signers[key.info.kid]


def test_one_id_for_two_keys_is_refused():
    key = signing_key(State.ACTIVE)
    with pytest.raises(RingError, match="share"):
        build([key, key], {})


@pytest.mark.parametrize("private", ["", "AAAA", "A" * 44, "A" * 42 + "==", "é" * 44])
def test_damaged_secret_is_refused(private):
    with pytest.raises(RingError, match="damaged"):
        build([secret_key(private)], {})


def test_private_key_of_another_id_is_refused():
    key = signing_key(State.ACTIVE)
    with pytest.raises(RingError, match="damaged"):
        build([KeyFile(key.info, generate_private(Algorithm.ES256))], {})
    with pytest.raises(RingError, match="damaged"):
        build([KeyFile(key.info, "no key")], {})
