"""A stopping rule's decision, line by line, as a DSMB member reads it."""

import math
from collections.abc import Iterator, Mapping

from services.vocabulary.count_text import name_count
from services.vocabulary.decision import (
    Contributor,
    Decision,
    Reversal,
    Signal,
    describe_plan_end,
    describe_prior,
    describe_size,
)
from services.vocabulary.protocol import PersonTimeBoundary, spell_time

_RECOMMENDATIONS = {
    "pause_enrolment": "pause enrolment until the DSMB has reviewed",
    "stop": "stop the treatment of further participants until the DSMB has reviewed",
    "review": "review by the DSMB",
}


def format_signal(decision: Decision) -> str:
    """Return the signal as a heading."""
    return str(decision.signal).capitalize()


def describe_decision(decision: Decision, terms: Mapping[str, str]) -> Iterator[str]:
    """Yield the event, its counts, their certainty, the participants; last the recommendation.

    *terms* are those of the counted events, by pseudonym; one that is not there is not named.
    """
    event_words = decision.in_words.removesuffix(".")
    data_cut = f" Data to {decision.data_to:%Y-%m-%d %H:%M} UTC." if decision.data_to else ""
    yield f"{decision.title}{': ' + event_words if event_words else ''}.{data_cut}"
    if decision.undone is not None:
        yield (
            f"With what was known at {decision.as_of:%Y-%m-%d %H:%M} UTC the boundary was reached;"
            " what undid it was known before anybody was told."
        )
        yield describe_reversal(decision, decision.undone)
    yield (
        f"{'Then: ' if decision.undone else ''}"
        f"{_describe_count(decision, decision.events, decision.ess)}"
        f" ({decision.evaluable} treated, {decision.pending} pending);"
        f" {_describe_boundary(decision, decision.ess)}."
    )
    first = decision.first_crossing
    if first is not None:
        size = describe_size(decision, first.ess)
        yield f"First reached with {name_count(first.events, 'event')} at {size}."
    suspected = decision.events - decision.confirmed
    answer = _describe_crossing(crossed=decision.confirmed_crossed)
    yield f"Confirmed {decision.confirmed}, suspected {suspected}. Confirmed only: {answer}."
    if decision.upper != decision.events or decision.upper_crossed != (first is not None):
        upper = _describe_crossing(crossed=decision.upper_crossed)
        events = name_count(decision.upper, "event")
        yield f"Incomplete grades at their upper ends: {events}, {upper}."
    yield from _describe_outlook(decision)
    if decision.beyond_plan:
        yield (
            f"The plan of {decision.n} is exhausted: {decision.beyond_plan} treated after it"
            " are not counted."
        )
    yield from (f"{one}." for one in decision.uncountable)
    yield from (
        _describe_contributor(one, terms.get(one.participant, "")) for one in decision.contributors
    )
    recommendation = _RECOMMENDATIONS.get(decision.recommend, decision.recommend.replace("_", " "))
    is_reached = decision.signal is Signal.BOUNDARY_REACHED and decision.undone is None
    yield f"{'Recommended' if is_reached else 'Once it is reached'}: {recommendation}."


def describe_reversal(decision: Decision, reversal: Reversal) -> str:
    """Return the reasons for which the boundary that *decision* reached no longer is."""
    participants = ", ".join(reversal.gone)
    no_longer = "no longer counts" if len(reversal.gone) == 1 else "no longer count"
    reasons = (
        f"{participants} {no_longer}"
        if participants
        else "the same events, dated or followed up otherwise"
    )
    current_count = _describe_count(decision, reversal.events, reversal.ess)
    boundary = _describe_boundary(decision, reversal.ess)
    return f"What changed: {reasons}. Now: {current_count}; {boundary}."


def _describe_count(decision: Decision, count: int, size: float) -> str:
    participants = "" if decision.person_time else " participants"
    return f"{name_count(count, 'event')} at {describe_size(decision, size)}{participants}"


def _describe_outlook(decision: Decision) -> Iterator[str]:
    """Yield the change that those pending may still bring."""
    if decision.undone is not None:
        return
    if decision.signal is Signal.BOUNDARY_REACHED:
        if decision.pending and decision.certain:
            yield "No event-free completion of those pending can undo it."
        elif decision.pending:
            yield (
                "If all those pending complete without the event, the count then lies below the"
                " boundary; that it was reached stands."
            )
        return
    yield (
        "Chance that those pending reach the boundary, at the acceptable rate:"
        f" {_format_chance(decision.p_cross_p0)}; of ever reaching it by"
        f" {describe_plan_end(decision)}{_describe_prior(decision)}:"
        f" {_format_chance(decision.predictive)}."
    )


def _describe_prior(decision: Decision) -> str:
    return f", with a {prior} prior" if (prior := describe_prior(decision)) else ""


def _describe_crossing(*, crossed: bool) -> str:
    return "reached" if crossed else "not reached"


def _format_chance(probability: float) -> str:
    """Return a probability in whole percent, never as certain when it is not.

    >>> [_format_chance(p) for p in (0.0, 0.001, 0.234, 0.999, 1.0)]
    ['0 %', 'below 1 %', '23 %', 'above 99 %', '100 %']
    """
    percent = 100 * probability
    if probability not in (0, 1) and percent < 1:
        return "below 1 %"
    if probability not in (0, 1) and 100 - percent < 1:
        return "above 99 %"
    return f"{percent:.0f} %"


def _describe_boundary(decision: Decision, ess: float) -> str:
    if decision.person_time is not None:
        return _describe_time_boundary(decision.person_time, ess)
    size = max(1, math.ceil(ess - 1e-9))
    for step in decision.steps:
        if step.first <= size <= step.last:
            return f"{name_count(step.events, 'event')} stop up to {step.last}"
    return "too few participants to stop yet"


def _describe_time_boundary(boundary: PersonTimeBoundary, size: float) -> str:
    for step in boundary.steps:
        if size <= step.end:
            end = spell_time(boundary.unit, step.end)
            return f"{name_count(step.events, 'event')} stop up to {end}"
    return "the planned person-time is over"


def _describe_contributor(event: Contributor, term: str) -> str:
    standing = "confirmed" if event.confirmed else "suspected"
    transplant_day, treatment_day = (
        format_day(event.transplant_day),
        format_day(event.treatment_day),
    )
    days = f"transplant day {transplant_day}, treatment day {treatment_day}"
    name = f"{term}, " if term else ""
    return f"{event.participant} {days}: {name}grade {event.grade}, {standing}"


def format_day(number: int | None) -> str:
    """Return a day as it is written, also when it is not known.

    >>> format_day(78), format_day(None)
    ('78', 'unknown')
    """
    return "unknown" if number is None else str(number)
