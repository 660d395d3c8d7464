"""``aegis determine``: the DSMB's answer to a stopping rule."""

from argparse import Namespace

from services.alerts.acknowledgement import acknowledge
from services.cli.command import CommandError
from services.cli.shared.enter_facts import enter_fact
from services.cli.shared.grade_entered_facts import grade_entered_facts
from services.cli.shared.open_study import StudyContext, open_data
from services.runtime.clock import now_utc
from services.store import alerts, decisions
from services.vocabulary.alert import AlertKind
from services.vocabulary.decision import Decision
from services.vocabulary.judgement import Answer, Determination


def perform(args: Namespace) -> int:
    """Enter the answer, which is also seen by whoever gives it."""
    context = open_data(args, create=False)
    with context.db.read() as conn:
        latest_rows = {
            row.decision.rule: row
            for row in decisions.load_latest_decisions(conn, context.study_id)
        }
    row = latest_rows.get(args.rule)
    if row is None:
        rule_ids = ", ".join(sorted(latest_rows)) or "none yet"
        raise CommandError(f"no decision of {args.rule} to answer; there are: {rule_ids}")
    answer = Answer(args.answer)
    decision = row.decision
    counted_participants = tuple(one.participant for one in decision.contributors)
    body = Determination(
        args.rule, row.id, answer, args.by, args.reason, decision.events, counted_participants
    )
    enter_fact(context, context.study_id, now_utc(), body, args.by)
    _acknowledge_alerts(context, args, decision)
    grade_entered_facts(context)
    print(f"{args.rule}: {answer}, on {decision.events} events, by {args.by}")
    return 0


def _acknowledge_alerts(context: StudyContext, args: Namespace, decision: Decision) -> None:
    """Acknowledge the rule's open alerts that say no more than *decision*: who answers saw that."""
    with context.db.read() as conn:
        alert_rows = alerts.load_alerts(conn, context.study_id)
    comment = f"{args.answer}: {args.reason}"
    for alert in alert_rows:
        if alert.about == args.rule and alert.is_open:
            is_at_upper = alert.kind is AlertKind.BOUNDARY_AT_UPPER
            highest_grade = decision.upper if is_at_upper else decision.events
            acknowledge(
                context.db, alert.id, args.by, comment, now_utc(), highest_grade=highest_grade
            )
