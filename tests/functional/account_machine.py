"""One person, two browsers, three apps and the service's keys, in any order: a state machine beside a small model.

The model knows what must work and what must be refused, and nothing of how; see `test_state_machine`. Time stands still
but for the rule that lets it pass, so that a run is repeated exactly.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from idservice.login import change_password, lockout
from idservice.login.password import set_password
from idservice.oauth import codes
from idservice.oauth.refreshing import REPEATED_WITHIN
from idservice.register import people
from keys.ring import Purpose
from tests.builders import act
from tests.fapi import Fapi
from tests.identity import (
    PASSWORD,
    Browser,
    City,
    Flow,
    Page,
    answer_of,
    basic,
    citizen_number,
    introspect,
    redeem,
    refresh,
    token,
    userinfo_status,
)

WRONG = "certainly not the password"
OFFLINE, WHILE_LOGGED_IN, BOUND = "basic", "other", "fapi"
SCOPES = {OFFLINE: "openid offline_access", WHILE_LOGGED_IN: "openid", BOUND: "openid offline_access"}
TURNED = (Purpose.ACCESS_TOKEN, Purpose.ID_TOKEN, Purpose.SESSION, Purpose.TOKEN, Purpose.FIELDS, Purpose.INDEX)
A_SECOND = timedelta(seconds=1)
PAUSES = (A_SECOND, REPEATED_WITHIN + A_SECOND, codes.LIFE + A_SECOND)

BROWSERS = st.integers(0, 1)
APPS = st.sampled_from(sorted(SCOPES))
ANY = st.integers(0, 10**6)  # which of those that there are


@dataclass
class Family:
    """What one consent gave to one app."""

    app: str
    session: int
    is_alive: bool = True

    @property
    def ends_with_session(self) -> bool:
        return self.app == WHILE_LOGGED_IN


@dataclass
class Code:
    text: str
    flow: Flow
    family: Family
    until: datetime
    is_used: bool = False


@dataclass
class Refresh:
    text: str
    family: Family
    used_at: datetime | None = None
    answer: dict[str, Any] = field(default_factory=dict)


@dataclass
class Access:
    text: str
    family: Family
    until: datetime
    is_revoked: bool = False


@dataclass
class Stage:
    """What all runs share: the city, its FAPI app, and a clock that only goes forward."""

    city: City
    fapi: Fapi
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    numbers: Iterator[int] = field(default_factory=itertools.count)
    seen: Counter[str] = field(default_factory=Counter)

    def next_number(self) -> str:
        years, which = divmod(next(self.numbers), 900)
        return citizen_number(f"371602{1950 + years}0307{100 + which}")


OUTCOMES = {
    *("logged in", "locked out", "denied", "withdrawn: 200", "code: good", "code: used", "code: over"),
    *("new refresh token: good", "new refresh token: refused", "repeated refresh token: good"),
    *("used refresh token: refused", "access token: good", "access token: refused"),
}


class AccountMachine(RuleBasedStateMachine):
    """Every rule does one thing and checks the answer against the model, which then follows it."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stage, self.city, self.fapi = stage, stage.city, stage.fapi
        stage.now += timedelta(hours=1)
        self.clock = time_machine.travel(stage.now, tick=False)
        self.traveller = self.clock.start()
        self.changes = itertools.count(1)
        self.password, self.failures, self.locked_until = PASSWORD, 0, stage.now
        self.browsers: list[Browser] = [self.city.browser(), self.city.browser()]
        self.sessions: list[int | None] = [None, None]
        self.known: set[int] = set()  # browsers that others cannot lock out
        self.logins = itertools.count()
        self.consented: set[str] = set()
        self.families: list[Family] = []
        self.codes: list[Code] = []
        self.refreshes: list[Refresh] = []
        self.accesses: list[Access] = []

    @initialize(app=APPS)
    def enrol(self, app: str) -> None:
        self.number = self.stage.next_number()

        def deed(call: Any) -> str:
            subject = people.enrol(call, number=self.number, name="某某", level=3)
            set_password(call, subject, PASSWORD)
            return subject

        self.subject = act(self.city.house, deed)
        self.log_in(0)
        self.consent(0, app, allows=True)
        self.redeem(0)

    def teardown(self) -> None:
        if hasattr(self, "subject"):
            for access in self.accesses:
                self.check(access)
        self.stage.now = self.now
        self.clock.stop()

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    # --- logging in and out

    @rule(which=BROWSERS)
    def log_in(self, which: int) -> None:
        if self.sessions[which] is None:
            may_enter = which in self.known or self.now >= self.locked_until
            page = self.browsers[which].log_in(number=self.number, password=self.password)
            assert (page.status == 200) is may_enter, page.text
            self.saw("logged in" if may_enter else "locked out")
            if may_enter:
                self.failures, self.locked_until = 0, self.now
                self.sessions[which] = next(self.logins)
                self.known.add(which)

    @rule(which=BROWSERS, times=st.sampled_from([1, lockout.FREE_TRIES]))
    def guess(self, which: int, times: int) -> None:
        for _ in range(times if self.sessions[which] is None else 0):
            assert self.browsers[which].log_in(number=self.number, password=WRONG).status == 400
            if self.now >= self.locked_until:
                self.failures += 1
                self.locked_until = self.now + (lockout.lock_after(self.failures) or timedelta())
        self.log_in(which)

    def log_out(self, which: int) -> None:
        browser = self.browsers[which]
        browser.submit(browser.open("/logout"), decision="logout")
        self._end(which)
        assert "/login" in browser.open("/me/apps").url

    def change_password(self) -> None:
        """At the page, or by an officer: what follows is the same. No browser is logged in or known, no token lives."""
        self.traveller.shift(A_SECOND)  # a known device is known by when the password was set
        self.password = f"{PASSWORD} {next(self.changes)}"
        act(
            self.city.house,
            lambda call: change_password.change(call, self.subject, self.password, keep=None),
            now=self.now,
        )
        self.failures, self.locked_until = 0, self.now
        self.known.clear()
        for which in (0, 1):
            self._end(which)
        for family in self.families:
            family.is_alive = False

    def _end(self, which: int) -> None:
        for family in self.families:
            if family.session == self.sessions[which] and family.ends_with_session:
                family.is_alive = False
        self.sessions[which] = None

    @rule(which=BROWSERS)
    def look_at_a_page(self, which: int) -> None:
        is_in = "/login" not in self.browsers[which].open("/me/apps").url
        assert is_in is (self.sessions[which] is not None)

    # --- consent

    @rule(which=BROWSERS, app=APPS, allows=st.sampled_from([True, True, True, False]))
    def consent(self, which: int, app: str, *, allows: bool) -> None:
        self.log_in(which)
        session = self.sessions[which]
        if session is None:
            return
        browser, flow = self.browsers[which], Flow(app, SCOPES[app])
        page: Page = browser.open(self.fapi.pushed(flow) if app == BOUND else flow.url())
        assert (page.status == 200) is (app not in self.consented), "asked once, and again after a withdrawal"
        if page.status == 200:
            page = browser.submit(page, decision="allow" if allows else "deny")
            if not allows:
                assert answer_of(page)["error"] == "access_denied"
                self.saw("denied")
                return
        self.consented.add(app)
        family = Family(app, session)
        self.families.append(family)
        self.codes.append(Code(answer_of(page)["code"], flow, family, self.now + codes.LIFE))

    def withdraw(self, which: int, app: str) -> None:
        self.log_in(which)
        if self.sessions[which] is None:
            return
        browser = self.browsers[which]
        status = browser.submit(browser.open("/me/apps"), revoke=f"self.{app}").status if self.consented else 404
        assert status == (200 if app in self.consented else 404)
        self.saw(f"withdrawn: {status}")
        self.consented.discard(app)
        for family in self.families:
            if family.app == app:
                family.is_alive = False

    # --- tokens

    @rule(chosen=ANY)
    def redeem(self, chosen: int) -> None:
        if found := [code for code in self.codes if not code.is_used]:
            self._redeem(found[-1 - chosen % len(found)])

    @rule(chosen=ANY)
    def refresh(self, chosen: int) -> None:
        if found := [old for old in self.refreshes if old.used_at is None]:
            self._refresh(found[-1 - chosen % len(found)])

    @rule(chosen=ANY, pause=st.sampled_from((timedelta(), *PAUSES)))
    def refresh_and_repeat(self, chosen: int, pause: timedelta) -> None:
        """A lost answer, if the token is bound to a key and was used just now; else the family's end."""
        if self.refreshes:
            old = self.refreshes[-1 - chosen % len(self.refreshes)]
            self._refresh(old)
            self.traveller.shift(pause)
            self._refresh(old)

    @rule(chosen=ANY, again=st.integers(0, 3))
    def redeem_again(self, chosen: int, again: int) -> None:
        if not again and (found := [code for code in self.codes if code.is_used]):
            self._redeem(found[-1 - chosen % len(found)])

    def _redeem(self, code: Code) -> None:
        is_good = not code.is_used and code.family.is_alive and self.now < code.until
        self.saw(f"code: {'good' if is_good else 'used' if code.is_used else 'over'}")
        is_bound = code.family.app == BOUND
        answer = self.fapi.redeem(code.flow, code.text) if is_bound else redeem(self.city.app, code.flow, code.text)
        assert answer.status_code == (200 if is_good else 400), answer.text
        if is_good:
            code.is_used = True
            self._take(answer.json, code.family)
        else:
            assert answer.json["error"] == "invalid_grant"
            code.family.is_alive = code.family.is_alive and not code.is_used

    def _refresh(self, old: Refresh) -> None:
        is_bound = old.family.app == BOUND
        is_repeated = is_bound and old.used_at is not None and self.now - old.used_at <= REPEATED_WITHIN
        is_good = old.family.is_alive and (old.used_at is None or is_repeated)
        state = "new" if old.used_at is None else "repeated" if is_repeated else "used"
        self.saw(f"{state} refresh token: {'good' if is_good else 'refused'}")
        answer = self.fapi.refresh(old.text) if is_bound else refresh(self.city, old.text)
        assert answer.status_code == (200 if is_good else 400), answer.text
        if not is_good:
            assert answer.json["error"] == "invalid_grant"
            old.family.is_alive = old.family.is_alive and old.used_at is None
        elif is_repeated:
            assert answer.json == old.answer
        else:
            old.used_at, old.answer = self.now, answer.json
            self._take(answer.json, old.family)

    @rule(chosen=ANY)
    def refresh_by_a_stranger(self, chosen: int) -> None:
        """Another app that has got hold of a token gains nothing and does its owner no harm."""
        if not self.refreshes:
            return
        stolen = self.refreshes[-1 - chosen % len(self.refreshes)]
        assert refresh(self.city, stolen.text, "post").status_code == 401, "it has another way to prove itself"
        assert refresh(self.city, stolen.text, WHILE_LOGGED_IN).status_code == 400

    @rule(chosen=ANY, ending=st.integers(0, 6), which=BROWSERS)
    def end_something(self, chosen: int, ending: int, which: int) -> None:
        """What ends tokens, in one rule: else few would live long enough for anything to happen to them."""
        match ending:
            case 0:
                self.log_out(which)
            case 1:
                self.change_password()
            case 2:
                self.withdraw(which, self.families[chosen % len(self.families)].app)
            case 3 if self.refreshes:
                old = self.refreshes[-1 - chosen % len(self.refreshes)]
                self._revoke(old.text, old.family.app)
                old.family.is_alive = False
            case 4:
                access = self.accesses[-1 - chosen % len(self.accesses)]
                self._revoke(access.text, access.family.app)
                access.is_revoked = True

    @rule(chosen=ANY)
    def use(self, chosen: int) -> None:
        self.check(self.accesses[-1 - chosen % len(self.accesses)])

    def check(self, access: Access) -> None:
        holds = access.family.is_alive and not access.is_revoked and self.now < access.until
        self.saw(f"access token: {'good' if holds else 'refused'}")
        if access.family.app == BOUND:
            is_active = self.fapi.is_active(access.text)
            opens = self.fapi.get("/oauth/userinfo", access.text).status_code == 200
        else:
            is_active = introspect(self.city, access.text, access.family.app)["active"]
            opens = userinfo_status(self.city, access.text) == 200
        assert (is_active, opens) == (holds, holds)

    def saw(self, what: str) -> None:
        self.stage.seen[what] += 1

    def _take(self, got: dict[str, Any], family: Family) -> None:
        until = self.now + timedelta(seconds=got["expires_in"])
        self.accesses.append(Access(got["access_token"], family, until))
        assert ("refresh_token" in got) is (family.app != WHILE_LOGGED_IN)
        if "refresh_token" in got:
            self.refreshes.append(Refresh(got["refresh_token"], family))

    def _revoke(self, text: str, app: str) -> None:
        if app == BOUND:
            answer = self.fapi.post("/oauth/revoke", {"token": text}, bare=True)
        else:
            answer = token(self.city.app, {"token": text}, basic(app), "/oauth/revoke")
        assert answer.status_code == 200

    # --- what happens without anybody's doing

    @rule(purpose=st.sampled_from(TURNED))
    def rotate(self, purpose: Purpose) -> None:
        """Nothing ends by it, and known devices stay known."""
        self.city.house.keys.rotate(purpose, now=self.now)

    @rule(pause=st.sampled_from(PAUSES))
    def let_time_pass(self, pause: timedelta) -> None:
        self.traveller.shift(pause)
