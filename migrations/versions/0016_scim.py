"""Staff accounts that a directory keeps over SCIM; subjects that a receiver of events added or removed."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "staff_account",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("department", sa.String(length=18), nullable=False),
        sa.Column("user_name", sa.String(length=64), nullable=False),
        sa.Column("user_name_folded", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("facts_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["department"], ["department.credit_code"], name=op.f("fk_staff_account_department")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_staff_account")),
        sa.UniqueConstraint("user_name_folded", name=op.f("uq_staff_account_user_name_folded")),
        sa.UniqueConstraint("subject", "department", name=op.f("uq_staff_account_subject_department")),
    )
    op.create_index(op.f("ix_staff_account_department"), "staff_account", ["department"])
    op.create_table(
        "stream_subject",
        sa.Column("subject_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("is_added", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject_hash", name=op.f("pk_stream_subject")),
    )
    op.create_index(op.f("ix_stream_subject_client_id"), "stream_subject", ["client_id"])
    with op.batch_alter_table("event_stream") as stream:
        stream.add_column(sa.Column("default_subjects", sa.String(length=8), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("event_stream") as stream:
        stream.drop_column("default_subjects")
    op.drop_index(op.f("ix_stream_subject_client_id"), table_name="stream_subject")
    op.drop_table("stream_subject")
    op.drop_index(op.f("ix_staff_account_department"), table_name="staff_account")
    op.drop_table("staff_account")
