"""Leave for staff to add a first second factor, whose session an app is set up in, what is settled of clients, and
when a gate was last tried.
"""

from __future__ import annotations

from datetime import UTC, datetime

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
    _note_tries()


def _settle() -> None:
    """Let no client undo what an administrator may have set: of its demands and profile it is not known who did."""
    text = {name: sa.column(name) for name in ("registration_hash", "profile")}
    client = sa.table("client", *text.values(), sa.column("settled", sa.JSON()))
    registered = sa.update(client).where(client.c.registration_hash.is_not(None))
    op.execute(registered.values(settled=["demands"]))
    op.execute(registered.where(client.c.profile != "standard").values(settled=["demands", "profile"]))


def _note_tries() -> None:
    """Let every gate count as tried now: none opens early."""
    with op.batch_alter_table("factor_lock") as batch:
        batch.add_column(sa.Column("tried_at", MOMENT, nullable=True))
    lock = sa.table("factor_lock", sa.column("tried_at", MOMENT))
    op.execute(sa.update(lock).values(tried_at=datetime.now(UTC)))
    with op.batch_alter_table("factor_lock") as batch:
        batch.alter_column("tried_at", existing_type=MOMENT, nullable=False)
    name, where = op.f("ix_factor_lock_tried_at"), sa.text("gate NOT IN ('second', 'recovery')")
    op.create_index(name, "factor_lock", ["tried_at"], postgresql_where=where, sqlite_where=where)


def downgrade() -> None:
    """Forget all of it."""
    op.drop_index(op.f("ix_factor_lock_tried_at"), "factor_lock")
    with op.batch_alter_table("factor_lock") as batch:
        batch.drop_column("tried_at")
    op.drop_column("client", "settled")
    op.drop_column("totp", "begun_in")
    op.drop_table("activation_code")
