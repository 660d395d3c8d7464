"""``aegis dose``: what grades and results ask of the study drug."""

from argparse import Namespace
from collections.abc import Iterator, Sequence

from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.known_advice import load_known_advice
from services.cli.shared.tables import format_day, format_utc
from services.cli.shared.terminal_width import print_text
from services.vocabulary.recommendation import Advice


def perform(args: Namespace) -> int:
    """Print the recommendations for each participant."""
    known_advice = load_known_advice(args)
    if args.json:
        print_json_lines(one for _, advice in known_advice.by_participant for one in advice)
        return 0
    lines = [
        line for who, advice in known_advice.by_participant for line in describe_advice(who, advice)
    ]
    lines += [] if lines else ["nothing is recommended"]
    print_text("\n".join(lines))
    print(f"as known at {format_utc(known_advice.cut_at)} UTC, {known_advice.protocol_label}")
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
