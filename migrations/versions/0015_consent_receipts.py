"""Signed receipts of consents and withdrawals, and which checks of real persons raised a level."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "consent_receipt",
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("receipt_id", sa.String(length=32), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("event", sa.String(length=12), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("receipt_sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "receipt_id", name=op.f("pk_consent_receipt")),
    )
    op.create_table(
        "person_check",
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("check_id", sa.String(length=32), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("checker", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", "check_id", name=op.f("pk_person_check")),
    )


def downgrade() -> None:
    op.drop_table("person_check")
    op.drop_table("consent_receipt")
