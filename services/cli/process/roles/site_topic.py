"""The topic that sites push to, as a part of ingest; imported only where there is Kafka."""

from services.cli.process.edges import ThreadEdge
from services.cli.process.roles.parts import Parts
from services.ingest.metrics import count_dead_letter
from services.ingest.site_topic import SiteTopic, consumer_group
from services.ingest.writer import Writer
from services.runtime import kafka
from services.runtime.topics import SITE_EVENTS


def add_site_topic(parts: Parts, writer: Writer) -> None:
    """Read the site topic as a further edge of the process.

    Raises:
        services.runtime.kafka_errors.KafkaUnavailableError: It cannot be reached.
        services.runtime.kafka_errors.TopicsError: The topic is not what it has to be.
    """
    kafka.require_fast_checksums()
    kafka.check_topics(parts.settings.kafka, (SITE_EVENTS,))
    metrics = parts.metrics

    def show_lag(topic: str, partition: int, lag: int | None) -> None:
        if lag is None:
            metrics.consumer_lag.remove(topic, str(partition))
        else:
            metrics.consumer_lag.labels(topic, str(partition)).set(lag)

    reader = SiteTopic(
        kafka.connect_consumer(
            parts.settings.kafka, SITE_EVENTS, consumer_group(parts.context.study_id)
        ),
        writer,
        parts.add_progress("site topic"),
        on_dead_letter=lambda site, reason: count_dead_letter(metrics, site, reason),
        on_lag=show_lag,
    )
    parts.edges.append(ThreadEdge(reader.run, "site topic"))
