"""``aegis run``: the service on this machine, whole or one role of it."""

import asyncio
import contextlib
import signal
import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from services.acts.study_context import StudyContext
from services.cli.command import CommandError
from services.cli.process.roles.parts import ProcessSettings
from services.cli.process.run_lock import hold_run_lock
from services.cli.process.service import ALL_ROLES, Ports, Service
from services.cli.shared.chosen_settings import read_chosen_settings
from services.cli.shared.open_database import open_database, require_sound_pages
from services.cli.shared.open_study import open_data
from services.cli.shared.other_rules import count_graded_by_other_rules
from services.runtime import log
from services.runtime.gc_tuning import tune_interpreter
from services.runtime.limit_settings import LimitSettings
from services.runtime.settings import (
    AlertSettings,
    ConsoleSettings,
    HttpSettings,
    IngestSettings,
    KafkaSettings,
    PeopleSettings,
    RulesSettings,
    SweeperSettings,
    read_settings,
)


def perform(args: Namespace) -> int:
    """Serve until a signal ends it."""
    log.configure_logging(as_json=not sys.stderr.isatty())
    tune_interpreter()
    role = args.role or ALL_ROLES
    settings = ProcessSettings(
        read_settings(IngestSettings, **_select_port(args, "mllp_port")),
        read_settings(HttpSettings, **_select_port(args, "http_port")),
        read_settings(AlertSettings),
        read_settings(KafkaSettings),
        read_settings(SweeperSettings),
        read_settings(RulesSettings),
        read_settings(PeopleSettings),
        read_settings(ConsoleSettings),
        read_settings(LimitSettings),
    )
    db = open_database(read_chosen_settings(args))
    if role and db.is_sqlite:
        raise CommandError(
            f"`aegis run {role}` works beside others, which SQLite cannot have: name a"
            " PostgreSQL database in AEGIS_DATABASE_URL, or run everything with `aegis run`"
        )
    with hold_run_lock(db):
        _run(args, settings, role)
    return 0


def _run(args: Namespace, settings: ProcessSettings, role: str) -> None:
    """Serve until a signal ends it; other files of the study are taken at the same ports."""
    require_sound_pages(read_chosen_settings(args))
    on_start: Callable[[Ports], None] = _print_ports
    while True:
        context = open_data(args, service=role)
        if role in (ALL_ROLES, "rules") and (
            outdated_count := count_graded_by_other_rules(context)
        ):
            log.make_logger("safety_rules").warning("graded_by_other_rules", count=outdated_count)
        run = _Run(context, settings, role)
        asyncio.run(run.serve(on_start))
        if not run.is_study_changed:
            return
        context.db.close()
        settings, on_start = run.fix_ports(), _ignore_ports


def _select_port(args: Namespace, name: str) -> dict[str, Any]:
    value = getattr(args, name)
    return {} if value is None else {name: value}


@dataclass(slots=True)
class _Run:
    """The service, from its start until a signal ends it or other files of the study run."""

    context: StudyContext
    settings: ProcessSettings
    role: str
    is_study_changed: bool = False
    _ports: Ports | None = None

    async def serve(self, on_start: Callable[[Ports], None]) -> None:
        """Serve until the end; *on_start* is called with the ports."""
        service = Service(self.context, self.settings, self.role)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):
                loop.add_signal_handler(number, stop.set)

        def end_for_change() -> None:
            self.is_study_changed = not stop.is_set()
            stop.set()

        def keep_ports(ports: Ports) -> None:
            self._ports = ports
            on_start(ports)

        def tell_loop() -> None:
            loop.call_soon_threadsafe(end_for_change)

        service.watch_study(tell_loop)
        await service.serve(stop, keep_ports)

    def fix_ports(self) -> ProcessSettings:
        """Return the settings with the ports that were open, which may have been any free ones."""
        ports = self._ports
        if ports is None:
            return self.settings
        metrics = {"metrics_port": ports.metrics} if ports.metrics else {}
        return replace(
            self.settings,
            ingest=self.settings.ingest.model_copy(update={"mllp_port": ports.mllp}),
            http=self.settings.http.model_copy(update={"http_port": ports.http, **metrics}),
        )


def _ignore_ports(_ports: Ports) -> None:
    """Say nothing: the ports are the same."""


def _print_ports(ports: Ports) -> None:
    mllp = f"MLLP on port {ports.mllp}, " if ports.mllp else ""
    metrics = f", metrics on port {ports.metrics}" if ports.metrics else ""
    print(f"listening: {mllp}HTTP on port {ports.http}{metrics}", flush=True)
