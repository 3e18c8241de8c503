"""Requests shown by a counter and answered by a citizen."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "presentation_request",
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("asked_by", sa.String(length=96), nullable=False),
        sa.Column("asker_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("question", sa.String(length=16), nullable=False),
        sa.Column("types", sa.JSON(), nullable=False),
        sa.Column("matter", sa.String(length=64), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("outcome", sa.String(length=8), nullable=True),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("subject", sa.String(length=32), nullable=True),
        sa.Column("check_number", sa.String(length=4), nullable=True),
        sa.Column("shown_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("read_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_presentation_request")),
    )


def downgrade() -> None:
    op.drop_table("presentation_request")
