"""The reply to a department check (协查答复): a page under the department's seal, and who has read it.

To seal is two deeds, as everywhere in this house: that the seal is about to be used is recorded first. Every reading by
the asking unit stands on the record of the person, written before the document leaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import insert, select

from idservice import audit
from idservice.errors import FieldProblem, Kind, Problem, register
from idservice.ids import timed_id
from licences.counter import assist_view, assists, case_parties
from licences.counter.assist_letter import Reply, reply_page
from licences.counter.assist_life import RULES, Answer, Side, State, Step
from licences.counter.models import DepartmentReply
from licences.deeds import Deed
from seals import lifecycle, use_document
from seals.models import Seal
from seals.time_stamping import is_asked_elsewhere
from seals.use import Made, intend
from seals.use_document import Form, Wish

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.counter.models import DepartmentCheck
    from seals.use_document import Ready

register({"no_seal_to_reply": Kind(409, "本部门没有可用的印章", "Your department has no seal in force")})

PURPOSE: Final = "部门协查答复"
MEDIA_TYPE: Final = "application/ofd"
_TABLE: Final = "department_reply"
_WISH: Final = Wish(Form.OFD)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A reply whose sealing is announced: `ready` becomes the sealed page where a time stamp is waited for."""

    document: bytes
    seal_id: str
    use_id: str
    ready: Ready | Made


def prepare(call: Call, check_id: str, body: dict[str, Any]) -> Prepared:
    """Write the reply and announce that the department's seal will be used on it.

    Args:
        call: of the officer to whom the check is assigned.
        check_id: the check.
        body: `answer`, `text`, and `seal` where the department has several.

    Raises:
        Problem: not_found, step_not_open, not_assigned_to_you, invalid without a text or for another unit's seal,
            no_seal_to_reply, or what `seals.use.intend` raises.
    """
    check = _answerable(call, check_id)
    text = _text(body)
    document = reply_page(_reply(call, check, Answer(body["answer"]), text))
    seal_id = _seal_of(call, check.department, body.get("seal"))
    ready = use_document.draft(call, seal_id=seal_id, document=document, wish=_WISH)
    use_id = intend(call, seal_id=seal_id, document=document, purpose=PURPOSE)
    return Prepared(document, seal_id, use_id, ready)


def wait(call: Call, check_id: str, body: dict[str, Any], prepared: Prepared) -> Prepared:  # noqa: ARG001 - the edges' shape
    """Seal before the writing transaction, where a time-stamp authority has to be waited for."""
    if not is_asked_elsewhere(call):
        return prepared
    facts = {"seal_id": prepared.seal_id, "use_id": prepared.use_id, "document": prepared.document}
    made = use_document.make(call, **facts, purpose=PURPOSE, ready=prepared.ready)  # type: ignore[arg-type]
    return Prepared(prepared.document, prepared.seal_id, prepared.use_id, made)


def answer(call: Call, check_id: str, body: dict[str, Any], prepared: Prepared) -> DepartmentReply:
    """Seal the reply, keep it, and answer the check with it.

    Raises:
        Problem: as `prepare`; step_not_open where somebody else was faster, and nothing is sealed then.
    """
    check = _answerable(call, check_id)
    used = use_document.seal(
        call,
        seal_id=prepared.seal_id,
        use_id=prepared.use_id,
        document=prepared.document,
        purpose=PURPOSE,
        ready=prepared.ready,
    )
    reply_id, text = timed_id(call.now), _text(body)
    row = {
        "subject": check.subject,
        "check_id": check.check_id,
        "reply_id": reply_id,
        "answer": body["answer"],
        "text_sealed": _sealed(call, reply_id, "text_sealed", text.encode()),
        "document_sealed": _sealed(call, reply_id, "document_sealed", used.result),
        "seal_id": prepared.seal_id,
        "use_id": prepared.use_id,
        "actor": call.caller.name_for_log,
        "at": call.now,
    }
    call.session.execute(insert(DepartmentReply), row)
    assists.take(call, check, Step.ANSWER, by_holder=True, answer=body["answer"], answered_at=call.now)
    facts = {"check": check.check_id, "reply": reply_id, "seal": prepared.seal_id, "use": prepared.use_id}
    audit.record(call, Deed.CHECK_REPLIED, subject=check.subject, **facts)
    return call.session.get_one(DepartmentReply, (check.subject, check.check_id, reply_id))


