"""The codes of paper licences: signed once, kept as they were."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "paper_code",
        sa.Column("paper_id", sa.LargeBinary(length=8), nullable=False),
        sa.Column("identifier", sa.String(length=128), nullable=False),
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("paper_id", name=op.f("pk_paper_code")),
    )


def downgrade() -> None:
    op.drop_table("paper_code")
