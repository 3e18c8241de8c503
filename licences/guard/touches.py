"""Honey numbers in requests that are refused before anybody asks for leave to look (触碰蜜罐号码).

`admit` sees a number after it was judged who asks, why and for what. A request that fails there has touched the number
all the same: it is tested in the transaction of the refusal (`Call.aftermath`), which answers nothing any more, so that
the answer stays that for any other number, and a look that passes asks the database nothing for it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from idservice.errors import Problem
from idservice.numbers import citizen
from idservice.register.people import INDEX_FIELD
from licences import asker
from licences.counter import matters
from licences.guard import alarms, honey, quota
from licences.guard.alarms import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from idservice.call import Call


@contextmanager
def watched(call: Call, said: Mapping[str, Any], number: str | None) -> Iterator[None]:
    """Watch over a number while it is judged who asks for it: what `admit` does afterwards, it does itself.

    Args:
        call: the call.
        said: who asks, in the members `operator`, `department` and `matter`, as the request names them.
        number: as it was asked for; what is no citizen's number is nobody's honey.
    """
    try:
        yield
    except Problem:
        watch(call, said, number)
        raise


def watch(call: Call, said: Mapping[str, Any], number: str | None) -> None:
    """Have a number tested if this request is refused, at whatever step."""
    if number is not None and citizen.is_valid(number):
        call.aftermath.append(lambda again: test(again, said, number))


def test(call: Call, said: Mapping[str, Any], number: str) -> None:
    """Raise the alarm where a number is a honey number; whoever asks is named as far as he is known."""
    number = citizen.check(number)
    if not honey.is_one(call, number):
        return
    operator, department = _who(call, said)
    whom = quota.of_subject(call.cipher.index(INDEX_FIELD, number).hex(), call.now).key
    matter = said.get("matter") if said.get("matter") in matters.entries(call) else None  # free text until it is known
    facts: dict[str, Any] = {"operator": operator, "department": department, "matter": matter}
    cause = f"{whom}|{operator or call.caller.name_for_log}"
    alarms.sound(call, Kind.HONEY, cause=cause, client=call.caller.client_id, **facts)


def _who(call: Call, said: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return operator and unit; of one who may not look up at all, only the person who is logged in."""
    try:
        who = asker.of_call(call, dict(said))
    except Problem:
        return call.caller.person, None
    return who.operator, who.department
