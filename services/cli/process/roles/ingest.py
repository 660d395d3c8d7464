"""Ingest, as a part of a process: the MLLP port, the pages, and the topic that sites push to."""

import threading

from services.cli.process.edges import MllpEdge, ThreadEdge
from services.cli.process.gauges import FeedGauges
from services.cli.process.roles.parts import Parts
from services.cli.shared.enter_facts import intake_of
from services.ingest import http as pages
from services.ingest.metrics import count_dead_letter, count_outcome
from services.ingest.site_topic import SiteTopic, consumer_group
from services.ingest.writer import Writer
from services.runtime import kafka
from services.runtime.topics import SITE_EVENTS


def add_ports(parts: Parts) -> None:
    """Let messages come in by MLLP and HTTP, and from Kafka where there is one.

    Raises:
        CommandError: ``sites.yaml`` cannot be trusted.
        services.runtime.kafka.KafkaUnavailableError: It cannot be reached.
        services.runtime.kafka.TopicsError: The topic is not what it has to be.
    """
    intake = intake_of(parts.context)
    intake.on_outcome = lambda outcome: count_outcome(parts.metrics, outcome)
    writer = Writer(intake, parts.progress_of("ingest"))
    parts.mllp = MllpEdge(writer, parts.told.ingest)
    parts.edges.append(parts.mllp)
    parts.routes += pages.build_routes(intake, writer)
    parts.shows.append(FeedGauges(parts.metrics).show)
    if parts.told.kafka.servers:
        _add_site_topic(parts, writer)

    def end(stop: threading.Event) -> None:
        stop.wait()
        writer.stop()

    parts.work["writer"] = end


def _add_site_topic(parts: Parts, writer: Writer) -> None:
    kafka.require_fast_checksums()
    kafka.check_topics(parts.told.kafka, (SITE_EVENTS,))
    metrics = parts.metrics

    def show_lag(topic: str, partition: int, lag: int | None) -> None:
        if lag is None:
            metrics.consumer_lag.remove(topic, str(partition))
        else:
            metrics.consumer_lag.labels(topic, str(partition)).set(lag)

    reader = SiteTopic(
        kafka.consumer(parts.told.kafka, SITE_EVENTS, consumer_group(parts.context.study_id)),
        writer,
        parts.progress_of("site topic"),
        on_dead_letter=lambda site, reason: count_dead_letter(metrics, site, reason),
        on_lag=show_lag,
    )
    parts.edges.append(ThreadEdge(reader.run, "site topic"))
