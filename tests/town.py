"""A small town with departments that issue licences, a counter, holders, and the apps they use. All made up."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, make_url, select
from werkzeug.test import TestResponse

from idservice.call import Call, Caller, House
from idservice.models import Base, Department, Staff
from idservice.oauth import clients
from idservice.register import mandates, organisations, people
from licences import change, enrol, issue
from licences.counter.matter_definition import shipped_matters
from licences.definition import LicenceType
from licences.definition_file import shipped_types
from licences.guard import rules
from licences.guard.policy import ALLOW, ANY, Rule
from licences.models import Licence
from seals.authority import make_authority
from seals.register import make
from tests.builders import SYSTEM, act, build_app, house_of, migrate
from tests.identity import (
    CALLBACK,
    SECRET,
    Browser,
    Flow,
    basic,
    bearer,
    citizen_number,
    company_code,
    give_password,
    redeem,
    token,
)

T = TypeVar("T")

SECURITY, CIVIL = company_code("1137160010003000"), company_code("1137160010004000")
NAMES = {SECURITY: "示范市公安局", CIVIL: "示范市民政局"}
ALICE = citizen_number("37160219900307123")
BOB = citizen_number("37160219881102315")
AGENT = citizen_number("37160219850612002")
CLERK = citizen_number("37160219920415118")
OFFICER = citizen_number("37160219800101333")
STRANGER = citizen_number("37160219790101221")  # valid, and never enrolled
COMPANY = company_code("9137160210002000")
PERSON_NAMES = {ALICE: "王小明", BOB: "赵大海", AGENT: "李晓华", CLERK: "孙窗口", OFFICER: "周主任"}
HOLDER_SCOPE = (
    "openid licences.read licences.show licences.wallet licences.object accesses.read consents.manage commitments.sign"
    " offline_access"
)
STAFF_SCOPE = "openid verifications.create lookups.create licences.issue licences.change licences.read catalogue.manage"
WINDOW = "综合窗口3号"
TOKEN_SECONDS = 300  # half of a token's life
MATTER = "DM-M-005"  # identity (required), marriage, household (required)


@cache
def type_of(slug: str) -> LicenceType:
    return next(kind for kind in shipped_types() if kind.slug == slug)


@dataclass
class Town:
    """The application with its departments, people and apps."""

    app: Flask
    house: House
    subjects: dict[str, str]
    seals: dict[str, str]
    _tokens: dict[tuple[str, str, str], tuple[dict[str, str], float]] = field(default_factory=dict)

    @property
    def web(self) -> FlaskClient:
        return self.app.test_client()

    def browser(self, number: str) -> Browser:
        """Return a browser in which that person is logged in, with a second factor where he holds a post."""
        browser = Browser(self.app)
        assert browser.log_in(number=number).status == 200
        if self.is_staff(number):
            browser.strengthen()
        return browser

    def visitor(self, number: str) -> Browser:
        """Return the browser of somebody who logs in on his way, or, as staff do, with a second factor ahead of it."""
        return self.browser(number) if self.is_staff(number) else Browser(self.app)

    def is_staff(self, number: str) -> bool:
        posts = select(func.count()).select_from(Staff).where(Staff.subject == self.subjects.get(number, ""))
        return bool(self.act(lambda call: call.session.scalar(posts)))

    def machine(self, client: str) -> dict[str, str]:
        """Return the header of a client on its own."""
        return self._header(
            (client, "", ""), lambda: token(self.app, {"grant_type": "client_credentials"}, basic(client))
        )

    def person(
        self, number: str = ALICE, *, client: str = "wallet-app", acting: str = "self", by_password: bool = False
    ) -> dict[str, str]:
        """Return the header of an app in the name of a person who has logged in to it, staff with a second factor."""

        def log_in() -> TestResponse:
            flow = Flow(client, HOLDER_SCOPE if client == "wallet-app" else STAFF_SCOPE)
            browser = Browser(self.app) if by_password else self.visitor(number)
            return redeem(self.app, flow, browser.code(flow, number=number, acting=acting))

        return self._header((client, f"{number} by password" if by_password else number, acting), log_in)

    def _header(self, key: tuple[str, str, str], ask: Callable[[], TestResponse]) -> dict[str, str]:
        """Return a header that was asked for; long tests outlive their first one."""
        header, since = self._tokens.get(key, ({}, 0.0))
        if not header or time.monotonic() - since > TOKEN_SECONDS:
            answer = ask()
            assert answer.status_code == 200, answer.text
            header, since = bearer(answer.json["access_token"]), time.monotonic()
            self._tokens[key] = header, since
        return header

    def forget_tokens(self) -> None:
        """Have everybody log in anew: what a test did has ended tokens."""
        self._tokens.clear()

    def issue(self, slug: str = "real_estate_title", number: str = ALICE, **more: Any) -> Licence:
        """Issue a licence by the verbs, its fields the catalogue's examples."""
        intent = self.act(lambda call: issue.intend(call, order_for(slug, number, **more)))
        return self.act(lambda call: issue.issue(call, intent))

    def show(self, *identifiers: str, number: str = ALICE, **more: Any) -> str:
        """Show licences through the API and return the code."""
        body = {"licences": list(identifiers), **more} if identifiers else more
        answer = self.web.post("/v1/presentations", json=body, headers=self.person(number))
        assert answer.status_code == 201, answer.text
        return str(answer.json["code"])

    def verify(self, text: str, client: str = "counter", **more: Any) -> dict[str, Any]:
        answer = self.web.post("/v1/verifications", json={"text": text, **more}, headers=self.machine(client))
        assert answer.status_code == 200, answer.text
        report: dict[str, Any] = answer.json
        return report

    def post(self, where: str, body: Any, headers: dict[str, str] | None = None) -> TestResponse:
        """Post JSON; by default as the issuers' system."""
        answer: TestResponse = self.web.post(where, json=body, headers=headers or self.machine("issuer"))
        return answer

    def order(self, slug: str = "real_estate_title", number: str = ALICE, **more: Any) -> dict[str, Any]:
        """Issue a licence through the API and return it."""
        answer = self.post("/v1/licences", order_for(slug, number, **more))
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json
        return found

    def change(self, code: str, deed: str, headers: dict[str, str] | None = None, **more: Any) -> TestResponse:
        return self.post(f"/v1/licences/{code}/changes", {"change": deed, **more}, headers)

    def row(self, code: str) -> Licence:
        return self.act(lambda call: change.find(call, code))

    def count(self, table: type[Base]) -> int:
        return int(self.act(lambda call: call.session.scalar(select(func.count()).select_from(table))) or 0)

    def looks(self, number: str = ALICE) -> list[dict[str, Any]]:
        """Return the holder's own record of who looked, newest first."""
        found: list[dict[str, Any]] = self.web.get("/v1/accesses", headers=self.person(number)).json["items"]
        return found

    def act(self, deed: Callable[[Call], T], *, caller: Caller = SYSTEM, now: datetime | None = None) -> T:
        return act(self.house, deed, caller=caller, now=now)

    def caller(self, number: str = ALICE, **more: Any) -> Caller:
        return Caller(channel="api", client_id="wallet-app", person=self.subjects[number], **more)


