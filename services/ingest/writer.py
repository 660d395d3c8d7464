"""The writer thread: stores the waiting messages in one transaction, then answers them all."""

import sys
import threading
import time
from collections.abc import Hashable, Sequence
from concurrent.futures import Future

from services.ingest.domain.hl7.acknowledgement import AckCode
from services.ingest.domain.message_content import Refusal
from services.ingest.intake import Intake, Outcome, Submission, not_stored_outcome
from services.ingest.refused_messages import find_sending_site
from services.ingest.sender_queues import SenderQueues
from services.runtime import log
from services.runtime.health import Progress

BATCH_SIZE = 256
BATCH_BYTES = 256 * 1024  # some thousand results, which are stored within half a second
_LEAST_BATCH = 64  # fewer would leave a slow disk with commits alone
_LONGEST_BATCH_S = 0.1  # who comes next waits for the batch in hand, and for its own
WAIT_S = 0.005
_GOODBYE_S = 5.0  # for the messages that wait when the process is asked to end
_STOPPING = Refusal("MSH", "the service is about to end", "send it again")

_log = log.make_logger("ingest")

_QueuedMessage = tuple[Submission, "Future[Outcome]"]


class Writer:
    """The queues of messages from any thread; each message gets its outcome once it is on disk.

    Attributes:
        intake: Accepts the messages.
    """

    def __init__(
        self, intake: Intake, progress: Progress | None = None, goodbye_s: float = _GOODBYE_S
    ) -> None:
        """Prepare to write for *intake*, and for *goodbye_s* seconds after it is asked to stop."""
        self.intake = intake
        self._progress = progress or Progress()
        self._goodbye_s = goodbye_s
        self._queues: SenderQueues[_QueuedMessage] = SenderQueues()
        self._batch_size = BATCH_SIZE  # less on a machine that is slow or busy
        self._ends_s: float | None = None
        self._has_ended = False
        self._has_changed = threading.Condition()
        self._thread = threading.Thread(
            target=self._write_batches, name="ingest writer", daemon=True
        )

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Store the waiting messages as long as there is time, then end the thread.

        The others are answered as not stored.
        """
        with self._has_changed:
            self._ends_s = time.monotonic() + self._goodbye_s
            self._has_changed.notify()
        self._thread.join()

    def submit(self, submission: Submission) -> "Future[Outcome]":
        """Return a future of the outcome of *submission*."""
        future: Future[Outcome] = Future()
        future.set_running_or_notify_cancel()  # a sender that has gone cannot cancel it
        self._progress.record_waiting(time.monotonic())
        sender = self._identify_sender(submission)
        with self._has_changed:
            if self._has_ended:
                future.set_result(Outcome(AckCode.ERROR, _STOPPING))
                return future
            self._queues.add(sender, (submission, future), len(submission.body))
            if len(self._queues) in (1, self._batch_size):
                self._has_changed.notify()
        return future

    def _identify_sender(self, submission: Submission) -> Hashable:
        """Return the key of the queue: the site that is certain, else the address.

        Of an address that may speak for several, each site that it names has a queue.
        """
        if submission.site or not submission.address:
            return submission.site
        named_site = find_sending_site(self.intake.sites, submission, _STOPPING)
        return submission.address, named_site

    def _write_batches(self) -> None:
        while batch := self._take_batch():
            self._store(batch)
            if not len(self._queues):
                self._progress.record_idle()
        with self._has_changed:
            self._has_ended = True
            unstored_batch = self._queues.take_batch(len(self._queues), sys.maxsize)
        for _, future in unstored_batch:
            future.set_result(Outcome(AckCode.ERROR, _STOPPING))

    def _store(self, batch: Sequence[_QueuedMessage]) -> None:
        began_s = time.monotonic()
        outcomes = self._accept_batch([submission for submission, _ in batch])
        self._adapt_batch_size(len(batch), time.monotonic() - began_s)
        self._progress.record_commit(time.monotonic())
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            future.set_result(outcome)

    def _adapt_batch_size(self, count: int, duration_s: float) -> None:
        """Take fewer messages at once when *count* took too long, and more when they did not."""
        if duration_s > _LONGEST_BATCH_S:
            self._batch_size = max(_LEAST_BATCH, self._batch_size // 2)
        elif count >= self._batch_size and duration_s < _LONGEST_BATCH_S / 2:
            self._batch_size = min(BATCH_SIZE, 2 * self._batch_size)

    def _accept_batch(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Return the outcome of each; every sender is answered, whatever fails.

        A message that is on disk nevertheless is recognised when it is sent again.
        """
        try:
            return self.intake.accept(submissions)
        except Exception as error:  # noqa: BLE001 - all later messages need this thread
            _log.error("not_answered", exc_info=error)
            return [not_stored_outcome(error)] * len(submissions)

    def _take_batch(self) -> list[_QueuedMessage]:
        """Return the waiting messages whose turn it is; none after the last batch."""
        with self._has_changed:
            self._has_changed.wait_for(lambda: len(self._queues) or self._is_ending)
            self._has_changed.wait_for(
                lambda: len(self._queues) >= self._batch_size or self._is_ending, WAIT_S
            )
            if self._ends_s is not None and time.monotonic() > self._ends_s:
                return []
            return self._queues.take_batch(self._batch_size, BATCH_BYTES)

    @property
    def _is_ending(self) -> bool:
        return self._ends_s is not None
