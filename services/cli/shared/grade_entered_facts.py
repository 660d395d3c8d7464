"""Grading of the facts that a command has entered, before the command ends."""

import os
import socket
import time
from dataclasses import dataclass
from datetime import datetime

from services.acts.study_context import StudyContext
from services.cli.shared.seal_written_rows import seal_written_rows
from services.runtime.clock import now_utc
from services.safety_rules.workers.journal_worker import JournalWorker
from services.store import journal, leases, states
from services.store.session import DatabaseError, is_transient

_COMMAND = "command"  # how the name of a holder begins that ends as soon as nothing is left
_PAUSE_S = 0.1
_BUSY_S = 60.0  # time limit of other writers of the same file
_SERVICE_LEASES = ("rules", "waker")


def grade_entered_facts(context: StudyContext) -> bool:
    """Grade the facts that wait, and return True; False when a running service grades them.

    What the command has written is sealed, too.

    Raises:
        CommandError: A participant's facts cannot be folded.
    """
    is_graded = _grade(context)
    seal_written_rows(context.db, context.keys)
    return is_graded


def _grade(context: StudyContext) -> bool:
    """Return True once the facts that wait are graded; False: a service grades them.

    Beside another command it waits for its turn: that command may have looked for facts before
    those of this one were there. A service is only trusted that has graded them, or that renews
    its lease: one that was killed holds its lease for some seconds more.
    """
    if context.db.has_relay:
        return False
    worker = JournalWorker(
        context.db,
        context.study.rules,
        holder=f"{_COMMAND} {os.getpid()} on {socket.gethostname()}",
        clock=now_utc,
        by_message=context.settings.clock == "message",
    )
    lease_end: datetime | None = None
    busy_until_s = time.monotonic() + _BUSY_S
    while True:
        try:
            if worker.settle():
                return True
            rival = _find_service(context)
        except DatabaseError as error:  # another process writes
            if not is_transient(error) or time.monotonic() > busy_until_s:
                raise
            worker.cache = worker.cache.make_empty()
        else:
            busy_until_s = time.monotonic() + _BUSY_S
            if rival is not None:
                if not rival.has_work or lease_end not in (None, rival.lease_end):
                    return False
                lease_end = rival.lease_end
        time.sleep(_PAUSE_S)


@dataclass(frozen=True, slots=True)
class _GradingService:
    """A service that grades: the end of its lease, and True when facts wait for it."""

    lease_end: datetime
    has_work: bool


def _find_service(context: StudyContext) -> _GradingService | None:
    """Return the service that holds the lease to grade; None when a command does, or nobody."""
    with context.db.read() as conn:
        lease = leases.find_lease_holder(conn, "rules")
        if lease is None or lease[0].startswith(_COMMAND):
            return None
        lagging_subjects = journal.find_lagging_subjects(conn, 1)
        version = context.study.rules.version
        has_work = bool(lagging_subjects or states.find_subjects_to_refold(conn, version, 1))
        return _GradingService(lease[1], has_work)


def describe_later_grading(context: StudyContext, pronoun: str = "them") -> str:
    """Return a sentence on who grades what `grade_entered_facts` has left to a service."""
    if _is_served(context):
        return f"a running service grades {pronoun}"
    return f"no service is running: one grades {pronoun} when it is started"


def describe_service(context: StudyContext) -> str:
    """Return a sentence on who takes files that were just activated."""
    if _is_served(context):
        return "running processes take them now (their logs say so, or why not)"
    return "no service is running: one takes them when it is started"


def _is_served(context: StudyContext) -> bool:
    with context.db.read() as conn:
        return leases.is_held(conn, _SERVICE_LEASES, now_utc())
