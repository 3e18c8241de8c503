"""Seals of organisations and of persons beside those of departments: an owner is one of the three."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TABLES = ("seal", "seal_application")
OWNERS = ("organisation", "person")
CODE, KIND, WIDER_KIND = sa.String(length=18), sa.String(length=12), sa.String(length=16)


def upgrade() -> None:
    for name in TABLES:
        with op.batch_alter_table(name) as table:
            for owner in OWNERS:
                table.add_column(sa.Column(owner, sa.String(length=32), nullable=True))
                table.create_index(op.f(f"ix_{name}_{owner}"), [owner], unique=False)
            table.alter_column("department", existing_type=CODE, nullable=True)
    with op.batch_alter_table("seal") as table:
        table.alter_column("kind", existing_type=KIND, type_=WIDER_KIND, existing_nullable=True)


def downgrade() -> None:
    # Without an owner's column such a seal would belong to nobody, and its bytes, where sealed, could not be read.
    owned = {name: f"SELECT seal_id FROM {name} WHERE department IS NULL" for name in TABLES}  # noqa: S608 - fixed names
    for other in ("seal_user", "document_certificate"):
        for query in owned.values():
            op.execute(f"DELETE FROM {other} WHERE seal_id IN ({query})")  # noqa: S608 - fixed names
    for name in TABLES:
        op.execute(f"DELETE FROM {name} WHERE department IS NULL")  # noqa: S608 - fixed names
        with op.batch_alter_table(name) as table:
            table.alter_column("department", existing_type=CODE, nullable=False)
            for owner in OWNERS:
                table.drop_index(op.f(f"ix_{name}_{owner}"))
                table.drop_column(owner)
    with op.batch_alter_table("seal") as table:
        table.alter_column("kind", existing_type=WIDER_KIND, type_=KIND, existing_nullable=True)
