"""The operator's view: feeds of the sites, progress, delivery, and the stopping rules' alarms.

Several processes show the same gauge, and one that has nothing to say shows 0: the greatest counts.
"""

from grafana_foundation_sdk.builders import dashboard as builders

from deploy.grafana.boards import board
from deploy.grafana.panels import metric_lines
from deploy.grafana.queries import over_time

_RATE = "[$__rate_interval]"


def operations() -> builders.Dashboard:
    """Return the dashboard."""
    dashboard = board(
        "aegis-operations",
        "Operations: feeds and pipeline",
        "Freshness of each site's feed, what is parked, how long a fact takes to reach a person.",
        ["operations"],
        "30s",
    ).time("now-24h", "now")
    return (
        dashboard.with_panel(
            metric_lines(
                "Since the last message, by site",
                "A line that only rises: the feed is silent.",
                [
                    over_time(
                        "time() - max by (site) (aegis_last_message_timestamp_seconds)", "{{site}}"
                    )
                ],
                "s",
            )
        )
        .with_panel(
            metric_lines(
                "Messages per second, by site and answer",
                "AA: accepted; AE and AR: the sender was told why not.",
                [
                    over_time(
                        f"sum by (site, ack) (rate(aegis_ingest_messages_total{_RATE}))",
                        "{{site}} {{ack}}",
                    )
                ],
                "reqps",
            )
        )
        .with_panel(
            metric_lines(
                "Parked, by site and reason",
                "Accepted, but not yet usable; since the start of the process.",
                [over_time("sum by (site, reason) (aegis_parked_total)", "{{site}}: {{reason}}")],
            )
        )
        .with_panel(
            metric_lines(
                "From observed to received: median and 95 %, by site",
                "How late the sites report.",
                [
                    over_time(_quantile("0.5", "observation_lag", "site"), "{{site}} median", "A"),
                    over_time(_quantile("0.95", "observation_lag", "site"), "{{site}} 95 %", "B"),
                ],
                "s",
            )
        )
        .with_panel(
            metric_lines(
                "From received to graded, alert, delivered: 95 %",
                "Nothing is measured while the clock of the messages is used (demo).",
                [over_time(_quantile("0.95", "pipeline_latency", "stage"), "{{stage}}")],
                "s",
            )
        )
        .with_panel(
            metric_lines(
                "Progress",
                "Seconds since the last commit while there is work; facts not graded yet.",
                [
                    over_time("max(aegis_commit_age_seconds)", "since the last commit (s)", "A"),
                    over_time("max(aegis_journal_unhandled)", "facts not graded yet", "B"),
                ],
            )
        )
        .with_panel(
            metric_lines(
                "Between processes",
                "Announcements that wait for the relay; records of Kafka before their readers.",
                [
                    over_time("max(aegis_outbox_waiting)", "outbox", "A"),
                    over_time("sum by (topic) (aegis_consumer_lag)", "{{topic}}", "B"),
                ],
            )
        )
        .with_panel(
            metric_lines(
                "Alerts that nobody acknowledged, by level",
                "Also those that were told to everybody.",
                [over_time("max by (level) (aegis_alerts_open)", "{{level}}")],
            )
        )
        .with_panel(
            metric_lines(
                "Left of the clocks of serious events",
                "Of each kind the clock that ends first; below 0 it is over.",
                [over_time("min by (clock) (aegis_sae_clock_left_seconds)", "{{clock}} clock")],
                "s",
            )
        )
        .with_panel(
            metric_lines(
                "Heartbeat and silent feeds",
                "Age of the heartbeat that has not come back, 0: it has; what is silent now.",
                [
                    over_time("max(aegis_heartbeat_age_seconds)", "heartbeat (s)", "A"),
                    over_time("max by (kind) (aegis_silent_feeds)", "{{kind}}", "B"),
                ],
            )
        )
        .with_panel(
            metric_lines(
                "Delivery",
                "Attempts by channel and result; the age of the oldest notice that waits.",
                [
                    over_time(
                        "sum by (channel, result) (aegis_deliveries_total)",
                        "{{channel}} {{result}}",
                        "A",
                    ),
                    over_time(
                        "max(aegis_oldest_undelivered_alert_seconds)", "oldest waiting (s)", "B"
                    ),
                ],
            )
        )
        .with_panel(
            metric_lines(
                "Stopping rules: 0 continue, 1 boundary likely, 2 boundary reached",
                "As the rules say now; suspected events are counted.",
                [over_time("max by (rule) (aegis_boundary_state)", "{{rule}}")],
            )
        )
        .with_panel(
            metric_lines(
                "Records open, by grade",
                "Suspected and confirmed, not resolved.",
                [
                    over_time(
                        "sum by (grade) (max by (term, grade) (aegis_episodes_open))",
                        "grade {{grade}}",
                    )
                ],
            )
        )
        .with_panel(
            metric_lines(
                "Grades that cannot be exact, by what is missing",
                "Since the start of the process.",
                [over_time("sum by (missing) (aegis_ungradable_total)", "{{missing}}")],
            )
        )
        .with_panel(
            metric_lines(
                "Audit trail: 1 while the last check found nothing",
                "Checked each hour.",
                [over_time("max(aegis_audit_chain_ok)", "chain")],
            )
        )
    )


def _quantile(part: str, metric: str, label: str) -> str:
    buckets = f"sum by (le, {label}) (rate(aegis_{metric}_seconds_bucket{_RATE}))"
    return f"histogram_quantile({part}, {buckets})"
