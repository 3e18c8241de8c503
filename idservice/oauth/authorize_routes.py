"""The authorization endpoint (RFC 6749 section 3.1): reads the request and shows the page it needs next.

It takes posts from other sites, as OpenID Connect demands, and turns them into the same GET: nothing is decided here.
What a person decides is posted to `pages`, which no other site can do for him.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, redirect, render_template, request, session

from idservice.http import headers, queries, skeletons
from idservice.http.page import Who, page
from idservice.http.problems import language
from idservice.http.skeletons import Gap
from idservice.login import pages as login_pages
from idservice.login import step_up
from idservice.numbers.names import mask_name
from idservice.oauth import (
    authorization,
    client_keys,
    consent_words,
    holder_claims,
    par,
    response_jwt,
    scopes,
    steps,
    tokens,
    verified_claims,
    withholding,
)
from idservice.oauth.authorization import AuthorizationRefused, AuthorizationRequest
from idservice.oauth.claims_request import VERIFIED
from idservice.oauth.decision import Choose, LogIn, Prove, Ready, decide, grant
from idservice.oauth.steps import Step
from idservice.oauth.subjects import pairwise
from idservice.register import people
from keys.ring import Purpose

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

    from idservice.call import Call, House

blueprint = Blueprint("authorize", __name__)

ROLES = {
    "legal_representative": ("法定代表人", "Legal representative"),
    "administrator": ("管理员", "Administrator"),
    "agent": ("经办人", "Agent"),
    "guardian": ("监护人", "Guardian"),
    "proxy": ("代办人", "Acting person"),
}
ORGANISATION_NAME = ("单位名称", "Name")
HINT = "login_hint"  # may be a citizen's number: it is not read, and goes into no address of ours


def _learn_keys(home: House) -> None:
    """Ask for the app's keys where a request is signed by one that we do not know."""
    signed, client_id = request.args.get("request"), request.args.get("client_id")
    if signed is not None and client_id is not None:
        client_keys.learn(home, client_id, signed, datetime.now(UTC))


@page(
    blueprint,
    authorization.PATH,
    who=Who.ANYONE,
    methods=("GET", "POST"),
    write=True,
    reads_first=True,
    ahead=_learn_keys,
)
def authorize(call: Call) -> Response | str:
    """Answer an authorization request, or show the page it waits for."""
    if request.method == "POST":
        return _to(f"{request.path}?{urlencode(_pairs(request.form, HINT))}")
    return walk(call, lambda asked, step: _show_or_answer(call, asked, step))


def walk(call: Call, deed: Any) -> Response | str:
    """Read the request of this URL and do `deed(asked, step)`; a refusal goes back to the app."""
    pairs = _pairs(request.args, HINT, steps.PARAMETER, "lang")
    pushed = None
    try:
        asked = authorization.read(call, pairs)
        found = steps.unseal(
            call.keys.secrets(Purpose.SESSION).values(),
            request.args.get(steps.PARAMETER),
            digest=asked.digest,
            browser=browser_name(),
            now=call.now,
        )
        if asked.pushed is not None:
            call.about_to_write()
            par.admit(call, asked.pushed, browser=browser_name(), has_begun=found is not None)
            pushed = asked.pushed
        return deed(asked, found)  # type: ignore[no-any-return]
    except AuthorizationRefused as refused:
        if pushed is not None:
            par.end(call, pushed)  # the app is answered
        answer = {"error": refused.error, "error_description": refused.description}
        return _to(response_jwt.answer(call, refused.asked, **answer))


def url_of(call: Call, step: Step) -> str:
    """Return the URL of the same request at another step."""
    sealed = steps.seal(call.keys.secret(Purpose.SESSION), step)  # of characters that need no quoting
    return f"{authorization.PATH}?{queries.without(HINT, steps.PARAMETER)}&{steps.PARAMETER}={sealed}"


