"""The root of a growing Merkle tree at every size it passes through (RFC 9162 section 2.1.1), in a few hashes each."""

from __future__ import annotations

from keys.merkle import fold, node_hash


class Frontier:
    """The perfect subtrees of a tree from left to right; their sizes are the bits of the leaf count."""

    __slots__ = ("_subtrees", "size")

    def __init__(self) -> None:
        self.size = 0
        self._subtrees: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash."""
        node, size = leaf, self.size
        while size & 1:
            node = node_hash(self._subtrees.pop(), node)
            size >>= 1
        self._subtrees.append(node)
        self.size += 1

    def root(self) -> bytes:
        """Return the root over the leaves so far."""
        return fold(self._subtrees)
