"""The views of the rules show the prior, events left from new participants, and person-time.

New columns stand after those of before, so what is built upon the views and who may read them stay.
"""

from pathlib import Path

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_VIEWS = Path(__file__).parent.parent / "views" / revision


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for file in sorted(_VIEWS.glob("*.sql")):
        op.get_bind().exec_driver_sql(file.read_text())


def downgrade() -> None:
    """Leave the views: earlier versions read them as well."""
