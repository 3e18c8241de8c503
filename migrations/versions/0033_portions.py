"""Many licences under one seal, and credentials that are made when somebody first asks for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
_LATER = (
    ("seal_signature", sa.LargeBinary()),
    ("credential_kid", sa.String(length=64)),
    ("credential_signature", sa.LargeBinary()),
)


def upgrade() -> None:
    """Make the table of portions; a licence may lead there, and need not have a credential yet."""
    op.create_table(
        "seal_portion",
        sa.Column("portion_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("seal_id", sa.String(length=32), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("announced_at", MOMENT, nullable=False),
        sa.Column("sealed_at", MOMENT, nullable=True),
        sa.Column("seal_signature", sa.LargeBinary(), nullable=True),
        sa.Column("nodes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("portion_id", name=op.f("pk_seal_portion")),
    )
    op.create_index(op.f("ix_seal_portion_seal_id"), "seal_portion", ["seal_id"])
    with op.batch_alter_table("licence") as table:
        for name, kind in _LATER:
            table.alter_column(name, existing_type=kind, nullable=True)
        table.add_column(sa.Column("portion_id", sa.LargeBinary(length=16), nullable=True))
        table.add_column(sa.Column("portion_place", sa.SmallInteger(), nullable=True))


def downgrade() -> None:
    """Refuse while a licence has its seal in a portion or no credential: an older release could not read it."""
    licence = sa.table("licence", sa.column("seal_signature"), sa.column("credential_signature"))
    lacking = sa.or_(licence.c.seal_signature.is_(None), licence.c.credential_signature.is_(None))
    if op.get_bind().execute(sa.select(sa.literal(1)).select_from(licence).where(lacking).limit(1)).first():
        raise RuntimeError("licences are sealed in portions or have no credential yet: they cannot be taken back")
    with op.batch_alter_table("licence") as table:
        table.drop_column("portion_place")
        table.drop_column("portion_id")
        for name, kind in _LATER:
            table.alter_column(name, existing_type=kind, nullable=False)
    op.drop_index(op.f("ix_seal_portion_seal_id"), "seal_portion")
    op.drop_table("seal_portion")
