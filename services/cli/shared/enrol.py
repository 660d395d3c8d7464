"""Participants that are enrolled from a file."""

from argparse import Namespace

from services.cli.command import CommandError
from services.cli.shared.enter_facts import intake_of
from services.cli.shared.open_study import open_data
from services.cli.shared.settle import settle
from services.ingest import parked_items
from services.ingest.enrolment import import_participants


def enrol(args: Namespace) -> int:
    """Enrol everybody in the file, and print how many, and which lines are wrong."""
    context = open_data(args)
    try:
        content = args.file.read_bytes()
    except OSError as error:
        raise CommandError(f"{args.file}: {error.strerror}") from error
    intake = intake_of(context)
    done = import_participants(intake, content, args.by)
    retried = parked_items.retry_parked(intake, args.by)
    settle(context)
    for wrong in done.wrong:
        print(f"{args.file}: {wrong}")
    print(f"{done.added_count} new, {done.changed_count} changed, {len(done.wrong)} lines left out")
    if retried.closed_items:
        print(f"{retried.facts} facts that were parked are known now")
    return 1 if done.wrong else 0
