"""The rules, as a part of a process: one of many on Kafka."""

import threading
from dataclasses import dataclass, field

import faust

from services.cli.process.process_server import make_holder_name
from services.cli.process.roles.parts import Parts
from services.cli.process.roles.sealer import add_sealer
from services.runtime import kafka
from services.runtime.clock import now_utc
from services.runtime.metrics import Metrics
from services.runtime.topic_names import FACTS, STANDINGS
from services.safety_rules.application.cache import MB, Cache
from services.safety_rules.application.fold_participants import FoldResult
from services.safety_rules.application.step_metrics import (
    count_cache_uses,
    count_decisions,
    count_fold,
    show_cache_size,
)
from services.safety_rules.workers.faust_stream import StreamEdge, list_lags, make_app
from services.safety_rules.workers.hint_worker import HintWorker
from services.safety_rules.workers.sweeper import Sweeper

_LAGS_EVERY_S = 5.0


def add_stream(parts: Parts) -> None:
    """Let records on Kafka wake the rules, and a sweeper when no record does.

    Raises:
        services.runtime.kafka_errors.KafkaUnavailableError: It cannot be reached.
        services.runtime.kafka_errors.TopicsError: A topic is not what it has to be.
    """
    kafka.require_fast_checksums()
    kafka.check_topics(parts.settings.kafka, (FACTS, STANDINGS))
    worker = _make_hint_worker(parts, Cache(parts.settings.rules.rules_cache_mb * MB))
    app = make_app(
        parts.settings.kafka, parts.context.study_id, worker, parts.context.settings.data / "faust"
    )
    parts.edges.append(StreamEdge(app))
    parts.shows.append(lambda _conn: show_cache_size(parts.metrics, worker.cache))
    parts.progress["rules"], parts.progress["decisions"] = worker.progress, worker.decision_progress
    settings = parts.settings.sweeper
    sweeper = Sweeper(
        _make_hint_worker(parts, Cache(0), retries_forever=False),  # folds one after the other
        make_holder_name(),
        settings.sweep_every_s,
        settings.left_behind_s,
        parts.add_progress("journal"),
    )
    parts.work["waker"] = sweeper.run
    parts.work["lags"] = _Lags(app, parts.metrics).run
    add_sealer(parts)


def _make_hint_worker(parts: Parts, cache: Cache, *, retries_forever: bool = True) -> HintWorker:
    def count(folded: FoldResult) -> None:
        count_fold(parts.metrics, folded, parts.read_clock())
        count_cache_uses(parts.metrics, worker.cache)

    worker = HintWorker(
        parts.context.db,
        parts.context.study.rules,
        now_utc,
        by_message=parts.by_message,
        on_folded=count,
        on_decided=lambda decided: count_decisions(parts.metrics, decided, parts.read_clock()),
        cache=cache,
        retries_forever=retries_forever,
    )
    return worker


@dataclass(slots=True)
class _Lags:
    """The metric of the records that wait in each partition that this process reads."""

    app: faust.App
    metrics: Metrics
    _labels: set[tuple[str, str]] = field(default_factory=set)

    def run(self, stop: threading.Event) -> None:
        """Show it every few seconds until *stop* is set."""
        while not stop.wait(_LAGS_EVERY_S):
            current_lags = {
                (topic, str(part)): lag for (topic, part), lag in list_lags(self.app).items()
            }
            for labels in self._labels - current_lags.keys():
                self.metrics.consumer_lag.remove(*labels)
            for labels, lag in current_lags.items():
                self.metrics.consumer_lag.labels(*labels).set(lag)
            self._labels = set(current_lags)
