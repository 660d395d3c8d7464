"""What a stopping rule's decision says, line by line, as a DSMB member reads it."""

import math
from collections.abc import Iterator

from services.vocabulary.decision import Contributor, Decision, Reversal, Signal

_RECOMMENDATIONS = {
    "pause_enrolment": "pause enrolment until the DSMB has reviewed",
    "stop": "stop the treatment of further participants until the DSMB has reviewed",
    "review": "review by the DSMB",
}


def says(decision: Decision) -> str:
    """Return the signal as a heading."""
    return str(decision.signal).capitalize()


def events(count: int) -> str:
    """Return a number of events.

    >>> events(1), events(2)
    ('1 event', '2 events')
    """
    return "1 event" if count == 1 else f"{count} events"


def decision_lines(decision: Decision) -> Iterator[str]:
    """Yield what is counted, the counts, how sure that is, whom it concerns; last what to do."""
    counted = decision.in_words.removesuffix(".")
    until = f" Data to {decision.data_to:%Y-%m-%d %H:%M} UTC." if decision.data_to else ""
    yield f"{decision.title}{': ' + counted if counted else ''}.{until}"
    if decision.undone is not None:
        yield (
            f"With what was known at {decision.as_of:%Y-%m-%d %H:%M} UTC the boundary was reached;"
            " what undid it was known before anybody was told."
        )
        yield what_changed(decision, decision.undone)
    yield (
        f"{'Then: ' if decision.undone else ''}{_at_size(decision.events, decision.ess)}"
        f" ({decision.evaluable} treated, {decision.pending} pending);"
        f" {_boundary(decision, decision.ess)}."
    )
    first = next((point for point in decision.path if point.crossed), None)
    if first is not None:
        yield f"First reached with {events(first.events)} at an effective {first.ess:.1f}."
    suspected = decision.events - decision.confirmed
    only = _reached(crossed=decision.confirmed_crossed)
    yield f"Confirmed {decision.confirmed}, suspected {suspected}. Confirmed only: {only}."
    if decision.upper != decision.events or decision.upper_crossed != (first is not None):
        upper = _reached(crossed=decision.upper_crossed)
        yield f"Incomplete grades at their upper ends: {events(decision.upper)}, {upper}."
    yield from _ahead(decision)
    if decision.beyond_plan:
        yield (
            f"The plan of {decision.n} is exhausted: {decision.beyond_plan} treated after it"
            " are not counted."
        )
    yield from (_contributor(one) for one in decision.contributors)
    recommended = _RECOMMENDATIONS.get(decision.recommend, decision.recommend.replace("_", " "))
    is_reached = decision.signal is Signal.BOUNDARY_REACHED and decision.undone is None
    yield f"{'Recommended' if is_reached else 'Once it is reached'}: {recommended}."


def what_changed(decision: Decision, undone: Reversal) -> str:
    """Return why the boundary that *decision* says is reached no longer is."""
    gone = ", ".join(undone.gone)
    no_longer = "no longer counts" if len(undone.gone) == 1 else "no longer count"
    why = f"{gone} {no_longer}" if gone else "the same events, dated or followed up otherwise"
    now = _at_size(undone.events, undone.ess)
    return f"What changed: {why}. Now: {now}; {_boundary(decision, undone.ess)}."


def _at_size(count: int, ess: float) -> str:
    return f"{events(count)} at an effective {ess:.1f} participants"


def _ahead(decision: Decision) -> Iterator[str]:
    """Yield what those pending may still change."""
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
        f" {_chance(decision.p_cross_p0)}; of ever reaching it by {decision.n}:"
        f" {_chance(decision.predictive)}."
    )


def _reached(*, crossed: bool) -> str:
    return "reached" if crossed else "not reached"


def _chance(probability: float) -> str:
    """Return a probability in whole percent, never as certain when it is not.

    >>> [_chance(p) for p in (0.0, 0.001, 0.234, 0.999, 1.0)]
    ['0 %', 'below 1 %', '23 %', 'above 99 %', '100 %']
    """
    percent = 100 * probability
    if probability not in (0, 1) and percent < 1:
        return "below 1 %"
    if probability not in (0, 1) and 100 - percent < 1:
        return "above 99 %"
    return f"{percent:.0f} %"


def _boundary(decision: Decision, ess: float) -> str:
    size = max(1, math.ceil(ess - 1e-9))
    for step in decision.steps:
        if step.first <= size <= step.last:
            return f"{events(step.events)} stop up to {step.last}"
    return "too few participants to stop yet"


def _contributor(one: Contributor) -> str:
    standing = "confirmed" if one.confirmed else "suspected"
    days = f"transplant day {day(one.transplant_day)}, treatment day {day(one.treatment_day)}"
    return f"{one.participant} {days}: grade {one.grade}, {standing}"


def day(number: int | None) -> str:
    """Return a day as it is written, also when it is not known.

    >>> day(78), day(None)
    ('78', 'unknown')
    """
    return "unknown" if number is None else str(number)
