"""Where the metadata of our API is served: RFC 9728 section 3."""

from __future__ import annotations

import json

from flask import Blueprint, Response

from idservice.http.endpoint import house
from idservice.oauth import resource_metadata

blueprint = Blueprint("oauth_resource", __name__)


@blueprint.get(f"{resource_metadata.PATH}/v1")
@blueprint.get(resource_metadata.PATH)  # one resource lives here; who looks for another sees by `resource` it is not it
def describe() -> Response:
    """Serve the metadata of our API."""
    found = json.dumps(resource_metadata.document(house().settings), ensure_ascii=False)
    response = Response(found, mimetype="application/json")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response
