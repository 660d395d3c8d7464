"""``aegis adjudicate``: a person's decision about a record."""

from argparse import Namespace
from dataclasses import replace

from services.cli.command import CommandError
from services.cli.shared.enter_facts import enter_fact
from services.cli.shared.find_record import find_record
from services.cli.shared.grade_entered_facts import describe_later_grading, grade_entered_facts
from services.cli.shared.open_study import open_data
from services.cli.shared.tables import format_utc
from services.runtime.clock import now_utc
from services.store import journal, records
from services.store.participant_order import find_families
from services.store.session import Connection
from services.vocabulary.episode import EpisodeContent
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
        last_decision = _find_last_decision(conn, record.content)
    content = record.content
    body = Adjudication(
        content.criterion, verdict, args.by, args.reason, now_utc(), args.grade, args.cause
    )
    if last_decision and replace(last_decision, signed_at=body.signed_at) == body:
        signed_at = format_utc(last_decision.signed_at)
        print(f"{args.by} has said so on {signed_at} UTC, for the same reason: nothing is entered")
        return 0
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


def _find_last_decision(conn: Connection, content: EpisodeContent) -> Adjudication | None:
    """Return the decision that was signed last about a record, graded or not; None: there is none.

    What was entered a moment ago may not be graded yet: it names the instant of the record's onset.
    """
    (family,) = find_families(conn, [content.participant])
    facts = [
        known.fact
        for subject in family
        for known in journal.load_facts_of_kind(conn, "adjudication", subject)
    ]
    decisions = (
        fact.body
        for fact in facts
        if isinstance(fact.body, Adjudication)
        and fact.body.criterion == content.criterion
        and (fact.id in content.adjudications or fact.observed_at == content.onset_at)
    )
    return max(decisions, key=lambda decision: decision.signed_at, default=None)
