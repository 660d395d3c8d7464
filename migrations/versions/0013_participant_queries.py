"""Data queries on each participant, as they were when nothing else was to do."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "participant_queries",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("folded_through", sa.BigInteger(), nullable=False),
        sa.Column("rules_version", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name="pk_participant_queries"),
    )
