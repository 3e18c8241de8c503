"""Millions of rows: what waits to be sealed is found in the order it came in, and keys are kept once on SQLite.

A table of SQLite's with a key of texts keeps each key twice, in the row and in an index; WITHOUT ROWID the row is the
index (https://www.sqlite.org/withoutrowid.html). It is for small rows alone.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_WAITING = "ix_collected_licence_waiting"
_TABLE = "collected_licence"
_SMALL = ("issue_intent", "licence_change", "licence_route")


def upgrade() -> None:
    """Make the index anew, and the tables of small rows."""
    _index("collected_at", "subject", "source")
    _keep_rowids(yes=False)


def downgrade() -> None:
    """By holder again, and every key twice."""
    _index("subject", "source")
    _keep_rowids(yes=True)


def _index(*columns: str) -> None:
    op.drop_index(_WAITING, _TABLE)
    where = sa.text("state = 'waiting'")
    op.create_index(_WAITING, _TABLE, list(columns), sqlite_where=where, postgresql_where=where)


def _keep_rowids(*, yes: bool) -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    for table in _SMALL:
        with op.batch_alter_table(table, recreate="always", table_kwargs={"sqlite_with_rowid": yes}):
            pass
