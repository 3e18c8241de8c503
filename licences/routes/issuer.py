"""Who signs the credentials, and with which keys: what a wallet or a foreign verifier looks up by itself."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from idservice.http.endpoint import house
from keys.ring import Purpose
from licences.status.edition import AGGREGATION

blueprint = Blueprint("issuer", __name__)


@blueprint.get("/.well-known/jwt-vc-issuer")
def metadata() -> Response:
    """Answer the JWT VC issuer metadata (draft-ietf-oauth-sd-jwt-vc section 5): our `iss` and its keys.

    The same keys sign the status lists, whose addresses are found at the last member (Token Status List, section 9).
    """
    home = house()
    issuer, keys = home.settings.signs_as, home.keys.jwks(Purpose.LICENCE)
    response = jsonify(issuer=issuer, jwks=keys, status_list_aggregation_endpoint=f"{issuer}{AGGREGATION}")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response
