import hashlib
import random

import pytest

from keys import merkle
from keys.merkle import MerkleError
from tests.unit.keys.cases import cases, vector

CT = vector("merkle/ct_reference.json")
LEAVES = [merkle.leaf_hash(bytes.fromhex(leaf)) for leaf in CT["leaves"]]
ROOTS = [bytes.fromhex(root) for root in CT["roots"]]
MANY = [merkle.leaf_hash(bytes([n])) for n in range(70)]


def defined_root(leaves: list[bytes]) -> bytes:
    """The definition of RFC 9162 section 2.1.1, word for word and slow."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + defined_root(leaves[:k]) + defined_root(leaves[k:])).digest()


def nodes_of(leaves: list[bytes]):
    return lambda height, index: defined_root(leaves[index << height : (index + 1) << height])


def proof_of(case) -> list[bytes]:
    return [bytes.fromhex(node) for node in case["proof"]]


@pytest.mark.parametrize("size", range(9))
def test_reference_roots(size):
    assert merkle.root(LEAVES[:size]) == ROOTS[size] == defined_root(LEAVES[:size])


@cases(CT["inclusion"])
def test_reference_inclusion(case):
    proof = proof_of(case)
    assert merkle.inclusion_proof(case["index"], case["size"], nodes_of(LEAVES)) == proof
    assert merkle.verify_inclusion(LEAVES[case["index"]], case["index"], case["size"], proof, ROOTS[case["size"]])


@cases(CT["consistency"])
def test_reference_consistency(case):
    proof = proof_of(case)
    old, new = case["old"], case["new"]
    assert merkle.consistency_proof(old, new, nodes_of(LEAVES)) == proof
    assert merkle.verify_consistency(old, new, ROOTS[old], ROOTS[new], proof)


def test_roots_of_every_size_follow_the_definition():
    for size in range(len(MANY) + 1):
        assert merkle.root(iter(MANY[:size])) == defined_root(MANY[:size])


def test_every_inclusion_proof_holds_for_its_leaf_alone():
    for size in range(1, 34):
        root = defined_root(MANY[:size])
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, nodes_of(MANY[:size]))
            holds = [i for i in range(size) if merkle.verify_inclusion(MANY[index], i, size, proof, root)]
            assert holds == [index]
            assert not merkle.verify_inclusion(MANY[index - 1] if size > 1 else MANY[5], index, size, proof, root)
            assert not merkle.verify_inclusion(MANY[index], index, size, [*proof, root], root)
            assert not proof or not merkle.verify_inclusion(MANY[index], index, size, proof[:-1], root)


def test_every_consistency_proof_holds_for_its_trees_alone():
    roots = [defined_root(MANY[:size]) for size in range(34)]
    for new in range(1, 34):
        for old in range(1, new + 1):
            proof = merkle.consistency_proof(old, new, nodes_of(MANY[:new]))
            assert merkle.verify_consistency(old, new, roots[old], roots[new], proof)
            assert not merkle.verify_consistency(old, new, roots[old - 1], roots[new], proof)
            assert not merkle.verify_consistency(old, new, roots[old], roots[new - 1], proof)
            assert not merkle.verify_consistency(old, new, roots[old], roots[new], [*proof, roots[1]])
            if proof:
                assert not merkle.verify_consistency(old, new, roots[old], roots[new], proof[:-1])
                assert not merkle.verify_consistency(old, new, roots[old], roots[new], [])


def test_a_changed_dropped_or_reordered_leaf_is_inconsistent():
    old_root = defined_root(MANY[:20])
    forks = {
        "changed": [*MANY[:5], MANY[69], *MANY[6:30]],
        "dropped": [*MANY[:5], *MANY[6:31]],
        "reordered": [MANY[1], MANY[0], *MANY[2:30]],
    }
    for fork in forks.values():
        proof = merkle.consistency_proof(20, 30, nodes_of(fork))
        assert not merkle.verify_consistency(20, 30, old_root, defined_root(fork), proof)


def test_a_leaf_is_never_a_node():
    data = LEAVES[0] + LEAVES[1]
    assert merkle.leaf_hash(data) != merkle.node_hash(LEAVES[0], LEAVES[1])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 5), (5, 5), (0, merkle.MAX_SIZE + 1), (0, -1)])
def test_no_such_leaf(index, size):
    with pytest.raises(MerkleError):
        merkle.inclusion_proof(index, size, nodes_of(MANY))
    assert not merkle.verify_inclusion(MANY[0], index, size, [], MANY[0])


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 5), (-1, 5), (6, 5), (1, merkle.MAX_SIZE + 1)])
def test_no_such_extension(old, new):
    with pytest.raises(MerkleError):
        merkle.consistency_proof(old, new, nodes_of(MANY))
    assert not merkle.verify_consistency(old, new, MANY[0], MANY[0], [])


def test_mutated_proofs_are_false():
    source = random.Random(6962)
    root, old_root = defined_root(MANY), defined_root(MANY[:37])
    inclusion = merkle.inclusion_proof(41, 70, nodes_of(MANY))
    consistency = merkle.consistency_proof(37, 70, nodes_of(MANY))
    for _ in range(2000):
        for proof, holds in (
            (inclusion, lambda p: merkle.verify_inclusion(MANY[41], 41, 70, p, root)),
            (consistency, lambda p: merkle.verify_consistency(37, 70, old_root, root, p)),
        ):
            mutant = list(proof)
            place = source.randrange(len(mutant))
            choice = source.randrange(5)
            if choice == 0:
                del mutant[place]
            elif choice == 1:
                mutant.insert(place, source.choice(MANY))
            elif choice == 2:
                mutant[place] = source.randbytes(source.choice([0, 31, 32, 33]))
            elif choice == 3:
                mutant[place] = bytes([mutant[place][0] ^ 1]) + mutant[place][1:]
            else:
                source.shuffle(mutant)
            assert holds(mutant) is (mutant == proof)


def test_endless_proofs_are_false():
    assert not merkle.verify_inclusion(MANY[0], 0, merkle.MAX_SIZE, MANY * 2, MANY[0])
    assert not merkle.verify_consistency(1, merkle.MAX_SIZE, MANY[0], MANY[1], MANY * 2)
