"""The proof that one audit row is in the log, for somebody who has only the log's verifier key."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from idservice.log import tree
from idservice.models import AuditEntry
from keys.merkle import MerkleError, inclusion_proof, leaf_hash, verify_inclusion
from keys.note import NoteError
from keys.tiles import TileNodes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
    found = prove_all(session, [entry_id], opened).get(entry_id)
    if found is not None:
        return found
    if session.get(AuditEntry, entry_id) is None:
        raise NotInLogError("there is no such entry")
    raise NotInLogError("the entry is not in the log yet: the sequencer takes a few seconds")


def prove_all(
    session: Session, entry_ids: Sequence[str], opened: Callable[[object], Checkpoint]
) -> dict[str, dict[str, Any]]:
    """Return, by identifier, what `prove` returns of each, all under one checkpoint; those not in the log are left out.

    Raises:
        LogDamagedError: a proof does not lead to the signed root.
    """
    note = tree.newest(session)  # read once: the next one may be signed at any moment
    if note is None:
        return {}
    try:
        checkpoint = opened(note.note)
    except NoteError as error:
        raise tree.LogDamagedError(f"the newest checkpoint: {error}") from None
    rows = session.scalars(select(AuditEntry).where(AuditEntry.entry_id.in_(entry_ids)))
    nodes = TileNodes(checkpoint.size, tree.read_tile(session))
    return {
        row.entry_id: _proof(row, checkpoint, note.note, nodes)
        for row in rows
        if row.log_index is not None and row.log_index < checkpoint.size
    }


def _proof(row: AuditEntry, checkpoint: Checkpoint, note: str, nodes: TileNodes) -> dict[str, Any]:
    index = row.log_index or 0
    leaf = tree.entry_of(row)
    try:
        path = inclusion_proof(index, checkpoint.size, nodes)
    except MerkleError as error:
        raise tree.LogDamagedError(str(error)) from None
    if not verify_inclusion(leaf_hash(leaf), index, checkpoint.size, path, checkpoint.root):
        raise tree.LogDamagedError("the entry is not under the signed root: run `flask audit verify`")
    return {
        "entry_id": row.entry_id,
        "log_index": index,
        "leaf": _text(leaf),
        "proof": [_text(node) for node in path],
        "checkpoint": note,
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
