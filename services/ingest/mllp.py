"""The MLLP listener: reads frames and answers each, in order, after the commit."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from services.ingest.domain.connection_access import Admission, Exclusion, Peer, admit
from services.ingest.domain.hl7.acknowledgement import acknowledge
from services.ingest.domain.hl7.frames import (
    LARGEST_BYTES,
    FrameReader,
    OversizedFrame,
    frame_message,
)
from services.ingest.domain.message_content import Refusal
from services.ingest.intake import Outcome, Submission
from services.ingest.writer import Writer
from services.runtime import log
from services.runtime.certificate_subjects import read_subject
from services.runtime.clock import Clock
from services.runtime.failpoints import pass_failpoint
from services.runtime.log_limit import LogLimit

_CHUNK = 256 * 1024
_UNANSWERED_LIMIT = 512  # messages of one connection that wait for their answer
_GOODBYE_S = 5.0
_FRAMING_ADVICE = "begin every message with the byte 0B and end it with 1C 0D"
_HALFWAY_S = 30.0  # a frame that has begun ends within this, or the connection does

__all__ = ["MllpServer", "admit"]

_log = log.make_logger("ingest")


@dataclass(slots=True)
class MllpServer:
    """A listener on one port.

    Args:
        writer: The writer, started.
        clock: For the time of the acknowledgement.
        largest: Limit of a message, in bytes.
        halfway_s: Time limit of a frame that has begun.
        goodbye_s: Time limit of the last answers of a connection.
        admit: The site for which a connection may speak, or why it may not send.
        on_exclusion: Called for each connection that may not send; nothing of it is read.
    """

    writer: Writer
    clock: Clock
    largest: int = LARGEST_BYTES
    halfway_s: float = _HALFWAY_S
    goodbye_s: float = _GOODBYE_S
    admit: Callable[[Peer], Admission | Exclusion] = lambda _peer: Admission()
    on_exclusion: Callable[[], None] = lambda: None
    _exclusion_lines: LogLimit = field(default_factory=LogLimit)
    _server: asyncio.Server | None = None
    _connections: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Start to listen, and return the port: a free one when *port* is 0.

        Raises:
            OSError: The port is taken, or not this user's to take.
        """
        self._server = await asyncio.start_server(self._serve, host, port, ssl=tls)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Refuse new connections, answer the messages received so far, and close."""
        if self._server is not None:
            self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        peer = _read_peer(writer)
        admission = self.admit(peer)
        if isinstance(admission, Exclusion):
            self._exclude(peer, admission)
            writer.close()
            return
        answers = _AnswerQueue()
        receiver = asyncio.create_task(self._receive(reader, answers, peer.address, admission.site))
        sender = asyncio.create_task(self._answer(answers, writer))
        try:
            with contextlib.suppress(asyncio.CancelledError):  # by `stop`
                await asyncio.wait({receiver, sender}, return_when=asyncio.FIRST_COMPLETED)
            receiver.cancel()
            answers.add(None)
            # what was received is answered, or sent again by a sender that saw no answer
            await asyncio.wait({receiver, sender}, timeout=self.goodbye_s)
            if not sender.done():  # nobody reads what is answered
                sender.cancel()
                writer.transport.abort()
            for end in await asyncio.gather(receiver, sender, return_exceptions=True):
                if isinstance(end, Exception) and not isinstance(end, OSError):
                    _log.error("connection_failed", exc_info=end)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _exclude(self, peer: Peer, exclusion: Exclusion) -> None:
        self.on_exclusion()
        if count := self._exclusion_lines.count_event(peer.address, time.monotonic()):
            problem = f"{exclusion.problem}: {exclusion.remedy}"
            _log.warning("connection_excluded", host=peer.address, count=count, problem=problem)

    async def _receive(
        self, reader: asyncio.StreamReader, answers: "_AnswerQueue", peer: str, site: str
    ) -> None:
        frames = FrameReader(self.largest)
        while True:
            limit_s = self.halfway_s if frames.is_halfway else None
            try:
                data = await asyncio.wait_for(reader.read(_CHUNK), limit_s)
            except TimeoutError:
                _log.warning("frame_not_finished", duration_s=self.halfway_s, host=peer)
                return
            if not data:
                if frames.is_halfway:
                    _log.warning("connection_closed_in_a_frame", host=peer)
                return
            garbage = frames.garbage
            for frame in frames.feed(data):
                await answers.room.acquire()
                answers.add(self._accept(frame, site))
            if frames.garbage > garbage:
                count = frames.garbage - garbage
                _log.warning(
                    "bytes_outside_of_frames", count=count, host=peer, problem=_FRAMING_ADVICE
                )

    def _accept(self, frame: "bytes | OversizedFrame", site: str) -> "_PendingAnswer":
        if isinstance(frame, OversizedFrame):
            problem = f"the message is longer than {self.largest} bytes"
            refusal = Refusal("MSH", problem, "send documents by reference, results in parts")
            refuse = self.writer.intake.refuse
            outcome = asyncio.to_thread(refuse, Submission(frame.head, "mllp", site), refusal)
            return _PendingAnswer(frame.head, asyncio.create_task(outcome))
        future = self.writer.submit(Submission(frame, "mllp", site))
        return _PendingAnswer(frame, asyncio.wrap_future(future))

    async def _answer(self, answers: "_AnswerQueue", writer: asyncio.StreamWriter) -> None:
        """Send the answers in the order of the messages; several that are ready go out together."""
        while (pending := await answers.queue.get()) is not None:
            outcome = await pending.outcome
            ack = acknowledge(pending.raw, outcome.answer, self.clock(), outcome.refusal)
            writer.write(frame_message(ack))
            if answers.queue.empty() or writer.transport.get_write_buffer_size() > _CHUNK:
                await writer.drain()
            answers.room.release()
            pass_failpoint("ingest.after_ack")


@dataclass(frozen=True, slots=True)
class _PendingAnswer:
    raw: bytes
    outcome: "asyncio.Future[Outcome]"


@dataclass(frozen=True, slots=True)
class _AnswerQueue:
    """Messages of one connection that await their answer, ended by None; *room* limits them."""

    queue: "asyncio.Queue[_PendingAnswer | None]" = field(default_factory=asyncio.Queue)
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_UNANSWERED_LIMIT))

    def add(self, pending: _PendingAnswer | None) -> None:
        self.queue.put_nowait(pending)


def _read_peer(writer: asyncio.StreamWriter) -> Peer:
    """Return the address of the client, and the subject of the certificate that it has shown."""
    name = writer.get_extra_info("peername")
    tls: ssl.SSLObject | None = writer.get_extra_info("ssl_object")
    certificate = tls.getpeercert(binary_form=True) if tls is not None else None
    return Peer(str(name[0]) if name else "", read_subject(certificate) if certificate else None)
