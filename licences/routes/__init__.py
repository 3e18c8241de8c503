"""The routes of this room."""

from __future__ import annotations

from licences.routes import artefacts, catalogue, counter, issuer, licences, showing

BLUEPRINTS = (
    catalogue.types,
    catalogue.matter_list,
    licences.blueprint,
    artefacts.blueprint,
    showing.blueprint,
    counter.blueprint,
)
PLAIN_BLUEPRINTS = (issuer.blueprint,)
