"""The charter of a demonstration city (建城记录): what its first start settles for good, and whether it was finished.

It is written before anything else, so that a set-up that was killed is completed as the same city. Every password and
secret comes from its one random root and need not be stored; whoever can read the charter can use the city.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

from keys.keyfile import replace_file
from licences.lifecycle import local_day

if TYPE_CHECKING:
    from pathlib import Path

SEED: Final = 2026
_ROOT = re.compile(r"[0-9a-f]{64}")


class CharterError(ValueError):
    """The charter is not one that this program wrote."""


@dataclass(frozen=True, slots=True)
class Charter:
    """What makes a city the same city at its next start."""

    seed: int
    day: date  # the city's dates are laid around it
    root: bytes = field(repr=False)  # 32 secret bytes
    credential_issuer: str  # the `iss` of its credentials, whatever the port of a later start
    built: bool  # everything that was to be enrolled and issued is


def draw_up(now: datetime, issuer: str) -> Charter:
    """Return the charter of a new city."""
    return Charter(SEED, local_day(now), secrets.token_bytes(32), issuer, built=False)


def read(path: Path) -> Charter | None:
    """Return the charter at `path`, None where there is none.

    Raises:
        CharterError: it cannot be read as one.
    """
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError):
        raise CharterError(f"{path} is not JSON") from None
    match found:
        case {
            "seed": int(seed),
            "day": str(day),
            "root": str(root),
            "credential_issuer": str(issuer),
            "built": bool(b),
        }:
            try:
                if _ROOT.fullmatch(root):
                    return Charter(seed, date.fromisoformat(day), bytes.fromhex(root), issuer, b)
            except ValueError:
                pass
    raise CharterError(f"{path} is not the charter of a demonstration city")


def write(path: Path, charter: Charter) -> None:
    """Put the charter at `path`, readable by this account alone; OSError where that cannot be done."""
    members = {
        "seed": charter.seed,
        "day": charter.day.isoformat(),
        "root": charter.root.hex(),
        "credential_issuer": charter.credential_issuer,
        "built": charter.built,
    }
    replace_file(path, json.dumps(members, indent=1).encode())
