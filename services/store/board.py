"""The values that the DSMB may see: pseudonyms and days, neither sites nor calendar dates.

On a server it is read as the DSMB's own database role, which may read these views and nothing
else. A database in a file has no roles: there the same values are made from the rows.

Source: migrations/views; services/store/roles.py, VIEWS
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import Connection, column, select, table

from services.store import alerts, decisions, records
from services.store.session import Database
from services.vocabulary.alert import Alert, AlertKind, DeathDetail, Level
from services.vocabulary.decision import Decision
from services.vocabulary.episode import EpisodeState

_SCHEMA: Final = "watch"
# Columns of the views that have other names than the fields made of them.
_COLUMNS: Final[Mapping[str, str]] = {
    "is_reached": "reached",
    "is_retracted": "retracted",
    "closing_reason": "closed",
}
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class BoardRule:
    """The last decision of one rule, in numbers; shares are in [0, 1]."""

    rule: str
    title: str
    in_words: str
    signal: str
    watch_only: bool
    events: int
    confirmed: int
    at_upper_grades: int
    treated: int
    complete: int
    pending: int
    planned: int
    effective_size: float
    boundary: int | None
    is_reached: bool
    reached_by_confirmed: bool
    reached_at_upper_grades: bool
    certain: bool
    predictive: float
    pending_cross_at_p0: float
    event_rate: float
    event_rate_low: float
    event_rate_high: float
    recommends: str
    determination: str
    decision: int


@dataclass(frozen=True, slots=True)
class BoardEvent:
    """A participant who counts with an event."""

    rule: str
    participant: str
    grade: int
    standing: str
    transplant_day: int | None
    treatment_day: int | None


@dataclass(frozen=True, slots=True)
class BoardPoint:
    """The numbers at one size of the boundary chart; None: there is none."""

    rule: str
    size: float
    boundary: int | None
    events: int | None
    pending_none: int | None
    pending_all: int | None


@dataclass(frozen=True, slots=True)
class BoardStep:
    """One decision of the history of a rule."""

    rule: str
    decision: int
    signal: str
    events: int
    treated: int
    effective_size: float


@dataclass(frozen=True, slots=True)
class BoardTerm:
    """Participants with a term, by their worst grade, out of those treated."""

    term: str
    grade_1: int
    grade_2: int
    grade_3: int
    grade_4: int
    grade_5: int
    treated: int
    confirmed: int


@dataclass(frozen=True, slots=True)
class BoardAlert:
    """An alert that the DSMB is told of: of a rule, or a death."""

    id: str
    kind: str
    rule: str
    participant: str
    grade: int
    version: int
    is_retracted: bool
    closing_reason: str
    transplant_day: int | None
    treatment_day: int | None


class BoardReader(Protocol):
    """The ways to read what the DSMB may see."""

    def load_rules(self) -> list[BoardRule]:
        """Return the last decision of each rule."""

    def load_events(self) -> list[BoardEvent]:
        """Return the events that count, rule by rule."""

    def load_points(self) -> list[BoardPoint]:
        """Return the points of each rule's chart, by size."""

    def load_history(self) -> list[BoardStep]:
        """Return every decision, the oldest first."""

    def load_terms(self) -> list[BoardTerm]:
        """Return the adverse events from the first dose on, by term."""

    def load_alerts(self) -> list[BoardAlert]:
        """Return the alerts, in the order of their opening."""


