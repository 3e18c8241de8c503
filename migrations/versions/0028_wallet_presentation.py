"""Requests to wallets, what apps may ask of them, and issuers elsewhere."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "wallet_request",
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("asked_by", sa.String(length=96), nullable=False),
        sa.Column("asker_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("flow", sa.String(length=12), nullable=False),
        sa.Column("profile", sa.String(length=8), nullable=False),
        sa.Column("matter", sa.String(length=64), nullable=True),
        sa.Column("stated_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("fetched_at", MOMENT, nullable=True),
        sa.Column("outcome", sa.String(length=8), nullable=True),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("check_number", sa.String(length=4), nullable=True),
        sa.Column("response_code_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("answer_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("read_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_wallet_request")),
    )
    op.create_table(
        "wallet_right",
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("type", sa.String(length=200), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("entered_at", MOMENT, nullable=False),
        sa.Column("entered_by", sa.String(length=96), nullable=False),
        sa.PrimaryKeyConstraint("client_id", "type", name=op.f("pk_wallet_right")),
    )
    op.create_table(
        "wallet_issuer",
        sa.Column("issuer", sa.String(length=200), nullable=False),
        sa.Column("bundle", sa.LargeBinary(), nullable=False),
        sa.Column("pin", sa.String(length=64), nullable=False),
        sa.Column("entered_at", MOMENT, nullable=False),
        sa.Column("entered_by", sa.String(length=96), nullable=False),
        sa.PrimaryKeyConstraint("issuer", name=op.f("pk_wallet_issuer")),
    )


def downgrade() -> None:
    op.drop_table("wallet_issuer")
    op.drop_table("wallet_right")
    op.drop_table("wallet_request")