def first_step(call: Call, asked: AuthorizationRequest) -> Step:
    """Return the step of a request that begins now."""
    return Step(asked.digest, browser_name(), int(call.now.timestamp() * 1000))


def _show_or_answer(call: Call, asked: AuthorizationRequest, step: Step | None) -> Response | str:
    needed = decide(call, asked, step)
    if isinstance(needed, LogIn):
        return _login_page(call, asked, url_of(call, step or first_step(call, asked)))
    if isinstance(needed, Prove):
        return _to(step_up.page_for(needed.acr, url_of(call, step or first_step(call, asked))))
    if isinstance(needed, Ready) and needed.has_consent:
        call.about_to_write()
        return _to(grant(call, asked, needed))
    headers.allow_form_action(asked.asker.redirect_uri)
    if isinstance(needed, Choose):
        return acting_page(call, needed, action=_decision_url())
    host = urlsplit(asked.asker.redirect_uri).hostname or asked.asker.redirect_uri.partition(":")[0]
    return consent_page(call, asked, needed, action=_decision_url(), host=host)


def _login_page(call: Call, asked: AuthorizationRequest, here: str) -> Response | str:
    """Return the login page, which leads back to `here`; or the way to it, where this address is not one to stay at.

    That is one that names a person, one that is soon good no more without its step, and one in a language to be kept.
    """
    wanted = _wanted_language(asked)
    if wanted or asked.pushed is not None or HINT in request.args:
        return _to(f"/login?to={queries.quoted(here)}{wanted}")
    return login_pages.login_form(call, here, asked.asker)


def acting_page(call: Call, needed: Choose, *, action: str) -> str:
    """Return the page that asks for whom the person acts; it posts to `action`."""
    person = people.facts(call, call.caller.person or "")
    listed = [{"id": m.mandate_id, "organisation": m.organisation, "role": _role(m.role)} for m in needed.mandates]
    return render_template(
        "acting.html",
        action=action,
        person_name=mask_name(person.name) if person else "",
        may_be_self=needed.may_be_self,
        mandates=listed,
    )


def consent_page(
    call: Call,
    asked: AuthorizationRequest,
    ready: Ready,
    *,
    action: str,
    host: str | None,
    template: str = "consent.html",
    **more: Any,
) -> str:
    """Return the page that asks for consent, whichever grant it is for; `more` is for a template that extends it."""
    claims = _shown_claims(call, asked, ready)
    details = [told.shown(language()) for told in consent_words.details(call, asked.granted.details)]
    is_common = template == "consent.html" and not details and ready.mandate is None
    draw = skeletons.render if is_common else skeletons.plain
    return draw(
        template,
        action=Gap(action),
        client={"name": asked.app.name, "unit": asked.app.unit, "host": host},
        claims=claims,
        scopes=shown_scopes(tuple(name for name in asked.scope if name not in scopes.PERSON_CLAIMS)),
        details=details,
        resources=_shown_resources(call, asked),
        optional=_shown_optional(asked, ready, claims) if template == "consent.html" else [],
        acting_name=ready.mandate.organisation if ready.mandate else None,
        redirect_host=host,
        **more,
    )


