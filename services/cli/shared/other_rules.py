"""Participants whose records other rules wrote."""

from services.cli.shared.open_study import Opened
from services.store import states


def count_graded_by_other_rules(opened: Opened) -> int:
    """Return how many participants have records that other rules wrote."""
    with opened.db.read() as conn:
        return states.count_under_other_rules(conn, opened.study.rules.version, opened.name)
