"""The department's seal on a licence, whichever way it was put there: on its own record, or on the head of a portion.

`judge` is the one verdict over both kinds; `seal_signature` and `evidence` are what a third party verifies by himself.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, select
from sqlalchemy.exc import NoResultFound

from idservice.db import table_of
from idservice.errors import Kind, Problem, register
from idservice.statement import Statement
from keys.verdict import Check, Reason, Result
from licences.formats import portion
from licences.formats.portion import Head, Tree
from licences.portion_models import SealPortion
from seals import stamp
from seals.report import SignatureReport
from seals.stamp import Stamp

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.artefacts import Record
    from licences.models import Licence

register(
    {
        "sealed_in_portion": Kind(
            404, "该证照为批量签章，请取 seal-proof.json", "The licence was sealed in a portion: get seal-proof.json"
        )
    }
)

_table = table_of(SealPortion)
_PORTION = Statement(select(_table).where(_table.c.portion_id == bindparam("portion")))
_REMEMBERED: Final = 2_048  # portions in a walk, up to 16 KB each


@dataclass(frozen=True, slots=True)
class Sealed:
    """A portion that was sealed; `is_whole` says that its tree was seen to follow from its leaves."""

    head: Head
    tree: Tree
    stamp: Stamp
    is_whole: bool = False

    def covers(self, licence: Licence, record: Record) -> bool:
        """Tell whether a licence with that record is among those that were sealed, then and by that seal."""
        when = (licence.seal_id, licence.issued_at)
        return when == (self.stamp.seal_id, self.stamp.sealed_at) and self.holds(licence.portion_place, record)

    def holds(self, place: int | None, record: Record) -> bool:
        """Tell whether a record stands at a place of the tree."""
        if place is None or not 0 <= place < self.tree.size:
            return False
        leaf = portion.leaf(record.content, portion.nonce_of(record.seed))
        if self.is_whole:
            return self.tree.node(0, place) == leaf
        return portion.covers(self.head, leaf, place, self.tree.path(place))


class Walk:
    """What a walk over many licences knows already: each portion is read, and the seal on its head judged, once."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, Sealed | None] = OrderedDict()
        self._verdicts: dict[bytes, SignatureReport] = {}

    def find(self, call: Call, portion_id: bytes) -> Sealed | None:
        """Return a portion that was sealed, its whole tree checked, or None."""
        if portion_id not in self._known:
            self._known[portion_id] = _find(call, portion_id, whole=True)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        self._known.move_to_end(portion_id)
        return self._known[portion_id]

    def judge(self, call: Call, sealed: Sealed) -> SignatureReport:
        """Return the verdict over the seal on the head of a portion."""
        key = sealed.head.portion
        if key not in self._verdicts:
            self._verdicts[key] = _judge_head(call, sealed)
        return self._verdicts[key]


def judge(call: Call, licence: Licence, record: Record, walk: Walk | None = None) -> SignatureReport:
    """Judge the department's seal on a licence at this instant, by the standards' own steps, whichever kind it is."""
    try:
        if licence.portion_id is None:
            return stamp.judge(call, _own_stamp(licence), document=record.content, name=licence.identifier)
        sealed = _find(call, licence.portion_id) if walk is None else walk.find(call, licence.portion_id)
        if sealed is None or not sealed.covers(licence, record):
            return _refused("integrity", "not among what was sealed together", Reason.DOCUMENT_ALTERED)
        return _judge_head(call, sealed) if walk is None else walk.judge(call, sealed)
    except NoResultFound:
        return _refused("seal_signature", "the register knows no such seal", Reason.SEAL_INVALID)


def _refused(name: str, detail: str, reason: Reason) -> SignatureReport:
    return SignatureReport(checks=(Check(name, Result.FAIL, detail, reason),))


def value(call: Call, licence: Licence) -> bytes:
    """Return the SM2 value of the seal signature that covers a licence: its own, or that of its portion."""
    stamped = _own_stamp(licence) if licence.portion_id is None else _of(call, licence.portion_id).stamp
    return stamped.signature


def seal_signature(call: Call, licence: Licence, record: Record) -> bytes:
    """Return the SES_Signature (DER) of the department's seal on the record itself.

    Raises:
        Problem: sealed_in_portion.
    """
    if licence.portion_id is not None:
        raise Problem("sealed_in_portion", "Its seal is on the head of a portion.")
    return stamp.export(call, _own_stamp(licence), document=record.content, name=licence.identifier)


def evidence(call: Call, licence: Licence, record: Record) -> bytes:
    """Return what proves a licence to somebody who has no register: read by `licences.formats.portion.read_evidence`.

    Raises:
        Problem: unavailable, where the portion cannot be read.
    """
    if licence.portion_id is None:
        return portion.write_evidence(record.content, seal_signature(call, licence, record))
    sealed, place = _of(call, licence.portion_id), licence.portion_place or 0
    seal = stamp.export(call, sealed.stamp, document=sealed.head.content, name=sealed.head.name)
    nonce, path = portion.nonce_of(record.seed), sealed.tree.path(place)
    return portion.write_evidence(record.content, seal, sealed.head, nonce=nonce, place=place, path=path)


def _own_stamp(licence: Licence) -> Stamp:
    return Stamp(licence.seal_id, licence.issued_at, licence.seal_signature or b"")


def _judge_head(call: Call, sealed: Sealed) -> SignatureReport:
    return stamp.judge(call, sealed.stamp, document=sealed.head.content, name=sealed.head.name)


def _of(call: Call, portion_id: bytes) -> Sealed:
    found = _find(call, portion_id)
    if found is None:
        raise Problem("unavailable", "The seal of this licence cannot be read.")
    return found


def _find(call: Call, portion_id: bytes, *, whole: bool = False) -> Sealed | None:
    """Return a portion that was sealed, or None; on wish its whole tree is checked, which is dearer than one path."""
    row: Any = _PORTION.first(call.connection, {"portion": portion_id})
    if row is None or row.sealed_at is None or row.seal_signature is None:
        return None
    tree = Tree(row.size, row.nodes)
    head = Head(row.portion_id, row.size, row.root)
    return Sealed(head, tree, Stamp(row.seal_id, row.sealed_at, row.seal_signature), whole and tree.leads_to(head))
