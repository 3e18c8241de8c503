import fcntl
import json
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keys import ring as ring_module
from keys.ring import NAMED, KeyRing, Purpose, RingError, State

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=90)
SIGNING = [purpose for purpose in Purpose if purpose.algorithm and purpose not in NAMED]
SECRET = [purpose for purpose in Purpose if not purpose.algorithm]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def ring(directory: Path) -> KeyRing:
    made = KeyRing.open(directory, create=True)
    made.ensure_all(NOW)
    return made


def state_of(ring: KeyRing, kid: str) -> State:
    return next(info.state for info in ring.list() if info.kid == kid)


def test_missing_ring_names_the_command(directory):
    with pytest.raises(RingError, match="flask keys new"):
        KeyRing.open(directory)
    assert not directory.exists()


def test_empty_ring_refuses_to_sign_and_names_the_command(directory):
    empty = KeyRing.open(directory, create=True)
    with pytest.raises(RingError, match="flask keys new"):
        empty.signer(Purpose.ID_TOKEN)
    with pytest.raises(RingError, match="flask keys new"):
        empty.secret(Purpose.FIELDS)
    assert empty.public(Purpose.ID_TOKEN) == {}
    assert empty.jwks(*SIGNING) == {"keys": []}


@pytest.mark.parametrize("purpose", SIGNING)
def test_every_signing_purpose_signs_with_its_algorithm(ring, purpose):
    signer = ring.signer(purpose)
    assert signer.algorithm == purpose.algorithm
    assert ring.public(purpose)[signer.kid].verify(b"data", signer.sign(b"data"))
    with pytest.raises(RingError):
        ring.secret(purpose)


@pytest.mark.parametrize("purpose", SECRET)
def test_every_secret_has_32_bytes_of_its_own(ring, purpose):
    assert len(ring.secret(purpose)) == 32
    assert ring.secrets(purpose) == {ring.active_secret_id(purpose): ring.secret(purpose)}
    with pytest.raises(RingError):
        ring.signer(purpose)


def test_no_key_serves_two_purposes(ring):
    assert len({ring.secret(purpose) for purpose in SECRET}) == len(SECRET)
    assert len({info.kid for info in ring.list()}) == len(SIGNING) + len(SECRET)


def test_ensure_all_makes_nothing_twice(ring):
    before = ring.list()
    ring.ensure_all(LATER)
    assert ring.list() == before


def test_same_ring_again(ring, directory):
    again = KeyRing.open(directory)
    assert again.list() == ring.list()
    assert again.secret(Purpose.FIELDS) == ring.secret(Purpose.FIELDS)
    assert again.signer(Purpose.LICENCE).kid == ring.signer(Purpose.LICENCE).kid


def test_pending_is_published_before_it_signs(ring):
    old = ring.signer(Purpose.ID_TOKEN)
    kid = ring.new(Purpose.ID_TOKEN, now=LATER)
    assert ring.signer(Purpose.ID_TOKEN).kid == old.kid
    assert kid in ring.public(Purpose.ID_TOKEN)
    assert ring.rotate(Purpose.ID_TOKEN, now=LATER) == kid == ring.signer(Purpose.ID_TOKEN).kid
    assert state_of(ring, old.kid) is State.RETIRED
    assert ring.public(Purpose.ID_TOKEN)[old.kid].verify(b"old token", old.sign(b"old token"))
    assert {key["kid"] for key in ring.jwks(Purpose.ID_TOKEN)["keys"]} == {kid, old.kid}


def test_rotate_without_pending_makes_a_key(ring):
    old = ring.active_secret_id(Purpose.FIELDS)
    new = ring.rotate(Purpose.FIELDS, now=LATER)
    assert ring.active_secret_id(Purpose.FIELDS) == new != old
    assert set(ring.secrets(Purpose.FIELDS)) == {old, new}


def test_rotate_takes_the_oldest_pending(ring):
    second = ring.new(Purpose.TRUST, now=LATER + timedelta(days=1))
    first = ring.new(Purpose.TRUST, now=LATER)
    assert ring.rotate(Purpose.TRUST, now=LATER) == first
    assert state_of(ring, second) is State.PENDING


