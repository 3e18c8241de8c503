"""The whole life of a licence: grounds of changes, stops of issuing, second persons, objections."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

CODE, DEPARTMENT, IDENTIFIER, ID, ACTOR = (sa.String(length=n) for n in (21, 18, 128, 32, 96))


def upgrade() -> None:
    with op.batch_alter_table("licence_change") as table:
        table.add_column(sa.Column("ground", sa.String(length=24), nullable=True))
    op.create_table(
        "issuing_stop",
        sa.Column("stop_id", ID, nullable=False),
        sa.Column("type_code", CODE, nullable=True),
        sa.Column("department", DEPARTMENT, nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("stopped_by", ACTOR, nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", ACTOR, nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("stop_id", name=op.f("pk_issuing_stop")),
    )
    op.create_table(
        "change_request",
        sa.Column("subject", ID, nullable=False),
        sa.Column("request_id", ID, nullable=False),
        sa.Column("department", DEPARTMENT, nullable=False),
        sa.Column("change", sa.String(length=16), nullable=False),
        sa.Column("identifier", IDENTIFIER, nullable=True),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("asked_by", ACTOR, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.String(length=8), nullable=True),
        sa.Column("decided_by", ACTOR, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", IDENTIFIER, nullable=True),
        sa.PrimaryKeyConstraint("subject", "request_id", name=op.f("pk_change_request")),
    )
    op.create_index(op.f("ix_change_request_request_id"), "change_request", ["request_id"])
    op.create_index(op.f("ix_change_request_department_request_id"), "change_request", ["department", "request_id"])
    op.create_table(
        "licence_objection",
        sa.Column("subject", ID, nullable=False),
        sa.Column("objection_id", ID, nullable=False),
        sa.Column("identifier", IDENTIFIER, nullable=False),
        sa.Column("department", DEPARTMENT, nullable=False),
        sa.Column("field", sa.String(length=64), nullable=False),
        sa.Column("said_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.String(length=12), nullable=True),
        sa.Column("answer_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("decided_by", ACTOR, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("corrected", IDENTIFIER, nullable=True),
        sa.PrimaryKeyConstraint("subject", "objection_id", name=op.f("pk_licence_objection")),
    )
    op.create_index(op.f("ix_licence_objection_objection_id"), "licence_objection", ["objection_id"])
    op.create_index(op.f("ix_licence_objection_department_objection_id"), "licence_objection", ["department", "objection_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_licence_objection_department_objection_id"), table_name="licence_objection")
    op.drop_index(op.f("ix_licence_objection_objection_id"), table_name="licence_objection")
    op.drop_table("licence_objection")
    op.drop_index(op.f("ix_change_request_department_request_id"), table_name="change_request")
    op.drop_index(op.f("ix_change_request_request_id"), table_name="change_request")
    op.drop_table("change_request")
    op.drop_table("issuing_stop")
    # The words of a state that is new here are unknown to the version before: such a licence is no longer in force.
    op.execute("UPDATE licence SET state = 'suspended' WHERE state = 'uncollected'")
    op.execute("UPDATE licence SET state = 'revoked' WHERE state = 'withdrawn'")
    op.execute("UPDATE licence SET state = 'cancelled' WHERE state = 'transferred'")
    with op.batch_alter_table("licence_change") as table:
        table.drop_column("ground")
