"""Identifiers that sources gave licences, as ways to the licences made of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of ways."""
    op.create_table(
        "source_identifier",
        sa.Column("source_hash", sa.LargeBinary(length=16), nullable=False),
        sa.Column("identifier", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("source_hash", name=op.f("pk_source_identifier")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop it: the records of the licences still say their sources' identifiers."""
    op.drop_table("source_identifier")