@dataclass(frozen=True, slots=True)
class ServerBoard:
    """The views of a server; *db* acts as the role of the DSMB, and as no other."""

    db: Database
    study: str

    def load_rules(self) -> list[BoardRule]:
        """Return the last decision of each rule."""
        return self._load("dsmb_rule", BoardRule, "rule")

    def load_events(self) -> list[BoardEvent]:
        """Return the events that count, rule by rule."""
        return self._load("dsmb_event", BoardEvent, "rule", "participant")

    def load_points(self) -> list[BoardPoint]:
        """Return the points of each rule's chart, by size."""
        return self._load("dsmb_boundary", BoardPoint, "rule", "size")

    def load_history(self) -> list[BoardStep]:
        """Return every decision, the oldest first."""
        return self._load("dsmb_history", BoardStep, "rule", "decision")

    def load_terms(self) -> list[BoardTerm]:
        """Return the adverse events from the first dose on, by term."""
        return self._load("dsmb_adverse_event", BoardTerm, "term")

    def load_alerts(self) -> list[BoardAlert]:
        """Return the alerts, in the order of their opening."""
        return self._load("dsmb_alert", BoardAlert, "number")

    def _load(self, view: str, kind: type[Row], *order: str) -> list[Row]:
        fields_of_kind = fields(kind)  # type: ignore[arg-type]  # a dataclass
        names = [_COLUMNS.get(field.name, field.name) for field in fields_of_kind]
        source = table(view, *map(column, {*names, "study", *order}), schema=_SCHEMA)
        query = select(*(source.c[name] for name in names)).where(source.c.study == self.study)
        with self.db.read() as conn:
            rows = conn.execute(query.order_by(*(source.c[name] for name in order)))
            return [kind(*map(_to_plain, row)) for row in rows]


def _to_plain(value: Any) -> Any:  # noqa: ANN401 - of any column
    return float(value) if isinstance(value, Decimal) else value


@dataclass(frozen=True, slots=True)
class FileBoard:
    """The same from the rows of a database in a file."""

    db: Database
    study: str

    def load_rules(self) -> list[BoardRule]:
        """Return the last decision of each rule."""
        with self.db.read() as conn:
            rows = decisions.load_latest_decisions(conn, self.study)
        return [_make_rule(row.decision, row.version) for row in rows]

    def load_events(self) -> list[BoardEvent]:
        """Return the events that count, rule by rule."""
        with self.db.read() as conn:
            rows = decisions.load_latest_decisions(conn, self.study)
        events = [
            BoardEvent(
                row.decision.rule,
                one.participant,
                one.grade,
                "confirmed" if one.confirmed else "suspected",
                one.transplant_day,
                one.treatment_day,
            )
            for row in rows
            for one in row.decision.contributors
        ]
        return sorted(events, key=lambda one: (one.rule, one.participant))

    def load_points(self) -> list[BoardPoint]:
        """Return the points of each rule's chart, by size."""
        with self.db.read() as conn:
            rows = decisions.load_latest_decisions(conn, self.study)
        return [point for row in rows for point in _list_points(row.decision)]

    def load_history(self) -> list[BoardStep]:
        """Return every decision, the oldest first."""
        with self.db.read() as conn:
            rows = decisions.load_decision_history(conn, self.study)
        return [
            BoardStep(one.rule, row.version, str(one.signal), one.events, one.evaluable, one.ess)
            for row in rows
            for one in (row.decision,)
        ]

    def load_terms(self) -> list[BoardTerm]:
        """Return the adverse events from the first dose on, by term."""
        with self.db.read() as conn:
            treated = _count_treated(conn, self.study)
            episodes = records.load_latest_episodes(conn)
        worst: dict[tuple[str, str], int] = {}
        is_confirmed: dict[tuple[str, str], bool] = {}
        for episode in episodes:
            content = episode.content
            if episode.retracted or content.possible or content.before_exposure:
                continue
            if content.state is EpisodeState.REJECTED:
                continue
            key = content.term, content.participant
            worst[key] = max(worst.get(key, 0), int(content.worst.at_least))
            is_confirmed[key] = (
                is_confirmed.get(key, True) and content.state is EpisodeState.CONFIRMED
            )
        counts = Counter((term, grade) for (term, _), grade in worst.items())
        confirmed = Counter(term for (term, _), holds in is_confirmed.items() if holds)
        return [
            BoardTerm(
                term,
                counts[term, 1],
                counts[term, 2],
                counts[term, 3],
                counts[term, 4],
                counts[term, 5],
                treated,
                confirmed[term],
            )
            for term in sorted({term for term, _ in worst})
        ]

    def load_alerts(self) -> list[BoardAlert]:
        """Return the alerts, in the order of their opening."""
        with self.db.read() as conn:
            rows = alerts.load_alerts(conn, self.study)
        return [_make_alert(row) for row in rows if _is_for_board(row)]


