"""Department checks and commitments: their cases, the steps of each, and the sealed replies."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

ID, CREDIT_CODE, ACTOR, WORD = (sa.String(length=size) for size in (32, 18, 96, 12))
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "counter_case",
        sa.Column("case_id", ID, nullable=False),
        sa.Column("subject", ID, nullable=False),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_counter_case")),
    )
    op.create_table(
        "counter_case_step",
        sa.Column("subject", ID, nullable=False),
        sa.Column("case_id", ID, nullable=False),
        sa.Column("step_id", ID, nullable=False),
        sa.Column("step", WORD, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("actor", ACTOR, nullable=False),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("subject", "case_id", "step_id", name=op.f("pk_counter_case_step")),
    )
    op.create_table(
        "department_check",
        sa.Column("subject", ID, nullable=False),
        sa.Column("check_id", ID, nullable=False),
        sa.Column("matter", sa.String(length=64), nullable=False),
        sa.Column("proof", sa.String(length=40), nullable=False),
        sa.Column("lookup_id", ID, nullable=False),
        sa.Column("department", CREDIT_CODE, nullable=False),
        sa.Column("asking_department", CREDIT_CODE, nullable=False),
        sa.Column("asked_by", ACTOR, nullable=False),
        sa.Column("assigned_to", ACTOR, nullable=True),
        sa.Column("state", WORD, nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("reminders", sa.Integer(), nullable=False),
        sa.Column("reminded_at", MOMENT, nullable=True),
        sa.Column("escalated_at", MOMENT, nullable=True),
        sa.Column("answer", WORD, nullable=True),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("request_sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "check_id", name=op.f("pk_department_check")),
    )
    op.create_index(
        op.f("ix_department_check_asking_department_check_id"),
        "department_check",
        ["asking_department", "check_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_department_check_department_state_due_on"),
        "department_check",
        ["department", "state", "due_on"],
        unique=False,
    )
    op.create_index(op.f("ix_department_check_late"), "department_check", ["state", "due_on"], unique=False)
    op.create_table(
        "department_reply",
        sa.Column("subject", ID, nullable=False),
        sa.Column("check_id", ID, nullable=False),
        sa.Column("reply_id", ID, nullable=False),
        sa.Column("answer", WORD, nullable=False),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("document_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("seal_id", ID, nullable=False),
        sa.Column("use_id", ID, nullable=False),
        sa.Column("actor", ACTOR, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("subject", "check_id", "reply_id", name=op.f("pk_department_reply")),
    )
    op.create_table(
        "commitment",
        sa.Column("subject", ID, nullable=False),
        sa.Column("commitment_id", ID, nullable=False),
        sa.Column("matter", sa.String(length=64), nullable=False),
        sa.Column("proof", sa.String(length=40), nullable=False),
        sa.Column("lookup_id", ID, nullable=False),
        sa.Column("department", CREDIT_CODE, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("statement_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("marked_by", ACTOR, nullable=True),
        sa.Column("objection_until", sa.Date(), nullable=True),
        sa.Column("offered_at", MOMENT, nullable=False),
        sa.Column("signed_at", MOMENT, nullable=True),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("subject", "commitment_id", name=op.f("pk_commitment")),
    )
    op.create_index(
        op.f("ix_commitment_department_state_commitment_id"),
        "commitment",
        ["department", "state", "commitment_id"],
        unique=False,
    )
    op.create_index(op.f("ix_lookup_department_at"), "lookup", ["department", "at"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_lookup_department_at"), table_name="lookup")
    op.drop_index(op.f("ix_commitment_department_state_commitment_id"), table_name="commitment")
    op.drop_table("commitment")
    op.drop_table("department_reply")
    op.drop_index(op.f("ix_department_check_asking_department_check_id"), table_name="department_check")
    op.drop_index(op.f("ix_department_check_department_state_due_on"), table_name="department_check")
    op.drop_index(op.f("ix_department_check_late"), table_name="department_check")
    op.drop_table("department_check")
    op.drop_table("counter_case_step")
    op.drop_table("counter_case")
