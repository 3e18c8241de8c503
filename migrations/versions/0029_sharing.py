"""Sharing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "annotated_copy",
        sa.Column("copy_number", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("identifier", sa.String(length=128), nullable=False),
        sa.Column("form", sa.String(length=8), nullable=False),
        sa.Column("seal_id", sa.String(length=32), nullable=False),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("made_by", sa.String(length=96), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("copy_number", name=op.f("pk_annotated_copy")),
    )
    op.create_index(op.f("ix_annotated_copy_digest"), "annotated_copy", ["digest"], unique=False)
    op.create_index(op.f("ix_annotated_copy_seal_id"), "annotated_copy", ["seal_id"], unique=False)
    op.create_table(
        "sharing_permission",
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("type_code", sa.String(length=21), nullable=False),
        sa.Column("operations", sa.JSON(), nullable=False),
        sa.Column("department", sa.String(length=18), nullable=False),
        sa.Column("matter", sa.String(length=64), nullable=False),
        sa.Column("ground", sa.String(length=200), nullable=False),
        sa.Column("unattended", sa.Boolean(), nullable=False),
        sa.Column("asked_by", sa.String(length=96), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("agreed_by", sa.String(length=96), nullable=True),
        sa.Column("agreed_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("client_id", "type_code", name=op.f("pk_sharing_permission")),
    )
    op.create_table(
        "sharing_link",
        sa.Column("link_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("form", sa.String(length=8), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("link_hash", name=op.f("pk_sharing_link")),
    )
    with op.batch_alter_table("lookup_authorisation") as table:
        table.add_column(sa.Column("identifier", sa.String(length=128), nullable=True))
        table.add_column(sa.Column("asker_sealed", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("lookup_authorisation") as table:
        table.drop_column("asker_sealed")
        table.drop_column("identifier")
    op.drop_table("sharing_link")
    op.drop_table("sharing_permission")
    op.drop_index(op.f("ix_annotated_copy_seal_id"), table_name="annotated_copy")
    op.drop_index(op.f("ix_annotated_copy_digest"), table_name="annotated_copy")
    op.drop_table("annotated_copy")
