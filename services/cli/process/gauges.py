"""Metrics that are read from the database, so that a restart does not lose them."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.acts.study_context import StudyContext
from services.alerts.adapters.study_recipients import find_recipients
from services.alerts.metrics import AlertMetrics
from services.ingest.site_keys import list_key_warnings
from services.runtime import log
from services.runtime.clock import Clock
from services.runtime.metrics import Metrics
from services.runtime.standing_warnings import StandingWarnings
from services.safety_rules.application.decide_study import decide_rules
from services.safety_rules.application.step_metrics import show_decisions, show_open_records
from services.store import api_keys, decisions, messages, outbox, states
from services.store.seal_chain import check_chain
from services.store.session import Connection, Database

_EVERY_S = 5.0
_REST, _LONGEST_S = 20, 60.0  # a twentieth of a core, however much there is; a minute at most
_KEY_ENDS = "api_key_ends"
_CHAIN_EVERY = timedelta(hours=1)

_log = log.make_logger("aegis")

Show = Callable[[Connection], None]


@dataclass(slots=True)
class Gauges:
    """All gauges of a process, read from the database every few seconds.

    Args:
        db: Migrated.
        shows: Each sets what it reads; the first time it may also set what only changes bring.
    """

    db: Database
    shows: list[Show]

    def run(self, stop: threading.Event) -> None:
        """Show everything now, and again until *stop* is set."""
        while True:
            began_s = time.monotonic()
            for show in self.shows:
                self._run_show(show)
            rest_s = _REST * (time.monotonic() - began_s)
            if stop.wait(min(max(_EVERY_S, rest_s), _LONGEST_S)):
                return

    def _run_show(self, show: Show) -> None:
        try:
            with self.db.read() as conn:
                show(conn)
        except Exception as error:  # noqa: BLE001 - a metric that fails must not stop the others
            _log.exception("gauges_failed", exc_info=error)


@dataclass(slots=True)
class RulesGauges:
    """Open records, the decisions of the rules, and the soundness of the audit trail.

    The chain of the audit trail is checked each hour.
    """

    context: StudyContext
    metrics: Metrics
    clock: Clock
    _chain_checked_at: datetime | None = None
    _decided_version: int | None = None

    def show(self, conn: Connection) -> None:
        """Show once what the tables say."""
        instant = self.clock()
        version = decisions.load_study_state(conn, self.context.study_id).version
        if version != self._decided_version:  # here, or in another process
            show_decisions(self.metrics, decide_rules(conn, self.context.study.rules))
            self._decided_version = version
        show_open_records(self.metrics, conn)
        rules = self.context.study.rules
        outdated_count = states.count_states_of_other_rules(
            conn, rules.version, self.context.study_id
        )
        self.metrics.graded_by_other_rules.set(outdated_count)
        if self._chain_checked_at is None or instant - self._chain_checked_at >= _CHAIN_EVERY:
            fault = next(check_chain(lambda: conn, self.context.keys), None)
            self.metrics.audit_chain_ok.set(fault is None)
            self._chain_checked_at = instant


@dataclass(slots=True)
class AlertGauges:
    """The states of alerts and of their notices."""

    context: StudyContext
    metrics: Metrics
    clock: Clock
    _alert_metrics: AlertMetrics = field(init=False)

    def __post_init__(self) -> None:
        self._alert_metrics = AlertMetrics(
            self.context.study_id, find_recipients(self.context.settings.study), self.clock()
        )

    def show(self, conn: Connection) -> None:
        """Show once what the tables say."""
        self._alert_metrics.show(self.metrics, conn, self.clock())


@dataclass(slots=True)
class FeedGauges:
    """The time of each site's last message, also of one that fell silent before a restart."""

    metrics: Metrics
    _is_new: bool = True

    def show(self, conn: Connection) -> None:
        """Show it once; from then on each message does."""
        if self._is_new:
            for site, received_at in messages.find_last_received_by_site(conn).items():
                self.metrics.last_message_timestamp.labels(site).set(received_at.timestamp())
            self._is_new = False


@dataclass(slots=True)
class KeyWarnings:
    """A warning for each site whose last API key ends soon, or has ended."""

    warnings: StandingWarnings
    clock: Clock
    _problems: tuple[str, ...] = ()

    def show(self, conn: Connection) -> None:
        """Show once what the table says."""
        problems = tuple(list_key_warnings(api_keys.load_api_keys(conn), self.clock()))
        if problems != self._problems:
            self.warnings.end(_KEY_ENDS)
            for problem in problems:
                self.warnings.begin(_KEY_ENDS, problem)
            self._problems = problems


@dataclass(slots=True)
class RelayGauges:
    """The number of announcements that wait for the relay."""

    metrics: Metrics

    def show(self, conn: Connection) -> None:
        """Show it once."""
        self.metrics.outbox_waiting.set(outbox.count_announcements(conn))
