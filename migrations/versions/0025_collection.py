"""Collection: licences that come in from elsewhere and wait to be sealed, and questions to their sources."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

ID, DEPARTMENT, IDENTIFIER, ACTOR = (sa.String(length=n) for n in (32, 18, 128, 96))
WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    op.create_table(
        "collected_licence",
        sa.Column("subject", ID, nullable=False),
        sa.Column("source", sa.LargeBinary(length=32), nullable=False),
        sa.Column("type_code", sa.String(length=21), nullable=False),
        sa.Column("department", DEPARTMENT, nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("record_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("identifier", IDENTIFIER, nullable=True),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("updated_on", sa.Date(), nullable=True),
        sa.Column("collected_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", "source", name=op.f("pk_collected_licence")),
    )
    op.create_index(
        "ix_collected_licence_waiting",
        "collected_licence",
        ["subject", "source"],
        postgresql_where=WAITING,
        sqlite_where=WAITING,
    )
    op.create_index(
        op.f("ix_collected_licence_department_type_code"), "collected_licence", ["department", "type_code"]
    )
    op.create_table(
        "source_question",
        sa.Column("subject", ID, nullable=False),
        sa.Column("question_id", ID, nullable=False),
        sa.Column("department", DEPARTMENT, nullable=False),
        sa.Column("identifier", IDENTIFIER, nullable=False),
        sa.Column("asked_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("asked_by", ACTOR, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(length=12), nullable=True),
        sa.Column("answered_by", ACTOR, nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("subject", "question_id", name=op.f("pk_source_question")),
    )
    op.create_index(op.f("ix_source_question_question_id"), "source_question", ["question_id"])
    op.create_index(op.f("ix_source_question_department_question_id"), "source_question", ["department", "question_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_source_question_department_question_id"), table_name="source_question")
    op.drop_index(op.f("ix_source_question_question_id"), table_name="source_question")
    op.drop_table("source_question")
    op.drop_index(op.f("ix_collected_licence_department_type_code"), table_name="collected_licence")
    op.drop_index("ix_collected_licence_waiting", table_name="collected_licence")
    op.drop_table("collected_licence")
