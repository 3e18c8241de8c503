"""The pages of this room."""

from __future__ import annotations

from licences.pages import admin, counter, holder, public

BLUEPRINTS = (holder.blueprint, counter.blueprint, public.blueprint, admin.blueprint)
