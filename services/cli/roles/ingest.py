"""Ingest, as a part of a process: the MLLP port, the pages, and the topic that sites push to."""

import threading

from services.cli.edges import MllpEdge
from services.cli.entering import intake_of
from services.cli.gauges import FeedGauges
from services.cli.roles.parts import Parts
from services.ingest import http as pages
from services.ingest.measured import count_outcome
from services.ingest.writer import Writer


def add_ports(parts: Parts) -> None:
    """Let messages come in by MLLP and HTTP."""
    intake = intake_of(parts.opened)
    intake.on_outcome = lambda outcome: count_outcome(parts.metrics, outcome)
    writer = Writer(intake, parts.progress_of("ingest"))
    parts.mllp = MllpEdge(writer, parts.told.ingest)
    parts.edges.append(parts.mllp)
    parts.routes += pages.routes(intake, writer)
    parts.shows.append(FeedGauges(parts.metrics).show)

    def end(stop: threading.Event) -> None:
        stop.wait()
        writer.stop()

    parts.work["writer"] = end
