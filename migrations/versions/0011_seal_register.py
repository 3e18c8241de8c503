"""The seal register: applications, custody, permitted users, intents, drafts to be confirmed, reconciliations."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("seal", sa.Column("kind", sa.String(length=12), nullable=True))
    op.add_column("seal", sa.Column("custodian", sa.String(length=32), nullable=True))
    op.add_column("seal", sa.Column("purposes", sa.JSON(), nullable=True))
    op.create_table(
        "seal_application",
        sa.Column("seal_id", sa.String(length=32), nullable=False),
        sa.Column("department", sa.String(length=18), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("design", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("custodian", sa.String(length=32), nullable=True),
        sa.Column("purposes", sa.JSON(), nullable=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("applicant", sa.String(length=96), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approver", sa.String(length=96), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["department"], ["department.credit_code"], name=op.f("fk_seal_application_department")
        ),
        sa.PrimaryKeyConstraint("seal_id", name=op.f("pk_seal_application")),
    )
    op.create_table(
        "seal_user",
        sa.Column("seal_id", sa.String(length=32), nullable=False),
        sa.Column("who", sa.String(length=96), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("named_by", sa.String(length=96), nullable=False),
        sa.Column("named_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("seal_id", "who", name=op.f("pk_seal_user")),
    )
    op.create_table(
        "seal_intent",
        sa.Column("use_id", sa.String(length=32), nullable=False),
        sa.Column("seal_id", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("on_behalf_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("actor", sa.String(length=96), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("use_id", name=op.f("pk_seal_intent")),
    )
    op.create_table(
        "seal_reconciliation",
        sa.Column("reconciliation_id", sa.String(length=32), nullable=False),
        sa.Column("seal_id", sa.String(length=32), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.Column("recorded", sa.Integer(), nullable=False),
        sa.Column("unfinished", sa.Integer(), nullable=False),
        sa.Column("result", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("actor", sa.String(length=96), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("reconciliation_id", name=op.f("pk_seal_reconciliation")),
    )
    op.create_table(
        "seal_draft",
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("draft_id", sa.String(length=32), nullable=False),
        sa.Column("batch_id", sa.String(length=32), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("seal_id", sa.String(length=32), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("document_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("on_behalf_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("use_id", sa.String(length=32), nullable=True),
        sa.Column("failure", sa.String(length=64), nullable=True),
        sa.Column("result_sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("subject", "draft_id", name=op.f("pk_seal_draft")),
    )


def downgrade() -> None:
    for table in ("seal_draft", "seal_reconciliation", "seal_intent", "seal_user", "seal_application"):
        op.drop_table(table)
    for column in ("purposes", "custodian", "kind"):
        op.drop_column("seal", column)
