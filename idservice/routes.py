"""The routes of this room. API operations carry bearer tokens; plain routes speak formats fixed by other standards."""

from __future__ import annotations

from idservice import accesses, home, operations
from idservice.log import routes as log_routes
from idservice.oauth import consent_routes
from idservice.oauth import routes as oauth_routes

BLUEPRINTS = (home.api, accesses.blueprint, consent_routes.blueprint)
PLAIN_BLUEPRINTS = (operations.blueprint, log_routes.blueprint, *oauth_routes.BLUEPRINTS)
