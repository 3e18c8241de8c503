"""The routes of this room. API operations carry bearer tokens; plain routes speak formats fixed by other standards."""

from __future__ import annotations

from idservice import accesses, home, operations
from idservice.admin import routes as admin_routes
from idservice.events import routes as events_routes
from idservice.log import routes as log_routes
from idservice.login import proofing_pages
from idservice.oauth import consent_routes, receipt_routes, registration_routes, resource_routes, session_routes
from idservice.oauth import routes as oauth_routes
from idservice.register import routes as register_routes
from idservice.scim import routes as scim_routes

BLUEPRINTS = (
    home.api,
    accesses.blueprint,
    consent_routes.blueprint,
    receipt_routes.blueprint,
    session_routes.blueprint,
    events_routes.blueprint,
    register_routes.blueprint,
    admin_routes.blueprint,
)
PLAIN_BLUEPRINTS = (
    operations.blueprint,
    log_routes.blueprint,
    proofing_pages.blueprint,
    *oauth_routes.BLUEPRINTS,
    registration_routes.blueprint,
    resource_routes.blueprint,
    events_routes.plain,
    scim_routes.blueprint,
)
