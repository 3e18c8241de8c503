"""What sessions show of themselves, what clients say at registration, and what is sent out to them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

CLIENT = ("about", "logout", "jwks_uri", "jwks_fetched_at", "registration_hash")
SESSION = ("first_hash", "device", "place")


def upgrade() -> None:
    with op.batch_alter_table("login_session") as batch:
        batch.add_column(sa.Column("first_hash", sa.LargeBinary(length=32), nullable=True))
        batch.add_column(sa.Column("device", sa.String(length=64), nullable=True))
        batch.add_column(sa.Column("place", sa.String(length=64), nullable=True))
    with op.batch_alter_table("client") as batch:
        batch.add_column(sa.Column("about", sa.JSON(), nullable=True))
        batch.add_column(sa.Column("logout", sa.JSON(), nullable=True))
        batch.add_column(sa.Column("jwks_uri", sa.Text(), nullable=True))
        batch.add_column(sa.Column("jwks_fetched_at", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("registration_hash", sa.LargeBinary(length=32), nullable=True))
    op.create_table(
        "initial_access_token",
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("uses_left", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_initial_access_token")),
    )
    op.create_table(
        "notice",
        sa.Column("notice_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("target", sa.String(length=64), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_notice")),
    )
    op.create_index(op.f("ix_notice_due_at"), "notice", ["due_at"])
    op.create_index(op.f("ix_notice_kind_target"), "notice", ["kind", "target"])
    op.create_table(
        "event_stream",
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("stream_id", sa.String(length=32), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("endpoint_url", sa.Text(), nullable=True),
        sa.Column("authorization_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_event_stream")),
    )


def downgrade() -> None:
    op.drop_table("event_stream")
    op.drop_index(op.f("ix_notice_kind_target"), table_name="notice")
    op.drop_index(op.f("ix_notice_due_at"), table_name="notice")
    op.drop_table("notice")
    op.drop_table("initial_access_token")
    for table, columns in (("client", CLIENT), ("login_session", SESSION)):
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column)
