"""The routes of this room."""

from __future__ import annotations

from licences.accesses import routes as accesses
from licences.collection import routes as collection
from licences.life import routes as life
from licences.routes import (
    artefacts,
    assists,
    catalogue,
    commitments,
    counter,
    devices,
    issuer,
    licences,
    matters,
    showing,
)
from licences.sharing import guangdong_routes
from licences.sharing import routes as sharing
from licences.status import routes as status
from licences.wallets.issuance import door as wallet_door
from licences.wallets.issuance import routes as wallet_issuance
from licences.wallets.presentation import routes as wallet_requests

BLUEPRINTS = (
    catalogue.types,
    catalogue.matter_list,
    matters.blueprint,
    licences.blueprint,
    life.blueprint,
    collection.blueprint,
    artefacts.blueprint,
    showing.blueprint,
    devices.blueprint,
    counter.blueprint,
    commitments.blueprint,
    assists.blueprint,
    accesses.blueprint,
    sharing.blueprint,
    sharing.rights,
    wallet_issuance.holders,
    wallet_requests.blueprint,
    guangdong_routes.blueprint,
)
PLAIN_BLUEPRINTS = (issuer.blueprint, status.blueprint, wallet_door.blueprint, wallet_requests.wallet_side)
