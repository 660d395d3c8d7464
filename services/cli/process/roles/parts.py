"""The parts of one process: each role adds its own."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime

from starlette.routing import Route

from services.acts.study_context import StudyContext
from services.cli.process.edges import MllpEdge
from services.cli.process.gauges import Show
from services.cli.process.process_server import Edge, ProcessServer, Work
from services.runtime.clock import now_utc
from services.runtime.health import Progress
from services.runtime.limit_settings import LimitSettings
from services.runtime.metrics import Metrics
from services.runtime.settings import (
    AlertSettings,
    ConsoleSettings,
    HttpSettings,
    IngestSettings,
    KafkaSettings,
    PeopleSettings,
    RulesSettings,
    SweeperSettings,
)
from services.runtime.standing_warnings import StandingWarnings


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """The settings of a process; *rules_turn* is held during each step of its rules."""

    ingest: IngestSettings
    http: HttpSettings
    alerts: AlertSettings
    kafka: KafkaSettings = field(default_factory=KafkaSettings)
    sweeper: SweeperSettings = field(default_factory=SweeperSettings)
    rules: RulesSettings = field(default_factory=RulesSettings)
    people: PeopleSettings = field(default_factory=PeopleSettings)
    console: ConsoleSettings = field(default_factory=ConsoleSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    rules_turn: AbstractContextManager[object] = field(default_factory=nullcontext)


@dataclass(slots=True)
class Parts:
    """The parts of one process.

    Args:
        context: The study and its data.
        settings: Of the process.
        server: The process that has them.
        last_work: Ends once all of *work* has ended: it looks after the rows that it left.
    """

    context: StudyContext
    settings: ProcessSettings
    server: ProcessServer
    progress: dict[str, Progress] = field(default_factory=dict)
    routes: list[Route] = field(default_factory=list)
    work: dict[str, Work] = field(default_factory=dict)
    last_work: dict[str, Work] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    shows: list[Show] = field(default_factory=list)
    mllp: MllpEdge | None = None

    @property
    def metrics(self) -> Metrics:
        """Of the process."""
        return self.server.metrics

    @property
    def warnings(self) -> StandingWarnings:
        """Of the process."""
        return self.server.warnings

    @property
    def by_message(self) -> bool:
        """True when time is that of the messages, not the machine's."""
        return self.context.settings.clock == "message"

    def read_clock(self) -> datetime | None:
        """Return the machine's time to tell delays by; None when messages tell the time."""
        return None if self.by_message else now_utc()

    def add_progress(self, name: str) -> Progress:
        """Return the progress that ``/readyz`` shows as *name*."""
        return self.progress.setdefault(name, Progress())


Role = Callable[[Parts], None]
