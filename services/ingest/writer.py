"""The writer thread: stores the waiting messages in one transaction, then answers them all."""

import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future

from services.ingest.intake import Intake, Outcome, Submission, not_stored_outcome
from services.runtime import log
from services.runtime.health import Progress

BATCH_SIZE = 256
WAIT_S = 0.005

_log = log.make_logger("ingest")

_QueuedMessage = tuple[Submission, "Future[Outcome]"]


class Writer:
    """A queue of messages from any thread; each gets its outcome once it is on disk.

    Attributes:
        intake: Accepts the messages.
    """

    def __init__(self, intake: Intake, progress: Progress | None = None) -> None:
        """Prepare to write for *intake*."""
        self.intake = intake
        self._progress = progress or Progress()
        self._queue: queue.SimpleQueue[_QueuedMessage | None] = queue.SimpleQueue()
        self._thread = threading.Thread(
            target=self._write_batches, name="ingest writer", daemon=True
        )

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Store the waiting messages, then end the thread."""
        self._queue.put(None)
        self._thread.join()

    def submit(self, submission: Submission) -> "Future[Outcome]":
        """Return a future of the outcome of *submission*."""
        future: Future[Outcome] = Future()
        future.set_running_or_notify_cancel()  # a sender that has gone cannot cancel it
        self._progress.record_waiting(time.monotonic())
        self._queue.put((submission, future))
        return future

    def _write_batches(self) -> None:
        goes_on = True
        while goes_on:
            batch, goes_on = self._take_batch()
            if batch:
                outcomes = self._accept_batch([incoming for incoming, _ in batch])
                self._progress.record_commit(time.monotonic())
                for (_, future), outcome in zip(batch, outcomes, strict=True):
                    future.set_result(outcome)
            if self._queue.empty():
                self._progress.record_idle()

    def _accept_batch(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Return the outcome of each; every sender is answered, whatever fails.

        A message that is on disk nevertheless is recognised when it is sent again.
        """
        try:
            return self.intake.accept(submissions)
        except Exception as error:  # noqa: BLE001 - all later messages need this thread
            _log.error("not_answered", exc_info=error)
            return [not_stored_outcome(error)] * len(submissions)

    def _take_batch(self) -> tuple[list[_QueuedMessage], bool]:
        """Return the waiting messages, at most `BATCH_SIZE`, and False after the last batch."""
        first = self._queue.get()
        if first is None:
            return [], False
        batch = [first]
        deadline_s = time.monotonic() + WAIT_S
        while len(batch) < BATCH_SIZE:
            try:
                queued_message = self._queue.get(timeout=max(0.0, deadline_s - time.monotonic()))
            except queue.Empty:
                break
            if queued_message is None:
                return batch, False
            batch.append(queued_message)
        return batch, True
