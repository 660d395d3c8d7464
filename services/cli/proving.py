"""``aegis verify``, ``replay`` and ``retry``: nothing lost, nothing changed, the same again."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator

from services.cli.command import Command
from services.cli.opened import Opened, data_arguments, open_data, settle
from services.safety_rules import proof
from services.safety_rules.application import release
from services.store import integrity, journal, messages, parking, records, states
from services.store.session import Connection


def _arguments(parser: ArgumentParser) -> None:
    data_arguments(parser)


def _verify(args: Namespace) -> int:
    opened = open_data(args, create=False)
    with opened.db.read() as conn:
        waiting = journal.unhandled(conn)
        problems = list(findings(opened, conn))
        counted = _counts(conn)
    for problem in problems:
        print(problem)
    print(f"{counted}; {waiting} facts wait to be graded" if waiting else counted)
    print(f"{len(problems)} findings" if problems else "verified: nothing found")
    return 1 if problems else 0


def findings(opened: Opened, conn: Connection) -> Iterator[str]:
    """Yield everything in the database that Aegis did not write so, or that facts do not say."""
    for found in integrity.findings(conn, opened.keys):
        yield f"{found.place} {found.key}: {found.problem}"
    for lost in messages.damaged(conn, opened.keys):
        yield f"raw_message {lost}: its content is not what was received"
    for wrong in proof.mismatches(conn, opened.study.rules, history=False):
        yield f"{wrong.participant}: {wrong.problem}"


def _replay(args: Namespace) -> int:
    opened = open_data(args, create=False)
    with opened.db.read() as conn:
        problems = list(proof.mismatches(conn, opened.study.rules, history=True))
        counted = _counts(conn)
    for wrong in problems:
        print(f"{wrong.participant}: {wrong.problem}")
    print(counted)
    print(f"{len(problems)} differences" if problems else "replayed: the same history")
    return 1 if problems else 0


def _counts(conn: Connection) -> str:
    return (
        f"{messages.count_messages(conn)} messages, {journal.count_facts(conn)} facts,"
        f" {sum(parking.count_parked(conn).values())} parked,"
        f" {records.count_versions(conn)} versions of records"
    )


def _retry_arguments(parser: ArgumentParser) -> None:
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


RETRY = Command(
    "retry", "grade again who was set aside because of facts that failed", _retry_arguments, _retry
)
VERIFY = Command("verify", "check every row, every message and every record", _arguments, _verify)
REPLAY = Command("replay", "fold the journal again and compare the history", _arguments, _replay)
