"""``aegis adjudicate``: a person's decision about a record."""

from argparse import Namespace

from services.cli.command import CommandError
from services.cli.shared.enter_facts import enter_fact
from services.cli.shared.find_record import find_record
from services.cli.shared.grade_entered_facts import describe_later_grading, grade_entered_facts
from services.cli.shared.open_study import open_data
from services.runtime.clock import now_utc
from services.store import records
from services.vocabulary.judgement import Adjudication, Verdict


def perform(args: Namespace) -> int:
    """Enter the decision, and print the record as it then is."""
    verdict = Verdict(args.verdict)
    if (verdict is Verdict.REGRADE) != (args.grade is not None):
        raise CommandError("--grade goes with regrade, and regrade needs it")
    if (verdict is Verdict.ATTRIBUTE) != bool(args.cause):
        raise CommandError("--cause goes with attribute, and attribute needs it")
    context = open_data(args, create=False)
    with context.db.read() as conn:
        record = find_record(records.load_latest_episodes(conn), args.record)
    content = record.content
    body = Adjudication(
        content.criterion, verdict, args.by, args.reason, now_utc(), args.grade, args.cause
    )
    enter_fact(context, content.participant, content.onset_at, body, args.by)
    if not grade_entered_facts(context):
        later = describe_later_grading(context, "it")
        print(f"known: {verdict} {content.participant} {content.term}; {later}")
        return 0
    with context.db.read() as conn:
        current = find_record(records.load_latest_episodes(conn), record.id)
    print(
        f"{content.participant} {content.term}: {current.state},"
        f" worst grade {current.content.worst}"
    )
    return 0
