"""Facts that a command has entered, graded before it ends."""

import os
import socket

from services.cli.shared.open_study import StudyContext
from services.runtime.clock import now_utc
from services.safety_rules.workers.journal_worker import JournalWorker


def settle(context: StudyContext) -> bool:
    """Grade what is not graded yet; False when a running service does that.

    Raises:
        CommandError: A participant's facts cannot be folded.
    """
    if context.db.has_relay:
        return False
    worker = JournalWorker(
        context.db,
        context.study.rules,
        holder=f"command {os.getpid()} on {socket.gethostname()}",
        clock=now_utc,
        by_message=context.settings.clock == "message",
    )
    return worker.settle()
