"""Metrics of the steps of the rules."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from services.runtime.metrics import Metrics
from services.safety_rules.application.cache import Cache
from services.safety_rules.application.decide_study import StudyDecisions
from services.safety_rules.application.fold_participants import FoldResult
from services.store import journal, records
from services.store.session import Connection
from services.vocabulary.alert import Alert
from services.vocabulary.decision import Decision, Signal
from services.vocabulary.episode import Episode

_STATE = {Signal.CONTINUE: 0, Signal.BOUNDARY_LIKELY: 1, Signal.BOUNDARY_REACHED: 2}


def count_fold(metrics: Metrics, result: FoldResult, measured_at: datetime | None = None) -> None:
    """Count the records and alerts of one step.

    *measured_at* ends the latency since the facts were received; None: by the clock of messages
    there is none.
    """
    for episode in result.episodes:
        _count_version(metrics, episode)
    if measured_at is not None:
        _observe_latency(
            metrics, "graded", (episode.recorded_at for episode in result.episodes), measured_at
        )
    _count_alerts(metrics, result.alerts, measured_at)


def count_decisions(
    metrics: Metrics, result: StudyDecisions, measured_at: datetime | None = None
) -> None:
    """Count the decisions and alerts of a study step; *measured_at* as in `count_fold`."""
    show_decisions(metrics, result.decisions)
    _count_alerts(metrics, result.alerts, measured_at)


def show_cache_size(metrics: Metrics, cache: Cache) -> None:
    """Set the size of the worker's cache."""
    metrics.rules_cache_bytes.set(cache.size_bytes)
    metrics.rules_cache_families.set(len(cache))


def count_cache_uses(metrics: Metrics, cache: Cache) -> None:
    """Count the uses of the cache since the last call."""
    uses = cache.take_uses()
    metrics.rules_cache_uses.labels("hit").inc(uses.hits)
    metrics.rules_cache_uses.labels("miss").inc(uses.misses)
    metrics.rules_cache_uses.labels("eviction").inc(uses.evictions)


def show_decisions(metrics: Metrics, decisions: Iterable[Decision]) -> None:
    """Set the state of each stopping rule."""
    for decision in decisions:
        labels = (decision.study, decision.rule)
        metrics.boundary_events_left.labels(*labels).set(decision.events_left)
        metrics.boundary_state.labels(*labels).set(_STATE[decision.signal])
        metrics.predictive_crossing.labels(*labels).set(decision.predictive)


def show_open_records(metrics: Metrics, conn: Connection) -> None:
    """Set the facts that wait, and the records that are open."""
    metrics.journal_unhandled.set(journal.count_unhandled(conn))
    metrics.episodes_open.clear()
    for episode in records.load_latest_episodes(conn):
        content = episode.content
        if content.resolved_at is None and not episode.retracted and not content.possible:
            metrics.episodes_open.labels(content.criterion, f"{content.current.at_least:d}").inc()


def _count_version(metrics: Metrics, episode: Episode) -> None:
    content = episode.content
    scale, _, _ = content.criterion.rpartition(".")
    metrics.regraded_total.labels(episode.cause).inc()
    if not episode.retracted:
        metrics.graded_total.labels(content.criterion, str(content.worst), scale).inc()
    for name in content.history[-1].missing:
        metrics.ungradable.labels(name).inc()


def _count_alerts(metrics: Metrics, alerts: Sequence[Alert], measured_at: datetime | None) -> None:
    metrics.alerts_retracted.inc(sum(alert.retracted for alert in alerts))
    if measured_at is not None:
        _observe_latency(
            metrics,
            "alert",
            (alert.opened_at for alert in alerts if alert.version == 1),
            measured_at,
        )


def _observe_latency(
    metrics: Metrics, stage: str, known_at: Iterable[datetime], measured_at: datetime
) -> None:
    for at in known_at:
        metrics.pipeline_latency.labels(stage).observe(max(0.0, (measured_at - at).total_seconds()))
