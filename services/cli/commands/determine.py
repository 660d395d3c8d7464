"""``aegis determine``: the DSMB's answer to a stopping rule."""

from argparse import Namespace

from services.acts.determination import RuleAnswer, determine, load_decision
from services.acts.refusal import ChangedSinceSeenError
from services.acts.seen_content import hash_seen
from services.cli.shared.acting_person import find_actor
from services.cli.shared.grade_entered_facts import grade_entered_facts
from services.cli.shared.open_study import open_data
from services.cli.shared.rules_table import make_rules_table
from services.cli.shared.sign_act import sign_as
from services.safety_rules.application.past_crossings import load_first_crossings
from services.vocabulary.act import ActKind
from services.vocabulary.judgement import Answer


def perform(args: Namespace) -> int:
    """Enter the answer, which is also seen by whoever gives it."""
    context = open_data(args, create=False)
    actor = sign_as(args, context, find_actor(context, ActKind.DETERMINE))
    answer = RuleAnswer(args.rule, Answer(args.answer), args.reason, args.seen or "")
    try:
        outcome = determine(context, actor, answer)
    except ChangedSinceSeenError:
        with context.db.read() as conn:
            decision = load_decision(conn, context.study_id, args.rule).decision
            crossings = load_first_crossings(conn, context.study.rules)
        print(f"{make_rules_table([decision], crossings)}\n\nhash {hash_seen(decision)}")
        raise
    grade_entered_facts(context)
    events = outcome.decision.events
    print(f"{args.rule}: {answer.answer}, on {events} events, by {actor.name}")
    return 0
