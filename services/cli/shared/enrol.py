"""Participants that are enrolled from a file."""

from argparse import Namespace

from services.acts.imports import record_import
from services.acts.intake import make_intake
from services.cli.command import CommandError
from services.cli.shared.acting_person import find_actor
from services.cli.shared.grade_entered_facts import grade_entered_facts
from services.cli.shared.open_study import open_data
from services.ingest import parked_items
from services.ingest.enrolment import import_participants
from services.vocabulary.act import ActKind


def enrol(args: Namespace) -> int:
    """Enrol everybody in the file, and print how many, and which lines are wrong."""
    context = open_data(args)
    actor = find_actor(context, ActKind.IMPORT_PARTICIPANTS)
    try:
        content = args.file.read_bytes()
    except OSError as error:
        raise CommandError(f"{args.file}: {error.strerror}") from error
    record_import(context, actor, ActKind.IMPORT_PARTICIPANTS, "a file of participants")
    intake = make_intake(context)
    result = import_participants(intake, content, actor.id)
    retry_result = parked_items.retry_parked(intake, actor.id)
    grade_entered_facts(context)
    for fault in result.wrong:
        print(f"{args.file}: {fault}")
    counts = f"{result.added_count} new, {result.changed_count} changed"
    print(f"{counts}, {len(result.wrong)} lines left out")
    if retry_result.closed_items:
        print(f"{retry_result.facts} facts that were parked are known now")
    return 1 if result.wrong else 0
