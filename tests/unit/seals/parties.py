"""Everybody who may have to do with a company's seals and with a person's, enrolled with made-up numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from idservice.call import Call, Caller, House
from idservice.models import Department, Staff
from idservice.register import mandates, organisations, people
from seals import standing
from seals.authority import make_authority
from seals.change import change
from seals.lifecycle import Change
from seals.models import Seal
from seals.picture_kinds import NAME_SEALS, Design, Kind
from tests.builders import SYSTEM, act, build_house
from tests.identity import citizen_number, company_code
from tests.unit.seals.conftest import FOUNDED

OFFICE, ELSEWHERE = company_code("1137160010003000"), company_code("1137160010004000")
COMPANY, RIVAL = company_code("9137160210002000"), company_code("9137160210002001")
COMPANY_NAME = "滨州示范食品有限公司"
NOW = datetime(2026, 6, 1, 8, 30, tzinfo=UTC)
NAMES = {
    "leader": "王小明", "administrator": "李管理", "agent": "张经办", "sealer": "陈印章", "limited": "周受限",
    "stranger": "吴外人", "officer": "郑审批", "torn": "冯两难", "clerk": "孙窗口", "outsider": "何他局",
    "narrow": "秦限证", "keyholder": "许掌印",
}  # fmt: skip
NUMBERS = {who: citizen_number(f"37160219800101{index:03d}") for index, who in enumerate(NAMES, 100)}
ROLES: dict[str, dict[str, Any]] = {
    "leader": {"role": "legal_representative"},
    "administrator": {"role": "administrator"},
    "narrow": {"role": "administrator", "licence_types": ["DM-001"], "matters": ["DM-M-005"]},
    "keyholder": {"role": "administrator", "matters": [standing.MATTER]},
    "agent": {"role": "agent"},
    "sealer": {"role": "agent", "matters": [standing.MATTER, "DM-M-005"]},
    "limited": {"role": "agent", "matters": ["DM-M-005"]},
    "torn": {"role": "agent"},  # an officer of the office who acts for the company too
}
POSTS = {"officer": ("officer", OFFICE), "torn": ("officer", OFFICE), "clerk": ("clerk", OFFICE),
         "outsider": ("officer", ELSEWHERE)}  # fmt: skip


@dataclass(frozen=True)
class Parties:
    """The house, and each as he calls: `page` by himself, `acting` with a token for the company."""

    house: House
    subjects: dict[str, str]
    mandates: dict[str, str]
    company: str

    def page(self, who: str, **changes: Any) -> Caller:
        posts = frozenset({POSTS[who]}) if who in POSTS else frozenset()
        facts = {"level": 3, "amr": ("pwd", "otp", "mfa"), "auth_time": NOW, "posts": posts}
        return Caller(**({"channel": "page", "person": self.subjects[who]} | facts | changes))

    def acting(self, who: str, **changes: Any) -> Caller:
        mandate = {"principal": self.company, "mandate": self.mandates.get(who, "0" * 32), "posts": frozenset()}
        return self.page(who, **({"channel": "api", "client_id": "erp"} | mandate | changes))

    def caller(self, who: str) -> Caller:
        """Return who asks for the company's seals: with a token for it, a program, the operator, or on a page."""
        if who == "program":
            return Caller(channel="api", client_id="office", departments=frozenset({OFFICE, ELSEWHERE}))
        if who == "everywhere":
            return Caller(channel="api", client_id="any", all_departments=True)
        if who == "operator":
            return SYSTEM
        return self.page(who) if who in POSTS else self.acting(who)

    def make(self, kind: Kind, *, by: str = "leader", company: bool = True, **facts: Any) -> str:
        """Return the number of a seal that the office approved and made."""
        seal_id = self.apply(kind, self.acting(by) if company else self.page(by), **facts)
        for deed in (Change.APPROVE, Change.MAKE):
            self.change(seal_id, deed, self.page("officer"))
        return seal_id

    def apply(self, kind: Kind, caller: Caller, **facts: Any) -> str:
        from seals.approval import apply

        return act(
            self.house,
            lambda call: apply(call, design=design(kind), reason="演示", **facts).seal_id,
            caller=caller,
            now=NOW,
        )

    def change(self, seal_id: str, deed: Change, caller: Caller) -> dict[str, Any]:
        return act(self.house, lambda call: change(call, seal_id, deed, reason="演示"), caller=caller, now=NOW)

    def announce(self, seal_id: str, caller: Caller) -> str:
        from seals.use import intend

        return act(
            self.house,
            lambda call: intend(call, seal_id=seal_id, document=b"x", purpose="合同"),
            caller=caller,
            now=NOW,
        )

    def seal(self, seal_id: str) -> Seal:
        return act(self.house, lambda call: call.session.get_one(Seal, seal_id))


def design(kind: Kind) -> Design:
    """A design of that kind that can be made."""
    return Design(
        kind, special="报关专用章" if kind is Kind.SPECIAL else None, code=COMPANY if kind is Kind.INVOICE else None
    )


def is_name_seal(kind: Kind) -> bool:
    return kind in NAME_SEALS


def weaker(caller: Caller) -> Caller:
    """The same caller, logged in with a password alone."""
    return replace(caller, amr=("pwd",))


def settle(folder: Path, database_url: str, **settings: object) -> Parties:
    """Build a house with an office that files seals, a company, and everybody of `NAMES`."""
    house = build_house(folder, database_url, **({"seal_office": OFFICE} | settings))

    def enrol(call: Call) -> Parties:
        for code, name in ((OFFICE, "示范市公安局"), (ELSEWHERE, "示范市民政局")):
            call.session.add(Department(credit_code=code, name=name, name_en="Demonstration", region="990100"))
        call.session.flush()
        subjects = {who: people.enrol(call, number=NUMBERS[who], name=name, level=3) for who, name in NAMES.items()}
        company = organisations.enrol(call, code=COMPANY, name=COMPANY_NAME)
        organisations.enrol(call, code=RIVAL, name="滨州其他食品有限公司")
        held = {
            who: mandates.enter(call, person=subjects[who], principal=company, valid_from=FOUNDED, **facts)
            for who, facts in ROLES.items()
        }
        for who, (role, unit) in POSTS.items():
            call.session.merge(Staff(subject=subjects[who], department=unit, role=role))
        return Parties(house, subjects, held, company)

    parties = act(house, enrol)
    act(house, make_authority, now=FOUNDED)
    return parties
