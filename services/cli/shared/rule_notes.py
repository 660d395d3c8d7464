"""What a line of `aegis rules status` cannot say: where a rule's answer hangs on a choice."""

from collections.abc import Iterator

from services.vocabulary.decision import Decision


def notes(decision: Decision) -> Iterator[str]:
    """Yield what a reader of *decision* must know besides its line; often nothing."""
    crossed = decision.crossed_since is not None
    if decision.beyond_plan:
        yield (
            f"the plan of {decision.n} is exhausted: {decision.beyond_plan} treated after it are "
            "not counted"
        )
    if decision.confirmed_crossed != crossed:
        yield f"{_reached(crossed=decision.confirmed_crossed)} on confirmed events alone"
    if decision.upper_crossed != crossed:
        yield (
            f"{_reached(crossed=decision.upper_crossed)} with incomplete grades at their upper ends"
        )
    others = [one.counting for one in decision.sensitivity if one.crossed != crossed]
    if others:
        yield f"{_reached(crossed=not crossed)} counted otherwise: {', '.join(others)}"


def _reached(*, crossed: bool) -> str:
    return "reached" if crossed else "not reached"
