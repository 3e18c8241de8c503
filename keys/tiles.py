"""Log tiles: a Merkle tree cut into static files, C2SP tlog-tiles v1 (tiles of height 8, 256 hashes wide).

Hash i of tile (L, N) is the node (8 L, 256 N + i). A tile is full, or partial at the tree's right edge; full tiles
never change. An entry bundle holds the log entries themselves, 256 to a full one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keys.merkle import HASH_SIZE, MAX_SIZE, MerkleError, fold, node_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

WIDTH = 256
HEIGHT = 8
ENTRIES = -1  # the level of entry bundles

_PATH = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII)
_MAX_LEVEL = 63


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """One tile or entry bundle: level (`ENTRIES` for a bundle), index, and how many hashes or entries it has."""

    level: int
    index: int
    width: int = WIDTH

    def __post_init__(self) -> None:
        if not (ENTRIES <= self.level <= _MAX_LEVEL and 0 <= self.index < MAX_SIZE and 1 <= self.width <= WIDTH):
            raise MerkleError("no log has that tile")

    @property
    def path(self) -> str:
        """The tile's path below the log's prefix, such as `tile/0/x001/x234/067.p/5`."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        groups = [f"{self.index % 1000:03}"]
        rest = self.index // 1000
        while rest:
            groups.append(f"x{rest % 1000:03}")
            rest //= 1000
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{'/'.join(reversed(groups))}{partial}"


def parse_path(path: str) -> Tile:
    """Return the tile of a path; MerkleError for any text that `Tile.path` does not write."""
    match = _PATH.fullmatch(path)
    if not match:
        raise MerkleError("not a tile path")
    level, index, width = match.groups()
    tile = Tile(
        ENTRIES if level == "entries" else int(level),
        int(index.replace("x", "").replace("/", "")),
        int(width) if width else WIDTH,
    )
    if tile.path != path:
        raise MerkleError("not a tile path")
    return tile


