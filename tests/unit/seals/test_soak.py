"""Many mutants of sealed files: none is reported whole unless it provably says the same, none crashes, all end soon.

A few hundred of each in every run, 100,000 of each by `make soak`. `ONA_TEST_MUTANTS` sets the number, `ONA_TEST_FROM`
the first of them, so that a run that was broken off can go on; a mutant's number is its seed. What must not be is kept
in the folder that the failure names.
"""

import collections
import os
import re
import sys
import time
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from asn1crypto import cms

from keys.verdict import Result
from seals.check import check_file
from seals.decoding import read_signature
from seals.report import SealReport
from tests.unit.seals.by_hand import writer
from tests.unit.seals.made import DOCUMENT, NOW, SIGNED_AT, City, plain_files, unpack
from tests.unit.seals.mutators import OF_OFD, OF_SIGNATURES, Mutator, blind, mutant
from tests.unit.seals.pdf_mutators import OF_PDF
from tests.unit.seals.pdfs import Office, document, seal_sm2
from tests.unit.seals.test_timestamps import TIMES, stamped

FEW = {"ofd": 1_500, "pdf": 500, "signature": 1_500}
FIRST = int(os.environ.get("ONA_TEST_FROM", "0"))
MANY = int(os.environ.get("ONA_TEST_MUTANTS", "100000"))
SECONDS, MEMORY = 2.0, 200 << 20  # of computing and bytes that one mutant may cost
UNCOVERED = "doc_0/signs/signatures.xml"  # a seal that lets others follow does not cover the list of seals
GAP = re.compile(rb"<[0-9A-Fa-f]{2000,}>")
OFFICE = Office()
Judge = Callable[[bytes], SealReport]


