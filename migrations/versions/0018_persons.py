"""Persons with their roles and credentials, what they signed in with, and every attempt at it."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_COUNTER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TABLES = ("person", "person_role", "credential", "sign_in", "sign_in_attempt", "provider_visit")


def _text(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.Text(), nullable=False)


def _instant(name: str, *, nullable: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.String(27), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "person",
        *map(_text, ("id", "name", "email", "site")),
        *map(_instant, ("added_at", "active_from")),
        _instant("active_to", nullable=True),
        _instant("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
    )
    op.create_table(
        "person_role",
        *map(_text, ("person", "role")),
        _instant("given_at"),
        sa.PrimaryKeyConstraint("person", "role", name="pk_person_role"),
    )
    op.create_table(
        "credential",
        *map(_text, ("person", "password_hash", "provider_subject")),
        sa.Column("hidden_totp", sa.Text(), nullable=True),
        sa.Column("totp_step", sa.BigInteger(), nullable=False),
        _instant("changed_at"),
        sa.PrimaryKeyConstraint("person", name="pk_credential"),
    )
    op.create_table(
        "sign_in",
        *map(_text, ("hash", "person", "use")),
        *map(_instant, ("began_at", "used_at", "expires_at")),
        _instant("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("hash", name="pk_sign_in"),
    )
    op.create_index("ix_sign_in_person", "sign_in", ["person"])
    op.create_table(
        "sign_in_attempt",
        sa.Column("id", _COUNTER, primary_key=True, nullable=False),
        *map(_text, ("person", "source")),
        _instant("at"),
        _text("outcome"),
        sa.PrimaryKeyConstraint("id", name="pk_sign_in_attempt"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sign_in_attempt_person_id", "sign_in_attempt", ["person", "id"])
    op.create_index("ix_sign_in_attempt_source_id", "sign_in_attempt", ["source", "id"])
    op.create_table(
        "provider_visit",
        *map(_text, ("hash", "purpose", "person", "nonce", "verifier", "leads_to")),
        _instant("began_at"),
        sa.PrimaryKeyConstraint("hash", name="pk_provider_visit"),
    )


def downgrade() -> None:
    for name in reversed(_TABLES):
        op.drop_table(name)
