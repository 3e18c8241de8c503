"""One sealed OFD verified, beside what cannot be saved: its digests and its signature verifications, by hand.

Cold is the first file of its kind: nothing is known of its certificates or its seal, so four signatures are verified
and three keys read by both. Warm is the next file with the same seal: path and seal were judged before (by their bytes;
period, revocation and expiry are judged anew), and one signature is left.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from benchmarks.rounds import Figure, alternate, median, ratio
from benchmarks.thread_cost import pair
from keys import sm2, sm2_pure
from keys.certificates import certificate, path, signature
from seals import decoding, steps
from seals.check import check_file
from seals.container import MAX_ENTRIES, MAX_FILE, Archive
from seals.zip_entries import read_entries, unpack
from tests.unit.seals.made import NOW, OFD, City, pack, plain_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.bench import Bench

_CALLS: Final = {"cold": 60, "warm": 300}  # of each program in one round
_GOAL: Final = "ours <= 1.5 x by_hand"


def measure(bench: Bench) -> dict[str, Figure]:
    """Return CPU milliseconds of one verification, and decoding a seal without its picture in microseconds."""
    city = City()
    data = pack(city.sealed_files(_letter()))

    def ours() -> None:
        if not check_file(data, anchors=city.anchors, now=NOW).ok:
            raise RuntimeError("the sealed letter does not hold")

    figures = {}
    for kind, forget in (("cold", _forget), ("warm", None)):
        found = alternate({kind: _round(ours, _by_hand(city, data, whole=kind == "cold"), forget, kind)}, bench.rounds)
        mine, theirs = ([one[place] for one in found[kind]] for place in (0, 1))
        figures[f"ofd_verify_{kind}"] = Figure(
            median(mine), "CPU ms", by_hand=median(theirs), ratio_by_hand=ratio(theirs, mine), goal=_GOAL
        )
    return figures | {"seal_decode": _decoding(city, bench)}


def _round(
    ours: Callable[[], object], theirs: Callable[[], object], forget: Callable[[], None] | None, kind: str
) -> Callable[[], tuple[float, float]]:
    if forget is None:
        return lambda: pair(ours, theirs, calls=_CALLS[kind])

    def once() -> tuple[float, float]:
        mine, hand = [], []
        for _ in range(_CALLS[kind]):
            forget()
            mine.append(pair(ours, _nothing, calls=1)[0])
            forget()
            hand.append(pair(theirs, _nothing, calls=1)[0])
        return median(mine), median(hand)

    return once


def _by_hand(city: City, data: bytes, *, whole: bool) -> Callable[[], None]:
    """Return a program that unpacks and digests each file, and verifies the signatures; it decides nothing."""
    archive = Archive(data)
    value = archive.read("Doc_0/Signs/Sign_0/SignedValue.dat", limit=MAX_FILE)
    signed, seal = decoding.read_signature(value), decoding.read_seal(city.seal)
    root, maker, signer = (party.certificate for party in (city.root, city.maker, city.signer))
    checks = [(signer.public_key, signed.tbs_der, signed.signature)]
    if whole:
        checks += [
            (maker.public_key, seal.signed_der, seal.signature),
            *((root.public_key, one.tbs, one.signature) for one in (maker, signer)),
        ]

    entries = read_entries(data, at_most=MAX_ENTRIES)

    def program() -> None:
        for entry in entries:
            sm2.sm3(unpack(data, entry))
        if not all(sm2.verify(*facts) for facts in checks):
            raise RuntimeError("a signature does not hold")

    return program


def _decoding(city: City, bench: Bench) -> Figure:
    """Decode an SESeal with a picture of a few octets: what its size does not explain."""
    found = alternate({"ours": lambda: pair(lambda: decoding.read_seal(city.seal), _nothing, calls=2000)}, bench.rounds)
    return Figure(1000 * median([one[0] for one in found["ours"]]), "CPU us", goal="ours <= 50")


def _letter() -> dict[str, bytes]:
    """Return the files of a one-page letter with a subset of a font and a picture."""
    dice = random.Random(33190)
    code = f'<ofd:TextCode X="0" Y="9">{"关于演示的函" * 5}</ofd:TextCode>'
    line = f'<ofd:TextObject ID="9" Font="3">{code}</ofd:TextObject>'
    text = f'<ofd:Page xmlns:ofd="{OFD}"><ofd:Content>{line * 25}</ofd:Content></ofd:Page>'
    more = {"Doc_0/Res/font.otf": dice.randbytes(30_000), "Doc_0/Res/picture.png": dice.randbytes(10_000)}
    return plain_files() | {"Doc_0/Pages/Page_0/Content.xml": text.encode()} | more


def _forget() -> None:
    """Forget what was learned of certificates, seals and keys."""
    steps._seal_verdicts.clear()  # noqa: SLF001 (to measure without them)
    for remembered in (
        certificate._remembered, signature.is_signed_by, path._searched, decoding._remembered,  # noqa: SLF001
        sm2_pure.za, sm2_pure._begun, sm2._imported_public, sm2._checked,  # noqa: SLF001
    ):  # fmt: skip
        remembered.cache_clear()


def _nothing() -> None:
    pass
