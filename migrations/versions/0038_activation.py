"""Leave for staff to add a first second factor, whose session an app is set up in, and what is settled of clients."""

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
    op.add_column("client", sa.Column("settled", sa.JSON(), nullable=True))
    _settle()


def _settle() -> None:
    """Let no client undo what an administrator may have set: of its demands and profile it is not known who did."""
    text = {name: sa.column(name) for name in ("registration_hash", "profile")}
    client = sa.table("client", *text.values(), sa.column("settled", sa.JSON()))
    registered = sa.update(client).where(client.c.registration_hash.is_not(None))
    op.execute(registered.values(settled=["demands"]))
    op.execute(registered.where(client.c.profile != "standard").values(settled=["demands", "profile"]))


def downgrade() -> None:
    """Forget all three."""
    op.drop_column("client", "settled")
    op.drop_column("totp", "begun_in")
    op.drop_table("activation_code")
