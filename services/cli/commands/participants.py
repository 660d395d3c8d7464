"""``aegis participants``: who takes part."""

from argparse import Namespace

from services.cli.command import CommandError
from services.cli.shared.columns import PARTICIPANTS
from services.cli.shared.enter_facts import intake_of
from services.cli.shared.open_study import open_data
from services.cli.shared.settle import settle
from services.cli.shared.tables import explained_table, utc
from services.ingest import parked_items
from services.ingest.enrolment import import_participants
from services.store import participants


def perform(args: Namespace) -> int:
    """Enrol participants from a file, or list them."""
    context = open_data(args, create=args.word == "import")
    if args.word == "list":
        with context.db.read() as conn:
            known = participants.load_participants(conn, context.study_id)
        rows = [
            (p.subject, p.site, p.last_seq, utc(p.last_received_at))
            for p in known.values()
            if p.subject != context.study_id
        ]
        print(explained_table(PARTICIPANTS, rows))
        return 0
    try:
        content = args.file.read_bytes()
    except OSError as error:
        raise CommandError(f"{args.file}: {error.strerror}") from error
    intake = intake_of(context)
    done = import_participants(intake, content, args.by)
    retried = parked_items.retry_parked(intake, args.by)
    settle(context)
    for wrong in done.wrong:
        print(f"{args.file}: {wrong}")
    print(f"{done.added_count} new, {done.changed_count} changed, {len(done.wrong)} lines left out")
    if retried.closed_items:
        print(f"{retried.facts} facts that were parked are known now")
    return 1 if done.wrong else 0
