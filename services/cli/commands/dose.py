"""``aegis dose``: what grades and results ask of the study drug."""

from argparse import Namespace
from collections.abc import Iterator, Sequence

from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.knowledge_cut import find_knowledge_cut
from services.cli.shared.open_study import open_to_read
from services.cli.shared.tables import format_day, format_utc
from services.safety_rules.reports import advice_now
from services.vocabulary.recommendation import Advice


def perform(args: Namespace) -> int:
    """Print the recommendations for each participant."""
    context = open_to_read(args)
    with context.db.read() as conn:
        cut_at = find_knowledge_cut(context, conn, args)
        recommendations = list(
            advice_now.list_advice(conn, context.study.rules, cut_at, args.participant)
        )
    if args.json:
        print_json_lines(one for _, advice in recommendations for one in advice)
        return 0
    lines = [line for who, advice in recommendations for line in describe_advice(who, advice)]
    lines += [] if lines else ["nothing is recommended"]
    print("\n".join(lines))
    print(f"as known at {format_utc(cut_at)} UTC, {context.study.rules.protocol.label}")
    return 0


def describe_advice(participant: str, advice: Sequence[Advice]) -> Iterator[str]:
    """Yield the recommendations for one participant, line by line."""
    for item in advice:
        end_clause = f" to treatment day {format_day(item.over_on)}" if item.until else ""
        words = ["suspected"] if item.suspected else ["confirmed"]
        words += ["provisional"] if item.provisional else []
        yield f"{participant}: {item.says}  [{item.kind.replace('_', ' ')} {item.rule}]"
        yield (
            f"    since transplant day {format_day(item.transplant_day)}, treatment day"
            f" {format_day(item.treatment_day)}{end_clause}; {', '.join(words)}"
        )
        yield from (f"    because: {reason}" for reason in item.because)
        if item.may_be or item.missing:
            perhaps = f"may be: {item.may_be}; " if item.may_be else ""
            yield f"    {perhaps}missing: {', '.join(item.missing)}"
        yield from (f"    then: {following}" for following in item.then)
