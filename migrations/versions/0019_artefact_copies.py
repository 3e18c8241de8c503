"""Stored copies of a licence in further forms, and the routes from a copy to its licence."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "artefact_copy",
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("identifier", sa.String(length=128), nullable=False),
        sa.Column("form", sa.String(length=24), nullable=False),
        sa.Column("source", sa.LargeBinary(length=32), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", "identifier", "form", name=op.f("pk_artefact_copy")),
    )
    op.create_table(
        "artefact_route",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("identifier", sa.String(length=128), nullable=False),
        sa.Column("form", sa.String(length=24), nullable=False),
        sa.Column("kid", sa.String(length=64), nullable=True),
        sa.Column("seal_id", sa.String(length=32), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_artefact_route")),
    )
    op.create_index(op.f("ix_artefact_route_seal_id"), "artefact_route", ["seal_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_artefact_route_seal_id"), table_name="artefact_route")
    op.drop_table("artefact_route")
    op.drop_table("artefact_copy")
