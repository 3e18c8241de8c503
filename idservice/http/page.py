"""`@page`: one HTML page; who may open it is stated once and enforced in one place.

A page runs in one transaction, like an endpoint, and calls the same verbs. A visitor not logged in is sent to the
login page and comes back. Cross-site posts are refused before the page runs (`forms`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, g, make_response, redirect, request
from sqlalchemy.orm import Session

from idservice.call import Call, Caller, House, Post, WritingNeeded
from idservice.errors import Problem
from idservice.http.current import asked, kept
from idservice.http.endpoint import audit_refusal, house, refuse_nul
from idservice.ids import secret_hash
from idservice.login import session as login_session
from idservice.login import step_up
from idservice.login.levels import LoginTooWeak
from idservice.login.step_up import StepUpNeeded

View = Callable[..., Any]


class Who(StrEnum):
    """The visitors a page can be for."""

    ANYONE = "anyone"
    PERSON = "person"
    CLERK = "clerk"
    OFFICER = "officer"


POSTS = {Who.CLERK: Post.CLERK, Who.OFFICER: Post.OFFICER}


PAGES: list[tuple[str, str, Who]] = []


@dataclass(frozen=True, slots=True)
class _Page:
    """What is stated of one page."""

    name: str
    function: View
    who: Who
    write: bool
    reads_first: bool
    limit: str
    prepare: View | None
    ask: View | None
    foresee: View | None
    again: View | None
    ahead: Callable[[House], None] | None


def page(
    blueprint: Blueprint,
    rule: str,
    *,
    who: Who,
    methods: tuple[str, ...] = ("GET",),
    write: bool = False,
    reads_first: bool = False,
    limit: str = "240/minute",
    prepare: View | None = None,
    ask: View | None = None,
    foresee: View | None = None,
    again: View | None = None,
    ahead: Callable[[House], None] | None = None,
) -> Callable[[View], View]:
    """Declare the decorated function `(call, **path)` as a page; it returns HTML text or a Response.

    Args:
        blueprint: where it is mounted.
        rule: Flask rule.
        who: who may open it.
        methods: HTTP methods.
        write: whether the transaction writes.
        reads_first: whether it mostly has nothing to write: then it says `call.about_to_write()` before it does.
        limit: rate limit of one visitor.
        prepare: a function `(call, **path)` run and committed in a writing transaction before the page's own; its
            result is passed on as `prepared`, a Response of it is the answer.
        ask: a function `(call, prepared=, **path)` run after that in a transaction that only reads, so that it may wait
            for another service; its result takes the place of `prepared`.
        foresee: a function `(call, **path)` run before all these in a transaction that only reads, on a database that
            lets one writer write at a time; its result is `call.foreseen` in them. It works out what need not keep that
            one writer, and decides nothing.
        again: a function `(call, problem, **path)` that shows the form once more after a refusal, in a transaction of
            its own after the rollback; without it the error page is shown.
        ahead: a function `(house)` called before any transaction: what is fetched from elsewhere is fetched there.
    """

    def decorate(function: View) -> View:
        name = f"{blueprint.name}.{function.__name__}"
        PAGES.append((name, rule, who))
        stated = _Page(name, function, who, write, reads_first, limit, prepare, ask, foresee, again, ahead)

        def view(**values: Any) -> Response:
            return _serve(stated, values)

        view.__name__ = function.__name__
        view.__doc__ = function.__doc__
        blueprint.add_url_rule(rule, view_func=view, methods=list(methods))
        return function

    return decorate


class _Visit:
    """One visitor on his way through a page."""

    def __init__(self, stated: _Page) -> None:
        self.page, self.home, self.request = stated, house(), asked()
        self.cookie = self.request.cookies.get(login_session.COOKIE)
        self.visitor = self.caller = Caller(channel="page", address=self.request.remote_addr)
        self.aftermath: list[Callable[[Call], None]] = []
        self.foreseen: object = None

    def run(self, step: Callable[[Call], Any], *, write: bool, only_reads: bool = False) -> Any:
        """Run one step in one transaction, or send a visitor away: to log in, or to log in more strongly."""

        def deed(session: Session) -> Any:
            found = kept()
            call = Call(self.home, session, self.visitor, datetime.now(UTC), found.request_id, only_reads=only_reads)
            self.aftermath, call.foreseen = call.aftermath, self.foreseen
            call.caller, found.current_user = login_session.caller(call, self.cookie)
            self.caller = call.caller
            if self.page.who is not Who.ANYONE and call.caller.person is None:
                return to_login()
            if self.page.who in POSTS and not call.caller.holds(POSTS[self.page.who]):
                raise Problem("forbidden", "This page is for staff: your account holds no such post.")
            return step(call)

        try:
            return self.home.database.run(deed, write=write)
        except LoginTooWeak as weak:
            raise step_up.refusal(self.caller, weak.act) from None

    def answer(self, values: dict[str, Any]) -> Response:
        function, prepare, ask = self.page.function, self.page.prepare, self.page.ask
        if (foresee := self.page.foresee) is not None and self.home.database.is_sqlite:
            self.foreseen = self.run(lambda call: foresee(call, **values), write=False)
            if isinstance(self.foreseen, Response):
                return self.foreseen
        if prepare is not None:
            prepared = self.run(lambda call: prepare(call, **values), write=True)
            if isinstance(prepared, Response):
                return prepared
            values = values | {"prepared": prepared}
        if ask is not None:
            prepared = self.run(lambda call: ask(call, **values), write=False)
            if isinstance(prepared, Response):
                return prepared
            values = values | {"prepared": prepared}
        return self.shown(lambda call: make_response(function(call, **values)))

    def shown(self, step: Callable[[Call], Response]) -> Response:
        """Run the page itself; one that mostly reads keeps nobody from writing until it has something to write."""
        response: Response
        if self.page.reads_first:
            try:
                response = self.run(step, write=False, only_reads=True)
            except WritingNeeded:
                pass
            else:
                return response
        response = self.run(step, write=self.page.write)
        return response


def _serve(stated: _Page, values: dict[str, Any]) -> Response:
    visit = _Visit(stated)
    # Anybody can invent a cookie, so only pages that want a real one count by it; a Redis never sees it.
    own = secret_hash(visit.cookie).hex() if visit.cookie and stated.who is not Who.ANYONE else None
    address = visit.request.remote_addr
    visit.home.limiter.check(stated.limit, what=stated.name, who=own or address or "-", address=address)
    if visit.request.method != "GET":
        refuse_nul(visit.request.form)
    if stated.ahead is not None:
        stated.ahead(visit.home)
    try:
        response = visit.answer(values)
    except StepUpNeeded as needed:
        if visit.aftermath:
            audit_refusal(visit.home, stated.name, visit.caller, needed.needed, visit.aftermath)
        raise
    except Problem as problem:
        if problem.kind.status == 403 or visit.aftermath:
            audit_refusal(visit.home, stated.name, visit.caller, problem.code, visit.aftermath)
        again = stated.again
        if again is None or problem.kind.status >= 500 or problem.code == "forbidden":
            raise
        response = _shown_again(visit, again, problem, values)
    if g.get("session_stale"):
        cookie = visit.cookie
        visit.home.database.run(lambda session: login_session.touch(session, cookie, datetime.now(UTC)), write=True)
    return response


def _shown_again(visit: _Visit, again: View, problem: Problem, values: dict[str, Any]) -> Response:
    response: Response = visit.run(lambda call: make_response(again(call, problem, **values)), write=False)
    response.status_code = problem.kind.status
    return response


def to_login() -> Response:
    """Send the visitor to the login page; he comes back to this page afterwards."""
    target = request.full_path.rstrip("?") if request.method == "GET" else request.path
    return redirect(f"/login?to={quote(target, safe='')}", 303)  # type: ignore[return-value]
