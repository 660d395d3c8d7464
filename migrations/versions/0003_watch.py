"""Views for people who watch, on PostgreSQL: what Grafana shows the safety officer and the DSMB.

They read the stored contents; `services.store.roles` says who may read which. A later migration
that changes a table beneath them drops them first (`DROP SCHEMA watch CASCADE`), then makes them
anew.
"""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_VIEWS = Path(__file__).parent.parent / "views" / revision


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("CREATE SCHEMA watch")
    for file in sorted(_VIEWS.glob("*.sql")):
        op.get_bind().exec_driver_sql(file.read_text())


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP SCHEMA watch CASCADE")
