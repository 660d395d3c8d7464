"""Every metric that Aegis exports: names, labels and meanings in one place.

Labels come from closed sets; never a participant, an order or a message.
"""

from collections.abc import Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS: Final = (0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)
_LAGS: Final = (60, 300, 900, 3600, 4 * 3600, 12 * 3600, 86400, 7 * 86400)


class Metrics:
    """The metrics of one process, registered on *registry*."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register all metrics on *registry*, which has no other `Metrics`."""
        self.registry = registry
        self._ingest()
        self._rules()
        self._alerts()
        self._health()

    def _counter(self, name: str, meaning: str, labels: Sequence[str] = ()) -> Counter:
        return Counter(f"aegis_{name}", meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, labels: Sequence[str] = ()) -> Gauge:
        return Gauge(f"aegis_{name}", meaning, labels, registry=self.registry)

    def _histogram(
        self, name: str, meaning: str, labels: Sequence[str], buckets: Sequence[float]
    ) -> Histogram:
        return Histogram(f"aegis_{name}", meaning, labels, buckets=buckets, registry=self.registry)

    def _ingest(self) -> None:
        self.ingest_messages = self._counter(
            "ingest_messages_total", "Messages answered", ("site", "type", "ack")
        )
        self.connections_excluded = self._counter(
            "connections_excluded_total", "Connections closed unread: their sender is not known"
        )
        self.parked = self._counter("parked_total", "Items parked", ("site", "reason"))
        self.unread_ranges = self._counter(
            "unread_ranges_total", "Results whose reference range was not read", ("site",)
        )
        self.last_message_timestamp = self._gauge(
            "last_message_timestamp_seconds", "When the last message came (Unix time)", ("site",)
        )
        self.messages_to_reencrypt = self._gauge(
            "messages_to_reencrypt", "Messages that an encryption key before the newest encrypted"
        )
        self.observation_lag = self._histogram(
            "observation_lag_seconds", "From observed to received", ("site",), _LAGS
        )

    def _rules(self) -> None:
        self.pipeline_latency = self._histogram(
            "pipeline_latency_seconds",
            "From received to graded, alert, delivered",
            ("stage",),
            _SECONDS,
        )
        self.graded_total = self._counter(
            "graded_total", "Grades recorded", ("term_group", "grade", "version")
        )
        self.ungradable = self._counter(
            "ungradable_total", "Incomplete grades, by what is missing", ("missing",)
        )
        self.regraded_total = self._counter("regraded_total", "New versions of records", ("cause",))
        self.episodes_open = self._gauge("episodes_open", "Records not resolved", ("term", "grade"))
        self.graded_by_other_rules = self._gauge(
            "graded_by_other_rules", "Participants whose records wait for `aegis refold`"
        )
        self.rules_cache_bytes = self._gauge(
            "rules_cache_bytes", "Memory of the participants whom the rules remember, estimated"
        )
        self.rules_cache_families = self._gauge(
            "rules_cache_families", "Participants, or several merged, whom the rules remember"
        )
        self.rules_cache_uses = self._counter(
            "rules_cache_uses_total",
            "Families remembered, read from the journal, dropped for lack of room",
            ("result",),
        )
        self.boundary_events_left = self._gauge(
            "boundary_events_left", "Events to the boundary, 0 when reached", ("study", "rule")
        )
        self.boundary_state = self._gauge(
            "boundary_state", "0 continue, 1 boundary likely, 2 boundary reached", ("study", "rule")
        )
        self.boundary_answered = self._gauge(
            "boundary_answered",
            "1 once the DSMB has answered what the rule says",
            ("study", "rule"),
        )
        self.predictive_crossing = self._gauge(
            "predictive_crossing", "Probability of ever crossing", ("study", "rule")
        )

    def _alerts(self) -> None:
        self.alerts_open = self._gauge("alerts_open", "Alerts nobody acknowledged", ("level",))
        self.heartbeat_age = self._gauge(
            "heartbeat_age_seconds", "Age of the heartbeat that has not come back; 0: it has"
        )
        self.silent_feeds = self._gauge(
            "silent_feeds", "Open alerts of a feed or participant that is silent", ("kind",)
        )
        self.sae_clock_left = self._gauge(
            "sae_clock_left_seconds",
            "Left of the clock that ends first; negative: over",
            ("clock",),
        )
        self.alert_ack = self._histogram(
            "alert_ack_seconds", "From opened to acknowledged", (), _LAGS
        )
        self.alert_escalations = self._counter(
            "alert_escalations_total", "Told to the next role, unacknowledged in time"
        )
        self.alerts_retracted = self._counter("alerts_retracted_total", "Corrected away")
        self.deliveries = self._counter(
            "deliveries_total", "Attempts to deliver", ("channel", "result")
        )
        self.oldest_undelivered_alert = self._gauge(
            "oldest_undelivered_alert_seconds", "Age of the oldest notice that waits; 0: none"
        )

    def _health(self) -> None:
        self.commit_age = self._gauge(
            "commit_age_seconds", "Since the last commit while there is work; 0: nothing to do"
        )
        self.outbox_waiting = self._gauge(
            "outbox_waiting", "Announcements that the relay has not carried on"
        )
        self.consumer_lag = self._gauge(
            "consumer_lag", "Records in front of the reader", ("topic", "partition")
        )
        self.journal_unhandled = self._gauge("journal_unhandled", "Facts not folded yet")
        self.audit_chain_ok = self._gauge(
            "audit_chain_ok", "1 when the last check of the audit trail found nothing"
        )
