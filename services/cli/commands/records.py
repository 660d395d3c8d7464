"""``aegis records``: the graded records as they are now, or were then."""

from argparse import Namespace

from services.cli.shared.open_study import open_data
from services.cli.shared.records_table import canonical_lines, records_table
from services.runtime import wire
from services.store import records


def perform(args: Namespace) -> int:
    """Print records in the chosen form."""
    context = open_data(args, create=False)
    with context.db.read() as conn:
        if args.history:
            found = records.load_episode_versions(conn, args.participant)
        else:
            found = records.load_latest_episodes(conn, args.participant, args.as_of)
    if args.history:
        print("\n".join(wire.write_canonical(one) for one in found))
        return 0
    current = [one for one in found if not one.retracted]
    print("\n".join(canonical_lines(current)) if args.canonical else records_table(current))
    return 0
