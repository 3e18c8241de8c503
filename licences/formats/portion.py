"""One seal over many licences (批量签章): a Merkle tree of their records, whose head alone is sealed.

The tree is that of RFC 9162 section 2.1 with SM3 (GB/T 32905) in the place of SHA-256, used as RFC 4998 uses hash
trees: 0x00 before a leaf and 0x01 before a node keep the two apart, and the head states how many leaves there are. A
leaf begins with a nonce of its own, so that the path of one licence tells nothing about its neighbours.

    tree = grow([leaf(record, nonce) for ...])
    head = Head(portion, tree.size, tree.root)           # a department's seal is put on head.content
    covers(head, leaf(record, nonce), place, tree.path(place))
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from keys import merkle
from keys.base64url import b64u, unb64u
from keys.canonical import CanonicalError, canonical_json
from keys.sm2 import sm3
from keys.strict_json import StrictJSONError, strict_json

if TYPE_CHECKING:
    from collections.abc import Sequence

LARGEST: Final = 256  # licences under one seal
NONCE_BYTES: Final = 16
ID_BYTES: Final = 16
HASH_BYTES: Final = 32
_TYPE: Final = "licence-portion-1"
_SINGLE: Final = {"record", "seal"}
_IN_PORTION: Final = _SINGLE | {"head", "nonce", "place", "path"}


class PortionError(ValueError):
    """What is no head, or evidence that does not lead from its record to its head."""


@dataclass(frozen=True)
class Tree:
    """The nodes of a tree from its leaves up, 32 bytes each: of every height those over 2^height leaves."""

    size: int
    nodes: bytes

    @cached_property
    def root(self) -> bytes:
        """Return the head of the tree."""
        heights = [height for height in range(self.size.bit_length())[::-1] if self.size >> height & 1]
        starts = [self.size >> height + 1 << height + 1 for height in heights]
        return merkle.fold(
            [self.node(height, start >> height) for height, start in zip(heights, starts, strict=True)], join
        )

    def node(self, height: int, index: int) -> bytes:
        """Return the node over the leaves from index * 2^height on."""
        first = HASH_BYTES * (sum(self.size >> below for below in range(height)) + index)
        return self.nodes[first : first + HASH_BYTES]

    def path(self, place: int) -> list[bytes]:
        """Return the nodes that lead from the leaf at a place (from 0) to the root."""
        return merkle.inclusion_proof(place, self.size, self.node, join)

    def leads_to(self, head: Head) -> bool:
        """Tell whether every node follows from the leaves, and the head from the nodes."""
        if not 0 < self.size <= LARGEST:
            return False
        made = grow([self.node(0, place) for place in range(self.size)])
        return (made.nodes, made.size, made.root) == (self.nodes, head.size, head.root)


@dataclass(frozen=True, slots=True)
class Head:
    """What a department seals for many licences: the name of the portion, their number, and the root over them."""

    portion: bytes
    size: int
    root: bytes

    @property
    def content(self) -> bytes:
        """Return the bytes that are sealed (RFC 8785)."""
        stated = {"licences": self.size, "portion": self.portion.hex(), "root": self.root.hex(), "type": _TYPE}
        return canonical_json(stated)

    @property
    def name(self) -> str:
        """Return the propertyInfo of the seal signature on it."""
        return f"urn:ona:licence-portion:{self.portion.hex()}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What proves a licence to somebody who has no register: `seal` (SES_Signature, DER) is on `document`.

    `document` is the licence's own record or the head of the portion, to which the path from the record was followed.
    """

    record: bytes
    seal: bytes
    document: bytes


def leaf(record: bytes, nonce: bytes) -> bytes:
    """Return the leaf of a record."""
    return sm3(b"\x00" + nonce + record)


def join(left: bytes, right: bytes) -> bytes:
    """Return the node above two others."""
    return sm3(b"\x01" + left + right)


def nonce_of(seed: bytes) -> bytes:
    """Return the nonce of a licence's leaf; whoever is given it learns nothing of the seed."""
    return sm3(b"nonce of a leaf\x00" + seed)[:NONCE_BYTES]


def grow(leaves: Sequence[bytes]) -> Tree:
    """Return the tree over 1 to `LARGEST` leaves."""
    if not 0 < len(leaves) <= LARGEST:
        raise PortionError(f"a portion has 1 to {LARGEST} licences")
    level, nodes = list(leaves), list(leaves)
    while len(level) > 1:
        level = [join(level[place], level[place + 1]) for place in range(0, len(level) - 1, 2)]
        nodes += level
    return Tree(len(leaves), b"".join(nodes))


def covers(head: Head, found: bytes, place: int, path: Sequence[bytes]) -> bool:
    """Tell whether a path leads from a leaf at a place to the head."""
    return head.size <= LARGEST and merkle.verify_inclusion(found, place, head.size, path, head.root, join)


def read_head(content: bytes) -> Head:
    """Return the head that sealed bytes state; they have one form alone. Raises `PortionError`."""
    try:
        stated = strict_json(content)
        head = Head(bytes.fromhex(stated["portion"]), stated["licences"], bytes.fromhex(stated["root"]))
        is_exact = type(head.size) is int and head.content == content
    except (StrictJSONError, CanonicalError, LookupError, TypeError, ValueError):
        raise PortionError("not the head of a portion") from None
    if not is_exact or (len(head.portion), len(head.root)) != (ID_BYTES, HASH_BYTES):
        raise PortionError("not the head of a portion")
    return head


def write_evidence(
    record: bytes,
    seal: bytes,
    head: Head | None = None,
    *,
    nonce: bytes = b"",
    place: int = 0,
    path: Sequence[bytes] = (),
) -> bytes:
    """Return what proves a licence by itself, as JSON (RFC 8785); without a head the seal is on the record."""
    found: dict[str, Any] = {"record": b64u(record), "seal": b64u(seal)}
    if head is not None:
        found |= {"head": b64u(head.content), "nonce": b64u(nonce), "place": place, "path": [b64u(one) for one in path]}
    return canonical_json(found)


def read_evidence(data: bytes) -> Evidence:
    """Follow the path from the record to what was sealed, and return both; the seal itself is for its verifier.

    Raises:
        PortionError: the bytes are no evidence, or their record does not lead to their head.
    """
    try:
        found = strict_json(data)
        record, seal = unb64u(found["record"]), unb64u(found["seal"])
        if found.keys() == _SINGLE:
            return Evidence(record, seal, record)
        document, nonce, place = unb64u(found["head"]), unb64u(found["nonce"]), found["place"]
        path = [unb64u(one) for one in found["path"]]
    except (StrictJSONError, LookupError, TypeError, AttributeError, ValueError):
        raise PortionError("not the evidence of a licence") from None
    if found.keys() != _IN_PORTION or len(nonce) != NONCE_BYTES or type(place) is not int:
        raise PortionError("not the evidence of a licence")
    if not covers(read_head(document), leaf(record, nonce), place, path):
        raise PortionError("the record does not lead to the head")
    return Evidence(record, seal, document)
