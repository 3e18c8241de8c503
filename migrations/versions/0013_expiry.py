"""What is swept by its end is found by its end."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLES = ("access_token", "authorization_code", "refresh_token", "used_identifier")


def upgrade() -> None:
    for table in TABLES:
        op.create_index(op.f(f"ix_{table}_expires_at"), table, ["expires_at"])


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_index(op.f(f"ix_{table}_expires_at"), table)
