"""``aegis adjudicate``: a person's decision about a record."""

from argparse import ArgumentParser, Namespace

from services.cli.command import Command, CommandError
from services.cli.shared.enter_facts import by_argument, enter
from services.cli.shared.find_record import find_record
from services.cli.shared.open_study import data_arguments, open_data, settle
from services.runtime.clock import now_utc
from services.store import records
from services.vocabulary.fact import Adjudication, Verdict


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("record", metavar="RECORD", help="its id, or how it begins")
    parser.add_argument("verdict", choices=[str(one) for one in Verdict])
    parser.add_argument("--reason", required=True)
    parser.add_argument("--grade", type=int, choices=range(1, 6), help="with regrade")
    parser.add_argument("--cause", default="", help="with attribute")
    by_argument(parser)
    data_arguments(parser)


def _adjudicate(args: Namespace) -> int:
    verdict = Verdict(args.verdict)
    if (verdict is Verdict.REGRADE) != (args.grade is not None):
        raise CommandError("--grade goes with regrade, and regrade needs it")
    if (verdict is Verdict.ATTRIBUTE) != bool(args.cause):
        raise CommandError("--cause goes with attribute, and attribute needs it")
    opened = open_data(args, create=False)
    with opened.db.read() as conn:
        record = find_record(records.latest_episodes(conn), args.record)
    content = record.content
    body = Adjudication(
        content.criterion, verdict, args.by, args.reason, now_utc(), args.grade, args.cause
    )
    enter(opened, content.participant, content.onset_at, body, args.by)
    if not settle(opened):
        print(f"known: {verdict} {content.participant} {content.term}; a running service grades it")
        return 0
    with opened.db.read() as conn:
        after = find_record(records.latest_episodes(conn), record.id)
    print(f"{content.participant} {content.term}: {after.state}, worst grade {after.content.worst}")
    return 0


COMMAND = Command(
    "adjudicate", "confirm, reject, regrade or attribute a record", _arguments, _adjudicate
)
