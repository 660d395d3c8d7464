"""``aegis participants``: who takes part."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from services.cli.command import Command, CommandError
from services.cli.shared.enter_facts import by_argument, intake_of
from services.cli.shared.open_study import data_arguments, open_data, settle
from services.cli.shared.tables import table, utc
from services.ingest import parked_items
from services.ingest.enrolment import COLUMNS, import_participants
from services.store import participants


def _arguments(parser: ArgumentParser) -> None:
    words = parser.add_subparsers(dest="word", required=True, metavar="import|list")
    word = words.add_parser(
        "import", help="from a CSV file", description=f"Columns: {', '.join(COLUMNS)}."
    )
    word.add_argument("file", type=Path, metavar="FILE.csv")
    by_argument(word)
    data_arguments(word)
    data_arguments(words.add_parser("list", help="everybody"))


def _participants(args: Namespace) -> int:
    opened = open_data(args, create=args.word == "import")
    if args.word == "list":
        with opened.db.read() as conn:
            known = participants.participants_by_subject(conn, opened.name)
        rows = [
            (p.subject, p.site, p.last_seq, utc(p.last_received_at))
            for p in known.values()
            if p.subject != opened.name
        ]
        print(table(("participant", "site", "facts", "last heard (UTC)"), rows))
        return 0
    try:
        content = args.file.read_bytes()
    except OSError as error:
        raise CommandError(f"{args.file}: {error.strerror}") from error
    intake = intake_of(opened)
    done = import_participants(intake, content, args.by)
    retried = parked_items.retry_parked(intake, args.by)
    settle(opened)
    for wrong in done.wrong:
        print(f"{args.file}: {wrong}")
    print(f"{done.added_count} new, {done.changed_count} changed, {len(done.wrong)} lines left out")
    if retried.closed_items:
        print(f"{retried.facts} facts that were parked are known now")
    return 1 if done.wrong else 0


COMMAND = Command("participants", "who takes part", _arguments, _participants)
