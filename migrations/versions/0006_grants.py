"""Further grants: devices, CIBA, token exchange."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "client_grant",
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("delivery", sa.String(length=8), nullable=False),
        sa.Column("notification_endpoint", sa.Text(), nullable=True),
        sa.Column("audiences", sa.JSON(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["client.client_id"], name=op.f("fk_client_grant_client_id")),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_client_grant")),
    )
    op.create_table(
        "pending_request",
        sa.Column("request_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=True),
        sa.Column("family_id", sa.String(length=32), nullable=True),
        sa.Column("origin_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("message_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("notice_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("choices_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("acr_values", sa.Text(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("poll_seconds", sa.Integer(), nullable=False),
        sa.Column("polled_at", TIME, nullable=True),
        sa.Column("wrong_codes", sa.Integer(), nullable=False),
        sa.Column("used_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("request_hash", name=op.f("pk_pending_request")),
    )
    op.create_index(op.f("ix_pending_request_subject"), "pending_request", ["subject"])
    op.create_table(
        "user_code",
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_user_code")),
    )
    op.create_table(
        "code_tries",
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_code_tries")),
    )
    op.create_table(
        "exchanged_token",
        sa.Column("jti_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("parent_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("jti_hash", name=op.f("pk_exchanged_token")),
    )


def downgrade() -> None:
    for table in ("exchanged_token", "code_tries", "user_code"):
        op.drop_table(table)
    op.drop_index(op.f("ix_pending_request_subject"), table_name="pending_request")
    for table in ("pending_request", "client_grant"):
        op.drop_table(table)
