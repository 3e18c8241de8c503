"""The pages of this room."""

from __future__ import annotations

from licences.collection import pages as quality
from licences.life import pages as life
from licences.pages import (
    admin,
    assists,
    catalogue,
    commitments,
    counter,
    files,
    guard,
    holder,
    looks,
    lookup,
    matters,
    public,
    requests,
    terminal,
)

BLUEPRINTS = (
    holder.blueprint,
    counter.blueprint,
    requests.blueprint,
    terminal.blueprint,
    lookup.blueprint,
    public.blueprint,
    matters.blueprint,
    admin.blueprint,
    files.blueprint,
    catalogue.blueprint,
    life.blueprint,
    quality.blueprint,
    guard.blueprint,
    looks.blueprint,
    assists.blueprint,
    commitments.blueprint,
)
