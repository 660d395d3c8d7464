"""``aegis dose``: what grades and results ask of the study drug."""

from argparse import Namespace
from collections.abc import Iterator, Sequence

from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.knowledge_cut import find_knowledge_cut
from services.cli.shared.open_study import open_data
from services.cli.shared.tables import day, utc
from services.safety_rules.inquiries import advice_now
from services.vocabulary.recommendation import Advice


def perform(args: Namespace) -> int:
    """Print what is recommended for each participant."""
    context = open_data(args, create=False)
    with context.db.read() as conn:
        at = find_knowledge_cut(context, conn, args)
        found = list(advice_now.advised(conn, context.study.rules, at, args.participant))
    if args.json:
        print_json_lines(one for _, advice in found for one in advice)
        return 0
    said = [line for who, advice in found for line in advice_of(who, advice)]
    said += [] if said else ["nothing is recommended"]
    print("\n".join(said))
    print(f"as known at {utc(at)} UTC, {context.study.rules.protocol.label}")
    return 0


def advice_of(participant: str, advice: Sequence[Advice]) -> Iterator[str]:
    """Yield what is recommended for one participant, line by line."""
    for one in advice:
        over = f" to treatment day {day(one.over_on)}" if one.until else ""
        words = ["suspected"] if one.suspected else ["confirmed"]
        words += ["provisional"] if one.provisional else []
        yield f"{participant}: {one.says}  [{one.kind.replace('_', ' ')} {one.rule}]"
        yield (
            f"    since transplant day {day(one.transplant_day)}, treatment day"
            f" {day(one.treatment_day)}{over}; {', '.join(words)}"
        )
        yield from (f"    because: {reason}" for reason in one.because)
        if one.may_be or one.missing:
            perhaps = f"may be: {one.may_be}; " if one.may_be else ""
            yield f"    {perhaps}missing: {', '.join(one.missing)}"
        yield from (f"    then: {following}" for following in one.then)
