"""How many collected rows were refused, and why."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of counts."""
    op.create_table(
        "collected_refusal",
        sa.Column("batch", sa.String(length=32), nullable=False),
        sa.Column("department", sa.String(length=18), nullable=False),
        sa.Column("type_code", sa.String(length=21), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("batch", "department", "type_code", "reason", name=op.f("pk_collected_refusal")),
    )
    op.create_index(
        op.f("ix_collected_refusal_department_counted_at"), "collected_refusal", ["department", "counted_at"]
    )


def downgrade() -> None:
    """Drop it: the rows that were refused stand in the files of rejects."""
    op.drop_index(op.f("ix_collected_refusal_department_counted_at"), table_name="collected_refusal")
    op.drop_table("collected_refusal")
