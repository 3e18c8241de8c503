"""Token families (令牌族): one login of one person to one app; what was issued from it lives and dies together.

RFC 9700 sections 4.14.2 and 2.1.1. Whether a family lives is judged at every use: the person may have been locked, the
mandate withdrawn, the consent taken back since, by himself, by another who acts for the holder, or while the login was
still going on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, exists, func, insert, literal, or_, select, update

from idservice import audit
from idservice.db import table_of
from idservice.ids import random_id
from idservice.models import Consent, Person, TokenFamily
from idservice.oauth import granted as grants
from idservice.oauth.granted import Granted
from idservice.register import mandates
from idservice.statement import Statement

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.oauth.clients import App


@dataclass(frozen=True, slots=True)
class Family:
    """A family that is alive. `subject` is the person who logged in, `principal` the organisation he acts for."""

    subject: str
    family_id: str
    client_id: str
    principal: str | None
    mandate_id: str | None
    scope: frozenset[str]
    auth_time: datetime
    amr: tuple[str, ...]
    level: int
    created_at: datetime
    session_hash: bytes | None = None
    signals: tuple[str, ...] = ()
    for_person: bool = False  # whether `principal` is a person, such as a ward
    granted: Granted = grants.NOTHING

    @property
    def for_organisation(self) -> bool:
        """Return whether the family is about an organisation."""
        return self.principal is not None and not self.for_person

    @property
    def holder(self) -> str:
        """Return whose data the family is about."""
        return self.principal or self.subject


@dataclass(frozen=True, slots=True)
class Login:
    """How and when the person of a family logged in, and what was unusual about it (`login.risk`)."""

    session_hash: bytes
    auth_time: datetime
    amr: list[str]
    level: int
    signals: tuple[str, ...] = ()


TABLE = "token_family"
_INSERT = Statement(insert(table_of(TokenFamily)))


def start(
    call: Call,
    app: App,
    *,
    person: str,
    login: Login,
    scope: tuple[str, ...],
    mandate: mandates.LiveMandate | None,
    granted: Granted = grants.NOTHING,
) -> str:
    """Enter a family for a person who has just consented, and return its identifier."""
    family_id = random_id()
    _INSERT.run(
        call.connection,
        {
            "subject": person,
            "family_id": family_id,
            "client_id": app.client_id,
            "principal": mandate.principal if mandate else None,
            "mandate_id": mandate.mandate_id if mandate else None,
            "scope": " ".join(scope),
            "granted_sealed": grants.seal(call, granted, table=TABLE, row=family_id),
            "session_hash": login.session_hash,
            "auth_time": login.auth_time,
            "amr": login.amr,
            "signals": list(login.signals) or None,
            "level": login.level,
            "created_at": call.now,
            "revoked_at": None,
            "revoked_for": None,
        },
    )
    return family_id


_family, _person, _consent = table_of(TokenFamily).c, table_of(Person).c, table_of(Consent).c
#: The holder's consent is in force, and was when the family began: one given again later revives nothing.
_CONSENTED = exists().where(
    _consent.subject == func.coalesce(_family.principal, _family.subject),
    _consent.client_id == _family.client_id,
    _consent.withdrawn_at.is_(None),
    _consent.given_at <= _family.created_at,
)
_ALIVE = Statement(
    select(
        _family.subject,
        _family.family_id,
        _family.client_id,
        _family.principal,
        _family.mandate_id,
        _family.scope,
        _family.auth_time,
        _family.amr,
        _family.signals,
        _family.level,
        _family.created_at,
        _family.session_hash,
        _family.granted_sealed,
    )
    .join_from(table_of(TokenFamily), table_of(Person), _person.subject == _family.subject)
    .where(
        _family.subject == bindparam("subject"),
        _family.family_id == bindparam("family_id"),
        _family.revoked_at.is_(None),
        _person.status == "active",
        _CONSENTED,
    )
)


def find_alive(call: Call, subject: str, family_id: str) -> Family | None:
    """Return the family if it may be used at this instant."""
    asked = {"subject": subject, "family_id": family_id}
    row = _ALIVE.first(call.connection, asked)
    if row is None:
        return None
    mandate = _may_still_act(call, row) if row.principal is not None else None
    if row.principal is not None and mandate is None:
        return None
    return Family(
        subject=row.subject,
        family_id=row.family_id,
        client_id=row.client_id,
        principal=row.principal,
        mandate_id=row.mandate_id,
        scope=frozenset(row.scope.split()),
        auth_time=row.auth_time,
        amr=tuple(row.amr),
        level=row.level,
        created_at=row.created_at,
        session_hash=row.session_hash,
        signals=tuple(row.signals or ()),
        for_person=mandate is not None and mandate.principal_kind == mandates.PERSON,
        granted=grants.unseal(call, row.granted_sealed, table=TABLE, row=row.family_id),
    )


def _may_still_act(call: Call, row: Any) -> mandates.LiveMandate | None:
    mandate = mandates.find_live(call, row.subject, row.mandate_id)
    return mandate if mandate is not None and mandate.principal == row.principal else None


def kill(call: Call, subject: str, family_id: str, *, reason: str) -> bool:
    """End a family and everything issued from it; return whether it was alive."""
    killed = call.session.execute(
        update(TokenFamily)
        .where(TokenFamily.subject == subject, TokenFamily.family_id == family_id, TokenFamily.revoked_at.is_(None))
        .values(revoked_at=call.now, revoked_for=reason)
        .returning(TokenFamily.client_id)
    ).all()
    if killed:
        audit.record(call, audit.Deed.FAMILY_KILLED, family=family_id, client=killed[0].client_id, reason=reason)
    return bool(killed)


def kill_of_client(call: Call, person: str, client_id: str, *, principal: str | None, reason: str) -> int:
    """End all families of a person, himself or as an agent of `principal`, with one client; return how many."""
    whom = TokenFamily.principal.is_(None) if principal is None else TokenFamily.principal == principal
    query = select(TokenFamily.family_id).where(
        TokenFamily.subject == person, TokenFamily.client_id == client_id, TokenFamily.revoked_at.is_(None), whom
    )
    return sum(kill(call, person, family_id, reason=reason) for family_id in call.session.scalars(query).all())


def kill_of_session(call: Call, person: str, session_hash: bytes) -> int:
    """End the families that were to last only as long as the session: those without `offline_access`."""
    query = select(TokenFamily.family_id).where(
        TokenFamily.subject == person,
        TokenFamily.session_hash == session_hash,
        TokenFamily.revoked_at.is_(None),
        (literal(" ") + TokenFamily.scope + " ").not_like("% offline_access %"),
    )
    return sum(kill(call, person, family_id, reason="logout") for family_id in call.session.scalars(query).all())


def kill_all(call: Call, person: str, *, reason: str, but: bytes | None = None) -> int:
    """End every family of a person, those of organisations he acts for included; return how many.

    `but` is the session whose families live on.
    """
    query = select(TokenFamily.family_id).where(TokenFamily.subject == person, TokenFamily.revoked_at.is_(None))
    if but is not None:
        query = query.where(or_(TokenFamily.session_hash.is_(None), TokenFamily.session_hash != but))
    return sum(kill(call, person, family_id, reason=reason) for family_id in call.session.scalars(query).all())
