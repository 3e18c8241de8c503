"""核对审计记录：只凭公开日志，证明一条记录在日志中。Check over HTTP that an entry is in the public audit log.

    python examples/check_inclusion.py http://127.0.0.1:8000/log PROOF.json   (made by: flask audit prove ENTRY_ID)
    python examples/check_inclusion.py http://127.0.0.1:8000/log INDEX        (such as log_index of /v1/accesses)

Only the standard library and this project's `keys` are used. The log is not believed: the checkpoint's signature, the
path from the entry to its root and, with PROOF.json, what the entry says are computed here. Without --key the log's
own word is taken for its key; a cautious reader got the key some other way.

退出码 exit status: 0 在日志中 included · 1 不在 not included · 2 无法判断 could not tell
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import urllib.error
import urllib.request
from base64 import b64decode
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run from a checkout, without installing

from keys.canonical import canonical_json
from keys.merkle import MerkleError, inclusion_proof, leaf_hash, verify_inclusion
from keys.note import Checkpoint, NoteError, parse_checkpoint, parse_vkey, verify
from keys.tiles import ENTRIES, WIDTH, Tile, TileNodes, split_bundle

MAX_ANSWER = 1_000_000  # bytes; a full tile has 8 KiB


class NotIncluded(Exception):
    """The log contradicts itself, or does not hold the entry."""


def main() -> int:
    """Check, say so and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log", help="URL of the log")
    parser.add_argument("entry", help="PROOF.json or an index")
    parser.add_argument("--key", help="the log's verifier key (C2SP vkey), got from elsewhere")
    options = parser.parse_args()
    url = options.log.rstrip("/")
    if not url.startswith(("http://", "https://")):
        parser.error("the log is named by its http or https URL")
    try:
        proof = {} if options.entry.isdecimal() else json.loads(Path(options.entry).read_text(encoding="utf-8"))
        index = int(proof.get("log_index", options.entry))
        checkpoint = newest(url, options.key)
        leaf = check(url, checkpoint, index, proof)
    except (NotIncluded, NoteError, MerkleError) as error:
        print(f"不在日志中 NOT included: {error}")
        return 1
    except (OSError, ValueError, KeyError, AttributeError) as error:
        print(f"无法判断 Could not tell: {error!r}", file=sys.stderr)
        return 2
    print(f"在日志中 Included: entry {index} of {checkpoint.size} in {checkpoint.origin}, commitment {leaf.hex()}")
    if proof:
        print(json.dumps(proof["entry"], ensure_ascii=False, indent=1))
    return 0


def newest(url: str, key: str | None) -> Checkpoint:
    """Return the log's newest checkpoint, its signature checked."""
    keys = [key] if key else fetch(f"{url}/key").decode().split()
    opened = verify(fetch(f"{url}/checkpoint").decode(), [parse_vkey(each) for each in keys])
    checkpoint = parse_checkpoint(opened.text)
    if checkpoint.origin not in opened.names:
        raise NotIncluded("the checkpoint is signed under another name than its own")
    return checkpoint


def check(url: str, checkpoint: Checkpoint, index: int, proof: dict[str, Any]) -> bytes:
    """Return the entry at `index`, having proved that it lies under the checkpoint and is what `proof` says."""
    if index >= checkpoint.size:
        raise NotIncluded(f"the log has {checkpoint.size} entries")
    leaf = entry_at(url, index, checkpoint.size)
    path = inclusion_proof(index, checkpoint.size, TileNodes(checkpoint.size, lambda tile: fetch(f"{url}/{tile.path}")))
    if not verify_inclusion(leaf_hash(leaf), index, checkpoint.size, path, checkpoint.root):
        raise NotIncluded("the entry does not lead to the signed root")
    if proof and commitment(proof) != leaf:
        raise NotIncluded("the log holds another entry there than the proof says")
    return leaf


def commitment(proof: dict[str, Any]) -> bytes:
    """Return the 32 bytes that stand for the proof's row in the log: SHA-256 over salt and canonical JSON."""
    return hashlib.sha256(b64decode(proof["salt"], validate=True) + canonical_json(proof["entry"])).digest()


def entry_at(url: str, index: int, size: int) -> bytes:
    """Fetch one entry out of its bundle."""
    number, inside = divmod(index, WIDTH)
    bundle = Tile(ENTRIES, number, min(WIDTH, size - number * WIDTH))
    return split_bundle(fetch(f"{url}/{bundle.path}"))[inside]


def fetch(url: str) -> bytes:
    """Fetch a file of the log."""
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - main() lets http and https through only
        data: bytes = answer.read(MAX_ANSWER)
    return data


if __name__ == "__main__":
    sys.exit(main())
