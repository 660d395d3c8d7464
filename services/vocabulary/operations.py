"""Details of alerts about machines, feeds and deadlines, not about grades."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType


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


class ClockKind(StrEnum):
    """A clock of a serious adverse event, named after the time that it usually runs.

    How long it runs is the protocol's (`Protocol.clock_periods`).

    Source: ICH E2A, III.B (7 and 15 calendar days); 21 CFR 312.64(b) (the investigator reports
    at once: 24 h)
    """

    ONE_DAY = "24h"  # from the site to the sponsor
    SEVEN_DAYS = "7d"  # to the authorities: fatal or life-threatening, unexpected, suspected
    FIFTEEN_DAYS = "15d"  # to the authorities: serious, unexpected, suspected


CLOCK_PERIODS: Mapping[ClockKind, timedelta] = MappingProxyType(
    {
        ClockKind.ONE_DAY: timedelta(hours=24),
        ClockKind.SEVEN_DAYS: timedelta(days=7),
        ClockKind.FIFTEEN_DAYS: timedelta(days=15),
    }
)  # where the protocol gives no other


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
        clock: Its kind.
        aware_at: Instant of awareness, aware; it runs from then.
        due_at: Its end, aware.
        stage: How far it has run.
    """

    record: str
    term: str
    clock: ClockKind
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
        head: Of the audit trail, ROW-HASH; empty: nothing is sealed yet.
    """

    day: str
    data_to: datetime | None
    open_alerts: Mapping[str, int]
    unanswered_rules: tuple[str, ...]
    clocks_running: int
    parked_items: int
    unsent_notices: int
    head: str


def format_time_left(seconds: float) -> str:
    """Return a time to a deadline, in whole hours from two days on.

    >>> format_time_left(3 * 3600), format_time_left(-90 * 60), format_time_left(5 * 86400)
    ('3 h left', '1 h over', '120 h left')
    >>> format_time_left(59.5 * 60)
    '59 min left'
    """
    word = "left" if seconds >= 0 else "over"
    minutes = int(abs(seconds) // 60)
    return f"{minutes // 60} h {word}" if minutes >= 60 else f"{minutes} min {word}"  # noqa: PLR2004
