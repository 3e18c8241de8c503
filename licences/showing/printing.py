"""Print a sealed copy at a terminal (自助终端打印加盖电子印章的副本): by the holder's own code, for one stated use.

A copy hands over the whole face, so the code must let all of it be read: one that shows less prints nothing, and is
not used up by that. What is printed is an annotated copy (加注件), which says on every page what it was printed for.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from idservice import audit
from idservice.errors import FieldProblem, Kind, Problem, register
from keys.verdict import Reason
from licences import artefacts, catalogue, co_holders, identifier, show
from licences.change import find_held
from licences.deeds import Deed
from licences.guard.admit import admit
from licences.sharing import annotated
from licences.sharing.annotated import CopyForm

if TYPE_CHECKING:
    from collections.abc import Iterable

    from idservice.call import Call
    from licences.asker import Asker
    from licences.sharing.annotated import Annotated
    from licences.show import Redeemed

register(
    {
        "print_code_void": Kind(
            403, "亮证码无效、已过期或已用过", "The show code is void, expired or used: show a new one"
        ),
        "print_not_whole": Kind(
            403,
            "亮证码没有允许给出一份证照的全部内容，请选“全部信息，可打印副本”重新亮证",
            "The code does not let all of one licence be read: choose everything, to be printed, and show it again",
        ),
    }
)

LIFE: Final = timedelta(days=30)
WHOLE: Final = ("holder_name", "holder_number")


def whole(call: Call, types: Iterable[str]) -> list[str]:
    """Return the fields that a code must let be read for licences of these types (codes) to be printed."""
    faces = (field.name for code in types for field in catalogue.find(call, code).type.fields)
    return list(dict.fromkeys((*WHOLE, *faces)))


def print_copy(call: Call, text: str, asker: Asker) -> Annotated:
    """Use a show code up and return the sealed copy of the one licence it shows; needs a writing call.

    Raises:
        Problem: print_code_void; print_not_whole, where the code shows several licences or not all of one; invalid,
            without a purpose; quota_exceeded; what `annotated.make` refuses. A refusal leaves the code good.
    """
    if not asker.purpose:
        raise Problem("invalid", "", errors=[FieldProblem("/purpose", "required", "say what the copy is for")])
    admit(call, asker, matter=None, subject=None, number=None)
    code = show.find_code(text)
    shown = show.redeem(call, code, asker) if code is not None else Reason.CODE_EXPIRED
    if isinstance(shown, Reason):
        raise Problem("print_code_void", str(shown))
    only = _only(call, shown)
    licence = find_held(call, shown.subject, only)
    if licence is None:
        raise Problem("print_code_void", "The licence is no longer in the register.")
    copy = annotated.make(
        call,
        licence,
        form=CopyForm.PDF,
        purpose=asker.purpose,
        asked_by=asker.shown_to_holder[: annotated.MAX_ASKER],
        expires_at=call.now + LIFE,
    )
    metadata = artefacts.open_record(call, licence).metadata
    read = sorted({*WHOLE, *metadata.surface})
    more = {"operator": asker.operator, "department": asker.department, "copy": copy.note.number}
    # A copy names everybody on the licence in full: it is on the record of each.
    why = {licence.subject: "show_code"} | dict.fromkeys(co_holders.beside(call, metadata), "co_holder")
    for subject, basis in why.items():
        facts = asker.facts(basis=basis, fields=read)
        audit.record_access(call, Deed.COPY_PRINTED, subject=subject, facts=facts, licences=[only], basis=basis, **more)
    return copy


def _only(call: Call, shown: Redeemed) -> str:
    """Return the one licence (identifier) that a code shows whole."""
    types = {identifier.type_code(code) for code in shown.licences}
    if len(shown.licences) != 1 or not set(whole(call, types)) <= set(shown.fields or ()):
        raise Problem("print_not_whole")
    return shown.licences[0]
