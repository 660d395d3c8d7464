"""``aegis adjudicate``: a person's decision about a record."""

from argparse import Namespace

from services.acts.adjudication import AdjudicationOutcome, RecordVerdict, adjudicate
from services.acts.record_readings import load_readings
from services.acts.refusal import ChangedSinceSeenError
from services.acts.seen_content import hash_seen
from services.cli.command import CommandError
from services.cli.shared.acting_person import find_actor, find_adjudicator
from services.cli.shared.find_record import find_record
from services.cli.shared.grade_entered_facts import describe_later_grading, grade_entered_facts
from services.cli.shared.open_study import open_data
from services.cli.shared.records_table import make_records_table
from services.cli.shared.seal_written_rows import seal_written_rows
from services.cli.shared.sign_act import sign_as
from services.cli.shared.tables import format_utc
from services.store import records
from services.vocabulary.act import ActKind
from services.vocabulary.judgement import Verdict
from services.vocabulary.person import Actor


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
        differ = load_readings(conn, record).differ
    actor = (
        find_actor(context, ActKind.SETTLE)
        if differ and context.study.rules.protocol.two_readers
        else find_adjudicator(context, verdict, record.content.participant)
    )
    actor = sign_as(args, context, actor)
    words = args.reason, args.grade, args.cause, args.seen or hash_seen(record)
    try:
        outcome = adjudicate(context, actor, RecordVerdict(record.id, verdict, *words))
    except ChangedSinceSeenError:
        with context.db.read() as conn:
            current = find_record(records.load_latest_episodes(conn), record.id)
        print(f"{make_records_table([current])}\n\nhash {hash_seen(current)}")
        raise
    if outcome.act is None:
        print(_describe_repetition(actor, outcome))
        return 0
    content = record.content
    if outcome.waits_for:
        print(
            f"{content.participant} {content.term}: {verdict} by {actor.name} is read, and is no"
            f" decision yet: it waits for {outcome.waits_for}"
        )
        seal_written_rows(context.db, context.keys)
        return 0
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


def _describe_repetition(actor: Actor, outcome: AdjudicationOutcome) -> str:
    signed_at = format_utc(outcome.said_at)
    return f"{actor.name} has said so on {signed_at} UTC, for the same reason: nothing is entered"
