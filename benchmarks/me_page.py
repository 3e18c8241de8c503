"""`/me` of a holder of sixty licences: how long until the whole page is there, one request after another."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select

from benchmarks.flow import Browser, Connection
from benchmarks.request import get
from benchmarks.rounds import Figure, median
from idservice.call import Call, Caller
from idservice.register import people
from licences import issue
from licences.definition_file import shipped_types
from licences.models import Licence

if TYPE_CHECKING:
    from benchmarks.lookups import Counter

HELD: Final = 60
_PAGES: Final = 30  # a round
_ISSUED: Final = "vocational_qualification"  # a person may hold many of this type


def measure(counter: Counter, rounds: int) -> dict[str, Figure]:
    """Return the median of the milliseconds from request to answer, on a connection of its own, and CPU time."""
    site = counter.city.site(counter.house)
    site = replace(site, url=counter.server.url, people=site.people[-1:])
    counter.house.database.run(lambda session: _issue(counter, session, site.people[0][0]), write=True)
    send = Connection(counter.server.url).send
    browser = Browser(site, send)
    browser.log_in()
    took, spent = [], []
    for _ in range(rounds + 1):
        cpu = counter.server.cpu_seconds()
        took += [_page(browser) for _ in range(_PAGES)]
        spent.append(1000 * (counter.server.cpu_seconds() - cpu) / _PAGES)
    return {
        "me_60": Figure(median(took[_PAGES:]), "ms", goal="ours <= 50"),
        "me_60_cpu": Figure(median(spent[1:]), "CPU ms"),
    }


def _page(browser: Browser) -> float:
    begun = time.perf_counter()
    answer = browser.ask(get("/me"))
    took = 1000 * (time.perf_counter() - begun)
    if answer.status != 200 or answer.body.count(b"/me/licences/") < HELD:
        raise RuntimeError(f"/me answered {answer.status} without {HELD} licences")
    return took


def _issue(counter: Counter, session: Any, number: str) -> None:
    """Issue to him what he lacks of sixty licences."""
    call = Call(counter.house, session, Caller(channel="cli", all_departments=True), datetime.now(UTC))
    subject = people.find(call, number)
    held = session.scalar(select(func.count()).select_from(Licence).where(Licence.subject == subject)) or 0
    kind = next(entry for entry in shipped_types() if entry.slug == _ISSUED)
    body = {"type": kind.code, "holder": {"number": number}, "fields": kind.examples()}
    for _ in range(HELD - held):
        issue.issue(call, issue.intend(call, body, approved=True))
