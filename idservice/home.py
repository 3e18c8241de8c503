"""The front page, the API's own page, and the root of the API."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template
from flask_smorest import Blueprint as ApiBlueprint
from marshmallow import Schema, fields

from idservice.call import Call
from idservice.http.endpoint import endpoint
from idservice.http.page import Who, page

blueprint = Blueprint("home", __name__)
api = ApiBlueprint("api", __name__, url_prefix="/v1", description="The API itself")


@page(blueprint, "/", who=Who.ANYONE)
def index(call: Call) -> str:
    """Show the way in for citizens, companies, clerks and departments."""
    return render_template("home.html", issuer=call.settings.issuer)


@page(blueprint, "/docs", who=Who.ANYONE)
def docs(_call: Call) -> str:
    """Show the API's documentation."""
    return render_template("docs.html")


class ServiceSchema(Schema):
    """Where a program starts."""

    name = fields.String(required=True)
    issuer = fields.URL(required=True)
    openapi = fields.URL(required=True)
    openid_configuration = fields.URL(required=True)


@endpoint(api, "GET", "/", scope=None, answer=ServiceSchema, limit="6000/minute", fixed=True)
def service(call: Call) -> dict[str, Any]:
    """Say what this is and where its descriptions are."""
    issuer = call.settings.issuer
    return {
        "name": "One Number Access 一号通行",
        "issuer": issuer,
        "openapi": f"{issuer}/openapi.json",
        "openid_configuration": f"{issuer}/.well-known/openid-configuration",
    }