def test_revoked_is_trusted_no_more_and_its_purpose_stops(ring):
    kid = ring.signer(Purpose.LICENCE).kid
    ring.revoke(kid)
    assert ring.is_revoked(kid)
    assert not ring.is_revoked("0" * 16)
    assert kid not in ring.public(Purpose.LICENCE)
    assert ring.jwks(Purpose.LICENCE) == {"keys": []}
    with pytest.raises(RingError):
        ring.signer(Purpose.LICENCE)
    ring.new(Purpose.LICENCE, now=LATER)
    assert ring.signer(Purpose.LICENCE).kid != kid
    with pytest.raises(RingError):
        ring.retire(kid)


def test_retire_pending_but_not_active(ring):
    pending = ring.new(Purpose.ID_TOKEN, now=LATER)
    ring.retire(pending)
    assert state_of(ring, pending) is State.RETIRED
    with pytest.raises(RingError, match="rotate"):
        ring.retire(ring.signer(Purpose.ID_TOKEN).kid)
    with pytest.raises(RingError, match="already"):
        ring.retire(pending)


@pytest.mark.parametrize("kid", ["", "0" * 16, "../../etc/passwd"])
def test_unknown_kid(ring, kid):
    with pytest.raises(RingError, match="no key"):
        ring.retire(kid)
    with pytest.raises(RingError, match="no key"):
        ring.revoke(kid)


def test_seal_keys_have_names(ring, directory):
    public = ring.new_seal_key("章/../../x", now=NOW)
    signer = ring.seal_signer("章/../../x")
    assert signer.kid == public.kid
    assert signer.algorithm == "SM2"
    assert public.verify(b"data", signer.sign(b"data"))
    assert KeyRing.open(directory).seal_signer("章/../../x").kid == public.kid
    with pytest.raises(RingError, match="exists"):
        ring.new_seal_key("章/../../x")
    with pytest.raises(RingError):
        ring.seal_signer("other")
    ring.retire(public.kid)
    with pytest.raises(RingError):
        ring.seal_signer("章/../../x")
    assert ring.new_seal_key("章/../../x").kid != public.kid


@pytest.mark.parametrize("act", ["signer", "secret", "new", "rotate"])
def test_seal_purpose_is_not_used_without_a_name(ring, act):
    with pytest.raises(RingError):
        getattr(ring, act)(Purpose.SEAL, **({"now": NOW} if act in {"new", "rotate"} else {}))


def test_jwks_has_no_private_member(ring):
    ring.new_seal_key("a", now=NOW)
    for key in ring.jwks(*SIGNING, Purpose.SEAL)["keys"]:
        assert set(key) <= {"kty", "crv", "x", "y", "kid", "alg", "use"}
        assert key["use"] == "sig"


def test_nothing_prints_private_material(ring, directory):
    ring.new_seal_key("a", now=NOW)
    shown = f"{ring!r} {ring.list()!r} {ring._snapshot!r}"
    for path in directory.rglob("*.json"):
        for line in json.loads(path.read_text())["private"].splitlines():
            assert line not in shown
    for purpose in SECRET:
        assert repr(ring.secret(purpose))[2:-1] not in shown
    assert "PRIVATE" not in shown


def test_readers_cannot_change_the_ring(ring):
    with pytest.raises(TypeError):
        ring.public(Purpose.LICENCE)["x"] = None
    with pytest.raises(TypeError):
        ring.secrets(Purpose.FIELDS)["x"] = b""


def test_time_needs_a_zone(ring):
    with pytest.raises(RingError):
        ring.new(Purpose.LICENCE, now=datetime(2026, 3, 1))  # noqa: DTZ001 (that is the point)