@dataclass
class Soak:
    """One kind of file: sealed examples, how they are judged, and when a mutant that holds says the same."""

    kind: str
    examples: list[bytes]
    mutators: tuple[Mutator, ...]
    judge: Judge
    same: Callable[[bytes, bytes], bool]
    verdicts: collections.Counter[str] = field(default_factory=collections.Counter)
    slowest: tuple[float, int] = (0.0, -1)
    most: tuple[int, int] = (0, -1)

    def run(self, first: int, count: int, folder: Path) -> None:
        for example in self.examples:
            assert self.judge(example).ok
        before = _forget_peak()
        for number in range(first, first + count):
            example = self.examples[number % len(self.examples)]
            deed, data = mutant(self.kind, number, example, self.mutators)
            try:
                self._judge(number, deed, data, example)
            except BaseException:
                (folder / f"{self.kind}-{number}").write_bytes(data)
                (folder / f"{self.kind}-{number}-was").write_bytes(example)
                _tell(f"{self.kind} mutant {number} ({deed}), kept in {folder}")
                raise
            if number % 5000 == 4999:
                self.most = max(self.most, (_peak() - before, number))
                _tell(f"{self.kind} {number + 1}: {dict(self.verdicts)}")
        self.most = max(self.most, (_peak() - before, first + count))
        _tell(
            f"{self.kind}, mutants {first} to {first + count - 1}: {dict(self.verdicts)};"
            f" slowest {self.slowest[0]:.3f} s (mutant {self.slowest[1]}), {self.most[0] >> 20} MB more than before"
        )
        assert self.most[0] <= MEMORY

    def _judge(self, number: int, deed: str, data: bytes, example: bytes) -> None:
        started = time.thread_time()
        report = self.judge(data)
        report.as_json()
        spent = time.thread_time() - started
        self.slowest = max(self.slowest, (spent, number))
        assert spent <= SECONDS, spent
        if not report.ok:
            self.verdicts[report.reasons[0] if report.reasons else "could not be told"] += 1
            return
        notice = any(c.name == "coverage" and c.result is Result.NOTICE for s in report.signatures for c in s.checks)
        assert self.same(data, example), f"{deed}: the mutant holds"
        assert {one.trusted_at for one in report.signatures} <= {None, SIGNED_AT}, f"{deed}: another time is trusted"
        self.verdicts["holds, the same content" + (", something follows" if notice else "")] += 1


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _forget_peak() -> int:
    """Let the kernel count the most memory anew (proc(5), clear_refs); return the memory in use."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(name))


def same_files(one: bytes, other: bytes) -> bool:
    """Another reader finds the same files in both, in whatever case their names are written (real files differ there).

    The list of seals, where no seal covers it, may be written otherwise.
    """
    try:
        first, second = unpack(one), unpack(other)
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, RuntimeError):
        return False
    first = {name.casefold(): data for name, data in first.items() if not name.endswith("/")}
    second = {name.casefold(): data for name, data in second.items()}
    if first.keys() != second.keys():
        return False
    different = {name for name in first if first[name] != second[name]}
    return not different or (different == {UNCOVERED} and not _is_locked(second))


def _is_locked(files: dict[str, bytes]) -> bool:
    return any(UNCOVERED.encode() in data.lower() for name, data in files.items() if name.endswith("signature.xml"))


def same_revision(one: bytes, other: bytes) -> bool:
    """The sealed document is all there, its value's digits in whatever case, and what follows is told as following.

    Or it is what it was before its last seal, which nobody can tell from a document that was never sealed again.
    """
    one, other = (GAP.sub(lambda digits: signed_parts(digits[0]), data) for data in (one, other))
    return one.startswith(other) or other.startswith(one)


def signed_parts(value: bytes) -> bytes:
    """Return what counts of a value, by another reader: of a CMS signature its signed attributes, key and value."""
    data = bytes.fromhex(value[1:-1].decode())
    try:
        (signer,) = cms.ContentInfo.load(data)["content"]["signer_infos"]
        parts = (signer["sid"], signer["signed_attrs"], signer["digest_algorithm"]["algorithm"], signer["signature"])
        return b"|".join(part.dump() for part in parts)
    except (ValueError, TypeError, KeyError):
        return data


def same_signature(one: bytes, other: bytes) -> bool:
    """All that is signed, and the values, are the same; the time stamp vouches for itself and tells no other time."""
    first, second = read_signature(one), read_signature(other)
    return (first.tbs_der, first.signer_certificate, first.signature) == (
        second.tbs_der,
        second.signer_certificate,
        second.signature,
    )


def ofds(city: City) -> Soak:
    files = plain_files() | {"Doc_0/Res/Image_1.png": bytes(range(256)) * 8}
    first = city.sealed_files(files, lock=False)
    examples = [
        city.stamp_ofd(files),
        city.stamp_ofd(files, lock=False),
        city.stamp_ofd(first, number=1),
    ]
    return Soak("ofd", examples, OF_OFD, lambda data: check_file(data, anchors=city.anchors, now=NOW), same_files)


def pdfs(city: City) -> Soak:
    examples = [
        OFFICE.seal(document()),
        OFFICE.seal(OFFICE.seal(document())),
        OFFICE.seal(document(stream=True)),
        seal_sm2(city, document()),
        OFFICE.seal(document(pages=2), lock=True),
    ]
    anchors = [*OFFICE.anchors, *city.anchors]
    return Soak("pdf", examples, OF_PDF, lambda data: check_file(data, anchors=anchors, now=NOW), same_revision)


def signatures(city: City) -> Soak:
    examples = [
        writer(city, 1).signature(),
        writer(city, 4).signature(),
        writer(city, 5).signature(),
        stamped(city, SIGNED_AT),
    ]
    anchors = [*city.anchors, TIMES.certificate]

    def judge(data: bytes) -> SealReport:
        return check_file(data, document=DOCUMENT, anchors=anchors, now=NOW)

    return Soak("signature", examples, OF_SIGNATURES, judge, same_signature)


KINDS = {"ofd": ofds, "pdf": pdfs, "signature": signatures}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("many", [False, pytest.param(True, marks=pytest.mark.soak)], ids=["some", "100000"])
def test_mutants(city: City, kind: str, many: bool, tmp_path: Path) -> None:
    soak = KINDS[kind](city)
    soak.run(FIRST if many else 0, MANY if many else FEW[kind], tmp_path)


def test_mutants_of_a_bare_seal_and_of_a_document(city: City) -> None:
    """Of a bare seal every octet is signed, or is the value of the signature; a document is what its digest says."""
    sealed = city.stamp()
    for number in range(1_000):
        _, data = mutant("seal", number, city.seal, OF_SIGNATURES)
        assert not check_file(data, anchors=city.anchors, now=NOW).ok, number
        _, other = mutant("document", number, DOCUMENT, (blind,))
        assert not check_file(sealed, document=other, anchors=city.anchors, now=NOW).ok, number
