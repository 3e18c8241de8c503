"""What an authorization request still needs before it is answered: a login, a choice, a consent, or nothing.

OpenID Connect Core 1.0 section 3.1.2.3. One function, read from top to bottom; pages only show what it says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from idservice.db import table_of
from idservice.login import browser_state, step_up
from idservice.models import LoginSession
from idservice.oauth import (
    codes,
    consents,
    families,
    id_token_hint,
    mandate_detail,
    offers,
    par,
    response_jwt,
    scopes,
    tokens,
    verified_claims,
)
from idservice.oauth.authorization import AuthorizationRefused
from idservice.oauth.confirmation import DPOP, Key
from idservice.oauth.subjects import pairwise
from idservice.register import mandates
from idservice.statement import Statement
from keys.ring import Purpose

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.oauth.authorization import AuthorizationRequest
    from idservice.oauth.steps import Step
    from idservice.register.mandates import LiveMandate

SELF = "self"

_session = table_of(LoginSession).c
_SESSION = Statement(
    select(
        _session.id_hash, _session.first_hash, _session.auth_time, _session.amr, _session.level, _session.signals
    ).where(_session.id_hash == bindparam("id_hash"))
)


@dataclass(frozen=True, slots=True)
class LogIn:
    """Nobody is logged in, or not freshly enough."""


@dataclass(frozen=True, slots=True)
class Prove:
    """The person is logged in, but not as surely as the app asks: a second factor is needed."""

    acr: str


@dataclass(frozen=True, slots=True)
class Choose:
    """The person may act for organisations and has not said for whom he acts this time."""

    mandates: list[LiveMandate]
    may_be_self: bool = True


@dataclass(frozen=True, slots=True)
class Ready:
    """It is clear who logs in, and for whom. `has_consent` says whether the app may be answered at once."""

    person: str
    mandate: LiveMandate | None
    has_consent: bool

    @property
    def holder(self) -> str:
        """Return whose data the app will get."""
        return self.mandate.principal if self.mandate else self.person

    @property
    def for_organisation(self) -> bool:
        """Return whether these are the data of an organisation."""
        return self.mandate is not None and self.mandate.principal_kind == mandates.ORGANISATION


def decide(call: Call, asked: AuthorizationRequest, step: Step | None) -> LogIn | Prove | Choose | Ready:
    """Return what is needed next.

    Raises:
        AuthorizationRefused: the app asked for an answer without a page, and a page is needed; or the hint is somebody
            else's.
    """
    silent = "none" in asked.prompt
    person = call.caller.person
    if person is None or not _is_fresh(call, asked, step):
        if silent:
            raise AuthorizationRefused(asked.asker, "login_required", "Nobody is logged in, or not recently enough.")
        return LogIn()
    if (acr := step_up.lacking(call, asked.acr_values)) is not None:
        if silent:
            raise AuthorizationRefused(asked.asker, "login_required", "The login is not as strong as acr_values ask.")
        return Prove(acr)

    if asked.issuer_state is not None and offers.invited(call, asked.issuer_state) != person:
        raise AuthorizationRefused(asked.asker, "access_denied", "The offer was made for somebody else, or is over.")
    mandate = None if silent else _acting(call, asked, step, person)
    if isinstance(mandate, Choose):
        return mandate

    holder = mandate.principal if mandate else person
    if not _hint_fits(call, asked, holder):
        raise AuthorizationRefused(
            asked.asker, "login_required", "id_token_hint, or the claim sub, is not of the person who is logged in."
        )

    has_consent = "consent" not in asked.prompt and _is_covered(call, asked, holder, mandate)
    if silent and not has_consent:
        raise AuthorizationRefused(asked.asker, "consent_required", "The person has not consented to this scope.")
    return Ready(person, mandate, has_consent)


def grant(call: Call, asked: AuthorizationRequest, ready: Ready) -> str:
    """Open a token family, issue a code for it, and return the URL that carries it to the app."""
    if asked.pushed is not None:
        par.use(call, asked.pushed)
    family_id = open_family(call, asked, ready)
    code = codes.issue(
        call,
        client_id=asked.app.client_id,
        subject=ready.person,
        family_id=family_id,
        redirect_uri=asked.asker.redirect_uri,
        scope=asked.scope,
        nonce=asked.nonce,
        code_challenge=asked.code_challenge,
        bound_to=Key(DPOP, asked.dpop_jkt).text if asked.dpop_jkt is not None else None,
    )
    state = None
    if "openid" in asked.scope:
        state = browser_state.session_state(
            asked.app.client_id, asked.asker.redirect_uri, bytes.fromhex(call.caller.session_id or "")
        )
    more = {"session_state": state} if state is not None else {}
    return response_jwt.answer(call, asked.asker, code=code, **more)


def open_family(call: Call, asked: AuthorizationRequest, ready: Ready) -> str:
    """Open the token family of a person who has just consented, and return its identifier."""
    if asked.issuer_state is not None:
        offers.accept(call, asked.issuer_state)
    return families.start(
        call,
        asked.app,
        person=ready.person,
        login=login_of(call),
        scope=asked.scope,
        mandate=ready.mandate,
        granted=asked.granted,
    )


def login_of(call: Call) -> families.Login:
    """Return how the visitor of a page logged in."""
    session = _SESSION.first(call.connection, {"id_hash": bytes.fromhex(call.caller.session_id or "")})
    chain, signals = session.first_hash or session.id_hash, tuple(session.signals or ())
    return families.Login(chain, session.auth_time, list(session.amr), session.level, signals)


def _acting(call: Call, asked: AuthorizationRequest, step: Step | None, person: str) -> LiveMandate | Choose | None:
    """Return the mandate by which the person acts in this login, None for himself, or the choice he has.

    Raises:
        AuthorizationRefused: the app names an organisation or a matter that no mandate of his is for.
    """
    live = mandates.live(call, person)
    detail = mandate_detail.wanted(asked.granted.details)
    if detail is not None and not (live := mandate_detail.fitting(live, detail)):
        raise AuthorizationRefused(asked.asker, "access_denied", "The person declined, or cannot act as asked.")
    choice = step.choice(call.caller.session_id) if step is not None else None
    chosen = next((m for m in live if m.mandate_id == choice), None)
    if chosen is not None or not live:
        return chosen
    if detail is not None:
        return live[0] if len(live) == 1 else Choose(live, may_be_self=False)
    return None if choice == SELF else Choose(live)


def _is_covered(call: Call, asked: AuthorizationRequest, holder: str, mandate: LiveMandate | None) -> bool:
    """Return whether an earlier consent covers the request; details and verified claims are asked for every time.

    So are the APIs of others: whom else a person's data goes to he says each time (Personal Information Protection Law
    article 23).
    """
    organisation = mandate is not None and mandate.credit_code != ""
    others = set(asked.granted.resources) - {tokens.resource(call.settings)}
    if asked.granted.details or others or verified_claims.named(asked.app, asked.granted, organisation=organisation):
        return False
    claims = asked.granted.claims.anywhere(asked.app.scope, organisation=organisation)
    needed = {*asked.scope, *(scopes.releasing(name, organisation=organisation) for name in claims)}
    return consents.covers(call, holder, asked.app.client_id, tuple(needed))


def _is_fresh(call: Call, asked: AuthorizationRequest, step: Step | None) -> bool:
    """Return whether the login is recent enough; a login made since this request began always is."""
    auth_time = call.caller.auth_time
    if auth_time is None:
        return False
    if step is not None and auth_time.timestamp() * 1000 > step.started_at:
        return True
    if "login" in asked.prompt:
        return False
    return asked.max_age is None or call.now - auth_time <= timedelta(seconds=asked.max_age)


def _hint_fits(call: Call, asked: AuthorizationRequest, holder: str) -> bool:
    named = asked.granted.claims.subjects
    if asked.id_token_hint is None and not named:
        return True
    subject = pairwise(call.keys.secret(Purpose.SUBJECT), asked.app.sector, holder)
    if not all(wanted.accepts(subject) for wanted in named):
        return False
    if asked.id_token_hint is None:
        return True
    return id_token_hint.read(call, asked.id_token_hint) == (asked.app.client_id, subject)
