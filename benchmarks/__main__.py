"""`python -m benchmarks [MEASURE ...]`: measure, print a table, write `benchmarks/results.json`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks import (
    bulk,
    client_credentials,
    collection,
    home,
    licences,
    lookups,
    memory,
    ofd,
    paper_codes,
    pdf,
    provider,
    qr_pictures,
    sd_jwt,
    sm2_signatures,
    status_lists,
    sweep,
    wrk,
)
from benchmarks.bench import Bench

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.rounds import Figure

RESULTS: Final = Path(__file__).with_name("results.json")
LEAST_ROUNDS: Final = 5

MEASURES: Final[Mapping[str, Callable[[Bench], dict[str, Figure]]]] = {
    "home": home.measure,
    "token": client_credentials.measure,
    "provider": provider.measure,
    "memory": memory.measure,
    "sweep": sweep.measure,
    "verification": licences.measure_verification,
    "issue": licences.measure_issue,
    "lookups": lookups.measure,
    "sm2": sm2_signatures.measure,
    "sd_jwt": sd_jwt.measure,
    "status": status_lists.measure,
    "qr": qr_pictures.measure,
    "paper": paper_codes.measure,
    "collection": collection.measure,
    "bulk": bulk.measure,
    "ofd": ofd.measure,
    "pdf": pdf.measure,
}
NEED_LOAD: Final = frozenset({"home", "token", "provider", "memory", "sweep", "verification", "issue", "lookups"})


def main() -> int:
    """Return the exit status: 2 where something could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=f"of: {' '.join(MEASURES)} (default: all)")
    parser.add_argument("--rounds", type=int, default=LEAST_ROUNDS, help="at least 5, for medians worth having")
    parser.add_argument("--seconds", type=int, default=3, help="of one load")
    parser.add_argument("--full", type=Path, metavar="FOLDER", help="lookups: a city of full size, built where missing")
    asked = parser.parse_args()
    wanted = asked.measures or list(MEASURES)
    if unknown := [name for name in wanted if name not in MEASURES]:
        parser.error(f"unknown: {' '.join(unknown)}; there are: {' '.join(MEASURES)}")
    if asked.rounds < LEAST_ROUNDS or not 1 <= asked.seconds <= 30:
        parser.error(f"--rounds is at least {LEAST_ROUNDS}, --seconds 1 to 30")
    try:
        if NEED_LOAD.intersection(wanted):
            wrk.require()
        figures = _measure(wanted, asked.rounds, asked.seconds, asked.full)
    except (wrk.LoadError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 2
    _keep(figures)
    return 0


def _measure(wanted: list[str], rounds: int, seconds: int, full: Path | None) -> dict[str, Figure]:
    figures: dict[str, Figure] = {}
    with tempfile.TemporaryDirectory(prefix="ona-bench-") as folder:
        bench = Bench(Path(folder), rounds, seconds, full)
        with bench.running:
            for name in wanted:
                print(f"{name} ...", file=sys.stderr, flush=True)
                found = MEASURES[name](bench)
                figures |= found
                for line in found.items():
                    print(_row(*line), flush=True)
    return figures


def _row(name: str, figure: Figure) -> str:
    members = figure.as_json()
    cells = [f"{name:24} {members['ours']:>10} {figure.unit:11}"]
    cells += [
        f"{other} {members[other]:>8} (x {members.get(f'ratio_{other}', '-')})"
        for other in ("reference", "by_hand")
        if other in members
    ]
    return "  ".join((*cells, f"[{figure.goal}]" if figure.goal else "")).rstrip()


def _keep(figures: Mapping[str, Figure]) -> None:
    """Write the figures over those of the same names; what was not measured now stays as it was."""
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    kept |= {name: figure.as_json() for name, figure in figures.items()}
    RESULTS.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
