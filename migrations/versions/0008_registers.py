"""Registers brought in from files, mandates with limits and a chain, administrators and what two of them decide."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

NEW_IN_MANDATE = (
    ("principal_kind", sa.String(length=12)),
    ("granted_by", sa.String(length=32)),
    ("parent_id", sa.String(length=32)),
    ("depth", sa.Integer()),
    ("licence_types", sa.JSON()),
    ("matters", sa.JSON()),
    ("grantee_sealed", sa.LargeBinary()),
    ("accepted_at", sa.DateTime(timezone=True)),
    ("suspended_at", sa.DateTime(timezone=True)),
)
NEEDED_IN_MANDATE = ("principal_kind", "depth", "licence_types", "matters")
NEW_IN_CLIENT = (
    ("previous_secret_hash", sa.LargeBinary(length=32)),
    ("previous_secret_until", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    with op.batch_alter_table("mandate") as mandate:
        for name, kind in NEW_IN_MANDATE:
            mandate.add_column(sa.Column(name, kind, nullable=True))
    op.execute(
        "UPDATE mandate SET principal_kind = 'organisation', depth = 0, licence_types = '[]', matters = '[]',"
        " accepted_at = valid_from"
    )
    with op.batch_alter_table("mandate") as mandate:
        for name, kind in NEW_IN_MANDATE:
            if name in NEEDED_IN_MANDATE:
                mandate.alter_column(name, existing_type=kind, nullable=False)
        mandate.create_index(op.f("ix_mandate_principal"), ["principal"], unique=False)
    with op.batch_alter_table("client") as client:
        for name, kind in NEW_IN_CLIENT:
            client.add_column(sa.Column(name, kind, nullable=True))
    op.create_table(
        "register_import",
        sa.Column("import_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("lines_done", sa.BigInteger(), nullable=False),
        sa.Column("lines_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("rejects_size", sa.BigInteger(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("import_id", name=op.f("pk_register_import")),
    )
    op.create_table(
        "administrator",
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_administrator")),
    )
    op.create_table(
        "admin_request",
        sa.Column("request_id", sa.String(length=32), nullable=False),
        sa.Column("act", sa.String(length=32), nullable=False),
        sa.Column("facts_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("requested_by", sa.String(length=32), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.String(length=12), nullable=True),
        sa.Column("decided_by", sa.String(length=32), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_admin_request")),
    )


def downgrade() -> None:
    op.drop_table("admin_request")
    op.drop_table("administrator")
    op.drop_table("register_import")
    with op.batch_alter_table("client") as client:
        for name, _kind in NEW_IN_CLIENT:
            client.drop_column(name)
    # An offer nobody accepted and a mandate between two persons would read as in force without these columns.
    op.execute("DELETE FROM mandate WHERE accepted_at IS NULL OR principal_kind <> 'organisation'")
    op.execute("UPDATE mandate SET withdrawn_at = suspended_at WHERE withdrawn_at IS NULL AND suspended_at IS NOT NULL")
    with op.batch_alter_table("mandate") as mandate:
        mandate.drop_index(op.f("ix_mandate_principal"))
        for name, _kind in NEW_IN_MANDATE:
            mandate.drop_column(name)
