"""The register of organisations (法人和其他组织), found by unified social credit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert

from idservice import audit
from idservice.errors import FieldProblem, Problem
from idservice.models import Organisation
from idservice.numbers import credit_code
from idservice.numbers.fold import InvalidNumber
from idservice.register.people import subject_for

if TYPE_CHECKING:
    from idservice.call import Call


def enrol(call: Call, *, code: str, name: str) -> str:
    """Enter an organisation and return its subject; a code already entered keeps its subject.

    Raises:
        Problem: invalid, if the code is not a unified social credit code.
    """
    try:
        code = credit_code.check(code)
    except InvalidNumber as error:
        raise Problem("invalid", "", errors=[FieldProblem("/number", error.code, str(error))]) from None
    subject, is_new = subject_for(call, code, "organisation")
    if not is_new:
        return subject
    row = {"subject": subject, "credit_code": code, "name": name, "status": "active", "created_at": call.now}
    call.session.execute(insert(Organisation), row)
    audit.record(call, audit.Deed.ORGANISATION_ENROLLED, subject=subject)
    return subject


def facts(call: Call, subject: str) -> Organisation | None:
    """Return the organisation with that subject, or None."""
    return call.session.get(Organisation, subject)
