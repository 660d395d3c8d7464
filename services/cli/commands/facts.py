"""``aegis facts``: what people know and feeds do not carry."""

from argparse import Namespace

from services.cli.shared.stored_data import find_participants, open_stored_data
from services.runtime import wire
from services.store import journal
from services.vocabulary.printable_text import escape_json


def perform(args: Namespace) -> int:
    """Enter a fact, or print all."""
    if args.word == "export":
        return _export(args)
    from services.cli.shared.add_fact import add_fact  # noqa: PLC0415 (it loads the rules)

    return add_fact(args)


def _export(args: Namespace) -> int:
    """Print the journal, subject by subject, as `aegis assess` and `aegis ingest` read it."""
    data = open_stored_data(args)
    with data.db.read() as conn:
        subjects = find_participants(conn, data.study_id, args.participant)
        for subject in subjects if args.participant is None else [args.participant]:
            for entry in journal.load_facts_between(conn, subject, 0):
                print(escape_json(wire.write_fact(entry.fact).decode()))
    return 0