def open_reply(call: Call, check_id: str) -> tuple[DepartmentReply, str, bytes]:
    """Return the newest reply with its text and sealed document; any reader but who wrote it is recorded first.

    Raises:
        Problem: not_found, also where there is no reply yet.
    """
    check = assists.find(call, check_id)
    found = _newest(call, check)
    if found.actor != call.caller.name_for_log:
        request = assist_view.shown(call, check)
        facts = case_parties.unit_facts(
            call,
            check.asking_department,
            purpose=request["purpose"],
            matter=check.matter,
            case_number=request["case_number"],
            fields=["department_reply"],
            basis="department_check",
        )
        audit.record_access(call, Deed.CHECK_REPLY_READ, subject=check.subject, facts=facts, check=check.check_id)
    return found, *content(call, found)


def own_reply(call: Call, check_id: str) -> bytes:
    """Return the sealed document of a check about the caller himself.

    Raises:
        Problem: not_found.
    """
    return content(call, _newest(call, assist_view.find_own(call, check_id)))[1]


def _answerable(call: Call, check_id: str) -> DepartmentCheck:
    check = assists.find(call, check_id, side=Side.ISSUING)
    if State(check.state) not in RULES[Step.ANSWER].sources:
        raise Problem("step_not_open", "Only a check that is assigned is answered.")
    if check.assigned_to != call.caller.name_for_log:
        raise Problem("not_assigned_to_you", "Take the check over first.")
    return check


def _text(body: dict[str, Any]) -> str:
    text = (body.get("text") or "").strip()
    if not text:
        raise Problem("invalid", "", errors=[FieldProblem("/text", "required", "say what the files hold")])
    return text


def _reply(call: Call, check: DepartmentCheck, said: Answer, text: str) -> Reply:
    request, names_of_case = (
        assist_view.shown(call, check, Side.ISSUING),
        case_parties.named(call, check.matter, check.proof),
    )
    names = assist_view.unit_names(call)
    return Reply(
        check_id=check.check_id,
        asking_unit=names.get(check.asking_department, check.asking_department),
        case_number=request["case_number"],
        matter=names_of_case.matter[0],
        proof=names_of_case.proof[0],
        holder=f"{request['holder']['name']} {request['holder']['number']}",
        answer=said,
        text=text,
        unit=names.get(check.department, check.department),
        on=case_parties.day_of(call.now),
    )


def _seal_of(call: Call, department: str, wanted: str | None) -> str:
    """Return the seal wanted, if it is the department's; by default its oldest in force that replies may bear."""
    if wanted is not None:
        named = call.session.get(Seal, wanted)
        if named is None or named.department != department:
            raise Problem("invalid", "", errors=[FieldProblem("/seal", "unknown", "no seal of this department")])
        return wanted
    rows = call.session.scalars(select(Seal).where(Seal.department == department).order_by(Seal.created_at))
    for seal in rows:
        state = lifecycle.state_at(seal.state, seal.valid_from, seal.valid_until, call.now)
        if state is lifecycle.State.IN_FORCE and (seal.purposes is None or PURPOSE in seal.purposes):
            return seal.seal_id
    raise Problem("no_seal_to_reply", "Have a seal of your department made, or name one that may be used for replies.")


def _newest(call: Call, check: DepartmentCheck) -> DepartmentReply:
    asked = select(DepartmentReply).where(
        DepartmentReply.subject == check.subject, DepartmentReply.check_id == check.check_id
    )
    found = call.session.scalars(asked.order_by(DepartmentReply.reply_id.desc()).limit(1)).one_or_none()
    if found is None:
        raise Problem("not_found", "This check is not answered yet.")
    return found


def content(call: Call, row: DepartmentReply) -> tuple[str, bytes]:
    """Return the text of a reply, and the sealed document."""
    text = call.cipher.open(row.text_sealed, table=_TABLE, column="text_sealed", row=row.reply_id)
    page = call.cipher.open(row.document_sealed, table=_TABLE, column="document_sealed", row=row.reply_id)
    return text.decode(), page


def _sealed(call: Call, reply_id: str, column: str, data: bytes) -> bytes:
    return call.cipher.seal(data, table=_TABLE, column=column, row=reply_id)
