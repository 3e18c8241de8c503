"""The list of the pages of this room."""

from __future__ import annotations

from licences.collection import pages as quality
from licences.life import pages as life
from licences.pages import (
    admin,
    assists,
    catalogue,
    commitments,
    counter,
    devices,
    files,
    guard,
    holder,
    looks,
    lookup,
    matters,
    offline,
    public,
    requests,
    terminal,
)
from licences.sharing import pages as sharing
from licences.wallets.issuance import pages as wallets
from licences.wallets.presentation import pages as wallet_requests

BLUEPRINTS = (
    holder.blueprint,
    devices.blueprint,
    counter.blueprint,
    requests.blueprint,
    wallets.blueprint,
    wallet_requests.blueprint,
    terminal.blueprint,
    lookup.blueprint,
    public.blueprint,
    offline.blueprint,
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
    sharing.blueprint,
)
