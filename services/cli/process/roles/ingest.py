"""Ingest, as a part of a process: the MLLP port, the pages, and the topic that sites push to."""

import threading
from importlib import import_module

from services.cli.process.edges import MllpEdge
from services.cli.process.gauges import FeedGauges
from services.cli.process.roles.parts import Parts
from services.cli.shared.enter_facts import make_intake
from services.ingest import http as pages
from services.ingest.metrics import count_outcome
from services.ingest.writer import Writer


def add_ports(parts: Parts) -> None:
    """Let messages come in by MLLP and HTTP, and from Kafka where there is one.

    Raises:
        services.runtime.file_error.UntrustedFileError: ``sites.yaml`` cannot be trusted.
        services.runtime.kafka_errors.KafkaUnavailableError: It cannot be reached.
        services.runtime.kafka_errors.TopicsError: The topic is not what it has to be.
    """
    intake = make_intake(parts.context)
    intake.on_outcome = lambda outcome: count_outcome(parts.metrics, outcome)
    writer = Writer(intake, parts.add_progress("ingest"))
    parts.mllp = MllpEdge(writer, parts.settings.ingest)
    parts.edges.append(parts.mllp)
    parts.routes += pages.build_routes(intake, writer)
    parts.shows.append(FeedGauges(parts.metrics).show)
    if parts.settings.kafka.servers:
        import_module("services.cli.process.roles.site_topic").add_site_topic(parts, writer)

    def end(stop: threading.Event) -> None:
        stop.wait()
        writer.stop()

    parts.work["writer"] = end
