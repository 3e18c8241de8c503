"""What the database says about tiles, entries and checkpoints, and what it refuses to say."""

import random

import pytest

from idservice.call import House
from idservice.log import tree
from keys.merkle import HASH_SIZE, MerkleError, leaf_hash
from keys.note import NoteError
from keys.ring import Purpose
from keys.tiles import ENTRIES, Tile
from tests.builders import build_keys
from tests.unit.idservice.log.deeds import change, fill, newest_note


@pytest.mark.parametrize(
    ("issuer", "origin"),
    [("http://127.0.0.1:8000", "127.0.0.1:8000/log"), ("https://id.example.gov.cn", "id.example.gov.cn/log")],
)
def test_the_origin_is_the_host_of_the_issuer(issuer: str, origin: str) -> None:
    assert tree.origin_of(issuer) == origin


def test_tiles_and_entries_of_each_width(house: House) -> None:
    fill(house, 300)

    def read(session) -> None:
        tile = tree.read_tile(session)
        full = tile(Tile(0, 0))
        assert len(full) == 256 * HASH_SIZE
        assert tile(Tile(0, 0, 7)) == full[: 7 * HASH_SIZE]
        assert len(tile(Tile(0, 1, 44))) == 44 * HASH_SIZE
        entries = tree.entries(session, Tile(ENTRIES, 1, 44))
        assert [leaf_hash(entry) for entry in entries] == [
            tile(Tile(0, 1, 44))[n : n + HASH_SIZE] for n in range(0, 44 * HASH_SIZE, HASH_SIZE)
        ]
        for absent in (Tile(0, 1, 45), Tile(0, 1), Tile(0, 2, 1), Tile(1, 0, 2), Tile(3, 0, 1), Tile(0, 2**61)):
            with pytest.raises(MerkleError):
                tile(absent)
        for absent in (Tile(ENTRIES, 1, 45), Tile(ENTRIES, 2, 1), Tile(ENTRIES, 2**31, 1), Tile(ENTRIES, 2**61)):
            with pytest.raises(MerkleError):
                tree.entries(session, absent)

    house.database.run(read, write=False)


def test_a_bundle_with_a_hole_is_not_served(house: House) -> None:
    fill(house, 10)
    change(house, "DELETE FROM audit_entry WHERE log_index = 4")
    with pytest.raises(MerkleError):
        house.database.run(lambda session: tree.entries(session, Tile(ENTRIES, 0, 10)), write=False)


def test_a_checkpoint_opens_under_our_keys_only(house: House, tmp_path_factory: pytest.TempPathFactory) -> None:
    fill(house, 3)
    note = newest_note(house)
    assert tree.opener(house)(note).size == 3
    others = build_keys(tmp_path_factory.mktemp("others"))
    with pytest.raises(NoteError):
        tree.open_checkpoint(note, others.public(Purpose.CHECKPOINT).values())
    with pytest.raises(NoteError):
        tree.open_checkpoint(note, [])


def test_a_mutated_checkpoint_is_refused_with_its_own_exception(house: House) -> None:
    fill(house, 3)
    note, opened = newest_note(house), tree.opener(house)
    chance = random.Random(7)
    for _ in range(2000):
        characters = list(note)
        for _ in range(chance.randrange(1, 4)):
            characters[chance.randrange(len(characters))] = chance.choice("A0+/=\n —é\x00\ud800")
        mutant = "".join(characters)
        if mutant != note:
            with pytest.raises(NoteError):
                opened(mutant)
    for strange in (None, 5, b"", note.encode()):
        with pytest.raises(NoteError):
            opened(strange)


def test_what_a_note_says_whoever_signed_it(house: House) -> None:
    fill(house, 3)
    note = newest_note(house)
    assert tree.open_unsigned(note) == tree.opener(house)(note)
    assert tree.open_unsigned(note.replace("\n3\n", "\n4\n")).size == 4
    for strange in (None, "", "x", "\n\n", note.encode(), note.replace("\n3\n", "\nthree\n")):
        with pytest.raises(NoteError):
            tree.open_unsigned(strange)


def test_the_newest_checkpoint_must_be_of_its_rows_size(house: House) -> None:
    opened = tree.opener(house)
    assert house.database.run(lambda session: tree.newest_opened(session, opened), write=False) is None
    fill(house, 3)
    change(house, "UPDATE log_checkpoint SET size = 4")
    with pytest.raises(tree.LogDamagedError):
        house.database.run(lambda session: tree.newest_opened(session, opened), write=False)
