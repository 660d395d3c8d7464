"""One process by its role: everything, or the one part that several processes share out."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module

from services.acts.study_context import StudyContext
from services.cli.command import CommandError
from services.cli.process.gauges import Gauges
from services.cli.process.open_files import require_descriptors
from services.cli.process.port_guards import CHECK_SETTINGS, list_http_warnings
from services.cli.process.process_server import ProcessServer
from services.cli.process.roles.parts import Parts, ProcessSettings, Role
from services.cli.process.start_warnings import warn_of_login, warn_of_study
from services.cli.process.study_watch import StudyWatch
from services.runtime.kafka_errors import KafkaUnavailableError, TopicsError
from services.runtime.metrics import Metrics

ALL_ROLES = ""
# Functions that add the parts of each role: loaded on demand, for some take seconds.
ROLES: Mapping[str, tuple[str, ...]] = {
    ALL_ROLES: (
        "ingest.add_ports",
        "journal.add_journal_worker",
        "alerts.add_alerts",
        "console.add_console",
    ),
    "ingest": ("ingest.add_ports",),
    "relay": ("relay.add_relay",),
    "rules": ("rules.add_stream",),
    "alerts": ("alerts.add_alerts",),
    "console": ("console.add_console",),
}


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of a process; *mllp* and *metrics* are 0 when it has none of their own."""

    mllp: int
    http: int
    metrics: int = 0


class Service:
    """One process of a study, until it is told to stop."""

    def __init__(
        self, context: StudyContext, settings: ProcessSettings, role: str = ALL_ROLES
    ) -> None:
        """Prepare what *role* does.

        Raises:
            CommandError: A port is taken, open to anybody or may have too many connections; or
                what is needed cannot be reached.
            UntrustedFileError: A file of the study, or that of the topics, cannot be trusted.
        """
        takes_messages = "ingest.add_ports" in ROLES[role]
        require_descriptors(settings.limits, settings.http.port_count + takes_messages)
        server = ProcessServer(settings.http, settings.limits)
        self._parts = Parts(context, settings, server)
        try:
            for name in ROLES[role]:
                _load_role(name)(self._parts)
            self._warn(role)
        except BaseException as error:
            server.close()
            if isinstance(error, KafkaUnavailableError | TopicsError):
                raise CommandError(str(error)) from error
            raise

    @property
    def metrics(self) -> Metrics:
        """Of the process."""
        return self._parts.metrics

    def _warn(self, role: str) -> None:
        if self._parts.routes:  # else the port answers nothing that anybody could read
            for problem in list_http_warnings(self._parts.settings.http):
                self._parts.warnings.begin(CHECK_SETTINGS, problem)
        if role in (ALL_ROLES, "rules"):
            warn_of_study(self._parts)
        if role != ALL_ROLES:
            warn_of_login(self._parts, role)

    def watch_study(self, on_change: Callable[[], None]) -> None:
        """Let *on_change* be called, in a thread, once other files of the study were activated."""
        parts = self._parts
        parts.work["study"] = StudyWatch(parts.context, parts.warnings, on_change).run

    async def serve(self, stop: asyncio.Event, on_start: Callable[[Ports], None]) -> None:
        """Work until *stop* is set; *on_start* is called with the ports once everything listens.

        Raises:
            CommandError: A port is taken.
        """
        parts = self._parts
        parts.work["gauges"] = Gauges(parts.context.db, parts.shows).run

        def report_ports() -> None:
            mllp_port = parts.mllp.port if parts.mllp else 0
            on_start(Ports(mllp_port, parts.server.port, parts.server.metrics_port))

        await parts.server.serve(
            stop,
            report_ports,
            parts=parts.progress,
            routes=parts.routes,
            work=(parts.work, parts.last_work),
            edges=parts.edges,
        )


def _load_role(name: str) -> Role:
    """Return the function *name*, ``MODULE.FUNCTION`` in `services.cli.process.roles`."""
    module, _, function = name.partition(".")
    add_parts: Role = getattr(import_module(f"services.cli.process.roles.{module}"), function)
    return add_parts
