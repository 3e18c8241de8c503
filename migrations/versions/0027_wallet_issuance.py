"""Offers to wallets, and the copies that wallets were given."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "offer",
        sa.Column("secret_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("granted_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("second_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("session_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("auth_time", MOMENT, nullable=True),
        sa.Column("amr", sa.JSON(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("secret_hash", name=op.f("pk_offer")),
    )
    op.create_table(
        "wallet_offer",
        sa.Column("reference_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("reference_hash", name=op.f("pk_wallet_offer")),
    )
    op.create_table(
        "wallet_copy",
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("copy_id", sa.String(length=32), nullable=False),
        sa.Column("identifier", sa.String(length=128), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("configuration", sa.String(length=40), nullable=False),
        sa.Column("delivery_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("event", sa.String(length=24), nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("ended_for", sa.String(length=16), nullable=True),
        sa.PrimaryKeyConstraint("subject", "copy_id", name=op.f("pk_wallet_copy")),
    )
    op.create_index(op.f("ix_wallet_copy_place"), "wallet_copy", ["place"])
    op.create_index(op.f("ix_wallet_copy_expires_at"), "wallet_copy", ["expires_at"])
    op.create_table(
        "wallet_deferral",
        sa.Column("transaction_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("wanted_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("transaction_hash", name=op.f("pk_wallet_deferral")),
    )


def downgrade() -> None:
    op.drop_table("wallet_deferral")
    op.drop_index(op.f("ix_wallet_copy_expires_at"), table_name="wallet_copy")
    op.drop_index(op.f("ix_wallet_copy_place"), table_name="wallet_copy")
    op.drop_table("wallet_copy")
    op.drop_table("wallet_offer")
    op.drop_table("offer")
