"""Details of alerts about machines, feeds and deadlines, not about grades."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class SilenceDetail:
    """A feed, a participant or the engine from which nothing has come for longer than usual.

    Args:
        source: Site, pseudonym, or ``engine``.
        feed: ``labs``, ``vitals``, or empty: anything.
        last_at: Instant of what came last, aware; None: nothing ever came.
        expected_within_s: Seconds after which it is silent.
        is_learned: The time comes from its own last 28 days, not from ``sites.yaml``.
    """

    source: str
    feed: str
    last_at: datetime | None
    expected_within_s: int
    is_learned: bool = False


class ClockStage(StrEnum):
    """The part of its time that a clock has run."""

    EARLY = "running"
    LAST_QUARTER = "last quarter"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class ClockDetail:
    """A clock of a serious adverse event.

    Args:
        record: Id of the record.
        term: Of the record.
        clock: ``24h``, ``7d`` or ``15d``.
        aware_at: Instant of awareness, aware; it runs from then.
        due_at: Its end, aware.
        stage: How far it has run.
    """

    record: str
    term: str
    clock: str
    aware_at: datetime
    due_at: datetime
    stage: ClockStage


@dataclass(frozen=True, slots=True)
class DailyNoteDetail:
    """The state of the study on one day, sent although nothing may be wrong.

    Args:
        day: Of the note, ``2026-03-01``.
        data_to: Instant of the last message, aware; None: there was none.
        open_alerts: Number of open alerts by level.
        unanswered_rules: Rules whose alert the DSMB has not answered.
        clocks_running: Clocks of serious events that run.
        parked_items: Items that wait for a person.
        unsent_notices: Notices that no channel has taken yet.
        head: Hash of the newest seal of the audit trail; empty: nothing is sealed yet.
        sealed_upto: Number of the last row of the audit trail under that seal.
    """

    day: str
    data_to: datetime | None
    open_alerts: Mapping[str, int]
    unanswered_rules: tuple[str, ...]
    clocks_running: int
    parked_items: int
    unsent_notices: int
    head: str
    sealed_upto: int
