"""The MLLP listener: reads frames and answers each, in order, after the commit."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from services.ingest.answer_queue import AddressRooms, AnswerQueue, PendingAnswer
from services.ingest.bounded_listener import BoundedListener
from services.ingest.domain.connection_access import Admission, Exclusion, Peer, admit
from services.ingest.domain.hl7.acknowledgement import acknowledge
from services.ingest.domain.hl7.frames import (
    LARGEST_BYTES,
    FrameReader,
    OversizedFrame,
    frame_message,
)
from services.ingest.domain.message_content import Refusal
from services.ingest.intake import Submission
from services.ingest.writer import Writer
from services.runtime import log
from services.runtime.certificate_subjects import read_subject
from services.runtime.clock import Clock
from services.runtime.connection_limits import ConnectionLimits
from services.runtime.failpoints import pass_failpoint
from services.runtime.log_limit import LogLimit

_CHUNK = 64 * 1024
_FRAMES_AT_ONCE = 16  # of one connection; then it is the turn of the others
_GOODBYE_S = 5.0
_FRAMING_ADVICE = "begin every message with the byte 0B and end it with 1C 0D"
_FRAME_DEADLINE_S = 30.0
_GARBAGE_LINE_S = 60.0

__all__ = ["MllpServer", "admit"]

_log = log.make_logger("ingest")


@dataclass(slots=True)
class MllpServer:
    """A listener on one port.

    Args:
        writer: The writer, started.
        clock: For the time of the acknowledgement.
        largest: Limit of a message, in bytes.
        frame_deadline_s: Time limit of a frame from its first byte, and of reading an answer.
        goodbye_s: Time limit of the last answers of a connection.
        garbage_line_s: Interval of the lines of the log about bytes of a connection in no frame.
        limits: Of its connections.
        admit: The site for which a connection may speak, or why it may not send.
        on_exclusion: Called for each connection that may not send; nothing of it is read.
    """

    writer: Writer
    clock: Clock
    largest: int = LARGEST_BYTES
    frame_deadline_s: float = _FRAME_DEADLINE_S
    goodbye_s: float = _GOODBYE_S
    garbage_line_s: float = _GARBAGE_LINE_S
    limits: ConnectionLimits = field(default_factory=ConnectionLimits)
    admit: Callable[[Peer], Admission | Exclusion] = lambda _peer: Admission()
    on_exclusion: Callable[[], None] = lambda: None
    _exclusion_lines: LogLimit = field(default_factory=LogLimit)
    _rooms: AddressRooms = field(default_factory=AddressRooms)
    _listener: BoundedListener = field(init=False)

    def __post_init__(self) -> None:
        self._listener = BoundedListener(self._serve, self.limits)

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Start to listen, and return the port: a free one when *port* is 0.

        Raises:
            OSError: The port is taken, or not this user's to take.
        """
        return await self._listener.start(host, port, tls)

    async def stop(self) -> None:
        """Refuse new connections, answer the messages received so far, and close."""
        await self._listener.stop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = _read_peer(writer)
        admission = self.admit(peer)
        if isinstance(admission, Exclusion):
            self._exclude(peer, admission)
            writer.close()
            return
        answers = AnswerQueue(self.largest, self._rooms.find_room(peer.address))
        garbage = _GarbageLines(peer.address, self.garbage_line_s)
        receiver = asyncio.create_task(self._receive(reader, answers, admission.site, garbage))
        sender = asyncio.create_task(self._answer(answers, writer))
        try:
            with contextlib.suppress(asyncio.CancelledError):  # by `stop`
                await asyncio.wait({receiver, sender}, return_when=asyncio.FIRST_COMPLETED)
            receiver.cancel()
            answers.end()
            # what was received is answered, or sent again by a sender that saw no answer
            await asyncio.wait({receiver, sender}, timeout=self.goodbye_s)
            sender.cancel()  # unless it is done
            for end in await asyncio.gather(receiver, sender, return_exceptions=True):
                if isinstance(end, Exception) and not isinstance(end, OSError):
                    _log.error("connection_failed", exc_info=end)
        finally:
            answers.close()
            garbage.write_line()
            await self._close(writer)

    async def _close(self, writer: asyncio.StreamWriter) -> None:
        """Close the connection, although nobody may read what was answered."""
        writer.close()
        try:
            await asyncio.wait_for(writer.wait_closed(), self.goodbye_s)
        except TimeoutError:
            writer.transport.abort()
        except OSError:
            pass  # it has hung up

    def _exclude(self, peer: Peer, exclusion: Exclusion) -> None:
        self.on_exclusion()
        if count := self._exclusion_lines.count_event(peer.address, time.monotonic()):
            problem = f"{exclusion.problem}: {exclusion.remedy}"
            _log.warning("connection_excluded", host=peer.address, count=count, problem=problem)

    async def _receive(
        self,
        reader: asyncio.StreamReader,
        answers: AnswerQueue,
        site: str,
        garbage: "_GarbageLines",
    ) -> None:
        peer = garbage.peer
        frames = FrameReader(self.largest)
        waited_s, frame_number = 0.0, 0  # for the frame in hand: time that we did not read is ours
        while True:
            limit_s = max(0.0, self.frame_deadline_s - waited_s) if frames.is_halfway else None
            began_s = time.monotonic()
            try:
                data = await asyncio.wait_for(reader.read(_CHUNK), limit_s)
            except TimeoutError:
                _log.warning("frame_not_finished", duration_s=self.frame_deadline_s, host=peer)
                return
            waited_s += time.monotonic() - began_s
            for count, frame in enumerate(frames.feed(data), 1):
                await answers.wait_for_room()
                answers.add(self._accept(frame, site, peer))
                if not count % _FRAMES_AT_ONCE:
                    await asyncio.sleep(0)
            if frames.begun_count != frame_number:
                waited_s, frame_number = 0.0, frames.begun_count
            garbage.report(frames.garbage)
            if not data:
                if frames.is_halfway:
                    _log.warning("connection_closed_in_a_frame", host=peer)
                return

    def _accept(self, frame: bytes | OversizedFrame, site: str, peer: str) -> PendingAnswer:
        submission = Submission(
            frame.head if isinstance(frame, OversizedFrame) else frame,
            "mllp",
            site,
            address=peer,
            refusal=self._refusal if isinstance(frame, OversizedFrame) else None,
        )
        outcome = asyncio.wrap_future(self.writer.submit(submission))
        return PendingAnswer(submission.body, outcome)

    @property
    def _refusal(self) -> Refusal:
        problem = f"the message is longer than {self.largest} bytes"
        return Refusal("MSH", problem, "send documents by reference, results in parts")

    async def _answer(self, answers: AnswerQueue, writer: asyncio.StreamWriter) -> None:
        """Send the answers in the order of the messages; several that are ready go out together."""
        while (pending := await answers.take_next()) is not None:
            outcome = await pending.outcome
            ack = acknowledge(pending.raw, outcome.answer, self.clock(), outcome.refusal)
            writer.write(frame_message(ack))
            if answers.is_empty or writer.transport.get_write_buffer_size() > _CHUNK:
                await asyncio.wait_for(writer.drain(), self.frame_deadline_s)
            answers.release(pending)
            pass_failpoint("ingest.after_ack")


@dataclass(slots=True)
class _GarbageLines:
    """Lines of the log about bytes outside of frames: one of a connection and interval, at its end.

    Args:
        peer: The address of the connection.
        interval_s: From the first such byte that no line has told.
    """

    peer: str
    interval_s: float
    _count: int = 0
    _logged_count: int = 0
    _timer: asyncio.TimerHandle | None = None

    def report(self, count: int) -> None:
        """Log by the end of the interval that there were *count* such bytes in all."""
        self._count = count
        if self._timer is None and count > self._logged_count:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self.interval_s, self.write_line)

    def write_line(self) -> None:
        """Log those since the last line."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if count := self._count - self._logged_count:
            problem = _FRAMING_ADVICE
            _log.warning("bytes_outside_of_frames", count=count, host=self.peer, problem=problem)
        self._logged_count = self._count


def _read_peer(writer: asyncio.StreamWriter) -> Peer:
    """Return the address of the client, and the subject of the certificate that it has shown."""
    name = writer.get_extra_info("peername")
    tls: ssl.SSLObject | None = writer.get_extra_info("ssl_object")
    certificate = tls.getpeercert(binary_form=True) if tls is not None else None
    return Peer(str(name[0]) if name else "", read_subject(certificate) if certificate else None)
