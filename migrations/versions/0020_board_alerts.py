"""The view of the alerts that the DSMB is told of, for its pages of the console."""

from pathlib import Path

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_VIEWS = Path(__file__).parent.parent / "views" / revision


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for file in sorted(_VIEWS.glob("*.sql")):
            op.get_bind().exec_driver_sql(file.read_text())


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP VIEW watch.dsmb_alert")
