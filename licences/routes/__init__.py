"""The routes of this room."""

from __future__ import annotations

from licences.accesses import routes as accesses
from licences.collection import routes as collection
from licences.life import routes as life
from licences.routes import artefacts, assists, catalogue, commitments, counter, issuer, licences, matters, showing
from licences.status import routes as status

BLUEPRINTS = (
    catalogue.types,
    catalogue.matter_list,
    matters.blueprint,
    licences.blueprint,
    life.blueprint,
    collection.blueprint,
    artefacts.blueprint,
    showing.blueprint,
    counter.blueprint,
    commitments.blueprint,
    assists.blueprint,
    accesses.blueprint,
)
PLAIN_BLUEPRINTS = (issuer.blueprint, status.blueprint)
