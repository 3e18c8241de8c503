"""Documents that wait for confirmation (用章确认): handed in, looked at by digest and first page, then sealed.

They lie encrypted under their person's own subject for a quarter of an hour, results too, and are deleted afterwards:
the register keeps digests, never documents. A draft is claimed once, in the transaction that announces its use.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from idservice import expiry
from idservice.errors import Kind, Problem, register
from idservice.ids import random_id
from keys.sm2 import sm3
from seals import batch, custody, use_document
from seals.batch import Announced, Document
from seals.models import SealDraft
from seals.register import find
from seals.time_stamping import is_asked_elsewhere
from seals.use_document import Wish

if TYPE_CHECKING:
    from idservice.call import Call

register(
    {
        "too_many_files": Kind(422, "一次最多五十份文件", "At most fifty files at a time"),
        "draft_expired": Kind(404, "待盖章文件已过期，请重新上传", "These files have expired: hand them in again"),
    }
)

expiry.sweep_also(SealDraft.draft_id, SealDraft.expires_at)

KEPT = timedelta(minutes=15)
MOST_FILES = 50
AT_ONCE = 10  # files sealed in one request: each takes some hundredths of a second, a PDF more


@dataclass(frozen=True, slots=True)
class Draft:
    """One file on its way: waiting, done, refused (with a code), or announced without an end."""

    draft_id: str
    name: str
    digest: str
    purpose: str
    on_behalf: str | None
    seal_id: str
    expires_at: datetime
    state: str  # waiting | done | refused | unfinished
    failure: str | None
    result_name: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """A draft that is being sealed now."""

    draft_id: str
    seal_id: str
    document: Document
    announced: Announced


def keep(call: Call, seal_id: str, documents: list[Document]) -> str:
    """Keep files for confirmation and return the number of the batch.

    Raises:
        Problem: not_found, forbidden, the refusals of `custody.refuse_use`, too_many_files, or why a file cannot be
            sealed, named in the detail.
    """
    seal = find(call, seal_id)
    custody.demand_login(call, seal)
    if len(documents) > MOST_FILES:
        raise Problem("too_many_files", f"At most {MOST_FILES}.")
    batch_id = random_id()
    for place, document in enumerate(documents):
        custody.refuse_use(call, seal, document.purpose)
        try:
            use_document.draft(call, seal_id=seal_id, document=document.data, wish=Wish(document.form))
        except Problem as problem:
            raise Problem(problem.code, f"{document.name}: {problem.detail}", errors=problem.errors) from None
        _write(call, seal_id, batch_id, place, document)
    return batch_id


def of_batch(call: Call, batch_id: str) -> list[Draft]:
    """Return the caller's own drafts of a batch.

    Raises:
        Problem: draft_expired, where there are none, or not any more.
    """
    rows = call.session.scalars(_own(call).where(SealDraft.batch_id == batch_id).order_by(SealDraft.place)).all()
    if not rows:
        raise Problem("draft_expired", "Hand the files in again.")
    return [_shown(call, row) for row in rows]


def content(call: Call, draft_id: str) -> tuple[Draft, bytes, bytes | None]:
    """Return one of the caller's drafts, its document, and the result where there is one.

    Raises:
        Problem: draft_expired.
    """
    row = call.session.scalars(_own(call).where(SealDraft.draft_id == draft_id)).one_or_none()
    if row is None:
        raise Problem("draft_expired", "Hand the file in again.")
    result = None if row.result_sealed is None else _open(call, row, "result_sealed", row.result_sealed)
    return _shown(call, row), _open(call, row, "document_sealed", row.document_sealed), result


def claim(call: Call, batch_id: str) -> list[Claimed]:
    """Announce the use of the seal on the next files of a batch, each once; none left: an empty list.

    Raises:
        Problem: what `batch.announce` raises; nothing is claimed then.
    """
    waiting = _own(call).where(SealDraft.batch_id == batch_id, SealDraft.done_at.is_(None))
    claimed = []
    for row in call.session.scalars(waiting.order_by(SealDraft.place).limit(AT_ONCE)).all():
        document = _document(call, row)
        announced = batch.announce(call, row.seal_id, document)
        if _take(call, row, announced.use_id):
            claimed.append(Claimed(row.draft_id, row.seal_id, document, announced))
        else:
            raise Problem("conflict", "The same files are being sealed by another request.")
    return claimed


def ask(call: Call, claimed: list[Claimed]) -> list[Claimed]:
    """Seal what was claimed before the writing transaction, where a time-stamp authority has to be waited for."""
    if not is_asked_elsewhere(call):
        return claimed
    return [replace(item, announced=batch.make(call, item.seal_id, item.document, item.announced)) for item in claimed]


def seal(call: Call, claimed: list[Claimed]) -> int:
    """Seal what was claimed and keep the results; return how many were sealed. One that is refused says so."""
    done = 0
    for item in claimed:
        try:
            sealed = batch.seal(call, item.seal_id, item.document, item.announced)
        except Problem as problem:  # raised before anything is written
            _finish(call, item.draft_id, {"failure": problem.code[:64]})
            continue
        place = _place(item.draft_id, "result_sealed")
        _finish(call, item.draft_id, {"result_sealed": call.cipher.seal(sealed.data, **place)})
        done += 1
    return done


def _write(call: Call, seal_id: str, batch_id: str, place: int, document: Document) -> None:
    draft_id = random_id()

    def sealed(column: str, data: bytes) -> bytes:
        return call.cipher.seal(data, **_place(draft_id, column))

    on_behalf = document.on_behalf
    row = {
        "subject": call.caller.person,
        "draft_id": draft_id,
        "batch_id": batch_id,
        "place": place,
        "seal_id": seal_id,
        "name_sealed": sealed("name_sealed", document.name.encode()),
        "document_sealed": sealed("document_sealed", document.data),
        "digest": sm3(document.data),
        "purpose": document.purpose,
        "on_behalf_sealed": None if on_behalf is None else sealed("on_behalf_sealed", on_behalf.encode()),
        "expires_at": call.now + KEPT,
    }
    call.session.execute(insert(SealDraft), row)


def _own(call: Call) -> Any:
    return select(SealDraft).where(SealDraft.subject == call.caller.person, SealDraft.expires_at > call.now)


def _take(call: Call, row: SealDraft, use_id: str) -> bool:
    taken = (
        update(SealDraft)
        .where(SealDraft.subject == row.subject, SealDraft.draft_id == row.draft_id, SealDraft.done_at.is_(None))
        .values(done_at=call.now, use_id=use_id)
    )
    return call.session.execute(taken.returning(SealDraft.draft_id)).one_or_none() is not None


def _finish(call: Call, draft_id: str, values: dict[str, Any]) -> None:
    own = (SealDraft.subject == call.caller.person, SealDraft.draft_id == draft_id)
    call.session.execute(update(SealDraft).where(*own).values(values))


def _document(call: Call, row: SealDraft) -> Document:
    on_behalf = row.on_behalf_sealed
    return Document(
        _open(call, row, "name_sealed", row.name_sealed).decode(),
        _open(call, row, "document_sealed", row.document_sealed),
        row.purpose,
        None if on_behalf is None else _open(call, row, "on_behalf_sealed", on_behalf).decode(),
    )


def _shown(call: Call, row: SealDraft) -> Draft:
    name = _open(call, row, "name_sealed", row.name_sealed).decode()
    on_behalf = row.on_behalf_sealed
    return Draft(
        draft_id=row.draft_id,
        name=name,
        digest=row.digest.hex(),
        purpose=row.purpose,
        on_behalf=None if on_behalf is None else _open(call, row, "on_behalf_sealed", on_behalf).decode(),
        seal_id=row.seal_id,
        expires_at=row.expires_at,
        state=_state(row),
        failure=row.failure,
        result_name=batch.result_name(name, Document(name, b"", "").form),
    )


def _state(row: SealDraft) -> str:
    if row.done_at is None:
        return "waiting"
    if row.failure is not None:
        return "refused"
    return "done" if row.result_sealed is not None else "unfinished"


def _open(call: Call, row: SealDraft, column: str, blob: bytes) -> bytes:
    return call.cipher.open(blob, **_place(row.draft_id, column))


def _place(draft_id: str, column: str) -> Any:
    return {"table": "seal_draft", "column": column, "row": draft_id}
