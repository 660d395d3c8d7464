"""Metrics of ingest: counts of messages and parked items, and their delays."""

from services.ingest.domain.message_content import ParkReason
from services.ingest.intake import Outcome
from services.runtime.metrics import Metrics

_UNKNOWN_SITE = "unknown"  # labels are a closed set, so a sender without a site is none


def count_outcome(metrics: Metrics, outcome: Outcome) -> None:
    """Count a message and its parked items, and observe its delay."""
    site = outcome.site or _UNKNOWN_SITE
    kind = outcome.kind if outcome.refusal is None else _UNKNOWN_SITE
    metrics.ingest_messages.labels(site, kind, f"A{outcome.answer}").inc()
    for item in outcome.parked:
        metrics.parked.labels(site, item.reason).inc()
    if outcome.unread_ranges:
        metrics.unread_ranges.labels(site).inc(outcome.unread_ranges)
    if outcome.received_at is not None:
        metrics.last_message_timestamp.labels(site).set(outcome.received_at.timestamp())
        for observed_at in outcome.observed:
            lag = outcome.received_at - observed_at
            metrics.observation_lag.labels(site).observe(max(0.0, lag.total_seconds()))


def count_dead_letter(metrics: Metrics, site: str, reason: ParkReason) -> None:
    """Count a message of the site topic that is kept because it can never be accepted."""
    metrics.parked.labels(site or _UNKNOWN_SITE, reason).inc()
