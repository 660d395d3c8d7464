"""The instant from which stored advice holds: none of what earlier versions stored."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("participant_advice", sa.Column("since", sa.String(27), nullable=True))
