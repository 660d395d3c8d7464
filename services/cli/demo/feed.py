"""How the trial of a demo gets in: through the real port, while somebody may be looking."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from services.cli.command import CommandError
from services.cli.shared.enter_facts import intake_of
from services.cli.shared.open_study import Opened
from services.ingest.enrolment import import_participants
from services.ingest.files import read_submissions
from services.ingest.mllp_client import AnsweredMessage, send_messages
from services.safety_rules.application.decide_study import undecided
from services.simulator.trial import SimulatedTrial
from services.store import alerts, journal, outbox, participants, timers
from services.store.session import Connection

_SETTLE_S = 300.0
_QUIET = 3  # looks in a row that find nothing to do
_BAR = 40


def enter(opened: Opened, trial: SimulatedTrial, folder: Path, mllp_port: int) -> tuple[int, int]:
    """Enrol everybody and send everything; return how many were sent, and how many not accepted.

    Args:
        opened: Where it goes.
        trial: As `services.simulator.trial.write_trial` wrote it.
        folder: That it was written to.
        mllp_port: Of this machine.
    """
    intake = intake_of(opened)
    import_participants(intake, (folder / "participants.csv").read_bytes(), "demo")
    codes = Counter(
        answered.code
        for answered in _progress(send_messages("127.0.0.1", mllp_port, trial.messages), trial)
    )
    facts = (folder / "facts.ndjson").read_bytes()
    intake.accept(list(read_submissions(facts, "demo")))
    return codes.total(), codes.total() - codes["AA"]


def _progress(
    answers: Iterator[AnsweredMessage], trial: SimulatedTrial
) -> Iterator[AnsweredMessage]:
    """Show how far the feed is, when somebody looks."""
    whole = len(trial.messages)
    shown = sys.stderr.isatty()
    for number, answered in enumerate(answers, 1):
        if shown and (number % 100 == 0 or number == whole):
            done = _BAR * number // whole
            bar = "#" * done + "." * (_BAR - done)
            print(f"\rsending [{bar}] {number} of {whole}", end="", file=sys.stderr)
        elif not shown and number % 5000 == 0:
            print(f"sent {number} of {whole}", file=sys.stderr)
        yield answered
    if shown:
        print(file=sys.stderr)


def wait_until_told(opened: Opened, running: Callable[[], None] = lambda: None) -> None:
    """Return once every fact is graded, every rule has spoken and every notice has left.

    Args:
        opened: What is waited for.
        running: Raises when what does the work does not run any more.

    Raises:
        CommandError: That takes too long.
    """
    until_s = time.monotonic() + _SETTLE_S
    quiet = 0
    while quiet < _QUIET:
        if time.monotonic() > until_s:
            raise CommandError(f"not done after {_SETTLE_S:.0f} s: see the log")
        running()
        time.sleep(0.3)
        with opened.db.read() as conn:
            quiet = 0 if _is_busy(opened, conn) else quiet + 1


def _is_busy(opened: Opened, conn: Connection) -> bool:
    if journal.unhandled(conn) or outbox.count_waiting(conn) or alerts.undelivered(conn):
        return True
    last = participants.last_received(conn, opened.name)
    if last is not None and timers.due_timers(conn, last, 1):
        return True
    raised = {one.id for one in alerts.load_alerts(conn) if one.is_open}
    told = {row.alert for row in alerts.load_deliveries(conn)}
    return bool(raised - told or undecided(conn, opened.study.rules))
