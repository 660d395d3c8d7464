"""Snoozes, escalations, revoked links, seriousness, clocks of serious events, the heartbeat."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def _text(name: str) -> sa.Column:
    return sa.Column(name, sa.Text(), nullable=False)


def _instant(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.String(27), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "alert_act",
        _text("id"),
        _text("alert"),
        _text("kind"),
        _text("person"),
        _text("reason"),
        _instant("acted_at"),
        sa.Column("grade", sa.BigInteger(), nullable=False),
        _text("role"),
        _instant("ends_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_alert_act"),
    )
    op.create_index("ix_alert_act_alert", "alert_act", ["alert"])
    op.create_table(
        "link_revocation",
        _text("id"),
        _text("recipient"),
        _text("alert"),
        _text("person"),
        _text("reason"),
        _instant("revoked_at"),
        sa.PrimaryKeyConstraint("id", name="pk_link_revocation"),
    )
    op.create_index("ix_link_revocation_recipient", "link_revocation", ["recipient"])
    op.create_table(
        "seriousness",
        _text("id"),
        _text("record"),
        _text("participant"),
        sa.Column("is_serious", sa.Boolean(), nullable=False),
        _text("person"),
        _text("reason"),
        _instant("decided_at"),
        sa.PrimaryKeyConstraint("id", name="pk_seriousness"),
    )
    op.create_index("ix_seriousness_record", "seriousness", ["record"])
    op.create_table(
        "sae_clock",
        _text("id"),
        _text("record"),
        _text("participant"),
        _text("kind"),
        _instant("aware_at"),
        _instant("due_at"),
        _text("started_by"),
        _text("reason"),
        _instant("started_at"),
        _instant("closed_at", nullable=True),
        _text("closed_by"),
        _text("closing_reason"),
        sa.PrimaryKeyConstraint("id", name="pk_sae_clock"),
    )
    op.create_index("ix_sae_clock_record", "sae_clock", ["record"])
    op.create_table(
        "heartbeat",
        _text("name"),
        sa.Column("number", sa.BigInteger(), nullable=False),
        _instant("beaten_at"),
        sa.PrimaryKeyConstraint("name", name="pk_heartbeat"),
    )


def downgrade() -> None:
    for table in ("heartbeat", "sae_clock", "seriousness", "link_revocation", "alert_act"):
        op.drop_table(table)
