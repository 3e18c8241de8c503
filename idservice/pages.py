"""The pages of this room."""

from __future__ import annotations

from idservice import home
from idservice.admin import client_pages as admin_client_pages
from idservice.admin import pages as admin_pages
from idservice.login import activation_pages, recovery_pages, second_pages, security_pages
from idservice.login import pages as login_pages
from idservice.oauth import end_session_pages, pending_pages, session_pages
from idservice.oauth import pages as oauth_pages
from idservice.register import pages as register_pages

BLUEPRINTS = (
    home.blueprint,
    login_pages.blueprint,
    second_pages.blueprint,
    security_pages.blueprint,
    activation_pages.blueprint,
    recovery_pages.blueprint,
    oauth_pages.blueprint,
    pending_pages.blueprint,
    end_session_pages.blueprint,
    session_pages.blueprint,
    register_pages.blueprint,
    admin_pages.blueprint,
    admin_client_pages.blueprint,
)
