"""The certificates that seals use on a PDF (PAdES), one P-256 key beside each SM2 key."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "document_certificate",
        sa.Column("seal_id", sa.String(length=32), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("seal_id", name=op.f("pk_document_certificate")),
    )


def downgrade() -> None:
    op.drop_table("document_certificate")
