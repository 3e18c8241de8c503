"""Authorization details, resource servers, the claims parameter, opaque access tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
CLIENT = ("authorization_details_types", "resources")
GRANTS = ("token_family", "pending_request")


def upgrade() -> None:
    with op.batch_alter_table("client") as batch:
        for column in CLIENT:
            batch.add_column(sa.Column(column, sa.JSON(), nullable=True))
    for table in GRANTS:
        with op.batch_alter_table(table) as batch:
            batch.add_column(sa.Column("granted_sealed", sa.LargeBinary(), nullable=True))
    op.create_table(
        "resource_server",
        sa.Column("identifier", sa.String(length=512), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("name_en", sa.String(length=128), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=True),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("is_opaque", sa.Boolean(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("disabled_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["client.client_id"], name=op.f("fk_resource_server_client_id")),
        sa.PrimaryKeyConstraint("identifier", name=op.f("pk_resource_server")),
    )
    op.create_table(
        "opaque_token",
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("claims_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_opaque_token")),
    )
    op.create_index(op.f("ix_opaque_token_expires_at"), "opaque_token", ["expires_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_opaque_token_expires_at"), table_name="opaque_token")
    for table in ("opaque_token", "resource_server"):
        op.drop_table(table)
    for table in GRANTS:
        with op.batch_alter_table(table) as batch:
            batch.drop_column("granted_sealed")
    with op.batch_alter_table("client") as batch:
        for column in CLIENT:
            batch.drop_column(column)
