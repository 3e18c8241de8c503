"""Since when a change that a source states holds there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for it; of the changes before, which were all made here, there is none."""
    op.add_column("licence_change", sa.Column("effective_on", sa.Date(), nullable=True))


def downgrade() -> None:
    """Forget it; when the change was made here stays."""
    op.drop_column("licence_change", "effective_on")
