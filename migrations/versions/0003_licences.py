"""The tables of licences, of what is shown of them, and of what counters look up."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "issue_intent",
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("intent_id", sa.String(length=32), nullable=False),
        sa.Column("identifier", sa.String(length=128), nullable=False),
        sa.Column("record_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("subject", "intent_id", name=op.f("pk_issue_intent")),
    )
    op.create_table(
        "licence",
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("identifier", sa.String(length=128), nullable=False),
        sa.Column("type_code", sa.String(length=21), nullable=False),
        sa.Column("issuer_code", sa.String(length=18), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("record_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("seal_id", sa.String(length=32), nullable=False),
        sa.Column("seal_signature", sa.LargeBinary(), nullable=False),
        sa.Column("credential_kid", sa.String(length=64), nullable=False),
        sa.Column("credential_signature", sa.LargeBinary(), nullable=False),
        sa.Column("next_identifier", sa.String(length=128), nullable=True),
        sa.PrimaryKeyConstraint("subject", "identifier", name=op.f("pk_licence")),
    )
    op.create_index(op.f("ix_licence_issuer_code_identifier"), "licence", ["issuer_code", "identifier"], unique=False)
    op.create_table(
        "licence_change",
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("identifier", sa.String(length=128), nullable=False),
        sa.Column("change_id", sa.String(length=32), nullable=False),
        sa.Column("change", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("actor", sa.String(length=96), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", "identifier", "change_id", name=op.f("pk_licence_change")),
    )
    op.create_table(
        "licence_route",
        sa.Column("identifier", sa.String(length=128), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("identifier", name=op.f("pk_licence_route")),
    )
    op.create_table(
        "licence_type",
        sa.Column("code", sa.String(length=21), nullable=False),
        sa.Column("definition", sa.JSON(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_licence_type")),
    )
    op.create_table(
        "lookup",
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("lookup_id", sa.String(length=32), nullable=False),
        sa.Column("matter", sa.String(length=64), nullable=False),
        sa.Column("department", sa.String(length=18), nullable=False),
        sa.Column("outcomes", sa.JSON(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", "lookup_id", name=op.f("pk_lookup")),
    )
    op.create_table(
        "lookup_consent",
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("consent_id", sa.String(length=32), nullable=False),
        sa.Column("matter", sa.String(length=64), nullable=False),
        sa.Column("department", sa.String(length=18), nullable=True),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("subject", "consent_id", name=op.f("pk_lookup_consent")),
    )
    op.create_table(
        "matter",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("definition", sa.JSON(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_matter")),
    )
    op.create_table(
        "presentation",
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("licences", sa.JSON(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=True),
        sa.Column("audience", sa.String(length=128), nullable=True),
        sa.Column("matter", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_by", sa.String(length=300), nullable=True),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_presentation")),
    )
    op.create_table(
        "issuing_authority",
        sa.Column("type_code", sa.String(length=21), nullable=False),
        sa.Column("department", sa.String(length=18), nullable=False),
        sa.Column("seal_id", sa.String(length=32), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["department"], ["department.credit_code"], name=op.f("fk_issuing_authority_department")
        ),
        sa.ForeignKeyConstraint(["seal_id"], ["seal.seal_id"], name=op.f("fk_issuing_authority_seal_id")),
        sa.ForeignKeyConstraint(["type_code"], ["licence_type.code"], name=op.f("fk_issuing_authority_type_code")),
        sa.PrimaryKeyConstraint("type_code", "department", name=op.f("pk_issuing_authority")),
    )


def downgrade() -> None:
    op.drop_table("issuing_authority")
    op.drop_table("presentation")
    op.drop_table("matter")
    op.drop_table("lookup_consent")
    op.drop_table("lookup")
    op.drop_table("licence_type")
    op.drop_table("licence_route")
    op.drop_table("licence_change")
    op.drop_index(op.f("ix_licence_issuer_code_identifier"), table_name="licence")
    op.drop_table("licence")
    op.drop_table("issue_intent")
