"""``aegis determine``: the DSMB's answer to a stopping rule."""

from argparse import Namespace

from services.acts.determination import RuleAnswer, determine
from services.cli.shared.acting_person import find_actor
from services.cli.shared.grade_entered_facts import grade_entered_facts
from services.cli.shared.open_study import open_data
from services.cli.shared.sign_act import sign_as
from services.vocabulary.act import ActKind
from services.vocabulary.judgement import Answer


def perform(args: Namespace) -> int:
    """Enter the answer, which is also seen by whoever gives it."""
    context = open_data(args, create=False)
    actor = sign_as(args, context, find_actor(context, ActKind.DETERMINE))
    answer = RuleAnswer(args.rule, Answer(args.answer), args.reason)
    outcome = determine(context, actor, answer)
    grade_entered_facts(context)
    events = outcome.decision.events
    print(f"{args.rule}: {answer.answer}, on {events} events, by {actor.name}")
    return 0
