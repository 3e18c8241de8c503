"""Merkle trees of logs: hashes, proofs and their verification, RFC 9162 section 2.1 (the trees of RFC 6962).

A node is named by height and index: (0, i) is leaf i, (h, i) the root of the 2^h leaves from i * 2^h on. Where nodes
are kept is the caller's business (`keys.tiles`). Nodes are joined by SHA-256, unless another `join` is given.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    NodeReader = Callable[[int, int], bytes]
    Join = Callable[[bytes, bytes], bytes]

HASH_SIZE = 32
MAX_SIZE = 2**62  # leaves; far beyond any log, and small enough for every reader's signed 64-bit integer
EMPTY_ROOT = hashlib.sha256(b"").digest()


class MerkleError(ValueError):
    """Sizes, indexes or hashes that no tree has."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf with these bytes."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaf_hashes: Iterable[bytes]) -> bytes:
    """Return the root over leaf hashes in order (`EMPTY_ROOT` for none)."""
    subtrees: list[bytes] = []  # perfect subtrees from left to right; their sizes are the bits of the count
    for count, leaf in enumerate(leaf_hashes):
        node = leaf
        for _ in range(_trailing_ones(count)):
            node = node_hash(subtrees.pop(), node)
        subtrees.append(node)
    return fold(subtrees)


def fold(subtrees: Sequence[bytes], join: Join = node_hash) -> bytes:
    """Join the roots of perfect subtrees, largest first, as RFC 9162 section 2.1.1 splits a tree."""
    if not subtrees:
        return EMPTY_ROOT
    node = subtrees[-1]
    for left in reversed(subtrees[:-1]):
        node = join(left, node)
    return node


def inclusion_proof(index: int, size: int, node: NodeReader, join: Join = node_hash) -> list[bytes]:
    """Return the audit path of leaf `index` in the tree of the first `size` leaves (RFC 9162 section 2.1.3.1)."""
    _check_size(size)
    if not 0 <= index < size:
        raise MerkleError("the leaf is not in the tree")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_subtree(middle, end, node, join))
            end = middle
        else:
            path.append(_subtree(start, middle, node, join))
            start = middle
    return path[::-1]


def consistency_proof(old: int, new: int, node: NodeReader) -> list[bytes]:
    """Return the proof that the tree of `new` leaves extends that of `old` (RFC 9162 section 2.1.4.1).

    Empty for equal sizes; an old tree without leaves has no proof.
    """
    _check_size(new)
    if not 0 < old <= new:
        raise MerkleError("the old tree is empty or larger than the new one")
    path: list[bytes] = []
    start, end = 0, new
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_subtree(middle, end, node))
            end = middle
        else:
            path.append(_subtree(start, middle, node))
            start = middle
    if start > 0:  # otherwise the old tree itself is a node, and the verifier has its root
        path.append(_subtree(start, end, node))
    return path[::-1]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes, join: Join = node_hash
) -> bool:
    """Tell whether `proof` leads from a leaf hash to the root (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size <= MAX_SIZE or not _are_hashes([leaf, root, *proof]):
        return False
    position, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            node = join(sibling, node)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            node = join(node, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and hmac.compare_digest(node, root)


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Tell whether `proof` shows the tree of `new` leaves to extend that of `old` (RFC 9162 section 2.1.4.2)."""
    if not 0 < old <= new <= MAX_SIZE or not _are_hashes([old_root, new_root, *proof]):
        return False
    if old == new:
        return not proof and hmac.compare_digest(old_root, new_root)
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if len(path) < 2:
        return False
    shift = _trailing_ones(old - 1)
    position, last = (old - 1) >> shift, (new - 1) >> shift
    old_node = new_node = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            old_node, new_node = node_hash(sibling, old_node), node_hash(sibling, new_node)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new_node = node_hash(new_node, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and hmac.compare_digest(old_node, old_root) and hmac.compare_digest(new_node, new_root)


def _subtree(start: int, end: int, node: NodeReader, join: Join = node_hash) -> bytes:
    """Return the root over the leaves from `start` to `end`, as it stands inside a tree: split, largest first."""
    subtrees = []
    while start < end:
        height = (end - start).bit_length() - 1
        subtrees.append(node(height, start >> height))
        start += 1 << height
    return fold(subtrees, join)


def _split(count: int) -> int:
    """Return the largest power of two below `count` (which is at least 2)."""
    return 1 << ((count - 1).bit_length() - 1)


def _trailing_ones(number: int) -> int:
    return (~number & (number + 1)).bit_length() - 1


def _check_size(size: int) -> None:
    if not 0 <= size <= MAX_SIZE:
        raise MerkleError("no log has that size")


def _are_hashes(values: Sequence[bytes]) -> bool:
    return len(values) <= 130 and all(len(value) == HASH_SIZE for value in values)
