"""Participants whose records other rules wrote."""

from services.acts.study_context import StudyContext
from services.store import states


def count_graded_by_other_rules(context: StudyContext) -> int:
    """Return the number of participants whose records other rules wrote."""
    with context.db.read() as conn:
        return states.count_states_of_other_rules(
            conn, context.study.rules.version, context.study_id
        )
