"""``aegis verify``, ``replay`` and ``retry``: nothing lost, nothing changed, the same again."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator

from services.cli.command import Command
from services.cli.commands import verify
from services.cli.shared.open_study import Opened, data_arguments, open_data, settle
from services.safety_rules.application.fold_participants import release
from services.safety_rules.inquiries import verify as journal_proof
from services.store import states
from services.store.session import Connection
from services.store.snapshots import Snapshots


def _arguments(parser: ArgumentParser) -> None:
    data_arguments(parser)


def findings(opened: Opened, conn: Connection) -> Iterator[str]:
    """Yield everything in one state of the database that Aegis did not write so, or is unfounded.

    `aegis verify` does the same of a database that others write to.
    """
    yield from verify.findings(opened, lambda: conn)
    rules = opened.study.rules
    for wrong in (*journal_proof.of_decisions(conn, rules), *journal_proof.never_told(conn, rules)):
        yield f"{wrong.participant}: {wrong.problem}"


def _replay(args: Namespace) -> int:
    opened = open_data(args, create=False)
    count = 0
    with Snapshots(opened.db) as look:
        for wrong in journal_proof.of_participants(look, opened.study.rules, history=True):
            print(f"{wrong.participant}: {wrong.problem}", flush=True)
            count += 1
        for told in verify.of_decisions(opened):
            print(told, flush=True)
            count += 1
        look.renew()
        print(verify.tell_of_others(opened, look()) + verify.counts(look()))
    opened.db.close()
    print(f"{count} differences" if count else "replayed: the same history")
    return int(count > 0)


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
VERIFY = Command(
    "verify", "check every row, every message and every record", _arguments, verify.verify
)
REPLAY = Command("replay", "fold the journal again and compare the history", _arguments, _replay)
