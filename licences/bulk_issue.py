"""Issue many licences at once (批量签发): the steps of `licences.issue`, each taken for a whole portion.

The records of one portion are the leaves of a tree, and the department's seal is put on its head (批量签章): one use
for up to `LARGEST` licences, each of which is proved by its path. Which records they are is stored before the key is
used. `intend` and `store` write and are short; `describe` and `sign` do the work, while other processes write. What is
checked and rehearsed for each licence is the same as for one alone; its credential is made when somebody first asks.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, update

from idservice import audit, bulk
from idservice.db import table_of
from idservice.errors import Problem
from keys.sm2 import sm3
from licences import artefacts, catalogue, identifier, issue, rehearsal
from licences.artefacts import Record
from licences.deeds import Deed
from licences.formats import portion, sdjwt
from licences.formats.portion import Head, Tree
from licences.life import stop_issuing
from licences.metadata import holder_kind
from licences.models import Licence, LicenceRoute
from licences.portion_models import SealPortion
from licences.portions import Sealed
from seals.report import Format, SealReport
from seals.stamp import judge, ready

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from idservice.call import Call
    from idservice.models import Base
    from keys.fields import FieldCipher
    from licences.metadata import Holder, Metadata

_portions = table_of(SealPortion)
_PORTION: Final = ("portion_id", "seal_id", "size", "root", "announced_at", "sealed_at", "seal_signature", "nodes")
_SEALED = (
    update(_portions)
    .where(_portions.c.portion_id == bindparam("portion"))
    .values(sealed_at=bindparam("at"), seal_signature=bindparam("value"))
)


@dataclass(frozen=True, slots=True)
class Order:
    """One licence that is asked for: who is to hold it alone, and the body of `POST /v1/licences`."""

    subject: str
    holder: Holder
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Described:
    """A licence that may be issued, with the bytes that state it and the seal that is to be put on it."""

    subject: str
    seal_id: str
    stated: Metadata
    record: Record


@dataclass(frozen=True, slots=True)
class Portion:
    """Licences that are to be sealed together: the seal, and what it will be put on."""

    seal_id: str
    head: Head
    tree: Tree


@dataclass(frozen=True, slots=True)
class Announced:
    """A licence that is about to be sealed, as recorded: its leaf stands at `place` of the portion."""

    subject: str
    stated: Metadata
    record: Record
    portion: Portion
    place: int


@dataclass(frozen=True, slots=True)
class Signed:
    """A licence that was sealed and rehearsed, and is not stored yet: its row is made already."""

    announced: Announced
    sealed: Sealed
    row: dict[str, Any]


def describe(call: Call, orders: Sequence[Order]) -> list[Described | Problem]:
    """Check orders and state each licence as it will be sealed, or why it is refused; nothing is written.

    For types that a holder may hold several of: `licences.issue` alone looks whether he has one.
    """
    found = list[Described | Problem]()
    for order in orders:
        try:
            found.append(_described(call, order))
        except Problem as problem:
            found.append(problem)
    return found


def intend(call: Call, described: Sequence[Described]) -> list[Announced | Problem]:
    """Put on record what is about to be sealed; each gives what was announced, or the stop that refuses it."""
    stopped: dict[tuple[str, str], Problem | None] = {}
    found: list[Announced | Problem | None] = [_stop(call, stopped, one.stated) for one in described]
    by_seal: dict[str, list[int]] = {}
    for number, one in enumerate(described):
        if found[number] is None:
            by_seal.setdefault(one.seal_id, []).append(number)
    for numbers in by_seal.values():
        for first in range(0, len(numbers), portion.LARGEST):
            together = numbers[first : first + portion.LARGEST]
            announced = _announce(call, [described[number] for number in together])
            for number, made in zip(together, announced, strict=True):
                found[number] = made
    return [one for one in found if one is not None]


def sign(call: Call, announced: Sequence[Announced]) -> list[Signed | Problem]:
    """Seal and rehearse what was announced, and make the rows; nothing is written, and the order stays."""
    sealed: dict[bytes, Sealed | Problem] = {}
    found, cipher = list[Signed | Problem](), call.cipher.for_portion()
    for one in announced:
        key = one.portion.head.portion
        if key not in sealed:
            sealed[key] = _seal(call, one.portion)
        seal = sealed[key]
        if isinstance(seal, Problem):
            found.append(seal)
        elif seal.holds(one.place, one.record):
            found.append(Signed(one, seal, _row(cipher, one, seal)))
        else:
            found.append(Problem("rehearsal_failed", "The record does not lead to what was sealed."))
    return found


def note(call: Call, signed: Iterable[Signed]) -> None:
    """Put the seals that were used on record, whether licences will rest on them or not."""
    used = {one.sealed.head.portion: one.sealed for one in signed}
    rows = [
        {"portion": portion_id, "at": sealed.stamp.sealed_at, "value": sealed.stamp.signature}
        for portion_id, sealed in used.items()
    ]
    if rows:
        call.connection.execute(_SEALED, rows)


def store(call: Call, signed: Sequence[Signed]) -> None:
    """Store licences that were sealed, each with its route; `note` comes first."""
    by = {"changed_at": call.now, "issued_by": call.caller.name_for_log}
    rows = [one.row | by for one in signed]
    _insert(call, Licence, rows)
    _insert(call, LicenceRoute, [{"identifier": row["identifier"], "subject": row["subject"]} for row in rows])
    by_portion: dict[bytes, list[str]] = {}
    for row in rows:
        by_portion.setdefault(row["portion_id"], []).append(row["identifier"])
    for portion_id, codes in by_portion.items():
        digest = sm3("\n".join(sorted(codes)).encode()).hex()
        audit.record(call, Deed.ISSUED, portion=portion_id.hex(), licences=len(codes), digest=digest)


def _described(call: Call, order: Order) -> Described:
    entry = catalogue.find(call, order.body["type"])
    authority = catalogue.authority(call, entry, order.body.get("department"))
    if not entry.type.accepts(holder_kind(order.holder)):
        raise Problem("holder_kind", f"This type is for: {entry.type.holder_kind}.")
    code = identifier.build(entry.type.code, authority.department, identifier.new_serial(), 1)
    said, associated = order.body, order.body.get("associated")
    stated = issue.state_licence(call, entry, authority, order.holder, code, said, version=1, previous=associated)
    record = Record(artefacts.content_of(stated), secrets.token_bytes(sdjwt.SEED_BYTES))
    return Described(order.subject, authority.seal_id, stated, record)


def _stop(call: Call, known: dict[tuple[str, str], Problem | None], stated: Metadata) -> Problem | None:
    """Return why nothing of a type and department is issued now, asking once for each."""
    named = (stated.type_code, stated.issuer.code)
    if named not in known:
        known[named] = None
        try:
            stop_issuing.refuse(call, type_code=named[0], department=named[1])
        except Problem as problem:
            known[named] = problem
    return known[named]


def _announce(call: Call, described: Sequence[Described]) -> list[Announced]:
    """Put on record which records one use of a seal will cover."""
    tree = portion.grow([portion.leaf(one.record.content, portion.nonce_of(one.record.seed)) for one in described])
    head = Head(secrets.token_bytes(portion.ID_BYTES), tree.size, tree.root)
    made = Portion(described[0].seal_id, head, tree)
    row = (head.portion, made.seal_id, tree.size, tree.root, call.now, None, None, tree.nodes)
    bulk.insert(call.connection, _portions, _PORTION, [row])
    facts = {"portion": head.portion.hex(), "root": head.root.hex(), "seal": made.seal_id}
    audit.record(call, Deed.INTENDED, licences=tree.size, **facts)
    return [Announced(one.subject, one.stated, one.record, made, place) for place, one in enumerate(described)]


def _seal(call: Call, one: Portion) -> Sealed | Problem:
    """Put the seal on the head of a portion and rehearse it."""
    try:
        stamped = ready(call, one.seal_id).stamp(one.head.content, one.head.name)
        report = judge(call, stamped, document=one.head.content, name=one.head.name)
        rehearsal.refuse_seal(SealReport(Format.SIGNATURE, (report,)))
    except Problem as problem:
        return problem
    return Sealed(one.head, one.tree, stamped, one.tree.leads_to(one.head))


def _row(cipher: FieldCipher, one: Announced, sealed: Sealed) -> dict[str, Any]:
    row = issue.licence_row(
        cipher,
        one.subject,
        one.record,
        one.stated,
        seal_id=sealed.stamp.seal_id,
        sealed_at=sealed.stamp.sealed_at,
    )
    return row | {"portion_id": sealed.head.portion, "portion_place": one.place}


def _insert(call: Call, model: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        bulk.insert(call.connection, table_of(model), tuple(rows[0]), [tuple(row.values()) for row in rows])
