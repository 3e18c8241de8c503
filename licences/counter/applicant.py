"""The applicant (当事人) of a look-up, and who acts for him: the bearer of a number, or who stands in for nobody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from idservice.errors import FieldProblem, Problem
from idservice.login import stand_in
from idservice.numbers import InvalidNumber, citizen, credit_code
from idservice.register import people

if TYPE_CHECKING:
    from idservice.call import Call


@dataclass(frozen=True, slots=True)
class Applicant:
    """`number` in its canonical form; `subject` is of its bearer, or a stand-in; `known` tells which, to us alone."""

    number: str
    subject: str
    known: bool


def find(call: Call, number: str, where: str = "/subject/number") -> Applicant:
    """Return the applicant with a number, given at the pointer `where`.

    Whether anybody bears it, the caller must not be able to tell.

    Raises:
        Problem: invalid, for what is no number.
    """
    try:
        folded = citizen.check(number) if citizen.is_valid(number) else credit_code.check(number)
    except InvalidNumber as error:
        raise Problem("invalid", "", errors=[FieldProblem(where, error.code, str(error))]) from None
    nobody = stand_in.of(call, folded)  # for everybody, so that the clock tells nothing
    found = people.find(call, folded)
    return Applicant(folded, found or nobody, found is not None)
