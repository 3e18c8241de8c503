"""Status entries of copies, and the published lists."""

import sqlalchemy as sa
from alembic import op

from idservice.db import UTCDateTime

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

NOT_VALID, WAITING = sa.text("value <> 0"), sa.text("published_at IS NULL")
PLACE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "status_list",
        sa.Column("list_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("opened_at", UTCDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("list_number", name=op.f("pk_status_list")),
    )
    op.create_table(
        "status_entry",
        sa.Column("place", PLACE, autoincrement=False, nullable=False),
        sa.Column("licence_key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("form", sa.String(length=12), nullable=False),
        sa.Column("value", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_status_entry")),
    )
    with op.batch_alter_table("status_entry") as table:
        table.create_index(op.f("ix_status_entry_licence_key"), ["licence_key"], unique=False)
        table.create_index(
            "ix_status_entry_not_valid", ["place"], unique=False, sqlite_where=NOT_VALID, postgresql_where=NOT_VALID
        )
    op.create_table(
        "status_change",
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("change_id", sa.String(length=32), nullable=False),
        sa.Column("value", sa.SmallInteger(), nullable=False),
        sa.Column("at", UTCDateTime(timezone=True), nullable=False),
        sa.Column("published_at", UTCDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("place", "change_id", name=op.f("pk_status_change")),
    )
    with op.batch_alter_table("status_change") as table:
        table.create_index(
            "ix_status_change_waiting", ["place"], unique=False, sqlite_where=WAITING, postgresql_where=WAITING
        )
    op.create_table(
        "published_file",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column("published_at", UTCDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_published_file")),
    )
    # Licences issued before have no place: their credentials name none, and are judged by the register alone.
    with op.batch_alter_table("licence") as table:
        table.add_column(sa.Column("status_place", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    # What was issued since names its place in what is signed: such a credential can no longer be built again.
    with op.batch_alter_table("licence") as table:
        table.drop_column("status_place")
    for name in ("published_file", "status_change", "status_entry", "status_list"):
        op.drop_table(name)
