"""The department's leave for staff to add a first second factor, and whose session an app is being set up in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table; an app that was not put into use before is begun anew."""
    op.create_table(
        "activation_code",
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.Column("used_in", sa.LargeBinary(length=32), nullable=True),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_activation_code")),
    )
    op.add_column("totp", sa.Column("begun_in", sa.LargeBinary(length=32), nullable=True))


def downgrade() -> None:
    """Forget both."""
    op.drop_column("totp", "begun_in")
    op.drop_table("activation_code")
