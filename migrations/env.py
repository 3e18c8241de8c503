"""Alembic's entry: runs migrations over the connection that `idservice.schema` hands in, never over one of its own."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, text

import idservice.admin.models
import idservice.events.models
import idservice.login.models
import idservice.models
import idservice.oauth.models
import idservice.register.models
import idservice.scim.models
import licences.accesses.models
import licences.catalogue_models
import licences.collection.models
import licences.copies_models
import licences.counter.lookup_models
import licences.counter.models
import licences.guard.models
import licences.life.models
import licences.models
import licences.portion_models
import licences.sharing.models
import licences.showing.models
import licences.status.models
import licences.wallets.issuance.models
import licences.wallets.presentation.models
import seals.models

LOCK = 0x6F6E6101  # arbitrary; two upgrades of one PostgreSQL database at once must take turns
MODELS = (
    idservice.models,
    idservice.admin.models,
    idservice.events.models,
    idservice.login.models,
    idservice.oauth.models,
    idservice.register.models,
    idservice.scim.models,
    seals.models,
    licences.accesses.models,
    licences.catalogue_models,
    licences.copies_models,
    licences.counter.models,
    licences.counter.lookup_models,
    licences.guard.models,
    licences.collection.models,
    licences.life.models,
    licences.models,
    licences.portion_models,
    licences.sharing.models,
    licences.showing.models,
    licences.status.models,
    licences.wallets.issuance.models,
    licences.wallets.presentation.models,
)  # their import fills the one metadata


def run(connection: Connection) -> None:
    """Run the chosen migrations in the connection's transaction; the caller commits."""
    context.configure(
        connection=connection,
        target_metadata=idservice.models.Base.metadata,
        render_as_batch=True,  # SQLite changes a column by making the table anew
        compare_server_default=True,
    )
    if connection.dialect.name == "postgresql":
        # Another upgrade may take its turn for an hour, and a table is changed when its last reader is done.
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    raise SystemExit("migrations run over a live connection: flask db upgrade")
run(context.config.attributes["connection"])
