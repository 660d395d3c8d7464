"""``aegis records``: the graded records as they are now, or were then."""

from argparse import ArgumentParser, Namespace

from services.cli.command import Command
from services.cli.shared.open_study import data_arguments, instant, open_data
from services.cli.shared.records_table import canonical_lines, records_table
from services.runtime import wire
from services.store import records


def _arguments(parser: ArgumentParser) -> None:
    data_arguments(parser)
    parser.add_argument("--participant", metavar="P", help="only this one's")
    parser.add_argument("--as-of", type=instant, metavar="T", help="as known then")
    parser.add_argument(
        "--canonical", action="store_true", help="sorted JSON lines of the current content"
    )
    parser.add_argument(
        "--history", action="store_true", help="every version, with ids (JSON lines)"
    )


def _records(args: Namespace) -> int:
    opened = open_data(args, create=False)
    with opened.db.read() as conn:
        if args.history:
            found = records.episode_versions(conn, args.participant)
        else:
            found = records.latest_episodes(conn, args.participant, args.as_of)
    if args.history:
        print("\n".join(wire.canonical(one) for one in found))
        return 0
    current = [one for one in found if not one.retracted]
    print("\n".join(canonical_lines(current)) if args.canonical else records_table(current))
    return 0


COMMAND = Command("records", "the graded adverse event records", _arguments, _records)
