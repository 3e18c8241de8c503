"""Who signs the credentials, and with which keys: what a wallet or a foreign verifier looks up by itself."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from idservice.http.endpoint import house
from keys.ring import Purpose

blueprint = Blueprint("issuer", __name__)


@blueprint.get("/.well-known/jwt-vc-issuer")
def metadata() -> Response:
    """Answer the JWT VC issuer metadata (draft-ietf-oauth-sd-jwt-vc section 5): our `iss` and its keys."""
    home = house()
    response = jsonify(issuer=home.settings.signs_as, jwks=home.keys.jwks(Purpose.LICENCE))
    response.headers["Cache-Control"] = "public, max-age=300"
    return response
