"""``aegis retry``: grade again who was set aside."""

from argparse import Namespace

from services.cli.shared.open_study import open_data
from services.cli.shared.settle import settle
from services.safety_rules.application.fold_participants import release
from services.store import states


def perform(args: Namespace) -> int:
    """Let participants be graded again, and print who still cannot be."""
    context = open_data(args, create=False)
    released = release(context.db, args.participants)
    graded = settle(context)
    with context.db.read() as conn:
        aside = [(state.subject, state.error) for state in states.load_quarantined(conn)]
    waiting = "" if graded else "; a running service grades them"
    print(f"{len(released)} let in again, {len(aside)} quarantined{waiting}")
    for subject, error in aside:
        print(f"{subject}: {error}; its records are not up to date: see `aegis verify`")
    return 1 if aside else 0
