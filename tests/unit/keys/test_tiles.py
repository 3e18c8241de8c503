import contextlib
import random

import pytest

from keys import merkle
from keys.merkle import MerkleError
from keys.tiles import (
    WIDTH,
    Edge,
    Tile,
    TileNodes,
    edge_tiles,
    entry_bundle,
    new_tiles,
    parse_path,
    split_bundle,
)
from tests.unit.keys.cases import cases, vector

FACTS = vector("merkle/tiles.json")
LEAVES = [merkle.leaf_hash(n.to_bytes(4, "big")) for n in range(70_000)]


@pytest.fixture(scope="module")
def log() -> dict[Tile, bytes]:
    """All tiles of the standard's example, a tree of 70,000 leaves."""
    return Edge().append(LEAVES)[1]


@cases(FACTS["paths"])
def test_path_both_ways(case):
    tile = Tile(case["level"], case["index"], case["width"])
    assert tile.path == case["path"]
    assert parse_path(case["path"]) == tile


@pytest.mark.parametrize("path", FACTS["paths_refused"])
def test_path_refused(path):
    with pytest.raises(MerkleError):
        parse_path(path)


@pytest.mark.parametrize("tile", [(-2, 0, 1), (64, 0, 1), (0, -1, 1), (0, 2**62, 1), (0, 0, 0), (0, 0, 257)])
def test_no_such_tile(tile):
    with pytest.raises(MerkleError):
        Tile(*tile)


@cases(FACTS["sizes"])
def test_tiles_of_a_size(case):
    assert len(new_tiles(0, case["size"])) == case["tiles"]
    assert [tile.path for tile in edge_tiles(case["size"])] == case["edge"]


def test_growth_names_the_tiles_that_change():
    assert [tile.path for tile in new_tiles(255, 257)] == ["tile/0/000", "tile/0/001.p/1", "tile/1/000.p/1"]
    assert [tile.path for tile in new_tiles(10, 12)] == ["tile/0/000.p/12"]
    assert [tile.path for tile in new_tiles(10, 12, entries=True)] == ["tile/entries/000.p/12", "tile/0/000.p/12"]
    assert new_tiles(10, 10, entries=True) == []
    for old, new in ((2, 1), (-1, 1), (0, 2**62 + 1)):
        with pytest.raises(MerkleError):
            new_tiles(old, new)


def test_standard_example(log):
    assert sorted(log) == sorted(new_tiles(0, 70_000))
    assert all(len(data) == tile.width * 32 for tile, data in log.items())
    assert log[Tile(0, 1)] == b"".join(LEAVES[256:512])
    assert log[Tile(1, 0)][:32] == merkle.root(LEAVES[:256])
    assert log[Tile(2, 0, 1)] == merkle.root(LEAVES[:65536])


def test_root_from_the_edge(log):
    assert Edge.load(70_000, log.__getitem__).root() == merkle.root(LEAVES)
    assert Edge().root() == merkle.EMPTY_ROOT


def test_appending_in_any_portions_gives_the_same_log(log):
    source = random.Random(256)
    stored: dict[Tile, bytes] = {}
    edge = Edge()
    while edge.size < 2000:
        assert Edge.load(edge.size, stored.__getitem__) == edge  # as after a restart
        portion = LEAVES[edge.size : edge.size + source.choice([0, 1, 2, 100, 255, 256, 257])]
        grown, tiles = edge.append(portion)
        assert sorted(tiles) == new_tiles(edge.size, grown.size)
        stored |= tiles
        edge = grown
        assert edge.root() == merkle.root(LEAVES[: edge.size])
    full = {tile: data for tile, data in stored.items() if tile.width == WIDTH}
    assert full == {tile: log[tile] for tile in full}


def test_appending_leaves_the_old_edge_alone():
    edge, _ = Edge().append(LEAVES[:300])
    root = edge.root()
    edge.append(LEAVES[300:900])
    assert (edge.size, edge.root()) == (300, root)


def test_proofs_out_of_tiles(log):
    source = random.Random(9162)
    root = merkle.root(LEAVES)
    node = TileNodes(70_000, log.__getitem__)
    for index in [0, 255, 256, 65_535, 65_536, 69_999, *(source.randrange(70_000) for _ in range(30))]:
        proof = merkle.inclusion_proof(index, 70_000, node)
        assert merkle.verify_inclusion(LEAVES[index], index, 70_000, proof, root)
    for old in [1, 255, 256, 257, 65_536, 69_999, 70_000, *(source.randrange(1, 70_000) for _ in range(5))]:
        proof = merkle.consistency_proof(old, 70_000, node)
        assert merkle.verify_consistency(old, 70_000, merkle.root(LEAVES[:old]), root, proof)


def test_a_proof_reads_few_tiles(log):
    read: list[Tile] = []
    node = TileNodes(70_000, lambda tile: read.append(tile) or log[tile])
    merkle.inclusion_proof(12_345, 70_000, node)
    assert len(read) == len(set(read)) <= 5


@pytest.mark.parametrize("place", [(0, 70_000), (8, 273), (16, 1), (17, 0), (0, -1), (-1, 0)])
def test_nodes_outside_the_tree_are_refused(log, place):
    with pytest.raises(MerkleError):
        TileNodes(70_000, log.__getitem__)(*place)


def test_tiles_of_another_length_are_refused(log):
    for data in (b"", log[Tile(0, 273, 112)][:-1], log[Tile(0, 273, 112)] + bytes(32)):
        with pytest.raises(MerkleError):
            Edge.load(70_000, lambda _tile, data=data: data)
        with pytest.raises(MerkleError):
            TileNodes(70_000, lambda _tile, data=data: data)(0, 69_999)


def test_leaf_hashes_of_another_length_are_refused():
    with pytest.raises(MerkleError):
        Edge().append([b"short"])


def test_sizes_beyond_are_refused():
    for size in (-1, merkle.MAX_SIZE + 1):
        with pytest.raises(MerkleError):
            edge_tiles(size)
    assert edge_tiles(merkle.MAX_SIZE) == [Tile(7, 0, 64)]


def test_bundle_both_ways():
    for entries in ([b""], [b"a", b"", b"b" * 65_535], [b"x"] * 256):
        assert split_bundle(entry_bundle(entries)) == entries
    assert entry_bundle([b"ab", b"c"]) == b"\x00\x02ab\x00\x01c"


@pytest.mark.parametrize("entries", [[], [b"x"] * 257, [b"x" * 65_536]], ids=["empty", "too_many", "too_long"])
def test_no_such_bundle(entries):
    with pytest.raises(MerkleError):
        entry_bundle(entries)


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\2a", b"\0\1a\0", b"\xff\xff", b"\0\0" * 257])
def test_bundle_refused(data):
    with pytest.raises(MerkleError):
        split_bundle(data)


def test_mutated_paths_and_bundles_are_refused_or_written_the_same_way():
    source = random.Random(1000)
    original = "tile/entries/x001/x234/067.p/8"
    bundle = entry_bundle([b"one", b"two", b"three"])
    for _ in range(3000):
        characters = list(original)
        characters[source.randrange(len(characters))] = source.choice("0123456789x/.p-e\n٣")
        path = "".join(characters)
        with contextlib.suppress(MerkleError):
            assert parse_path(path).path == path
        mutant = bytearray(bundle)
        mutant[source.randrange(len(mutant))] = source.randrange(256)
        with contextlib.suppress(MerkleError):
            assert entry_bundle(split_bundle(bytes(mutant))) == mutant
