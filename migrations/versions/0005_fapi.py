"""Pushed authorization requests, tokens bound to keys, and what is demanded of a client beyond its profile."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NEW = (
    ("client", "demands", sa.JSON()),
    ("client", "certificate", sa.JSON()),
    ("authorization_code", "bound_to", sa.String(length=64)),
    ("refresh_token", "bound_to", sa.String(length=64)),
    ("refresh_token", "answer_sealed", sa.LargeBinary()),
)


def upgrade() -> None:
    for table, name, kind in NEW:
        op.add_column(table, sa.Column(name, kind, nullable=True))
    op.create_table(
        "pushed_request",
        sa.Column("request_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("parameters_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("request_hash", name=op.f("pk_pushed_request")),
    )


def downgrade() -> None:
    op.drop_table("pushed_request")
    for table, name, _kind in reversed(NEW):
        op.drop_column(table, name)
