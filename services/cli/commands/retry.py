"""``aegis retry``: grade again who was set aside."""

from argparse import ArgumentParser, Namespace

from services.cli.command import Command
from services.cli.shared.open_study import data_arguments, open_data, settle
from services.safety_rules.application.fold_participants import release
from services.store import states


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("participants", nargs="*", metavar="PARTICIPANT", help="none: everybody")
    data_arguments(parser)


def _retry(args: Namespace) -> int:
    opened = open_data(args, create=False)
    released = release(opened.db, args.participants)
    graded = settle(opened)
    with opened.db.read() as conn:
        aside = [(state.subject, state.error) for state in states.quarantined(conn)]
    waiting = "" if graded else "; a running service grades them"
    print(f"{len(released)} let in again, {len(aside)} quarantined{waiting}")
    for subject, error in aside:
        print(f"{subject}: {error}; its records are not up to date: see `aegis verify`")
    return 1 if aside else 0


COMMAND = Command(
    "retry", "grade again who was set aside because of facts that failed", _arguments, _retry
)
