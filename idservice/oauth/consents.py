"""Consents (授权同意): what a holder lets an app know and do, remembered until it is withdrawn.

A holder is a person, or an organisation for whom an agent decides. Personal Information Protection Law articles 14 and
15: given for a stated purpose, and as easy to withdraw as to give. Of both the holder gets a signed receipt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, case, select, update
from sqlalchemy.dialects import postgresql, sqlite

from idservice import audit
from idservice.db import table_of
from idservice.models import Client, Consent
from idservice.oauth import families, receipts
from idservice.oauth.clients import is_identifier
from idservice.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from idservice.call import Call
    from idservice.oauth.consent_receipt import Purpose


_consent = table_of(Consent)
_IN_FORCE = Statement(
    select(_consent.c.scope).where(
        _consent.c.subject == bindparam("holder"),
        _consent.c.client_id == bindparam("client_id"),
        _consent.c.withdrawn_at.is_(None),
    )
)


def _give(insert: sqlite.Insert | postgresql.Insert) -> sqlite.Insert | postgresql.Insert:
    """Add to a consent in force since when it was given; if what was read before is withdrawn by now, begin anew.

    Of two who give it at once, the one that began later may be first: each is given by when its own login begins.
    """
    in_force = _consent.c.withdrawn_at.is_(None)
    is_older = in_force & (_consent.c.given_at <= insert.excluded.given_at)
    said = {
        "scope": case((in_force, insert.excluded.scope), else_=bindparam("alone")),
        "given_at": case((is_older, _consent.c.given_at), else_=insert.excluded.given_at),
        "withdrawn_at": insert.excluded.withdrawn_at,
    }
    return insert.on_conflict_do_update(index_elements=["subject", "client_id"], set_=said)


_GIVE = {
    "sqlite": Statement(_give(sqlite.insert(_consent))),
    "postgresql": Statement(_give(postgresql.insert(_consent))),
}


@dataclass(frozen=True, slots=True)
class Given:
    """A consent in force, with the app it is for."""

    client_id: str
    name: str
    unit: str
    redirect_uris: tuple[str, ...]
    scope: tuple[str, ...]
    given_at: datetime
    receipt: str | None  # the identifier of its signed receipt; older consents have none


def covers(call: Call, holder: str, client_id: str, scope: tuple[str, ...]) -> bool:
    """Return whether the holder's consent in force covers every scope asked for."""
    return set(scope) <= _in_force(call, holder, client_id)


def give(
    call: Call,
    holder: str,
    client_id: str,
    scope: tuple[str, ...],
    *,
    more: Sequence[Purpose] = (),
    language: str = "zh",
    withheld: Collection[str] = (),
) -> None:
    """Remember that the holder consents, beside what he consented to before and does not withhold now.

    `more` is what else stood on the page, for the receipt, and `language` that of the page. Where he withholds what he
    consented to before, tokens from before end: they could still read it.
    """
    before, alone = _in_force(call, holder, client_id), set(scope)
    if not before.isdisjoint(withheld):
        before = (_end(call, holder, client_id, reason="consent_narrowed") or set()) - set(withheld)
        alone |= before
    row = {
        "subject": holder,
        "client_id": client_id,
        "scope": " ".join(sorted(before | set(scope))),
        "given_at": call.now,
        "withdrawn_at": None,
        "alone": " ".join(sorted(alone)),
    }
    _GIVE[call.connection.dialect.name].run(call.connection, row)
    receipt = receipts.given(call, holder, client_id, before | set(scope), more=more, language=language)
    audit.record(call, audit.Deed.CONSENT_GIVEN, holder=holder, client=client_id, scope=list(scope), receipt=receipt)


def withdraw(call: Call, holder: str, client_id: str) -> str | None:
    """Take a consent back and end what the app got by it at once; return the identifier of the receipt.

    None where there was no consent to take back.
    """
    if not is_identifier(client_id):
        return None
    taken = _end(call, holder, client_id, reason="consent_withdrawn")
    if taken is None:
        return None
    receipt = receipts.withdrawn(call, holder, client_id, sorted(taken))
    audit.record(call, audit.Deed.CONSENT_WITHDRAWN, holder=holder, client=client_id, receipt=receipt)
    return receipt


def of_holder(call: Call, holder: str) -> list[Given]:
    """Return the holder's consents in force, the newest first."""
    rows = call.session.execute(
        select(Consent, Client)
        .join(Client, Client.client_id == Consent.client_id)
        .where(Consent.subject == holder, Consent.withdrawn_at.is_(None))
        .order_by(Consent.given_at.desc(), Consent.client_id)
    )
    made = receipts.newest_given(call, holder)
    return [
        Given(
            app.client_id,
            app.name,
            app.unit,
            tuple(app.redirect_uris),
            tuple(consent.scope.split()),
            consent.given_at,
            made.get(app.client_id),
        )
        for consent, app in rows
    ]


def _in_force(call: Call, holder: str, client_id: str) -> set[str]:
    """Return the scopes consented to."""
    row = _IN_FORCE.first(call.connection, {"holder": holder, "client_id": client_id})
    return set(row.scope.split()) if row is not None else set()


def _end(call: Call, holder: str, client_id: str, *, reason: str) -> set[str] | None:
    """End the consent in force, and what the app got by it; return its scopes, None where there is none.

    What other agents got for the holder ends with it too: their tokens are older than any later consent.
    """
    ended = call.session.execute(
        update(Consent)
        .where(Consent.subject == holder, Consent.client_id == client_id, Consent.withdrawn_at.is_(None))
        .values(withdrawn_at=call.now)
        .returning(Consent.scope)
    ).first()
    if ended is None:
        return None
    families.kill_of_client(call, holder, client_id, principal=None, reason=reason)
    person = call.caller.person
    if person is not None and person != holder:
        families.kill_of_client(call, person, client_id, principal=holder, reason=reason)
    return set(ended.scope.split())
