"""Cases at the counter of the town: a matter that asks another department and takes commitments, and who handles it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import insert, update

from idservice.call import Call
from idservice.ids import timed_id
from idservice.models import Person, Staff, TokenFamily
from idservice.oauth import clients
from licences import enrol
from licences.asker import Asker
from licences.counter import assists, commitments, matters
from licences.counter.matter_definition import Matter, Way, shipped_matters
from licences.models import Lookup
from tests.identity import CALLBACK, SECRET, Flow, basic, bearer, redeem, token
from tests.town import AGENT, ALICE, BOB, CIVIL, CLERK, NAMES, OFFICER, SECURITY, WINDOW, Town

CODE, PROOF = "DM-M-991", "household"
TEXT = "本人承诺：所述户籍情况属实，愿意承担不实承诺的责任。"
SECOND = BOB  # the other officer of the department that was given the commitments
HOLDER_SCOPES = "openid commitments.sign accesses.read"
STAFF_SCOPES = "openid checks.create checks.answer commitments.check lookups.create"


def matter() -> Matter:
    """A made-up matter with one proof, for which the civil department is asked or a commitment is taken."""
    model = next(one for one in shipped_matters() if any(p.proof == PROOF for p in one.proofs))
    proof = next(one for one in model.proofs if one.proof == PROOF)
    proof = replace(
        proof,
        ways=(Way.LICENCE, Way.DEPARTMENT_CHECK, Way.COMMITMENT),
        issuing_unit=NAMES[CIVIL],
        commitment=TEXT,
        commitment_en="I commit that what I state of my household is true.",
        days=2,
    )
    names = {"name": "户籍核查（演示）", "name_en": "Household check (demonstration)"}
    return replace(model, code=CODE, proofs=(proof,), **names)


def set_up(town: Town) -> None:
    """Enter the matter, officers on both sides, and the apps with which they work; citizens are known well."""

    def enter(call: Call) -> None:
        enrol.put_matter(call, matter())
        posts = [(OFFICER, CIVIL), (SECOND, SECURITY), (SECOND, CIVIL)]
        rows = [{"subject": town.subjects[who], "department": where, "role": "officer"} for who, where in posts]
        call.session.execute(insert(Staff), rows)
        known = [town.subjects[number] for number in (ALICE, BOB, AGENT)]
        call.session.execute(update(Person).where(Person.subject.in_(known)).values(level=3))
        app: dict[str, Any] = {"unit": "滨州市示范单位", "auth_method": "client_secret_basic", "secret": SECRET}
        people = {"grant_types": ["authorization_code"], "redirect_uris": [CALLBACK]}
        for client_id, scope in (
            ("case-staff", STAFF_SCOPES),
            ("case-holder", HOLDER_SCOPES),
        ):
            clients.register(call, client_id=client_id, name="办件系统", scope=scope, **app, **people)
        machine = {"grant_types": ["client_credentials"], "scope": "checks.create lookups.create", "departments": ["*"]}
        clients.register(call, client_id="case-counter", name="综合窗口", **app, **machine)
        matters.forget(call)

    town.act(enter)


def header(town: Town, number: str, client: str = "case-staff") -> dict[str, str]:
    """Return the header of an app in the name of a person who has just logged in to it as he always does."""
    flow = Flow(client, STAFF_SCOPES if client == "case-staff" else HOLDER_SCOPES)
    answer = redeem(town.app, flow, town.visitor(number).code(flow, number=number))
    town.act(lambda call: call.session.execute(update(TokenFamily).values(signals=None)))
    return bearer(answer.json["access_token"])


def machine(town: Town) -> dict[str, str]:
    """Return the header of the counter's system."""
    answer = token(town.app, {"grant_type": "client_credentials"}, basic("case-counter"))
    return bearer(answer.json["access_token"])


def asker_of(town: Town) -> Asker:
    return Asker("孙**", NAMES[SECURITY], SECURITY, town.subjects[CLERK], WINDOW, "落户登记", "case-counter")


def look_up(call: Call, subject: str) -> str:
    """Record a look-up of the security department that left the proof open, and return its number."""
    lookup_id = timed_id(call.now)
    call.session.add(
        Lookup(
            subject=subject,
            lookup_id=lookup_id,
            matter=CODE,
            department=SECURITY,
            outcomes={PROOF: "not_held"},
            basis="consent",
            at=call.now,
        )
    )
    return lookup_id


def _facts(call: Call, town: Town, number: str, subject: str | None = None) -> dict[str, Any]:
    subject = subject or town.subjects[number]
    facts = {"subject": subject, "lookup_id": look_up(call, subject), "matter": matter(), "proof": matter().proofs[0]}
    return facts | {"who": asker_of(town), "case_number": "DM-2026-0991"}


def opened(town: Town, *, now: datetime | None = None, number: str = ALICE) -> str:
    """Open a check about a person as a look-up does, and return its number."""
    found = town.act(lambda call: assists.open_check(call, **_facts(call, town, number)), now=now)
    return str(found["check"])


def offered(town: Town, *, now: datetime | None = None, number: str = ALICE, subject: str | None = None) -> str:
    """Offer a commitment to a person, or to a `subject` who is nobody, as a look-up does, and return its number."""
    found = town.act(lambda call: commitments.offer(call, **_facts(call, town, number, subject)), now=now)
    return str(found["commitment"])
