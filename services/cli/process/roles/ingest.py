"""Ingest, as a part of a process: the MLLP port, the pages, and the topic that sites push to."""

import threading
from importlib import import_module

from services.acts.intake import make_intake
from services.cli.process.edges import MllpEdge
from services.cli.process.gauges import FeedGauges, KeyWarnings
from services.cli.process.port_guards import (
    CHECK_SETTINGS,
    list_mllp_warnings,
    require_known_senders,
)
from services.cli.process.process_server import make_holder_name
from services.cli.process.roles.parts import Parts
from services.ingest import http as pages
from services.ingest.metrics import count_outcome
from services.ingest.writer import Writer
from services.runtime.clock import now_utc
from services.store.held_lease import HeldLease
from services.store.reencryption_worker import ReencryptionWorker


def add_ports(parts: Parts) -> None:
    """Let messages come in by MLLP and HTTP, and from Kafka where there is one.

    Raises:
        CommandError: The MLLP port would take messages from anybody, and nobody said so.
        services.runtime.file_error.UntrustedFileError: ``sites.yaml`` cannot be trusted.
        services.runtime.kafka_errors.KafkaUnavailableError: It cannot be reached.
        services.runtime.kafka_errors.TopicsError: The topic is not what it has to be.
    """
    intake = make_intake(parts.context)
    intake.on_outcome = lambda outcome: count_outcome(parts.metrics, outcome)
    settings, limits = parts.settings.ingest, parts.settings.limits
    require_known_senders(settings, intake)
    for problem in list_mllp_warnings(settings, intake):
        parts.warnings.begin(CHECK_SETTINGS, problem)
    writer = Writer(intake, parts.add_progress("ingest"))
    parts.mllp = MllpEdge(writer, settings, limits, parts.metrics.connections_excluded.inc)
    parts.edges.append(parts.mllp)
    sees_clients = not parts.settings.http.http_behind_proxy
    parts.routes += pages.build_routes(
        intake, writer, sees_clients=sees_clients, largest=limits.message_bytes
    )
    parts.shows += [FeedGauges(parts.metrics).show, KeyWarnings(parts.warnings, now_utc).show]
    if parts.settings.kafka.servers:
        import_module("services.cli.process.roles.site_topic").add_site_topic(parts, writer)

    lease = HeldLease(parts.context.db, "reencryption", make_holder_name(), now_utc)
    parts.work["reencryption"] = ReencryptionWorker(
        lease, parts.context.keys, parts.metrics.messages_to_reencrypt.set
    ).run

    def end(stop: threading.Event) -> None:
        stop.wait()
        writer.stop()

    parts.work["writer"] = end
