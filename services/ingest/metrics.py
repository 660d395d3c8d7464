"""What ingest tells the metrics about each message."""

from services.ingest.application import Outcome
from services.ingest.domain.message_content import ParkReason
from services.runtime.metrics import Metrics

_UNKNOWN_SITE = "unknown"  # a closed set: a sender that no site is named for is no label


def count_outcome(metrics: Metrics, outcome: Outcome) -> None:
    """Count a message, what of it is parked, and how late it came."""
    site = outcome.site or _UNKNOWN_SITE
    kind = outcome.kind if outcome.refusal is None else _UNKNOWN_SITE
    metrics.ingest_messages.labels(site, kind, f"A{outcome.answer}").inc()
    for item in outcome.parked:
        metrics.parked.labels(site, item.reason).inc()
    if outcome.received_at is not None:
        metrics.last_message_timestamp.labels(site).set(outcome.received_at.timestamp())
        for observed_at in outcome.observed:
            lag = outcome.received_at - observed_at
            metrics.observation_lag.labels(site).observe(max(0.0, lag.total_seconds()))


def count_dead_letter(metrics: Metrics, site: str, reason: ParkReason) -> None:
    """Count a message of the site topic that can never be accepted, and is kept."""
    metrics.parked.labels(site or _UNKNOWN_SITE, reason).inc()
