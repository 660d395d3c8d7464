"""The words of alerts about silence, deadlines and the day."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from services.alerts.domain.sae_clocks import LAST_PART
from services.vocabulary.count_text import name_count
from services.vocabulary.operations import (
    ClockDetail,
    ClockKind,
    ClockStage,
    DailyNoteDetail,
    SilenceDetail,
    format_time_left,
)

OperationsDetail = SilenceDetail | ClockDetail | DailyNoteDetail

_CLOCKS = {
    ClockKind.ONE_DAY: "from the site to the sponsor",
    ClockKind.SEVEN_DAYS: "to the authorities (fatal or life-threatening, unexpected, suspected)",
    ClockKind.FIFTEEN_DAYS: "to the authorities (serious, unexpected, suspected)",
}


def summarize_operations(detail: OperationsDetail) -> str:
    """Return the alert in a few words, as its subject says it."""
    match detail:
        case SilenceDetail():
            return f"{_name_source(detail)} is silent"
        case ClockDetail():
            if detail.stage is ClockStage.OVERDUE:
                return f"{detail.term}: the {detail.clock} clock is over"
            return f"{detail.term}: the {detail.clock} clock runs, until {_format(detail.due_at)}"
        case DailyNoteDetail():
            return f"Daily note {detail.day}: {_summarize_day(detail)}"


def describe_operations(detail: OperationsDetail, participant: str) -> Iterator[str]:
    """Yield the facts, and last the task of the reader."""
    match detail:
        case SilenceDetail():
            yield from _describe_silence(detail)
        case ClockDetail():
            yield from _describe_clock(detail, participant)
        case DailyNoteDetail():
            yield from _describe_day(detail)


def _name_source(detail: SilenceDetail) -> str:
    if detail.source == "engine":
        return "The engine"
    feed = f" ({detail.feed})" if detail.feed else ""
    return f"{detail.source}{feed}"


def _describe_silence(detail: SilenceDetail) -> Iterator[str]:
    start = f"since {_format(detail.last_at)}" if detail.last_at else "so far"
    usual = "as in its last 28 days" if detail.is_learned else "as sites.yaml expects"
    expected = timedelta(seconds=detail.expected_within_s)
    if detail.source == "engine":
        yield f"The engine is silent: a heartbeat sent {start} has not come back."
        yield "Facts may be stored and not graded. No alert is sure to be raised until it is back."
        yield "To do: look at the processes of the rules and at Kafka (docs/runbooks/heartbeat.md)."
        return
    yield f"{_name_source(detail)} is silent: nothing has come {start}."
    yield f"Something is expected within {_format_period(expected)}, {usual}."
    yield "To do: ask the site, and look at its interface (docs/runbooks/site-silent.md)."


def _describe_clock(detail: ClockDetail, participant: str) -> Iterator[str]:
    period = detail.due_at - detail.aware_at
    quarter_s = period.total_seconds() / LAST_PART
    suffix = {
        ClockStage.EARLY: "",
        ClockStage.LAST_QUARTER: f" {format_time_left(quarter_s)}, or less.",
        ClockStage.OVERDUE: " It is over.",
    }[detail.stage]
    yield f"{detail.term}, {participant}: {_spell_days(period)} {_CLOCKS[detail.clock]}.{suffix}"
    yield f"Aware since {_format(detail.aware_at)}, due {_format(detail.due_at)}."
    yield f"To do: report it, then `aegis clocks close {detail.record[:8]} --clock {detail.clock}`."


def _summarize_day(detail: DailyNoteDetail) -> str:
    count = sum(detail.open_alerts.values())
    alerts = name_count(count, "open alert") if count else "no open alert"
    data = f"data to {_format(detail.data_to)}" if detail.data_to else "no data yet"
    return f"{data}, {alerts}"


def _describe_day(detail: DailyNoteDetail) -> Iterator[str]:
    yield f"Aegis runs: {_summarize_day(detail)}."
    levels = (f"{count} {level}" for level, count in detail.open_alerts.items() if count)
    yield f"Open alerts: {', '.join(levels) or 'none'}."
    yield f"Unanswered by the DSMB: {', '.join(detail.unanswered_rules) or 'nothing'}."
    yield f"Clocks of serious events that run: {detail.clocks_running}."
    yield f"Parked items: {detail.parked_items}. Notices not yet sent: {detail.unsent_notices}."
    yield f"Head of the audit trail: {detail.head or 'nothing is sealed yet'}"
    yield "To do: keep this mail; `aegis verify --anchor HEAD` compares the database with it."


def _format(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def _spell_days(period: timedelta) -> str:
    """Return *period* in calendar days; in hours up to one day, and where it is no whole days.

    >>> [_spell_days(timedelta(hours=hours)) for hours in (24, 36, 48, 168)]
    ['24 h', '36 h', '2 calendar days', '7 calendar days']
    """
    days, rest = divmod(period, timedelta(days=1))
    return _format_period(period) if rest or days <= 1 else f"{days} calendar days"


def _format_period(period: timedelta) -> str:
    return f"{period / timedelta(hours=1):g} h"