def _make_rule(decision: Decision, version: int) -> BoardRule:
    rate, low, high = decision.posterior
    return BoardRule(
        rule=decision.rule,
        title=decision.title,
        in_words=decision.in_words,
        signal=str(decision.signal),
        watch_only=decision.watch_only,
        events=decision.events,
        confirmed=decision.confirmed,
        at_upper_grades=decision.upper,
        treated=decision.evaluable,
        complete=decision.complete,
        pending=decision.pending,
        planned=decision.n,
        effective_size=decision.ess,
        boundary=decision.boundary if decision.boundary <= _find_size(decision) else None,
        is_reached=decision.crossed_since is not None,
        reached_by_confirmed=decision.confirmed_crossed,
        reached_at_upper_grades=decision.upper_crossed,
        certain=decision.certain,
        predictive=decision.predictive,
        pending_cross_at_p0=decision.p_cross_p0,
        event_rate=rate,
        event_rate_low=low,
        event_rate_high=high,
        recommends=decision.recommend.replace("_", " "),
        determination=decision.determination or "none yet",
        decision=version,
    )


def _find_size(decision: Decision) -> int:
    """Return the most events that there can be at the size of *decision*."""
    return decision.n if decision.person_time else math.ceil(decision.ess - 1e-9)


def _list_points(decision: Decision) -> list[BoardPoint]:
    """Return the numbers at each size, as the view of a server has them."""
    boundary: dict[float, int] = {}
    if decision.person_time is None:
        for step in decision.steps:
            boundary[step.first - 1.0] = step.events
        if decision.steps:
            boundary.setdefault(float(decision.steps[-1].last), decision.steps[-1].events)
    else:
        ends = [0.0, *(step.end for step in decision.person_time.steps)]
        for start, time_step in zip(ends, decision.person_time.steps, strict=False):
            boundary[start] = time_step.events
        if decision.person_time.steps:
            last = decision.person_time.steps[-1]
            boundary.setdefault(last.end, last.events)
    events = {0.0: 0}
    for point in decision.path:
        events[point.ess] = max(point.events, events.get(point.ess, 0))
    events[decision.ess] = max(decision.events, events.get(decision.ess, 0))
    fewest_events, most_events = ({decision.ess: decision.events} for _ in range(2))
    if decision.pending:
        full_size = max(float(decision.complete + decision.pending), decision.ess)
        fewest_events[full_size] = decision.events
        most_events[full_size] = decision.events + decision.pending
    return [
        BoardPoint(
            decision.rule,
            size,
            boundary.get(size),
            events.get(size),
            fewest_events.get(size),
            most_events.get(size),
        )
        for size in sorted(boundary.keys() | events.keys() | fewest_events.keys())
    ]


def _count_treated(conn: Connection, study: str) -> int:
    rows = records.load_latest_standings(conn, study)
    return len({row.standing.participant for row in rows if row.standing.exposed_at is not None})


def _is_for_board(alert: Alert) -> bool:
    return alert.level is Level.STUDY or alert.kind is AlertKind.DEATH


def _make_alert(alert: Alert) -> BoardAlert:
    detail = alert.detail if isinstance(alert.detail, DeathDetail) else None
    return BoardAlert(
        alert.id,
        str(alert.kind),
        alert.about if alert.level is Level.STUDY else "",
        alert.participant,
        alert.grade,
        alert.version,
        alert.retracted,
        str(alert.closed or ""),
        detail.transplant_day if detail else None,
        detail.treatment_day if detail else None,
    )


def open_board(db: Database, study: str) -> BoardReader:
    """Return the reader of *db*, which acts as the role of the board on a server."""
    return FileBoard(db, study) if db.is_sqlite else ServerBoard(db, study)
