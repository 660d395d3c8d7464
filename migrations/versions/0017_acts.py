"""Acts of persons, the files by which a study runs, and since when."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_INSTANT = sa.String(27)
_ACT_TEXTS = (
    "person",
    "name",
    "role",
    "kind",
    "about",
    "participant",
    "seen",
    "meaning",
    "old",
    "new",
    "reason",
    "signed_by",
)


def upgrade() -> None:
    op.create_table(
        "act",
        _text("id"),
        sa.Column("at", _INSTANT, nullable=False),
        *(_text(name) for name in _ACT_TEXTS),
        sa.PrimaryKeyConstraint("id", name="pk_act"),
    )
    for name in ("at", "about", "participant"):
        op.create_index(f"ix_act_{name}", "act", [name])
    op.create_table(
        "study_file",
        _text("sha256"),
        _text("content"),
        sa.PrimaryKeyConstraint("sha256", name="pk_study_file"),
    )
    op.create_table(
        "study_activation",
        _text("id"),
        _text("study"),
        sa.Column("activated_at", _INSTANT, nullable=False),
        _text("act"),
        _text("files"),
        _text("criteria"),
        _text("rules_version"),
        sa.PrimaryKeyConstraint("id", name="pk_study_activation"),
    )
    op.create_index(
        "ix_study_activation_study_activated_at", "study_activation", ["study", "activated_at"]
    )


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)
