"""Versions of licence types, who changed them and why; holders beside a licence's first."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("licence_type") as table:
        table.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    with op.batch_alter_table("licence_type") as table:
        table.alter_column("version", existing_type=sa.Integer(), existing_nullable=False, server_default=None)
    op.create_table(
        "licence_type_version",
        sa.Column("code", sa.String(length=21), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("definition", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("entered_by", sa.String(length=96), nullable=True),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["code"], ["licence_type.code"], name=op.f("fk_licence_type_version_code")),
        sa.PrimaryKeyConstraint("code", "version", name=op.f("pk_licence_type_version")),
    )
    # What stands in the catalogue now is the first version of each type.
    op.execute(
        "INSERT INTO licence_type_version (code, version, definition, entered_at) "
        "SELECT code, version, definition, updated_at FROM licence_type"
    )
    op.create_table(
        "licence_co_holder",
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("identifier", sa.String(length=128), nullable=False),
        sa.Column("owner", sa.String(length=32), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "identifier", name=op.f("pk_licence_co_holder")),
    )


def downgrade() -> None:
    op.drop_table("licence_co_holder")
    op.drop_table("licence_type_version")
    with op.batch_alter_table("licence_type") as table:
        table.drop_column("version")
