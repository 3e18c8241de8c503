"""Licences that are issued in bulk, for tests: announced, sealed together and stored."""

from collections.abc import Sequence

from idservice.call import Call
from idservice.errors import Problem
from licences import bulk_issue, metadata
from licences.bulk_issue import Announced, Order, Signed
from licences.models import Licence
from tests.town import ALICE, PERSON_NAMES, Town, order_for

SLUG = "vocational_qualification"


def announce(town: Town, count: int, number: str = ALICE) -> list[Announced]:
    """Announce so many licences of one holder, in one portion."""
    holder = metadata.person(PERSON_NAMES[number], number)
    orders = [Order(town.subjects[number], holder, order_for(SLUG, number)) for _ in range(count)]
    return [one for one in intend(town, orders) if isinstance(one, Announced)]


def intend(town: Town, orders: Sequence[Order]) -> list[Announced | Problem]:
    """Describe orders and announce the good ones; each gives what was announced or why it was refused."""
    found = town.act(lambda call: bulk_issue.describe(call, orders))
    good = [one for one in found if not isinstance(one, Problem)]
    announced = iter(town.act(lambda call: bulk_issue.intend(call, good)))
    return [one if isinstance(one, Problem) else next(announced) for one in found]


def issue_in_bulk(town: Town, announced: Sequence[Announced]) -> list[Licence]:
    """Seal and store what was announced, and return the rows."""
    signed = [one for one in town.act(lambda call: bulk_issue.sign(call, announced)) if isinstance(one, Signed)]
    assert len(signed) == len(announced)

    def store(call: Call) -> None:
        bulk_issue.note(call, signed)
        bulk_issue.store(call, signed)

    town.act(store)
    return [town.row(one.stated.identifier) for one in announced]