def order_for(slug: str = "real_estate_title", number: str = ALICE, **more: Any) -> dict[str, Any]:
    """Return a request for a licence as a stranger makes it from GET /v1/licence-types alone."""
    kind = type_of(slug)
    return {"type": kind.code, "holder": {"number": number}, "fields": kind.examples(), **more}


@dataclass(frozen=True)
class _Founded:
    """What belongs to a founded town besides its database: the files of its keys with their modes, and who is who."""

    keys: dict[str, tuple[bytes, int]]
    subjects: dict[str, str]
    seals: dict[str, str]


_founded: dict[str, _Founded] = {}  # by kind of database


def found(database_url: str) -> None:
    """Settle a town in an empty database; a `prepare` of `Databases.fresh`, so once a process and kind of database."""
    migrate(database_url)
    with tempfile.TemporaryDirectory() as folder:
        town = build_town(Path(folder), database_url)
        town.house.database.engine.dispose()
        keys = town.house.settings.keys_dir
        files = {
            str(path.relative_to(keys)): (path.read_bytes(), path.stat().st_mode & 0o777)
            for path in keys.rglob("*")
            if path.is_file()
        }
    _founded[make_url(database_url).get_backend_name()] = _Founded(files, town.subjects, town.seals)


def copy_town(directory: Path, database_url: str) -> Town:
    """Build the application over a database that `found` prepared."""
    known = _founded[make_url(database_url).get_backend_name()]
    for name, (content, mode) in known.keys.items():
        path = directory / "keys" / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode)
        path.write_bytes(content)
    app = build_app(directory, database_url)
    return Town(app, house_of(app), dict(known.subjects), dict(known.seals))


