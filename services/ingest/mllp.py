"""The MLLP listener: frames in, acknowledgements out, in order, after the commit."""

import asyncio
import contextlib
import ssl
from dataclasses import dataclass, field

from services.ingest.application import Incoming, Outcome
from services.ingest.domain.hl7.acknowledgement import Answer, acknowledge
from services.ingest.domain.hl7.frames import LARGEST, Frames, Oversized, framed
from services.ingest.domain.reading import Refused
from services.ingest.writer import Writer
from services.runtime import log
from services.runtime.clock import Clock
from services.runtime.failpoints import reached

_CHUNK = 256 * 1024
_OUTSTANDING = 512  # messages of one connection that wait for their answer
_HALFWAY_S = 30.0  # a frame that has begun ends within this, or the connection does

_log = log.logger("ingest")


@dataclass(slots=True)
class MllpServer:
    """Listens on one port; *site_of_certificate* is empty without TLS client certificates.

    Args:
        writer: Started.
        clock: For the time of the acknowledgement.
        largest: Bytes of a message.
        halfway_s: How long a frame that has begun may take.
    """

    writer: Writer
    clock: Clock
    largest: int = LARGEST
    halfway_s: float = _HALFWAY_S
    _server: asyncio.Server | None = None
    _connections: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Listen; return the port, which is a free one when *port* is 0.

        Raises:
            OSError: The port is taken, or not this user's to take.
        """
        self._server = await asyncio.start_server(self._serve, host, port, ssl=tls)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Take no new connection, answer what was received, close."""
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
        answers: asyncio.Queue[_Pending | None] = asyncio.Queue(_OUTSTANDING)
        answering = asyncio.create_task(self._answer(answers, writer))
        try:
            await self._receive(reader, answers)
        except (ConnectionError, asyncio.CancelledError, ssl.SSLError):
            pass  # what was received is answered, or sent again by a sender that saw no answer
        finally:
            await answers.put(None)
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await answering
                writer.close()
                await writer.wait_closed()

    async def _receive(
        self, reader: asyncio.StreamReader, answers: "asyncio.Queue[_Pending | None]"
    ) -> None:
        frames = Frames(self.largest)
        while True:
            limit_s = self.halfway_s if frames.is_halfway else None
            try:
                data = await asyncio.wait_for(reader.read(_CHUNK), limit_s)
            except TimeoutError:
                _log.warning("frame_not_finished", duration_s=self.halfway_s)
                return
            if not data:
                if frames.is_halfway:
                    _log.warning("connection_closed_in_a_frame")
                return
            garbage = frames.garbage
            for frame in frames.feed(data):
                await answers.put(self._accept(frame))
            if frames.garbage > garbage:
                _log.warning("bytes_between_frames", count=frames.garbage - garbage)

    def _accept(self, frame: "bytes | Oversized") -> "_Pending":
        if isinstance(frame, Oversized):
            problem = f"the message is longer than {self.largest} bytes"
            refused = Refused("MSH", problem, "send documents by reference, results in parts")
            done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
            done.set_result(Outcome(Answer.REJECT, refused))
            return _Pending(frame.head, done)
        future = self.writer.submit(Incoming(frame, "mllp"))
        return _Pending(frame, asyncio.wrap_future(future))

    async def _answer(
        self, answers: "asyncio.Queue[_Pending | None]", writer: asyncio.StreamWriter
    ) -> None:
        """Answer in the order in which messages came; several that are ready go out together."""
        while (pending := await answers.get()) is not None:
            outcome = await pending.outcome
            ack = acknowledge(pending.raw, outcome.answer, self.clock(), outcome.refused)
            writer.write(framed(ack))
            if answers.empty() or writer.transport.get_write_buffer_size() > _CHUNK:
                await writer.drain()
            reached("ingest.after_ack")


@dataclass(frozen=True, slots=True)
class _Pending:
    raw: bytes
    outcome: "asyncio.Future[Outcome]"
