"""``aegis dose`` and ``aegis queries``: what to decide, and what to look into."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from datetime import datetime

from services.cli.command import Command, CommandError
from services.cli.shared.open_study import Opened, data_arguments, instant, open_data
from services.cli.shared.tables import day, utc
from services.runtime import wire
from services.runtime.clock import now_utc
from services.safety_rules.inquiries import advice_now
from services.store import participants
from services.store.session import Connection
from services.vocabulary.recommendation import Advice


def _arguments(parser: ArgumentParser) -> None:
    data_arguments(parser)
    parser.add_argument("--participant", metavar="P", help="only this one")
    parser.add_argument("--as-of", type=instant, metavar="T", help="as known then")
    parser.add_argument("--json", action="store_true", help="everything, as JSON lines")


def _dose(args: Namespace) -> int:
    opened = open_data(args, create=False)
    with opened.db.read() as conn:
        at = _at(opened, conn, args)
        found = list(advice_now.advised(conn, opened.study.rules, at, args.participant))
    if args.json:
        print("\n".join(wire.canonical(one) for _, advice in found for one in advice))
        return 0
    said = [line for who, advice in found for line in advice_of(who, advice)]
    said += [] if said else ["nothing is recommended"]
    print("\n".join(said))
    print(f"as known at {utc(at)} UTC, {opened.study.rules.protocol.label}")
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


def _queries(args: Namespace) -> int:
    opened = open_data(args, create=False)
    with opened.db.read() as conn:
        at = _at(opened, conn, args)
        found = list(advice_now.queries(conn, opened.study.rules, at, args.participant))
    if args.json:
        print("\n".join(wire.canonical(one) for one in found))
        return 0
    for query in found:
        facts = ", ".join(fact[:12] for fact in query.facts)
        print(f"{query.participant}: {query.problem} ({facts})")
    print(f"{len(found)} queries" if found else "nothing to look into")
    return 0


def _at(opened: Opened, conn: Connection, args: Namespace) -> datetime:
    """Return until when to look; by the clock of messages, until the last one.

    Raises:
        CommandError: Nobody has that name.
    """
    known = participants.participants_by_subject(conn, opened.name)
    if args.participant is not None and args.participant not in known:
        raise CommandError(f"nobody is called {args.participant}: `aegis participants list`")
    as_of: datetime | None = args.as_of
    if as_of is not None:
        return as_of
    received = [p.last_received_at for p in known.values() if p.last_received_at is not None]
    by_message = opened.settings.clock == "message"
    return max(received) if received and by_message else now_utc()


DOSE = Command("dose", "what grades and results ask of the study drug", _arguments, _dose)
QUERIES = Command("queries", "what a data manager has to look into", _arguments, _queries)
