"""The topics that sites push to, as a part of ingest; imported only where there is Kafka."""

from services.cli.process.edges import ThreadEdge
from services.cli.process.roles.parts import Parts
from services.ingest.metrics import count_dead_letter
from services.ingest.site_topic import SiteTopic, consumer_group
from services.ingest.writer import Writer
from services.runtime import kafka
from services.runtime.topic_names import SITE_EVENTS, make_site_topic


def add_site_topic(parts: Parts, writer: Writer) -> None:
    """Read the topics of sites as a further edge of the process.

    A site without a topic of its own is read from that of all sites, with a warning.

    Raises:
        services.runtime.kafka_errors.KafkaUnavailableError: It cannot be reached.
        services.runtime.kafka_errors.TopicsError: The topic is not what it has to be.
    """
    kafka.require_fast_checksums()
    kafka.check_topics(parts.settings.kafka, (SITE_EVENTS,))
    sites = writer.intake.sites.by_id
    site_of_topic = {make_site_topic(parts.context.study_id, site): site for site in sites}
    site_topics = kafka.select_existing_topics(parts.settings.kafka, site_of_topic)
    if missing := sorted(set(site_of_topic) - set(site_topics)):
        problem = (
            f"there is no topic {', '.join(missing)}: `aegis topics --create` makes it, and this"
            f" process reads it once it is started again; until then {SITE_EVENTS}, whose keys"
            " are believed, is the only one"
        )
        parts.warnings.begin("site_topics_missing", problem)
    metrics = parts.metrics

    def show_lag(topic: str, partition: int, lag: int | None) -> None:
        if lag is None:
            metrics.consumer_lag.remove(topic, str(partition))
        else:
            metrics.consumer_lag.labels(topic, str(partition)).set(lag)

    reader = SiteTopic(
        kafka.connect_consumer(
            parts.settings.kafka,
            SITE_EVENTS,
            consumer_group(parts.context.study_id),
            site_topics,
        ),
        writer,
        parts.add_progress("site topic"),
        on_dead_letter=lambda site, reason: count_dead_letter(metrics, site, reason),
        on_lag=show_lag,
        site_of_topic=site_of_topic,
        largest_bytes=parts.settings.limits.message_bytes,
    )
    parts.edges.append(ThreadEdge(reader.run, "site topic"))
