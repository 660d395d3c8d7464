"""Clocks of serious adverse events: how long each runs, and which a record proposes.

They run from the instant of awareness that a person states, not from the click. A person starts and
closes them; the records only propose.

Source: docs/decisions/alerts.md, "Clocks"
"""

from collections.abc import Sequence
from datetime import datetime

from services.vocabulary.operations import ClockKind, ClockStage

_FATAL = frozenset({"death", "life-threatening"})
LAST_PART = 4  # a quarter of its time


def find_stage(aware_at: datetime, due_at: datetime, instant: datetime) -> ClockStage:
    """Return the part of its time that a clock has run; at its very end there is time left.

    >>> from datetime import UTC, timedelta
    >>> due = datetime(2026, 3, 2, tzinfo=UTC)
    >>> aware = due - timedelta(hours=24)
    >>> find_stage(aware, due, due - timedelta(hours=6)).value
    'last quarter'
    >>> find_stage(aware, due, due + timedelta(seconds=1)).value
    'overdue'
    """
    if instant > due_at:
        return ClockStage.OVERDUE
    is_late = instant >= due_at - (due_at - aware_at) / LAST_PART
    return ClockStage.LAST_QUARTER if is_late else ClockStage.EARLY


def propose_clocks(reasons: Sequence[str]) -> tuple[ClockKind, ...]:
    """Return the clocks that a record's reasons of seriousness propose; none without a reason.

    Those to the authorities are for events that are unexpected and suspected too, which a person
    decides.

    >>> [str(kind) for kind in propose_clocks(["life-threatening"])]
    ['24h', '7d']
    >>> [str(kind) for kind in propose_clocks(["hospitalization"])], propose_clocks([])
    (['24h', '15d'], ())
    """
    if not reasons:
        return ()
    is_fatal = not _FATAL.isdisjoint(reasons)
    return (ClockKind.ONE_DAY, ClockKind.SEVEN_DAYS if is_fatal else ClockKind.FIFTEEN_DAYS)
