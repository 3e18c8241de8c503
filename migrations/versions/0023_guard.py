"""Rules, quotas, stops, honey numbers and alarms of look-ups; questions about accesses."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
TABLES = ("access_question", "guard_alarm", "guard_honey", "guard_stop", "guard_count", "guard_quota", "guard_rule")


def upgrade() -> None:
    _policy()
    _what_happened()
    op.create_table(
        "access_question",
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("record_id", sa.String(length=32), nullable=False),
        sa.Column("question_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("answer_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("verdict", sa.String(length=16), nullable=True),
        sa.Column("answered_by", sa.String(length=32), nullable=True),
        sa.Column("answered_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("subject", "record_id", name=op.f("pk_access_question")),
    )
    op.create_index(op.f("ix_access_question_answered_at_due"), "access_question", ["answered_at", "due"])


def downgrade() -> None:
    for name in TABLES:
        op.drop_table(name)


def _policy() -> None:
    rules = op.create_table(
        "guard_rule",
        sa.Column("rule_id", sa.String(length=32), nullable=False),
        sa.Column("effect", sa.String(length=8), nullable=False),
        sa.Column("unit", sa.String(length=18), nullable=False),
        sa.Column("operator", sa.String(length=32), nullable=False),
        sa.Column("matter", sa.String(length=64), nullable=False),
        sa.Column("region", sa.String(length=8), nullable=False),
        sa.Column("ground", sa.String(length=8), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("entered_at", TIME, nullable=False),
        sa.Column("entered_by", sa.String(length=96), nullable=False),
        sa.PrimaryKeyConstraint("rule_id", name=op.f("pk_guard_rule")),
    )
    # The one row to begin with: whoever authorised a look himself may be looked up by units of his own city, and by
    # those above it. Without it a service that is upgraded would refuse every look-up; nothing else is allowed.
    op.bulk_insert(
        rules,
        [
            {
                "rule_id": "0" * 32,
                "effect": "allow",
                "unit": "*",
                "operator": "*",
                "matter": "*",
                "region": "own",
                "ground": "holder",
                "note": "本市及上级，经当事人授权 Own city and above, authorised by the holder",
                "entered_at": datetime.now(UTC),
                "entered_by": "migration:0023",
            }
        ],
    )
    op.create_table(
        "guard_quota",
        sa.Column("unit", sa.String(length=18), nullable=False),
        sa.Column("per_day", sa.Integer(), nullable=False),
        sa.Column("per_minute", sa.Integer(), nullable=False),
        sa.Column("per_subject", sa.Integer(), nullable=False),
        sa.Column("entered_at", TIME, nullable=False),
        sa.Column("entered_by", sa.String(length=96), nullable=False),
        sa.PrimaryKeyConstraint("unit", name=op.f("pk_guard_quota")),
    )


def _what_happened() -> None:
    op.create_table(
        "guard_count",
        sa.Column("count_key", sa.String(length=128), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("minute", sa.BigInteger(), nullable=False),
        sa.Column("in_minute", sa.Integer(), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("count_key", name=op.f("pk_guard_count")),
    )
    op.create_table(
        "guard_stop",
        sa.Column("stop_id", sa.String(length=32), nullable=False),
        sa.Column("scope", sa.String(length=8), nullable=False),
        sa.Column("target", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("stopped_by", sa.String(length=96), nullable=False),
        sa.Column("stopped_at", TIME, nullable=False),
        sa.Column("lift_asked_by", sa.String(length=96), nullable=True),
        sa.Column("lift_asked_at", TIME, nullable=True),
        sa.Column("lifted_by", sa.String(length=96), nullable=True),
        sa.Column("lifted_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("stop_id", name=op.f("pk_guard_stop")),
    )
    op.create_table(
        "guard_honey",
        sa.Column("number_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("set_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("number_hash", name=op.f("pk_guard_honey")),
    )
    op.create_table(
        "guard_alarm",
        sa.Column("alarm_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("first_at", TIME, nullable=False),
        sa.Column("last_at", TIME, nullable=False),
        sa.Column("seen_by", sa.String(length=96), nullable=True),
        sa.Column("seen_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("alarm_id", name=op.f("pk_guard_alarm")),
    )
    op.create_index(op.f("ix_guard_alarm_last_at"), "guard_alarm", ["last_at"])
