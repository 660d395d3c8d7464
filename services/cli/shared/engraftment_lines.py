"""Engraftment as the terminal shows it: in sum, and of each participant."""

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median

from services.cli.shared.columns import ENGRAFTMENT
from services.cli.shared.tables import format_day, make_explained_table
from services.vocabulary.engraftment import Engraftment, GraftState, Recovery, RecoveryState

_PROPOSALS = (GraftState.PRIMARY_FAILURE_PROPOSED, GraftState.SECONDARY_FAILURE_PROPOSED)


def summarize_engraftment(engraftments: Sequence[Engraftment]) -> Iterator[str]:
    """Yield, line by line, how many recovered and when, and each failure that is proposed."""
    yield f"Engraftment of {len(engraftments)} with a graft, treated or not (--engraftment: each):"
    neutrophils = [one.neutrophils for one in engraftments]
    yield f"neutrophils >= 0.5 x 10*9/L: {_summarize_recoveries(neutrophils)}"
    platelets = [one.platelets for one in engraftments]
    yield f"platelets >= 20 x 10*9/L, 7 days untransfused: {_summarize_recoveries(platelets)}"
    yield from _describe_assumptions(engraftments)
    for engraftment in engraftments:
        participant, reason = engraftment.participant, engraftment.because
        if engraftment.graft in _PROPOSALS:
            yield f"? {participant}: {engraftment.graft}: {reason}"
        elif engraftment.graft is GraftState.FAILED:
            yield f"! {participant}: the graft failed: {reason}"


def make_engraftment_table(engraftments: Sequence[Engraftment]) -> str:
    """Return one line for each participant, and what is assumed."""
    rows = [
        (
            one.participant,
            describe_recovery(one.neutrophils),
            describe_recovery(one.platelets),
            one.transfusions or "-",
            format_day(one.last_transfusion),
            f"{one.graft}: {one.because}" if one.graft else "-",
        )
        for one in engraftments
    ]
    return "\n".join(
        (make_explained_table(ENGRAFTMENT, rows), *_describe_assumptions(engraftments))
    )


def describe_recovery(recovery: Recovery) -> str:
    """Return the day of recovery, or why there is none.

    >>> describe_recovery(Recovery(RecoveryState.RECOVERED, 14, 17, 1, 90))
    'day 14 to 17'
    >>> describe_recovery(Recovery(RecoveryState.RECOVERED, 14, None, 1, 90))
    'day 14 or later'
    >>> describe_recovery(Recovery(RecoveryState.NOT_BELOW, None, None, 62, 90))
    'not seen below the limit, days 62 to 90'
    """
    if recovery.day is None:
        if recovery.first_counted is None:
            return str(recovery.state)
        return f"{recovery.state}, days {recovery.first_counted} to {recovery.last_counted}"
    if recovery.at_latest is None:
        return f"day {recovery.day} or later"
    is_exact = recovery.at_latest == recovery.day
    return f"day {recovery.day}" if is_exact else f"day {recovery.day} to {recovery.at_latest}"


def _summarize_recoveries(recoveries: Sequence[Recovery]) -> str:
    counts = Counter(one.state for one in recoveries)
    days = sorted(one.day for one in recoveries if one.day is not None)
    words = [f"{counts[state]} {state}" for state in RecoveryState if counts[state]]
    if days:
        words[0] += f" (median day {median(days):g}, {days[0]} to {days[-1]})"
    return ", ".join(words) or "nobody"


def _describe_assumptions(engraftments: Sequence[Engraftment]) -> Iterator[str]:
    yield (
        "First of three days in a row at the limit. 14 to 17, or 14 or later: on some days nobody"
        " counted; it is 14 if those were not below."
    )
    if engraftments and not any(one.transfusions for one in engraftments):
        yield "No transfusion is known of anybody: platelets as if none was given."
