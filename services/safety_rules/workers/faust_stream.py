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
from services.runtime.topic_names import FACTS, STANDINGS
from services.safety_rules.workers.hint_worker import HintWorker, NewerRecordError

STOP_WITHIN_S = 15.0
EXIT_FAILED, EXIT_UPGRADE_ME = 70, 78  # a bug, and a record of a newer version
_FACTS_AT_ONCE, _FACTS_WITHIN_S = 200, 0.02
_DECISIONS_AT_ONCE, _DECISIONS_WITHIN_S = 1000, 0.25  # each reads all standings of the study
_DECISION_REST, _LONGEST_REST_S = 3, 2.0  # times as long as one took: the folds come first

_log = log.make_logger("safety_rules")


def make_app(settings: KafkaSettings, study: str, worker: HintWorker, folder: Path) -> faust.App:
    """Return the app whose agents fold facts by participant, and decide the study.

    Start and stop it on the loop that runs. Its workers share the group ``aegis-rules-STUDY``.

    Args:
        settings: Where the brokers are.
        study: Id.
        worker: Does the work, in a thread: neither SQL nor grading runs on the loop.
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
        broker_heartbeat_interval=settings.kafka_session_s
        / 10,  # it brings the news of a rebalance
        stream_buffer_maxsize=4096,
    )
    facts = _topic(app, FACTS)
    standings = _topic(app, STANDINGS)

    async def fold(stream: StreamT[bytes]) -> None:
        async for events in _cast_stream(stream).take_events(_FACTS_AT_ONCE, _FACTS_WITHIN_S):
            records = [(_decode_subject(event.key), event.value or b"") for event in events]
            await _run_to_completion(partial(worker.fold, records))
            pass_failpoint("rules.before_offset")

    async def decide(stream: StreamT[bytes]) -> None:
        async for keys in _cast_stream(stream).take_events(_DECISIONS_AT_ONCE, _DECISIONS_WITHIN_S):
            if any(event.key == study.encode() for event in keys):
                began_s = time.monotonic()
                await _run_to_completion(worker.decide)
                pass_failpoint("decide.before_offset")
                # the rest is short also after a decision that waited for the database
                await asyncio.sleep(
                    min(_DECISION_REST * (time.monotonic() - began_s), _LONGEST_REST_S)
                )

    app.agent(facts, concurrency=1, name="fold")(fold)
    app.agent(standings, concurrency=1, name="decide")(decide)

    async def forget(*_revoked: object, **_more: object) -> None:
        await asyncio.to_thread(worker.clear_cache)

    app.on_partitions_revoked.connect(forget, weak=False)
    return app


@dataclass(frozen=True, slots=True)
class StreamEdge:
    """The edge as a process serves it: *app* starts, and stops within *stop_within_s*."""

    app: faust.App
    stop_within_s: float = STOP_WITHIN_S

    async def start(self) -> None:
        """Start to read."""
        await self.app.start()

    async def stop(self) -> None:
        """Finish the records in hand, acknowledge them, and leave the group.

        When the group is moving partitions just then, Faust waits for a coordinator for ever. Then
        the process ends where it stands: nothing is acknowledged, and others read it again.
        """
        stop_task = asyncio.ensure_future(self.app.stop())
        await asyncio.wait({stop_task}, timeout=self.stop_within_s)
        if not stop_task.done():
            _log.warning("group_not_left", duration_s=self.stop_within_s)
            os._exit(0)
        await stop_task


def list_lags(app: faust.App) -> dict[tuple[str, int], int]:
    """Return the number of records that *app* has not read, by topic and partition."""
    monitor = app.monitor
    return {
        (partition.topic, partition.partition): max(
            0, end - monitor.tp_committed_offsets[partition]
        )
        for partition, end in dict(monitor.tp_end_offsets).items()
        if partition in monitor.tp_committed_offsets
    }


def _decode_subject(key: bytes | None) -> str:
    """Return the subject of a record; its writer may have written anything."""
    return (key or b"").decode(errors="replace")


def _cast_stream(stream: StreamT[bytes]) -> Stream[bytes]:
    """Return *stream* with all its methods; the interface leaves `take_events` out."""
    return cast("Stream[bytes]", stream)


async def _run_to_completion(task: Callable[[], None]) -> None:
    """Run *task* to completion even when cancelled; an exception ends the process."""
    future = asyncio.ensure_future(asyncio.to_thread(_run_or_exit, task))
    try:
        await asyncio.shield(future)
    except asyncio.CancelledError:
        await future
        raise


def _run_or_exit(task: Callable[[], None]) -> None:
    try:
        task()
    except NewerRecordError as error:
        _log.critical("upgrade_me", problem=str(error))
        os._exit(EXIT_UPGRADE_ME)
    except BaseException as error:  # noqa: BLE001 - to raise, or to stop in order, would acknowledge
        _log.critical("fold_failed", exc_info=error)
        os._exit(EXIT_FAILED)


def _topic(app: faust.App, name: str) -> Any:  # noqa: ANN401 - Faust is not typed
    return app.topic(
        name, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
    )


def _credentials(settings: KafkaSettings) -> faust.SSLCredentials | None:
    context = make_tls_context(settings)
    return None if context is None else faust.SSLCredentials(context)
