"""What a process does, by its role: everything, or the one thing that several share out."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module

from services.cli.command import CommandError
from services.cli.process.gauges import Gauges
from services.cli.process.roles.parts import Parts, Role, Told
from services.cli.process.serving import Serving
from services.cli.shared.open_study import StudyContext
from services.runtime.kafka_errors import KafkaUnavailableError, TopicsError
from services.runtime.metrics import Metrics

EVERYTHING = ""
# What adds the parts of each role: loaded when it is asked for, for some take seconds.
ROLES: Mapping[str, tuple[str, ...]] = {
    EVERYTHING: ("ingest.add_ports", "journal.add_journal_worker", "alerts.add_alerts"),
    "ingest": ("ingest.add_ports",),
    "relay": ("relay.add_relay",),
    "rules": ("rules.add_stream",),
    "alerts": ("alerts.add_alerts",),
}


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a process listens; *mllp* is 0 when messages do not come in there."""

    mllp: int
    http: int


class Service:
    """One process of a study, until it is told to stop."""

    def __init__(self, context: StudyContext, told: Told, role: str = EVERYTHING) -> None:
        """Prepare what *role* does.

        Raises:
            CommandError: A port is taken, or what is needed cannot be reached.
            UntrustedFileError: A file of the study, or that of the topics, cannot be trusted.
        """
        self._parts = Parts(context, told, Serving(told.http))
        try:
            for name in ROLES[role]:
                _adding(name)(self._parts)
        except (KafkaUnavailableError, TopicsError) as error:
            raise CommandError(str(error)) from error

    @property
    def metrics(self) -> Metrics:
        """Of the process."""
        return self._parts.metrics

    async def serve(self, stop: asyncio.Event, started: Callable[[Ports], None]) -> None:
        """Work until *stop* is set; *started* is told the ports once everything listens.

        Raises:
            CommandError: A port is taken.
        """
        parts = self._parts
        parts.work["gauges"] = Gauges(parts.context.db, parts.shows).run

        def begun() -> None:
            started(Ports(parts.mllp.port if parts.mllp else 0, parts.serving.port))

        await parts.serving.serve(
            stop,
            begun,
            parts=parts.progress,
            routes=parts.routes,
            work=parts.work,
            edges=parts.edges,
        )


def _adding(name: str) -> Role:
    """Return what adds parts: *name* is ``MODULE.FUNCTION`` in `services.cli.process.roles`."""
    module, _, function = name.partition(".")
    found: Role = getattr(import_module(f"services.cli.process.roles.{module}"), function)
    return found
