"""The line that a verification leaves with everybody it showed (核验留痕): the holder, and those beside him."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from idservice import audit
from licences import co_holders
from licences.deeds import Deed

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from idservice.call import Call
    from licences.artefacts import Record
    from licences.asker import Asker
    from licences.models import Licence

MASKED_HOLDER: Final = "masked_holder"
_WHO: Final = frozenset({"holder_name", "holder_number"})


def fields_read(clear: Collection[str]) -> list[str]:
    """Return what a counter read of a licence of which these fields alone are shown.

    Its holder is named in every answer to a counter: what of him is not shown in full is shown masked.
    """
    return [*sorted(clear), *([] if set(clear) >= _WHO else [MASKED_HOLDER])]


def put(
    call: Call,
    asker: Asker,
    subject: str,
    seen: Sequence[tuple[Licence, Record]],
    *,
    basis: str,
    fields: Collection[str],
    matter: str | None = None,
    licences: Sequence[str] | None = None,
    named: bool = True,
) -> None:
    """Write a look on its holder's record, and on that of everybody who stands beside him on one of the licences.

    `licences` are those that were shown, where the register no longer has all of them; where nobody was `named`,
    those beside the holder were not shown.
    """
    which = [licence.identifier for licence, _record in seen] if licences is None else list(licences)
    more = {"matter": matter} if matter else {}
    public = {"operator": asker.operator, "department": asker.department}

    def note(whose: str, why: str, what: Collection[str], shown: list[str]) -> None:
        facts = asker.facts(basis=why, fields=list(what), **more)
        audit.record_access(call, Deed.VERIFIED, subject=whose, facts=facts, licences=shown, basis=why, **public)

    note(subject, basis, fields, which)
    for licence, record in seen if named else ():
        for beside in co_holders.beside(call, record.metadata):
            note(beside, basis if basis == "identifier" else "co_holder", [MASKED_HOLDER], [licence.identifier])
