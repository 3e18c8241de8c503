"""One seal over many records: every path holds, nothing else does, and all by an implementation that is not ours."""

import json
from collections.abc import Callable

import pytest

from keys.base64url import b64u
from keys.canonical import canonical_json
from keys.sm2 import sm3
from licences.formats import portion
from licences.formats.portion import Head, PortionError, Tree

PORTION = bytes(range(16))
SIZES = [*range(1, 18), 31, 33, 100, 255, 256]


def record(place: int) -> bytes:
    return canonical_json({"certificateIdentifier": f"licence {place}"})


def nonce(place: int) -> bytes:
    return portion.nonce_of(place.to_bytes(16, "big"))


def leaves(size: int) -> list[bytes]:
    return [portion.leaf(record(place), nonce(place)) for place in range(size)]


def defined_root(entries: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1 word for word, with SM3, over what stands in the leaves."""
    if len(entries) == 1:
        return sm3(b"\x00" + entries[0])
    k = 1
    while k * 2 < len(entries):
        k *= 2
    return sm3(b"\x01" + defined_root(entries[:k]) + defined_root(entries[k:]))


def defined_path(place: int, entries: list[bytes]) -> list[bytes]:
    """RFC 9162 section 2.1.3.1 word for word."""
    if len(entries) == 1:
        return []
    k = 1
    while k * 2 < len(entries):
        k *= 2
    if place < k:
        return [*defined_path(place, entries[:k]), defined_root(entries[k:])]
    return [*defined_path(place - k, entries[k:]), defined_root(entries[:k])]


def head_of(tree: Tree) -> Head:
    return Head(PORTION, tree.size, tree.root)


@pytest.mark.parametrize("size", SIZES)
def test_the_tree_is_the_one_that_the_standard_defines(size: int) -> None:
    entries = [nonce(place) + record(place) for place in range(size)]
    tree, found = portion.grow(leaves(size)), leaves(size)
    assert tree.root == defined_root(entries)
    assert tree.leads_to(head_of(tree))
    assert not tree.leads_to(Head(PORTION, size, bytes(32)))
    assert not tree.leads_to(Head(PORTION, size + 1, tree.root))
    for place in range(size):
        path = tree.path(place)
        assert path == defined_path(place, entries)
        assert portion.covers(head_of(tree), found[place], place, path)
        assert not portion.covers(head_of(tree), found[place], (place + 1) % size if size > 1 else 1, path)
    assert len(tree.nodes) < 2 * size * portion.HASH_BYTES


@pytest.mark.parametrize("size", [0, portion.LARGEST + 1])
def test_a_portion_has_its_bounds(size: int) -> None:
    with pytest.raises(PortionError):
        portion.grow([bytes(32)] * size)
    assert not Tree(size, bytes(32 * size)).leads_to(Head(PORTION, size, bytes(32)))
    assert not portion.covers(Head(PORTION, size, bytes(32)), bytes(32), 0, [])


def test_a_node_that_was_altered_fails_for_those_it_leads_to_alone() -> None:
    tree, found = portion.grow(leaves(8)), leaves(8)
    for altered in range(len(tree.nodes) // 32):
        other = bytearray(tree.nodes)
        other[altered * 32] ^= 1
        tampered = Tree(8, bytes(other))
        assert not tampered.leads_to(head_of(tree))
        held = [portion.covers(head_of(tree), found[place], place, tampered.path(place)) for place in range(8)]
        used = [tree.nodes[altered * 32 :][:32] not in tree.path(place) for place in range(8)]
        assert held == used


def test_a_node_is_no_leaf_and_a_leaf_no_node() -> None:
    """A second preimage: two leaves' hashes are offered as the content of a leaf in a tree that is cut short."""
    tree, found = portion.grow(leaves(4)), leaves(4)
    pair = found[0] + found[1]
    assert portion.leaf(pair[16:], pair[:16]) != tree.node(1, 0)
    with pytest.raises(PortionError):
        portion.read_evidence(evidence(size=2, record=pair[16:], nonce=pair[:16], place=0, path=[tree.node(1, 1)]))


def evidence(**changes: object) -> bytes:
    tree = portion.grow(leaves(5))
    said: dict[str, object] = {"record": record(3), "nonce": nonce(3), "place": 3, "path": tree.path(3)}
    said |= {"portion": PORTION, "size": 5, "root": tree.root} | changes
    head = Head(said["portion"], said["size"], said["root"])  # type: ignore[arg-type]
    facts = {name: said[name] for name in ("nonce", "place", "path")}
    return portion.write_evidence(said["record"], b"the seal", head, **facts)  # type: ignore[arg-type]


def test_evidence_leads_from_the_record_to_what_was_sealed() -> None:
    found = portion.read_evidence(evidence())
    assert (found.record, found.seal) == (record(3), b"the seal")
    assert portion.read_head(found.document) == head_of(portion.grow(leaves(5)))
    alone = portion.read_evidence(portion.write_evidence(b"the record", b"the seal"))
    assert (alone.record, alone.document, alone.seal) == (b"the record", b"the record", b"the seal")


def flipped(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


PATH = portion.grow(leaves(5)).path(3)
OTHER = {
    "record": {"record": flipped(record(3))},
    "nonce": {"nonce": flipped(nonce(3))},
    "path": {"path": [flipped(PATH[0]), *PATH[1:]]},
    "path, its end": {"path": [*PATH[:-1], flipped(PATH[-1])]},
    "path, shorter": {"path": PATH[:-1]},
    "path, longer": {"path": [*PATH, PATH[-1]]},
    "path, short node": {"path": [PATH[0][:-1], *PATH[1:]]},
    "place": {"place": 2},
    "place, below": {"place": -1},
    "place, beyond": {"place": 5},
    "size, smaller": {"size": 3},
    "size, larger": {"size": 9},
    "root": {"root": flipped(portion.grow(leaves(5)).root)},
    "nonce, short": {"nonce": nonce(3)[1:]},
    "boundary moved": {"nonce": nonce(3)[:-1], "record": nonce(3)[-1:] + record(3)},
}


@pytest.mark.parametrize("name", OTHER)
def test_evidence_that_was_altered_is_refused(name: str) -> None:
    with pytest.raises(PortionError):
        portion.read_evidence(evidence(**OTHER[name]))


@pytest.mark.parametrize("bit", range(8))
def test_no_bit_of_the_evidence_is_without_weight(bit: int) -> None:
    data = evidence()
    sealed = json.loads(data)["head"]
    for place in range(len(data)):
        other = bytearray(data)
        other[place] ^= 1 << bit
        try:
            found = portion.read_evidence(bytes(other))
        except PortionError:
            continue
        # What is left is another seal, or another head of the same tree: for the seal's verifier to refuse.
        assert found.record == record(3)
        assert (found.seal, b64u(found.document)) != (b"the seal", sealed)


HEAD = head_of(portion.grow(leaves(5))).content
NO_HEADS: dict[str, Callable[[], bytes]] = {
    "a record": lambda: record(1),
    "nothing": lambda: b"",
    "a list": lambda: b"[]",
    "a space": lambda: HEAD + b" ",
    "one more member": lambda: HEAD[:-1] + b',"z":1}',
    "another type": lambda: HEAD.replace(b"licence-portion-1", b"licence-portion-2"),
    "a flag for a number": lambda: HEAD.replace(b'"licences":5', b'"licences":true'),
    "a text for a number": lambda: HEAD.replace(b'"licences":5', b'"licences":"5"'),
    "upper case": lambda: HEAD.replace(PORTION.hex().encode(), PORTION.hex().upper().encode()),
    "a short name": lambda: HEAD.replace(PORTION.hex().encode(), PORTION[1:].hex().encode()),
    "a short root": lambda: Head(PORTION, 5, bytes(31)).content,
}


@pytest.mark.parametrize("name", NO_HEADS)
def test_a_head_has_one_form(name: str) -> None:
    assert portion.read_head(HEAD).content == HEAD
    with pytest.raises(PortionError):
        portion.read_head(NO_HEADS[name]())


NO_EVIDENCE: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "a list": lambda: b"[]",
    "a text": lambda: b'"record"',
    "no seal": lambda: b'{"record":""}',
    "one more member": lambda: evidence()[:-1] + b',"z":1}',
    "padding": lambda: evidence().replace(b'"seal":"', b'"seal":"='),
    "a number for a text": lambda: b'{"record":1,"seal":""}',
    "a flag for a place": lambda: evidence(place=1).replace(b'"place":1', b'"place":true'),
    "a path of numbers": lambda: evidence(path=[]).replace(b'"path":[]', b'"path":[1]'),
    "no path": lambda: evidence(path=[]).replace(b'"path":[]', b'"path":null'),
    "a head that is none": lambda: evidence().replace(b64u(HEAD).encode(), b64u(record(1)).encode()),
}


@pytest.mark.parametrize("name", NO_EVIDENCE)
def test_what_is_no_evidence_is_refused(name: str) -> None:
    with pytest.raises(PortionError):
        portion.read_evidence(NO_EVIDENCE[name]())


def test_the_nonce_does_not_give_the_seed_away() -> None:
    assert portion.nonce_of(bytes(16)) != portion.nonce_of(bytes(15) + b"\x01")
    assert len(portion.nonce_of(bytes(16))) == portion.NONCE_BYTES
    assert bytes(16) not in portion.nonce_of(bytes(16))
