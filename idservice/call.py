"""The call: who asks, when, with which session and keys. The first argument of every verb.

One request is one call: one instant (`now`), one transaction (`session`), one caller. A verb queries, adds rows and
audits; it does not commit, render or look at the web request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from idservice.login import levels

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.orm import Session

    from idservice.db import Database
    from idservice.http.limits import Limiter
    from idservice.settings import Settings
    from keys.fields import FieldCipher
    from keys.ring import KeyRing


class Post(StrEnum):
    """What a person does in a department (岗位)."""

    OFFICER = "officer"  # 经办人员: issues, changes and seals
    CLERK = "clerk"  # 窗口人员: verifies and looks up


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking. Subjects are the service's own identifiers, never numbers.

    `person` acts, for himself or for `principal` (an organisation's subject, 被代理的法人). A client alone
    (client credentials) has neither. `departments` are the credit codes a client alone may act for; a person acts
    for those where he holds the right post (岗位). `counter` is the window a clerk sits at. What a post permits is
    asked here alone: `holds`, `departments_as` and `may_act_for` raise LoginTooWeak where the person has the post and
    his login is not what acting as staff needs (`levels.Act.ACT_AS_STAFF`).
    """

    channel: str  # "api", "page" or "cli"
    client_id: str | None = None
    client_name: str | None = None
    person: str | None = None
    principal: str | None = None
    mandate: str | None = None  # by which he acts for `principal`
    scopes: frozenset[str] = frozenset()
    posts: frozenset[tuple[str, str]] = frozenset()  # of the person: (post, credit code of the department)
    departments: frozenset[str] = frozenset()
    all_departments: bool = False
    counter: str | None = None
    session_id: str | None = None
    amr: tuple[str, ...] = ()  # how the person logged in (RFC 8176), when, and what was unusual about it
    auth_time: datetime | None = None
    signals: tuple[str, ...] = ()
    level: int = 0  # his real-name level
    address: str | None = None
    scheme: str = "bearer"  # by which the access token came: it is refused in the words of the same
    details: tuple[Mapping[str, Any], ...] = ()  # what the token is confined to: see oauth.authorization_details

    @property
    def holder(self) -> str | None:
        """Return the subject whose own licences and records this caller may see."""
        return self.principal or self.person

    @property
    def name_for_log(self) -> str:
        """Return a stable pseudonym of the caller for audit rows."""
        if self.person is not None:
            return f"person:{self.person}"
        return f"client:{self.client_id}" if self.client_id is not None else "nobody"

    def holds(self, post: Post) -> bool:
        """Return whether the person holds such a post anywhere."""
        return bool(self._held(post))

    def departments_as(self, post: Post) -> frozenset[str]:
        """Return the departments this caller may act for in what that post does; see `all_departments` too."""
        if self.person is None:
            return self.departments
        return self._held(post)

    def may_act_for(self, department: str, post: Post) -> bool:
        """Return whether this caller may do for the department with that credit code what that post does.

        A clerk's post in one department and an officer's in another never add up to an officer's in the first.
        """
        if self.person is not None:
            return bool(self._held(post, department))
        return self.all_departments or department in self.departments

    def _held(self, post: Post, where: str | None = None) -> frozenset[str]:
        """Return the departments, or the one named, in which the person holds that post.

        Raises:
            LoginTooWeak: there are some; none is told of, and nothing is done, by a login that is too weak for it.
        """
        held = frozenset(code for name, code in self.posts if name == post and where in {None, code})
        if held:
            levels.demand(levels.Act.ACT_AS_STAFF, level=self.level, amr=self.amr, signals=self.signals)
        return held


NOBODY = Caller(channel="page")


@dataclass(frozen=True, slots=True)
class House:
    """What one process keeps for its whole life."""

    settings: Settings
    database: Database
    keys: KeyRing
    cipher: FieldCipher
    limiter: Limiter


class WritingNeeded(Exception):
    """A deed that was begun as a reader has come to where it writes."""


@dataclass(slots=True)
class Call:
    """One request at one instant."""

    house: House
    session: Session
    caller: Caller
    now: datetime
    request_id: str = "-"
    audit_ids: list[str] = field(default_factory=list)
    demanded_details: set[str] = field(default_factory=set)  # types of details that the deed has asked for
    only_reads: bool = False  # whether the transaction does; see `about_to_write`
    #: Whether this transaction changed what processes keep a copy of for seconds: it then reads that anew each time,
    #: since another thread may have made a copy of how things stood before.
    reads_anew: bool = False
    foreseen: object = None  # what was worked out before the transaction: see `http.endpoint.endpoint`
    #: What is still recorded where the deed is refused and rolled back: run in the transaction of the refusal.
    aftermath: list[Callable[[Call], None]] = field(default_factory=list)
    _connection: Connection | None = None

    def about_to_write(self) -> None:
        """Say so, in a deed that mostly reads and writes sometimes: it is then run again from its start, as a writer.

        Raises:
            WritingNeeded: the transaction only reads.
        """
        if self.only_reads:
            raise WritingNeeded

    @property
    def connection(self) -> Connection:
        """Return the connection of this transaction: for statements on tables, without the session's detour."""
        if self._connection is None:
            session: Any = self.session
            self._connection = getattr(session, "quick_connection", session.connection)()
        return self._connection

    @property
    def keys(self) -> KeyRing:
        """Return the key ring."""
        return self.house.keys

    @property
    def cipher(self) -> FieldCipher:
        """Return the cipher of personal fields."""
        return self.house.cipher

    @property
    def settings(self) -> Settings:
        """Return the settings."""
        return self.house.settings
