"""Who may make seals, which revocation lists are at hand, and which certificates of our own are revoked."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "permitted_maker",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_permitted_maker")),
    )
    op.create_table(
        "revocation_list",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("this_update", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_update", sa.DateTime(timezone=True), nullable=True),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_revocation_list")),
    )
    op.create_table(
        "certificate_revocation",
        sa.Column("authority", sa.String(length=32), nullable=False),
        sa.Column("certificate_number", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=24), nullable=False),
        sa.Column("actor", sa.String(length=96), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("authority", "certificate_number", name=op.f("pk_certificate_revocation")),
    )
    _permit_own_maker()


def _permit_own_maker() -> None:
    """The demonstration's own maker goes on making seals in a city that was there before anybody had to be permitted."""
    from keys.sm2 import sm3

    connection = op.get_bind()
    made = sa.table("seal_authority", sa.column("name"), sa.column("certificate"), sa.column("created_at", sa.DateTime(timezone=True)))
    makers = sa.table("permitted_maker", sa.column("fingerprint"), sa.column("certificate"), sa.column("added_at", sa.DateTime(timezone=True)))
    for row in connection.execute(sa.select(made.c.certificate, made.c.created_at).where(made.c.name == "demo-maker")).all():
        certificate = bytes(row.certificate)
        connection.execute(
            sa.insert(makers).values(fingerprint=sm3(certificate).hex(), certificate=certificate, added_at=row.created_at)
        )


def downgrade() -> None:
    op.drop_table("certificate_revocation")
    op.drop_table("revocation_list")
    op.drop_table("permitted_maker")
