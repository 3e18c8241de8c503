"""The proof that one audit row is in the log, for somebody who has only the log's verifier key."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC
from typing import TYPE_CHECKING, Any

from idservice.log import tree
from idservice.models import AuditEntry
from keys.merkle import MerkleError, inclusion_proof, leaf_hash, verify_inclusion
from keys.tiles import TileNodes

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from keys.note import Checkpoint


class NotInLogError(Exception):
    """No such entry, or it has no place in the log yet; the message says which."""


def prove(session: Session, entry_id: str, opened: Callable[[object], Checkpoint]) -> dict[str, Any]:
    """Return the inclusion proof (RFC 9162 section 2.1.3) of an audit row under the newest checkpoint, as JSON.

    `entry` and `salt` let the receiver see that `leaf` is the commitment to that row and to no other.

    Raises:
        NotInLogError: the entry is unknown or not yet sequenced.
        LogDamagedError: the proof does not lead to the signed root.
    """
    row = session.get(AuditEntry, entry_id)
    if row is None:
        raise NotInLogError("there is no such entry")
    checkpoint, note = tree.newest_opened(session, opened), tree.newest(session)
    if row.log_index is None or checkpoint is None or note is None or row.log_index >= checkpoint.size:
        raise NotInLogError("the entry is not in the log yet: the sequencer takes a few seconds")
    leaf = tree.entry_of(row)
    try:
        nodes = TileNodes(checkpoint.size, tree.read_tile(session))
        path = inclusion_proof(row.log_index, checkpoint.size, nodes)
    except MerkleError as error:
        raise tree.LogDamagedError(str(error)) from None
    if not verify_inclusion(leaf_hash(leaf), row.log_index, checkpoint.size, path, checkpoint.root):
        raise tree.LogDamagedError("the entry is not under the signed root: run `flask audit verify`")
    return {
        "entry_id": row.entry_id,
        "log_index": row.log_index,
        "leaf": _text(leaf),
        "proof": [_text(node) for node in path],
        "checkpoint": note.note,
        "entry": {
            "entry_id": row.entry_id,
            "at": row.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "deed": row.deed,
            "outcome": row.outcome,
            "actor": row.actor,
            "facts": row.facts,
        },
        "salt": _text(row.salt),
    }


def _text(data: bytes) -> str:
    return b64encode(data).decode()