def build_town(directory: Path, database_url: str, **settings: object) -> Town:
    """Settle a town in a database that has the schema, as its settings will have it."""
    app = build_app(directory, database_url, **settings)
    house = house_of(app)

    def enrol_people(call: Call) -> dict[str, str]:
        subjects = {number: people.enrol(call, number=number, name=name) for number, name in PERSON_NAMES.items()}
        subjects[COMPANY] = organisations.enrol(call, code=COMPANY, name="滨州示范食品有限公司")
        mandates.grant(call, person=subjects[AGENT], principal=subjects[COMPANY], role="agent")
        for number in PERSON_NAMES:
            give_password(call, subjects[number])
        return subjects

    def set_up(call: Call, subjects: dict[str, str]) -> dict[str, str]:
        for code, name in NAMES.items():
            call.session.add(Department(credit_code=code, name=name, name_en="Demonstration", region="990100"))
        call.session.flush()
        for number, role, counter in ((CLERK, "clerk", WINDOW), (OFFICER, "officer", None)):
            call.session.add(Staff(subject=subjects[number], department=SECURITY, role=role, counter=counter))
        make_authority(call)
        seals = {code: make(call, department=code) for code in NAMES}
        for kind in shipped_types():
            enrol.put_type(call, kind)
            department = CIVIL if kind.slug == "marriage_certificate" else SECURITY
            enrol.put_authority(call, kind.code, department, seals[department], rank=1)
        for matter in shipped_matters():
            enrol.put_matter(call, matter)
        rules.put(call, Rule(ALLOW, region="37", ground=ANY), note="the town's own people")
        _register_clients(call)
        return seals

    subjects = act(house, enrol_people)
    return Town(app, house, subjects, act(house, lambda call: set_up(call, subjects)))


def _register_clients(call: Call) -> None:
    people_app: dict[str, Any] = {
        "unit": "滨州市示范单位",
        "auth_method": "client_secret_basic",
        "secret": SECRET,
        "grant_types": ["authorization_code", "refresh_token"],
        "redirect_uris": [CALLBACK],
    }
    clients.register(call, client_id="wallet-app", name="我的滨州", scope=HOLDER_SCOPE, **people_app)
    clients.register(call, client_id="staff-app", name="窗口系统", scope=STAFF_SCOPE, **people_app)
    counter = "verifications.create lookups.create matters.read checks.create"
    issuer = (
        "licences.issue licences.change licences.read licences.collect seals.use catalogue.manage"
        " checks.answer commitments.check"
    )
    for client_id, scope, departments in (
        ("counter", counter, ["*"]),
        ("civil-counter", counter, [CIVIL]),
        ("issuer", issuer, ["*"]),
        ("civil-issuer", issuer, [CIVIL]),
    ):
        clients.register(
            call,
            client_id=client_id,
            name=client_id,
            unit="滨州市政务服务中心",
            auth_method="client_secret_basic",
            secret=SECRET,
            grant_types=["client_credentials"],
            scope=scope,
            departments=departments,
        )


def now() -> datetime:
    return datetime.now(UTC)
