"""The views of moved facts apply moves in the order of their events, as the rules do.

A correction that says of no visit goes with the visit of the result whose time it corrects.
"""

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_VIEWS = Path(__file__).parent.parent / "views"


def upgrade() -> None:
    _replace_views((_VIEWS / revision / "02_moves.sql").read_text())


def downgrade() -> None:
    definitions = (_VIEWS / "0003" / "02_whose.sql").read_text()
    _replace_views(definitions.replace("CREATE VIEW", "CREATE OR REPLACE VIEW"))


def _replace_views(definitions: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.get_bind().exec_driver_sql(definitions)
