"""The pages of this room."""

from __future__ import annotations

from idservice import home
from idservice.login import pages as login_pages
from idservice.oauth import pages as oauth_pages

BLUEPRINTS = (home.blueprint, login_pages.blueprint, oauth_pages.blueprint)
