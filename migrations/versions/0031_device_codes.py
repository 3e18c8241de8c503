"""Licences that a device shows offline, and the codes of them that were used."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "device_credential",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("identifier", sa.String(length=128), nullable=False),
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("title", sa.String(length=64), nullable=True),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_device_credential")),
    )
    op.create_index(op.f("ix_device_credential_subject"), "device_credential", ["subject"])
    op.create_table(
        "used_device_code",
        sa.Column("name_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("used_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name_hash", name=op.f("pk_used_device_code")),
    )


def downgrade() -> None:
    op.drop_table("used_device_code")
    op.drop_table("device_credential")
