"""Second factors, their locks, codes sent by SMS, recovery, and checks of real persons."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_HASH = sa.LargeBinary(length=32)
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("login_session") as batch:
        batch.add_column(sa.Column("signals", sa.JSON(), nullable=True))
    op.create_table(
        "factor_lock",
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("gate", sa.String(length=16), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("subject", "gate", name=op.f("pk_factor_lock")),
    )
    op.create_table(
        "totp",
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("confirmed_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_totp")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("code_hash", _HASH, nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("used_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("subject", "code_hash", name=op.f("pk_recovery_code")),
    )
    op.create_table(
        "passkey",
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("credential_hash", _HASH, nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(length=64), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("used_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("subject", "credential_hash", name=op.f("pk_passkey")),
    )
    op.create_table(
        "sent_code",
        sa.Column("form_hash", _HASH, nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("code_hash", _HASH, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("sent_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("used_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("form_hash", name=op.f("pk_sent_code")),
    )
    op.create_index(op.f("ix_sent_code_subject_sent_at"), "sent_code", ["subject", "sent_at"])
    op.create_table(
        "recovery",
        sa.Column("form_hash", _HASH, nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("used_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("form_hash", name=op.f("pk_recovery")),
    )
    op.create_table(
        "proofing",
        sa.Column("nonce_hash", _HASH, nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("checker", sa.String(length=16), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("bound_to", _HASH, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("answered_at", _TIME, nullable=True),
        sa.Column("used_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("nonce_hash", name=op.f("pk_proofing")),
    )


def downgrade() -> None:
    for table in ("proofing", "recovery", "sent_code", "passkey", "recovery_code", "totp", "factor_lock"):
        op.drop_table(table)
    with op.batch_alter_table("login_session") as batch:
        batch.drop_column("signals")
