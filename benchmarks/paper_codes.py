"""The code on a paper licence (LC1) read and verified, beside the package `cwt` with the same claims.

Both start from the text that a scanner hands over: base45, inflate, COSE_Sign1 with ES256, claims. The package runs in
an interpreter of its own, installed from a lock: it wants an older cbor2 than the project.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Final

from benchmarks.peer_servers import PEERS, NotHereError, own_interpreter
from benchmarks.rounds import Figure, alternate, median, ratio
from benchmarks.thread_rate import rate
from licences.formats import lc1, lc1_text
from tests.town import type_of
from tests.unit.licences.formats.papers import SIGNER, message_of, paper_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.bench import Bench

_GOAL: Final = "ratio_reference >= 1.2"


def measure(bench: Bench) -> dict[str, Figure]:
    """Return codes verified in a CPU second of one thread; without the package, ours alone."""
    kind = type_of("business_licence")
    text, keys = lc1_text.to_base45(message_of(kind)), (SIGNER.public,)

    def ours() -> object:
        return lc1.authenticate(lc1.read(text).content, keys)

    try:
        python = own_interpreter(bench.folder, "cwt")
    except NotHereError as error:
        print(f"  without cwt: {error}")
        return {"paper_code_verify": Figure(rate(ours), "1/CPU-s", goal=_GOAL)}
    metadata = paper_of(kind)
    claims = {"4": 4_102_444_800, "6": 1_767_605_400, "7": "01020304", "-65537": [*metadata.surface.values()]}
    with subprocess.Popen(
        [python, str(PEERS / "cwt_verify.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as peer:
        found = alternate({"ours": lambda: rate(ours), "reference": _asker(peer, claims)}, bench.rounds)
    return {
        "paper_code_verify": Figure(
            median(found["ours"]),
            "1/CPU-s",
            reference=median(found["reference"]),
            ratio_reference=ratio(found["ours"], found["reference"]),
            goal=_GOAL,
        )
    }


def _asker(peer: subprocess.Popen[str], claims: dict[str, object]) -> Callable[[], float]:
    tell, hear = peer.stdin, peer.stdout
    if tell is None or hear is None:
        raise NotHereError("the peer has no pipes")
    tell.write(json.dumps(claims) + "\n")

    def ask() -> float:
        tell.write("\n")
        tell.flush()
        return float(hear.readline())

    return ask
