"""``aegis records``: the graded records as they are now, or were then."""

from argparse import Namespace

from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.records_table import (
    make_records_table,
    sort_as_table,
    write_canonical_lines,
)
from services.cli.shared.stored_data import find_participants, open_stored_data
from services.store import records
from services.vocabulary.printable_text import escape_json


def perform(args: Namespace) -> int:
    """Print records in the chosen form."""
    data = open_stored_data(args)
    with data.db.read() as conn:
        find_participants(conn, data.study_id, args.participant)
        if args.history:
            versions = records.load_episode_versions(conn, args.participant)
        else:
            versions = records.load_latest_episodes(conn, args.participant, args.as_of)
    if args.history:
        print_json_lines(versions)
        return 0
    current = [episode for episode in versions if not episode.retracted]
    if args.json:
        print_json_lines(sort_as_table(current))
    elif args.canonical:
        for line in write_canonical_lines(current):
            print(escape_json(line))
    else:
        print(make_records_table(current))
    return 0
