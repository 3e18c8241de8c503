"""Versions of matters, the version a look-up ran under, and codes that authorise a look-up."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "matter_version",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("definition", sa.JSON(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("code", "version", name=op.f("pk_matter_version")),
    )
    op.create_table(
        "lookup_authorisation",
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("matter", sa.String(length=64), nullable=False),
        sa.Column("department", sa.String(length=18), nullable=True),
        sa.Column("case_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("ground", sa.String(length=40), nullable=True),
        sa.Column("agent", sa.String(length=32), nullable=True),
        sa.Column("mandate", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_lookup_authorisation")),
    )
    op.create_index(op.f("ix_lookup_authorisation_expires_at"), "lookup_authorisation", ["expires_at"])
    # What is listed already is the first version of its kind; look-ups before this knew no versions.
    op.add_column("matter", sa.Column("version", sa.Integer(), nullable=True))
    op.execute("UPDATE matter SET version = 1")
    with op.batch_alter_table("matter") as table:
        table.alter_column("version", existing_type=sa.Integer(), nullable=False)
    op.execute(
        "INSERT INTO matter_version (code, version, definition, entered_at) "
        "SELECT code, version, definition, updated_at FROM matter"
    )
    op.add_column("lookup", sa.Column("matter_version", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("lookup") as table:
        table.drop_column("matter_version")
    with op.batch_alter_table("matter") as table:
        table.drop_column("version")
    op.drop_index(op.f("ix_lookup_authorisation_expires_at"), "lookup_authorisation")
    op.drop_table("lookup_authorisation")
    op.drop_table("matter_version")
