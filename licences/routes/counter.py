"""The no-certificate counter: look-ups, and the consents of holders to them."""

from __future__ import annotations

from typing import Any

from flask_smorest import Blueprint

from idservice.call import Call
from idservice.http.endpoint import endpoint
from licences.counter import authorisation_codes, consents, face_checks, lookups
from licences.counter.authorisation_codes import Made
from licences.counter.schemas import (
    AuthorisationBody,
    AuthorisationSchema,
    ConsentBody,
    ConsentSchema,
    ConsentsSchema,
    DutyBody,
    FaceCheckBody,
    FaceCheckSchema,
    LookupBody,
    LookupSchema,
    PageQuery,
)
from licences.models import LookupConsent

blueprint = Blueprint("counter", __name__, url_prefix="/v1", description="Look proofs up instead of asking for paper")


@endpoint(
    blueprint,
    "POST",
    "/lookups",
    scope="lookups.create",
    body=LookupBody,
    answer=LookupSchema,
    write=True,
    foresee=lookups.foresee,
    kept=False,
)
def look_up(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Look up the proofs of a matter: each by the first of the matter's ways that leads somewhere, or not held."""
    return lookups.look_up(call, body)


@endpoint(
    blueprint,
    "POST",
    "/lookup-authorisations",
    scope="consents.manage",
    body=AuthorisationBody,
    answer=AuthorisationSchema,
    status=201,
    write=True,
)
def authorise(call: Call, body: dict[str, Any]) -> Made:
    """Make a code that authorises one look-up, as the holder or by his mandate."""
    return authorisation_codes.make_for_holder(call, body)


@endpoint(
    blueprint,
    "POST",
    "/duty-authorisations",
    scope="lookups.create",
    body=DutyBody,
    answer=AuthorisationSchema,
    status=201,
    write=True,
)
def authorise_by_duty(call: Call, body: dict[str, Any]) -> Made:
    """Make a code that authorises one look-up by a provision the matter names; the holder is told when it is used."""
    return authorisation_codes.make_by_duty(call, body)


@endpoint(
    blueprint,
    "POST",
    "/face-checks",
    scope="lookups.create",
    body=FaceCheckBody,
    answer=FaceCheckSchema,
    status=201,
    write=True,
)
def check_face(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Ask a checker of persons about the applicant at the counter; its signed word is a ground of the look-up."""
    return face_checks.begin(call, body)


@endpoint(
    blueprint,
    "POST",
    "/lookup-consents",
    scope="consents.manage",
    body=ConsentBody,
    answer=ConsentSchema,
    status=201,
    write=True,
)
def give_consent(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Consent, as the holder, that the proofs of a matter be looked up."""
    return _shown(consents.give(call, body))


@endpoint(blueprint, "GET", "/lookup-consents", scope="consents.manage", query=PageQuery, answer=ConsentsSchema)
def list_consents(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    """List the holder's consents to look-ups, newest first."""
    found = consents.of_holder(call, limit=query["limit"], cursor=query["cursor"])
    shown, more = found[: query["limit"]], len(found) > query["limit"]
    return {
        "items": [_shown(consent) for consent in shown],
        "next_cursor": shown[-1].consent_id if more else None,
    }


@endpoint(
    blueprint,
    "POST",
    "/lookup-consents/<consent>/withdrawals",
    scope="consents.manage",
    answer=ConsentSchema,
    status=201,
    write=True,
)
def withdraw_consent(call: Call, consent: str) -> dict[str, Any]:
    """End a consent at once."""
    return _shown(consents.withdraw(call, consent))


def _shown(consent: LookupConsent) -> dict[str, Any]:
    return {
        "id": consent.consent_id,
        "matter": consent.matter,
        "department": consent.department,
        "given_at": consent.given_at,
        "expires_at": consent.expires_at,
        "withdrawn_at": consent.withdrawn_at,
    }
