"""The edge to Kafka: a Faust app that hands records to the rules and does nothing else.

Faust acknowledges a batch whose body is cancelled, so a body runs to its end whatever happens, and
what fails for good ends the process before anything is acknowledged. No tables, no timers.

Source: docs/adr/0007-many-workers.md
"""

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import faust
from faust.streams import Stream
from faust.types import StreamT

from services.runtime import log
from services.runtime.failpoints import pass_failpoint
from services.runtime.kafka import make_tls_context
from services.runtime.settings import KafkaSettings
from services.runtime.topics import FACTS, STANDINGS
from services.safety_rules.workers.hint_worker import HintWorker, NewerRecordError

STOP_WITHIN_S = 15.0
FAILED, UPGRADE_ME = 70, 78  # exit codes: a bug, and a record of a newer version
_FACTS_AT_ONCE, _FACTS_WITHIN_S = 200, 0.02
_LOOKS_AT_ONCE, _LOOKS_WITHIN_S = 1000, 0.25  # a look reads every standing of the study
_LOOK_REST, _LONGEST_REST_S = 3, 2.0  # times as long as a look took: the folds come first

_log = log.make_logger("safety_rules")


def app_of(settings: KafkaSettings, study: str, worker: HintWorker, folder: Path) -> faust.App:
    """Return the app whose agents fold facts by participant, and look at the study again.

    Start and stop it on the loop that runs. Its workers share the group ``aegis-rules-STUDY``.

    Args:
        settings: Where the brokers are.
        study: Id.
        worker: Who does the work, in a thread: neither SQL nor grading runs on the loop.
        folder: Where Faust may keep files; nothing of ours is in them.
    """
    folder.mkdir(parents=True, exist_ok=True)  # Faust makes the last part alone
    app = faust.App(
        f"aegis-rules-{study.lower()}",
        broker=[f"kafka://{server}" for server in settings.servers],
        broker_credentials=_credentials(settings),
        store="memory://",
        datadir=folder,
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        stream_wait_empty=True,
        consumer_auto_offset_reset="earliest",
        broker_commit_interval=1.0,
        broker_session_timeout=settings.kafka_session_s,
        broker_heartbeat_interval=settings.kafka_session_s / 10,  # by it a rebalance is heard of
        stream_buffer_maxsize=4096,
    )
    facts = _topic(app, FACTS)
    standings = _topic(app, STANDINGS)

    async def fold(stream: StreamT[bytes]) -> None:
        async for events in _whole(stream).take_events(_FACTS_AT_ONCE, _FACTS_WITHIN_S):
            records = [(_name(event.key), event.value or b"") for event in events]
            await _to_its_end(partial(worker.fold, records))
            pass_failpoint("rules.before_offset")

    async def decide(stream: StreamT[bytes]) -> None:
        async for keys in _whole(stream).take_events(_LOOKS_AT_ONCE, _LOOKS_WITHIN_S):
            if any(event.key == study.encode() for event in keys):
                began_s = time.monotonic()
                await _to_its_end(worker.decide)
                pass_failpoint("decide.before_offset")
                # of a look that waited for the database, too, the rest is short
                await asyncio.sleep(min(_LOOK_REST * (time.monotonic() - began_s), _LONGEST_REST_S))

    app.agent(facts, concurrency=1, name="fold")(fold)
    app.agent(standings, concurrency=1, name="decide")(decide)

    async def forget(*_revoked: object, **_more: object) -> None:
        await asyncio.to_thread(worker.forget)

    app.on_partitions_revoked.connect(forget, weak=False)
    return app


@dataclass(frozen=True, slots=True)
class StreamEdge:
    """The edge as a process serves it: *app* begins, and ends in *stop_within_s*."""

    app: faust.App
    stop_within_s: float = STOP_WITHIN_S

    async def start(self) -> None:
        """Begin to read."""
        await self.app.start()

    async def stop(self) -> None:
        """Finish what was begun, acknowledge it, and leave the group.

        When the group is moving partitions just then, Faust waits for a coordinator for ever. Then
        the process ends where it stands: nothing is acknowledged, and others read it again.
        """
        stopping = asyncio.ensure_future(self.app.stop())
        done, _ = await asyncio.wait({stopping}, timeout=self.stop_within_s)
        if not done:
            _log.warning("group_not_left", duration_s=self.stop_within_s)
            os._exit(0)
        await stopping


def lags(app: faust.App) -> dict[tuple[str, int], int]:
    """Return how many records lie in front of *app*, by topic and partition that it reads."""
    seen = app.monitor
    return {
        (partition.topic, partition.partition): max(0, end - seen.tp_committed_offsets[partition])
        for partition, end in dict(seen.tp_end_offsets).items()
        if partition in seen.tp_committed_offsets
    }


def _name(key: bytes | None) -> str:
    """Return whom a record is about; whoever wrote it may have written anything."""
    return (key or b"").decode(errors="replace")


def _whole(stream: StreamT[bytes]) -> Stream[bytes]:
    """Return *stream* with all that it can; the interface leaves `take_events` out."""
    return cast("Stream[bytes]", stream)


async def _to_its_end(does: Callable[[], None]) -> None:
    """Return once *does* has; a stop waits for it, and what it raises ends the process."""
    running = asyncio.ensure_future(asyncio.to_thread(_or_end, does))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        await running
        raise


def _or_end(does: Callable[[], None]) -> None:
    try:
        does()
    except NewerRecordError as error:
        _log.critical("upgrade_me", problem=str(error))
        os._exit(UPGRADE_ME)
    except BaseException as error:  # noqa: BLE001 - to raise, or to stop in order, would acknowledge
        _log.critical("fold_failed", exc_info=error)
        os._exit(FAILED)


def _topic(app: faust.App, name: str) -> Any:  # noqa: ANN401 - Faust is not typed
    return app.topic(
        name, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
    )


def _credentials(settings: KafkaSettings) -> faust.SSLCredentials | None:
    context = make_tls_context(settings)
    return None if context is None else faust.SSLCredentials(context)
