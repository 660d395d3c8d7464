"""Notes below the table of `aegis rules status`: choices on which a rule's answer depends."""

from collections.abc import Iterator

from services.vocabulary.decision import Decision
from services.vocabulary.protocol import spell_time


def list_notes(decision: Decision) -> Iterator[str]:
    """Yield the notes of *decision* that its line has no room for; often none."""
    yield from list_plan_notes(decision)
    is_crossed = decision.crossed_since is not None
    if decision.confirmed_crossed != is_crossed:
        yield f"{_describe_crossing(crossed=decision.confirmed_crossed)} on confirmed events alone"
    if decision.upper_crossed != is_crossed:
        answer = _describe_crossing(crossed=decision.upper_crossed)
        yield f"{answer} with incomplete grades at their upper ends"
    countings = ", ".join(
        other.counting for other in decision.sensitivity if other.crossed != is_crossed
    )
    if countings:
        yield f"{_describe_crossing(crossed=not is_crossed)} counted otherwise: {countings}"


def list_plan_notes(decision: Decision) -> Iterator[str]:
    """Yield the notes about the plan, and about what cannot be counted by it; often none."""
    if decision.beyond_plan:
        yield (
            f"the plan of {decision.n} is exhausted: {decision.beyond_plan} treated after it are "
            "not counted"
        )
    boundary = decision.person_time
    if boundary is not None:
        limit = spell_time(boundary.unit, boundary.planned)
        is_over = decision.ess > boundary.planned
        size = f"effective is {decision.ess:.6g} of the planned {limit}"
        yield f"the plan of {limit} is over" if is_over else size
    yield from map(str, decision.uncountable)


def _describe_crossing(*, crossed: bool) -> str:
    return "reached" if crossed else "not reached"
