"""What was unusual about the login behind tokens or an offer, and when a client's keys were last found.

A code is kept as long as what was got for it, and families of tokens are swept by their age.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
LOGINS = ("token_family", "offer")


def upgrade() -> None:
    """Make room for it; of the logins before this release it is not known, and keys count as found now."""
    for table in LOGINS:
        with op.batch_alter_table(table) as batch:
            batch.add_column(sa.Column("signals", sa.JSON(), nullable=True))
    with op.batch_alter_table("client") as batch:
        batch.add_column(sa.Column("jwks_read_at", MOMENT, nullable=True))
    client = sa.table("client", sa.column("jwks_uri"), sa.column("jwks_read_at", MOMENT))
    op.execute(sa.update(client).where(client.c.jwks_uri.is_not(None)).values(jwks_read_at=datetime.now(UTC)))
    _keep_codes()
    op.create_index(op.f("ix_token_family_created_at"), "token_family", ["created_at"])


def _keep_codes() -> None:
    """Keep the codes of the last day for as long as any of their tokens could live."""
    with op.batch_alter_table("authorization_code") as batch:
        batch.add_column(sa.Column("kept_until", MOMENT, nullable=True))
    code = sa.table("authorization_code", sa.column("kept_until", MOMENT))
    op.execute(sa.update(code).values(kept_until=datetime.now(UTC) + timedelta(days=30)))
    with op.batch_alter_table("authorization_code") as batch:
        batch.alter_column("kept_until", existing_type=MOMENT, nullable=False)
        batch.drop_index(op.f("ix_authorization_code_expires_at"))
        batch.create_index(op.f("ix_authorization_code_kept_until"), ["kept_until"])


def downgrade() -> None:
    """Forget it."""
    op.drop_index(op.f("ix_token_family_created_at"), "token_family")
    with op.batch_alter_table("authorization_code") as batch:
        batch.drop_index(op.f("ix_authorization_code_kept_until"))
        batch.create_index(op.f("ix_authorization_code_expires_at"), ["expires_at"])
        batch.drop_column("kept_until")
    with op.batch_alter_table("client") as batch:
        batch.drop_column("jwks_read_at")
    for table in LOGINS:
        with op.batch_alter_table(table) as batch:
            batch.drop_column("signals")