def new_tiles(old: int, new: int, *, entries: bool = False) -> list[Tile]:
    """Return the tiles of the tree of `new` leaves that the tree of `old` had not (or had narrower).

    `entries` adds the entry bundles. `new_tiles(0, size)` are all tiles of a tree.
    """
    if not 0 <= old <= new <= MAX_SIZE:
        raise MerkleError("a log only grows")
    tiles = []
    for level in range(ENTRIES if entries else 0, MAX_SIZE.bit_length() // HEIGHT + 1):
        shift = HEIGHT * max(level, 0)
        before, after = old >> shift, new >> shift
        if before == after:
            break
        tiles += [Tile(level, n, min(WIDTH, after - n * WIDTH)) for n in range(before // WIDTH, -(-after // WIDTH))]
    return tiles


def edge_tiles(size: int) -> list[Tile]:
    """Return the partial tiles at the right edge of a tree, lowest level first: all that appending needs."""
    if not 0 <= size <= MAX_SIZE:
        raise MerkleError("no log has that size")
    counts = [size >> (HEIGHT * level) for level in range(MAX_SIZE.bit_length() // HEIGHT + 1)]
    return [Tile(level, n // WIDTH, n % WIDTH) for level, n in enumerate(counts) if n % WIDTH]


@dataclass(frozen=True, slots=True)
class Edge:
    """The right edge of a tree: for each level the hashes of its unfinished tile. A value; appending gives another."""

    size: int = 0
    levels: tuple[tuple[bytes, ...], ...] = ()

    @classmethod
    def load(cls, size: int, read: Callable[[Tile], bytes]) -> Edge:
        """Rebuild the edge from stored tiles; MerkleError where one has another length than its name says."""
        levels: list[tuple[bytes, ...]] = []
        for tile in edge_tiles(size):
            levels += [()] * (tile.level - len(levels))
            levels.append(_hashes(tile, read(tile)))
        return cls(size, tuple(levels))

    def root(self) -> bytes:
        """Return the root of the tree."""
        subtrees: list[bytes] = []
        for level in reversed(self.levels):
            start = 0
            while start < len(level):
                end = start + (1 << ((len(level) - start).bit_length() - 1))
                subtrees.append(_perfect(level[start:end]))
                start = end
        return fold(subtrees)

    def append(self, leaf_hashes: Iterable[bytes]) -> tuple[Edge, dict[Tile, bytes]]:
        """Return the edge after appending leaf hashes, and every tile that is new or wider, with its bytes."""
        levels = [list(level) for level in self.levels]
        size = self.size
        full: dict[Tile, bytes] = {}
        for leaf in leaf_hashes:
            if len(leaf) != HASH_SIZE:
                raise MerkleError("a leaf hash has 32 bytes")
            _add(levels, leaf, size, full)
            size += 1
        edge = Edge(size, tuple(tuple(level) for level in levels))
        partial = {tile: b"".join(levels[tile.level]) for tile in new_tiles(self.size, size) if tile.width < WIDTH}
        return edge, full | partial


class TileNodes:
    """Reads the nodes of the tree of `size` leaves out of tiles, for `keys.merkle`'s proofs."""

    def __init__(self, size: int, read: Callable[[Tile], bytes]) -> None:
        self._size = size
        self._read = read
        self._seen: dict[Tile, tuple[bytes, ...]] = {}

    def __call__(self, height: int, index: int) -> bytes:
        """Return node (height, index); MerkleError if it is not complete in this tree or the tile is damaged."""
        if height < 0 or index < 0 or (index + 1) << height > self._size:
            raise MerkleError("the node is not in the tree")
        level, inside = divmod(height, HEIGHT)
        first = index << inside
        number = first // WIDTH
        tile = Tile(level, number, min(WIDTH, (self._size >> (HEIGHT * level)) - number * WIDTH))
        if tile not in self._seen:
            self._seen[tile] = _hashes(tile, self._read(tile))
        start = first % WIDTH
        return _perfect(self._seen[tile][start : start + (1 << inside)])


def entry_bundle(entries: Sequence[bytes]) -> bytes:
    """Return the bundle of 1 to 256 entries: each with its length in 16 bits before it."""
    if not 1 <= len(entries) <= WIDTH or any(len(entry) > 0xFFFF for entry in entries):
        raise MerkleError("a bundle has 1 to 256 entries of at most 65535 bytes")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def split_bundle(data: bytes) -> list[bytes]:
    """Return the entries of a bundle; MerkleError if it is cut short, empty or too full."""
    entries: list[bytes] = []
    start = 0
    while start < len(data):
        end = start + 2 + int.from_bytes(data[start : start + 2], "big")
        if start + 2 > len(data) or end > len(data) or len(entries) == WIDTH:
            raise MerkleError("not an entry bundle")
        entries.append(data[start + 2 : end])
        start = end
    if not entries:
        raise MerkleError("not an entry bundle")
    return entries


def _add(levels: list[list[bytes]], node: bytes, position: int, full: dict[Tile, bytes]) -> None:
    """Put one leaf at `position`, closing every tile that it fills."""
    for level in range(MAX_SIZE.bit_length() // HEIGHT + 1):
        if level == len(levels):
            levels.append([])
        levels[level].append(node)
        if len(levels[level]) < WIDTH:
            return
        full[Tile(level, position // WIDTH)] = b"".join(levels[level])
        node = _perfect(levels[level])
        levels[level] = []
        position //= WIDTH


def _perfect(hashes: Sequence[bytes]) -> bytes:
    """Return the root over 2^k hashes."""
    row = list(hashes)
    while len(row) > 1:
        row = [node_hash(row[i], row[i + 1]) for i in range(0, len(row), 2)]
    return row[0]


def _hashes(tile: Tile, data: bytes) -> tuple[bytes, ...]:
    if len(data) != tile.width * HASH_SIZE:
        raise MerkleError(f"{tile.path} has not its length")
    return tuple(data[i : i + HASH_SIZE] for i in range(0, len(data), HASH_SIZE))
