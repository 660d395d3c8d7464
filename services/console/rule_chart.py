"""The chart of a rule's decision, as values that a drawing needs."""

from services.charts.boundary_path import BoundaryPath
from services.vocabulary.decision import Decision


def make_boundary_path(decision: Decision) -> BoundaryPath:
    """Return the path of *decision* against its boundary."""
    person_time = decision.person_time
    if person_time is None:
        boundary = [(step.first - 1.0, step.events) for step in decision.steps]
        size_name, planned = "effective number of participants", float(decision.n)
    else:
        ends = [0.0, *(step.end for step in person_time.steps)]
        boundary = [
            (start, step.events) for start, step in zip(ends, person_time.steps, strict=False)
        ]
        size_name, planned = person_time.unit.replace("_", "-"), person_time.planned
    crossing = decision.first_crossing
    full_size = max(float(decision.complete + decision.pending), decision.ess)
    return BoundaryPath(
        decision.rule,
        size_name,
        planned,
        boundary,
        [*((point.ess, point.events) for point in decision.path), (decision.ess, decision.events)],
        (full_size, decision.events, decision.events + decision.pending)
        if decision.pending
        else None,
        (crossing.ess, crossing.events) if crossing else None,
    )
