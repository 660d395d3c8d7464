"""The feed of a demo: its trial, sent through the real port, with a progress bar."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from pathlib import Path

from services.acts.intake import make_intake
from services.acts.study_context import StudyContext
from services.alerts.adapters.study_recipients import find_recipients
from services.alerts.plan_notices import is_notice_due
from services.cli.command import CommandError
from services.ingest.enrolment import import_participants
from services.ingest.files import read_submissions
from services.ingest.mllp_client import AnsweredMessage, send_messages
from services.runtime.clock import now_utc
from services.safety_rules.application.decide_study import find_outdated_decisions
from services.simulator.trial import SimulatedTrial
from services.store import alerts, journal, outbox, participants, timers
from services.store.session import Connection

WholeDay = Callable[[], AbstractContextManager[None]]

_SETTLE_S = 300.0
_BAR = 40


def feed_trial(
    context: StudyContext, trial: SimulatedTrial, folder: Path, mllp_port: int, whole_day: WholeDay
) -> tuple[int, int]:
    """Enrol everybody and send everything, day by day, as the messages are dated.

    Args:
        context: Where it goes.
        trial: As `services.simulator.trial.write_trial` wrote it.
        folder: That it was written to.
        mllp_port: Of this machine.
        whole_day: Entered before the messages of a day are sent, left when all are answered.

    Returns:
        The number of messages that were sent, and of those that were not accepted.
    """
    intake = make_intake(context)
    import_participants(intake, (folder / "participants.csv").read_bytes(), "demo")
    answers = _send_days(trial.messages, mllp_port, whole_day)
    codes = Counter(answered.code for answered in _show_progress(answers, trial))
    facts = (folder / "facts.ndjson").read_bytes()
    intake.accept(list(read_submissions(facts, "demo")))
    return codes.total(), codes.total() - codes["AA"]


def split_days(messages: Iterable[bytes]) -> Iterator[list[bytes]]:
    r"""Yield the messages of one day after the other (UTC, by MSH-7), in their order.

    A message that is sent again later belongs to the day on which it is sent again.

    >>> header = rb"MSH|^~\&|||||%b||ADT^A01"
    >>> times = (b"20260314235900+0000", b"20260315005900+0100", b"20260315060000+0000")
    >>> [len(day) for day in split_days([header % time for time in times])]
    [2, 1]
    """
    batch: list[bytes] = []
    newest = date.min
    for message in messages:
        sent_on = _read_sending_day(message)
        if batch and sent_on > newest:
            yield batch
            batch = []
        newest = max(newest, sent_on)
        batch.append(message)
    if batch:
        yield batch


def _read_sending_day(message: bytes) -> date:
    sent_at = datetime.strptime(message.split(b"|", 7)[6].decode(), "%Y%m%d%H%M%S%z")
    return sent_at.astimezone(UTC).date()


def _send_days(
    messages: Iterable[bytes], port: int, whole_day: WholeDay
) -> Iterator[AnsweredMessage]:
    for batch in split_days(messages):
        with whole_day():
            yield from send_messages("127.0.0.1", port, batch)


def _show_progress(
    answers: Iterator[AnsweredMessage], trial: SimulatedTrial
) -> Iterator[AnsweredMessage]:
    """Yield *answers*, and show the progress of the feed on a terminal."""
    total = len(trial.messages)
    is_terminal = sys.stderr.isatty()
    for number, answer in enumerate(answers, 1):
        if is_terminal and (number % 100 == 0 or number == total):
            width = _BAR * number // total
            bar = "#" * width + "." * (_BAR - width)
            print(f"\rsending [{bar}] {number} of {total}", end="", file=sys.stderr)
        elif not is_terminal and number % 5000 == 0:
            print(f"sent {number} of {total}", file=sys.stderr)
        yield answer
    if is_terminal:
        print(file=sys.stderr)


def wait_until_idle(
    context: StudyContext,
    require_running: Callable[[], None] = lambda: None,
    *,
    looks: int = 3,
    rest_s: float = 0.3,
) -> None:
    """Return once every fact is graded, every rule has spoken and every notice has left.

    Args:
        context: What is waited for.
        require_running: Raises when a process that does the work has ended.
        looks: In a row, that find nothing to do.
        rest_s: Seconds between two looks.

    Raises:
        CommandError: That takes too long.
    """
    until_s = time.monotonic() + _SETTLE_S
    quiet = 0
    while quiet < looks:
        if time.monotonic() > until_s:
            raise CommandError(f"not done after {_SETTLE_S:.0f} s: see the log")
        require_running()
        time.sleep(rest_s)
        with context.db.read() as conn:
            quiet = 0 if _is_busy(context, conn) else quiet + 1


def _is_busy(context: StudyContext, conn: Connection) -> bool:
    if (
        journal.count_unhandled(conn)
        or outbox.count_announcements(conn)
        or alerts.count_undelivered(conn)
    ):
        return True
    last = participants.find_last_received(conn, context.study_id)
    if last is not None and timers.load_due_timers(conn, last, 1):
        return True
    if find_outdated_decisions(conn, context.study.rules):
        return True
    recipients = find_recipients(context.settings.study)
    return is_notice_due(conn, context.study_id, recipients, now_utc())
