"""``aegis participants``: who takes part."""

from argparse import Namespace

from services.cli.shared.columns import PARTICIPANTS
from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.stored_data import find_participants, open_stored_data
from services.cli.shared.tables import format_utc, make_explained_table


def perform(args: Namespace) -> int:
    """Enrol participants from a file, or list them."""
    if args.word == "list":
        return _list(args)
    from services.cli.shared.enrol import enrol  # noqa: PLC0415 (it loads ingest and the rules)

    return enrol(args)


def _list(args: Namespace) -> int:
    data = open_stored_data(args)
    with data.db.read() as conn:
        participants = find_participants(conn, data.study_id).values()
    people = [person for person in participants if person.subject != data.study_id]
    if args.json:
        print_json_lines(
            {
                "participant": person.subject,
                "site": person.site,
                "facts": person.last_seq,
                "last_received_at": person.last_received_at,
            }
            for person in people
        )
        return 0
    rows = [
        (person.subject, person.site, person.last_seq, format_utc(person.last_received_at))
        for person in people
    ]
    print(make_explained_table(PARTICIPANTS, rows))
    return 0
