import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keys.fields import FieldCipher, FieldError
from keys.ring import KeyRing, Purpose

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLACE = {"table": "person", "column": "name_sealed", "row": "42"}
VALUE = "示例 demonstration".encode()


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    made = KeyRing.open(tmp_path / "keys", create=True)
    made.ensure_all(NOW)
    return made


@pytest.fixture
def cipher(ring: KeyRing) -> FieldCipher:
    return FieldCipher(ring)


def test_round_trip_and_size(cipher):
    for value in (b"", VALUE, bytes(100_000)):
        sealed = cipher.seal(value, **PLACE)
        assert len(sealed) == len(value) + 37
        assert cipher.open(sealed, **PLACE) == value


def test_same_value_never_looks_the_same(cipher):
    sealed = [cipher.seal(VALUE, **PLACE) for _ in range(100)]
    assert len(set(sealed)) == len({blob[9:21] for blob in sealed}) == 100


@pytest.mark.parametrize(
    "other",
    [
        {"row": "43"},
        {"row": ""},
        {"column": "phone_sealed"},
        {"table": "organisation"},
        {"version": 2},
        {"table": "person|name_sealed", "column": "42", "row": ""},
        {"table": "personname_sealed", "column": ""},
        {"column": "name_sealed4", "row": "2"},
    ],
    ids=repr,
)
def test_moved_value_does_not_open(cipher, other):
    sealed = cipher.seal(VALUE, **PLACE)
    with pytest.raises(FieldError):
        cipher.open(sealed, **(PLACE | other))


def test_every_changed_bit_is_found(cipher):
    sealed = cipher.seal(VALUE, **PLACE)
    for bit in range(len(sealed) * 8):
        mutant = bytearray(sealed)
        mutant[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FieldError):
            cipher.open(bytes(mutant), **PLACE)


def test_random_and_cut_blobs_are_refused(cipher):
    source = random.Random(38)
    sealed = cipher.seal(VALUE, **PLACE)
    for length in range(len(sealed)):
        for blob in (sealed[:length], source.randbytes(length)):
            with pytest.raises(FieldError):
                cipher.open(blob, **PLACE)
    with pytest.raises(FieldError):
        cipher.open(sealed + b"\0", **PLACE)


def test_old_keys_open_after_rotation(ring, cipher):
    before = cipher.seal(VALUE, **PLACE)
    ring.rotate(Purpose.FIELDS, now=NOW + timedelta(days=1))
    after = cipher.seal(VALUE, **PLACE)
    assert before[1:9] != after[1:9]
    assert cipher.open(before, **PLACE) == cipher.open(after, **PLACE) == VALUE


def test_revoked_key_opens_nothing_even_when_derived_before(ring, cipher):
    sealed = cipher.seal(VALUE, **PLACE)
    old = ring.active_secret_id(Purpose.FIELDS)
    ring.rotate(Purpose.FIELDS, now=NOW + timedelta(days=1))
    ring.revoke(old)
    with pytest.raises(FieldError, match="revoked"):
        cipher.open(sealed, **PLACE)


def test_no_failed_read_while_another_process_rotates(ring, cipher, tmp_path):
    other = FieldCipher(KeyRing.open(tmp_path / "keys"))
    for step in range(3):
        ring.rotate(Purpose.FIELDS, now=NOW + timedelta(days=step))
        assert other.open(cipher.seal(VALUE, **PLACE), **PLACE) == VALUE


def test_key_of_another_ring_does_not_open(cipher, tmp_path):
    stranger = KeyRing.open(tmp_path / "other", create=True)
    stranger.ensure_all(NOW)
    with pytest.raises(FieldError, match="unknown"):
        FieldCipher(stranger).open(cipher.seal(VALUE, **PLACE), **PLACE)


def test_index_is_stable_and_separate_by_field_and_value(cipher, ring):
    found = cipher.index("number", "A1")
    assert len(found) == 32
    assert found == cipher.index("number", "A1") == FieldCipher(ring).index("number", "A1")
    assert len({found, cipher.index("number", "A2"), cipher.index("phone", "A1"), cipher.index("numberA", "1")}) == 4


def test_index_depends_on_the_secret(cipher, tmp_path):
    stranger = KeyRing.open(tmp_path / "other", create=True)
    stranger.ensure_all(NOW)
    assert FieldCipher(stranger).index("number", "A1") != cipher.index("number", "A1")


def test_indexes_find_old_rows_in_a_rotation(cipher, ring):
    old = cipher.index("number", "A1")
    assert cipher.indexes("number", "A1") == (old,)
    pending = ring.new(Purpose.INDEX, now=NOW)
    assert len(cipher.indexes("number", "A1")) == 2
    assert ring.rotate(Purpose.INDEX, now=NOW + timedelta(days=1)) == pending
    new = cipher.index("number", "A1")
    assert cipher.indexes("number", "A1") == (new, old)


def test_a_portion_keeps_to_the_secrets_of_its_moment(cipher, ring):
    portion = cipher.for_portion()
    assert portion.for_portion() is portion
    sealed, found = portion.seal(VALUE, **PLACE), portion.indexes("number", "A1")
    assert (cipher.open(sealed, **PLACE), cipher.indexes("number", "A1")) == (VALUE, found)
    old = ring.active_secret_id(Purpose.FIELDS)
    ring.rotate(Purpose.FIELDS, now=NOW + timedelta(days=1))
    assert portion.seal(VALUE, **PLACE)[1:9].hex() == old
    assert portion.open(cipher.seal(VALUE, **PLACE), **PLACE) == VALUE, "what others seal with a newer secret is read"
    ring.revoke(old)
    with pytest.raises(FieldError, match="revoked"):
        cipher.for_portion().open(sealed, **PLACE)


def test_errors_say_nothing_of_the_content(cipher):
    sealed = cipher.seal(VALUE, **PLACE)
    with pytest.raises(FieldError) as error:
        cipher.open(sealed, **(PLACE | {"row": "110101"}))
    assert "110101" not in str(error.value)
    assert "demonstration" not in str(error.value)


def test_many_are_sealed_as_single_ones_are(cipher, ring):
    values, rows = [VALUE, b"", bytes(300)], ["1", "22", "333"]
    for _ in range(2):
        sealed = cipher.seal_many(values, table="person", column="name_sealed", rows=rows)
        assert len({blob[9:21] for blob in sealed}) == 3, "a nonce of its own for each"
        for blob, value, row in zip(sealed, values, rows, strict=True):
            assert cipher.open(blob, table="person", column="name_sealed", row=row) == value
        with pytest.raises(FieldError):
            cipher.open(sealed[0], table="person", column="name_sealed", row="22")
        ring.rotate(Purpose.FIELDS, now=NOW)
    assert cipher.seal_many([], table="person", column="name_sealed", rows=[]) == []
    with pytest.raises(ValueError, match="shorter"):
        cipher.seal_many(values, table="person", column="name_sealed", rows=["1"])


def test_many_are_found_as_single_ones_are(cipher, ring):
    values = ["a", "", "滨州"]
    assert cipher.indexes_many("subject", values) == [cipher.indexes("subject", value) for value in values]
    ring.rotate(Purpose.INDEX, now=NOW)
    found = cipher.indexes_many("subject", values)
    assert found == [cipher.indexes("subject", value) for value in values]
    assert {len(hashes) for hashes in found} == {2}
    assert cipher.indexes_many("subject", []) == []
