"""C2SP tlog-proof: the specification's form, a real log, and every bent copy refused."""

import dataclasses
from hashlib import sha256

import pytest

from keys.merkle import inclusion_proof, leaf_hash, node_hash, root
from keys.note import Checkpoint, Verifier, sign
from keys.signer import Algorithm, Signer, generate_private, load_private
from keys.tlog_proof import TlogProof, TlogProofError, parse

ENTRIES = [bytes([n]) * 32 for n in range(7)]
ORIGIN = "example.com/log"


def _signer() -> Signer:
    return load_private(Algorithm.EDDSA, generate_private(Algorithm.EDDSA))


def _node(height: int, index: int) -> bytes:
    if height == 0:
        return leaf_hash(ENTRIES[index])
    return node_hash(_node(height - 1, 2 * index), _node(height - 1, 2 * index + 1))


@pytest.fixture(scope="module")
def signed() -> tuple[str, Verifier]:
    signer = _signer()
    body = Checkpoint(ORIGIN, len(ENTRIES), root(map(leaf_hash, ENTRIES))).body()
    return sign(body, name=ORIGIN, signer=signer), Verifier(ORIGIN, signer.public)


def test_the_form_of_the_specification() -> None:
    first, second = (sha256(text).digest() for text in (b"hash1", b"hash2"))
    text = TlogProof(5, (first, second), "test checkpoint\n", b"extra information").text()
    assert text.startswith("c2sp.org/tlog-proof@v1\nextra ZXh0cmEgaW5mb3JtYXRpb24=\nindex 5\n")
    assert text.endswith("\n\ntest checkpoint\n")
    assert parse(text) == TlogProof(5, (first, second), "test checkpoint\n", b"extra information")
    assert TlogProof(0, (), "checkpoint\n").text() == "c2sp.org/tlog-proof@v1\nindex 0\n\ncheckpoint\n"


def test_every_entry_is_proved_and_no_other(signed: tuple[str, Verifier]) -> None:
    note, verifier = signed
    for index, entry in enumerate(ENTRIES):
        proof = parse(TlogProof(index, tuple(inclusion_proof(index, len(ENTRIES), _node)), note).text())
        assert proof.check(entry, [verifier]).size == len(ENTRIES)
        for other in (ENTRIES[index - 1], entry + b"\0"):
            with pytest.raises(TlogProofError, match="not under"):
                proof.check(other, [verifier])
        with pytest.raises(TlogProofError, match="checkpoint"):
            proof.check(entry, [Verifier(ORIGIN, _signer().public)])
        with pytest.raises(TlogProofError):
            dataclasses.replace(proof, index=(index + 1) % len(ENTRIES)).check(entry, [verifier])


@pytest.mark.parametrize(
    "text",
    [
        "", "c2sp.org/tlog-proof@v1\n\nx", "c2sp.org/tlog-proof@v2\nindex 0\n\nx", "c2sp.org/tlog-proof@v1\nindex 0\n",
        "c2sp.org/tlog-proof@v1\nindex 00\n\nx", "c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\nx",
        "c2sp.org/tlog-proof@v1\nextra !!\nindex 0\n\nx", "c2sp.org/tlog-proof@v1\nextra AB==\nindex 0\n\nx",
        "c2sp.org/tlog-proof@v1\nindex 9999999999999999999\n\nx", "c2sp.org/tlog-proof@v1\nextra AA==\n\nx",
    ],
)  # fmt: skip
def test_what_is_no_proof(text: str) -> None:
    with pytest.raises(TlogProofError):
        parse(text)