def test_another_process_sees_a_rotation_within_a_second(ring, directory, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(ring_module.time, "monotonic", lambda: clock[0])
    other = KeyRing.open(directory)
    new = ring.rotate(Purpose.ACCESS_TOKEN, now=LATER)
    clock[0] += 0.5
    assert other.signer(Purpose.ACCESS_TOKEN).kid != new
    clock[0] += 0.6
    assert other.signer(Purpose.ACCESS_TOKEN).kid == new


def test_at_once(ring, directory):
    other = KeyRing.open(directory)
    new = ring.rotate(Purpose.ACCESS_TOKEN, now=LATER)
    other.reload_if_changed(at_once=True)
    assert other.signer(Purpose.ACCESS_TOKEN).kid == new


def test_at_most_one_look_a_second(ring, monkeypatch):
    clock, looks = [1000.0], []
    monkeypatch.setattr(ring_module.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(ring, "_looked_at", 1000.0)
    stamp = ring._stamp()
    monkeypatch.setattr(ring, "_stamp", lambda: looks.append(clock[0]) or stamp)
    for _ in range(1000):
        ring.signer(Purpose.ACCESS_TOKEN)
        clock[0] += 0.01
    assert 9 <= len(looks) <= 10


def test_damaged_ring_goes_on_failing(ring, directory, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(ring_module.time, "monotonic", lambda: clock[0])
    other = KeyRing.open(directory)
    ring.rotate(Purpose.ACCESS_TOKEN, now=LATER)
    next((directory / "licence").glob("*.json")).write_text("{}")
    clock[0] += 2
    for _ in range(3):
        with pytest.raises(RingError, match="not a key file"):
            other.signer(Purpose.ACCESS_TOKEN)


def test_crash_between_the_two_writes_of_a_rotation(ring, directory, monkeypatch):
    old = ring.signer(Purpose.LICENCE).kid
    real, written = ring_module.write, []

    def dies_at_the_second(folder, key, safe):
        written.append(key)
        if len(written) == 2:
            raise OSError("no space left")
        real(folder, key, safe)

    monkeypatch.setattr(ring_module, "write", dies_at_the_second)
    with pytest.raises(OSError, match="no space"):
        ring.rotate(Purpose.LICENCE, now=LATER)
    monkeypatch.undo()
    again = KeyRing.open(directory)
    assert again.signer(Purpose.LICENCE).kid == ring.signer(Purpose.LICENCE).kid != old
    newest = again.rotate(Purpose.LICENCE, now=LATER + timedelta(days=1))
    assert [info.kid for info in again.list() if info.state is State.ACTIVE and info.purpose is Purpose.LICENCE] == [
        newest
    ]


def test_processes_creating_at_once_make_one_ring(directory):
    program = (
        "import sys, pathlib, datetime; from keys.ring import KeyRing\n"
        "ring = KeyRing.open(pathlib.Path(sys.argv[1]), create=True); sys.stdin.readline()\n"
        "ring.ensure_all(datetime.datetime.now(datetime.UTC))\n"
    )
    root = Path(__file__).parents[3]
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(directory)], stdin=subprocess.PIPE, cwd=root)
        for _ in range(3)
    ]
    for process in running:
        process.stdin.write(b"\n")
        process.stdin.close()
    assert [process.wait(30) for process in running] == [0, 0, 0]
    assert len(KeyRing.open(directory).list()) == len(SIGNING) + len(SECRET)


def test_change_waits_for_the_lock(ring, directory):
    with (directory / "lock").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        changing = threading.Thread(target=ring.rotate, args=(Purpose.LICENCE,), kwargs={"now": LATER})
        changing.start()
        changing.join(0.2)
        assert changing.is_alive()
        assert len(list((directory / "licence").glob("*.json"))) == 1
    changing.join(10)
    assert len(list((directory / "licence").glob("*.json"))) == 2


def test_threads_share_a_ring_while_it_rotates(ring):
    failures: list[Exception] = []
    stop = threading.Event()

    def use() -> None:
        while not stop.is_set():
            try:
                signer = ring.signer(Purpose.ACCESS_TOKEN)
                assert ring.public(Purpose.ACCESS_TOKEN)[signer.kid].verify(b"x", signer.sign(b"x"))
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    for step in range(10):
        ring.rotate(Purpose.ACCESS_TOKEN, now=LATER + timedelta(seconds=step))
    stop.set()
    for thread in threads:
        thread.join(10)
    assert failures == []
    assert len(ring.public(Purpose.ACCESS_TOKEN)) == 11


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_ring_can_be_read(ring, directory):
    directory.chmod(0o500)
    try:
        assert KeyRing.open(directory).signer(Purpose.LICENCE).kid == ring.signer(Purpose.LICENCE).kid
    finally:
        directory.chmod(0o700)
