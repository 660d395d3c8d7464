"""``aegis retry``: grade again who was set aside."""

from argparse import Namespace

from services.acts.regrading import retry_participants
from services.cli.shared.acting_person import find_actor
from services.cli.shared.grade_entered_facts import describe_later_grading, grade_entered_facts
from services.cli.shared.open_study import open_data
from services.store import states
from services.vocabulary.act import ActKind


def perform(args: Namespace) -> int:
    """Let participants be graded again, and print who still cannot be."""
    context = open_data(args, create=False)
    actor = find_actor(context, ActKind.RETRY_PARTICIPANT)
    released_subjects = retry_participants(context, actor, args.participants)
    is_graded = grade_entered_facts(context)
    with context.db.read() as conn:
        quarantined = [(state.subject, state.error) for state in states.load_quarantined(conn)]
    note = "" if is_graded else f"; {describe_later_grading(context)}"
    print(f"{len(released_subjects)} let in again, {len(quarantined)} quarantined{note}")
    for subject, error in quarantined:
        print(f"{subject}: {error}; its records are not up to date: see `aegis verify`")
    return 1 if quarantined else 0