def _shown_optional(asked: AuthorizationRequest, ready: Ready, claims: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return name and title of those claims on the page that the person may keep to himself."""
    named = [claim for claim in claims if claim.get("name") is not None]
    optional = withholding.optional(asked, organisation=ready.for_organisation) if named else ()
    return [{"value": claim["name"], "text": claim["title"]} for claim in named if claim["name"] in optional]


def _claim_title(name: str, *, organisation: bool) -> str:
    return _word(ORGANISATION_NAME if organisation and name == "name" else scopes.CLAIM_TITLES[name])


def _shown_resources(call: Call, asked: AuthorizationRequest) -> list[dict[str, str]]:
    """Return name and identifier of the APIs of others that the app may call with the tokens."""
    others = [name for name in asked.granted.resources if name != tokens.resource(call.settings)]
    return [{"name": _word(name), "identifier": found} for name, found in consent_words.resources(call, others)]


def _shown_claims(call: Call, asked: AuthorizationRequest, ready: Ready) -> list[dict[str, Any]]:
    """Return title and masked value of everything the app would learn."""
    is_organisation = ready.mandate is not None and ready.mandate.credit_code != ""
    single = asked.granted.claims.anywhere(asked.app.scope, organisation=is_organisation)
    by_scope = scopes.claims_of(frozenset(asked.scope), organisation=is_organisation)
    is_told = bool(single or by_scope)  # else nothing is read either
    known = holder_claims.facts(call, ready.holder, organisation=is_organisation) if is_told else {}
    names = dict.fromkeys([*by_scope, *(name for name, wanted in single.items() if wanted.accepts(known.get(name)))])
    shown: list[dict[str, Any]] = [
        {
            "name": name,
            "title": _claim_title(name, organisation=is_organisation),
            "masked": Gap(holder_claims.masked(name, known[name], organisation=is_organisation)),
            "is_essential": name in single and single[name].is_essential,
        }
        for name in names
        if known.get(name) is not None
    ]
    shown += _shown_verified(call, asked, ready, organisation=is_organisation)
    if "openid" in asked.scope:
        subject = pairwise(call.keys.secret(Purpose.SUBJECT), asked.app.sector, ready.holder)
        shown.insert(0, {"title": _word(scopes.CLAIM_TITLES["sub"]), "masked": Gap(f"{subject[:4]}****")})
    return shown


def _shown_verified(
    call: Call, asked: AuthorizationRequest, ready: Ready, *, organisation: bool
) -> list[dict[str, Any]]:
    """Return the same of what the app would learn as verified."""
    lines = verified_claims.shown(
        call,
        asked.app,
        asked.granted,
        asked.scope,
        person=ready.person,
        holder=ready.holder,
        mandate_id=ready.mandate.mandate_id if ready.mandate else None,
        organisation=organisation,
    )
    essential = {f"{VERIFIED}.{name}" for name in verified_claims.essential(asked.app, asked.granted)}
    return [
        {"name": name, "title": _word(title), "masked": Gap(_word(value)), "is_essential": name in essential}
        for name, title, value in lines
    ]


def shown_scopes(names: tuple[str, ...]) -> list[dict[str, str]]:
    """Return name, title and explanation of scopes in the reader's language, in the order of the catalogue."""
    shown = []
    for scope in scopes.CATALOGUE.values():
        if scope.name in names:
            title, explanation = scope.en if language() == "en" else scope.zh
            shown.append({"name": scope.name, "title": title, "explanation": explanation})
    return shown


def _word(both: tuple[str, str]) -> str:
    return both[1] if language() == "en" else both[0]


def _role(role: str) -> str:
    return _word(ROLES.get(role, (role, role)))


def _decision_url() -> str:
    return f"/oauth/decision?{queries.without(HINT)}"


def _pairs(sent: MultiDict[str, str], *without: str) -> list[tuple[str, str]]:
    return [(name, value) for name, value in sent.items(multi=True) if name not in without]


def _wanted_language(asked: AuthorizationRequest) -> str:
    """Honour `ui_locales` on the way to the login page, where the visitor has not chosen a language himself."""
    for wanted in asked.ui_locales[:64].lower().split():
        if wanted[:2] in {"zh", "en"}:
            return f"&lang={wanted[:2]}"
    return ""


def browser_name() -> str:
    """Return a random name of this browser, kept in the signed form cookie: a step is good in one browser only."""
    held: Any = session._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - as in `http.current`
    if "browser" not in held:
        held["browser"] = secrets.token_hex(16)
    return str(held["browser"])


def _to(url: str) -> Response:
    return redirect(url, 303)  # type: ignore[return-value]
