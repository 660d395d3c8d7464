"""What the rules tell the metrics about each step."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from services.runtime.metrics import Metrics
from services.safety_rules.application.cache import Cache
from services.safety_rules.application.decide_study import Decided
from services.safety_rules.application.fold_participants import Folded
from services.store import journal, records
from services.store.session import Connection
from services.vocabulary.alert import Alert
from services.vocabulary.decision import Decision, Signal
from services.vocabulary.episode import Episode

_STATE = {Signal.CONTINUE: 0, Signal.BOUNDARY_LIKELY: 1, Signal.BOUNDARY_REACHED: 2}


def count_folded(metrics: Metrics, folded: Folded, now: datetime | None = None) -> None:
    """Count what one step recorded.

    *now* tells how long that took since the facts were received; None: by the clock of messages
    there is nothing to tell.
    """
    for episode in folded.episodes:
        _count_version(metrics, episode)
    if now is not None:
        _time(metrics, "graded", (episode.recorded_at for episode in folded.episodes), now)
    _count_raised(metrics, folded.alerts, now)


def count_decided(metrics: Metrics, decided: Decided, now: datetime | None = None) -> None:
    """Count what the stopping rules say after a step; *now* as in `count_folded`."""
    show_decisions(metrics, decided.decisions)
    _count_raised(metrics, decided.alerts, now)


def show_remembered(metrics: Metrics, cache: Cache) -> None:
    """Set how much the worker remembers."""
    metrics.rules_cache_bytes.set(cache.size_bytes)
    metrics.rules_cache_families.set(len(cache))


def count_uses(metrics: Metrics, cache: Cache) -> None:
    """Count how what is remembered was used since this was last called."""
    uses = cache.take_uses()
    metrics.rules_cache_uses.labels("hit").inc(uses.hits)
    metrics.rules_cache_uses.labels("miss").inc(uses.misses)
    metrics.rules_cache_uses.labels("eviction").inc(uses.evictions)


def show_decisions(metrics: Metrics, decisions: Iterable[Decision]) -> None:
    """Set what the stopping rules say."""
    for decision in decisions:
        of = (decision.study, decision.rule)
        metrics.boundary_events_left.labels(*of).set(decision.events_left)
        metrics.boundary_state.labels(*of).set(_STATE[decision.signal])
        metrics.predictive_crossing.labels(*of).set(decision.predictive)


def show_open(metrics: Metrics, conn: Connection) -> None:
    """Set what is true now: facts that wait, and the records that are open."""
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


def _count_raised(metrics: Metrics, alerts: Sequence[Alert], now: datetime | None) -> None:
    metrics.alerts_retracted.inc(sum(alert.retracted for alert in alerts))
    if now is not None:
        _time(metrics, "alert", (alert.opened_at for alert in alerts if alert.version == 1), now)


def _time(metrics: Metrics, stage: str, known_at: Iterable[datetime], now: datetime) -> None:
    for at in known_at:
        metrics.pipeline_latency.labels(stage).observe(max(0.0, (now - at).total_seconds()))
