"""The boundary as a clinician writes it ("2 of 2 to 4") and as the recursions read it."""

from collections.abc import Iterable, Iterator, Sequence

from services.vocabulary.protocol import BoundaryStep


def expand_steps(
    steps: Sequence[BoundaryStep], n: int, looks: Sequence[int] = ()
) -> tuple[int, ...]:
    """Return the events that stop at x = 0 .. *n*; x + 1 where the rule cannot stop.

    >>> expand_steps([BoundaryStep(2, 2, 3), BoundaryStep(3, 4, 5)], n=5)
    (1, 2, 2, 2, 3, 3)

    Args:
        steps: Without a fault (see `find_step_faults`).
        n: Planned maximum.
        looks: Evaluable participants at each look; empty: after each one.
    """
    boundary = [x + 1 for x in range(n + 1)]
    compared_sizes = set(looks or range(n + 1))
    for step in steps:
        for x in range(step.first, step.last + 1):
            if x in compared_sizes:
                boundary[x] = min(step.events, x + 1)
    return tuple(boundary)


def compress_boundary(
    boundary: Sequence[int], looks: Sequence[int] = ()
) -> tuple[BoundaryStep, ...]:
    """Return the steps of *boundary*, given for x = 0 .. n: the reverse of `expand_steps`.

    >>> compress_boundary((1, 2, 2, 2, 3, 3))
    (BoundaryStep(events=2, first=2, last=3), BoundaryStep(events=3, first=4, last=5))
    """
    sizes = looks or range(1, len(boundary))
    return merge_steps((x, boundary[x]) for x in sizes if boundary[x] <= x)


def merge_steps(limits: Iterable[tuple[int, int]]) -> tuple[BoundaryStep, ...]:
    """Return the steps of *limits*, each a size and its events, by size.

    >>> merge_steps([(25, 0), (26, 0), (40, 1)])
    (BoundaryStep(events=0, first=25, last=26), BoundaryStep(events=1, first=40, last=40))
    """
    steps: list[BoundaryStep] = []
    for x, events in limits:
        if steps and steps[-1].events == events:
            steps[-1] = BoundaryStep(events, steps[-1].first, x)
        else:
            steps.append(BoundaryStep(events, x, x))
    return tuple(steps)


def format_steps(steps: Sequence[BoundaryStep]) -> str:
    """Return the steps in one line.

    >>> format_steps([BoundaryStep(2, 2, 4), BoundaryStep(3, 5, 5)])
    '2@2-4 3@5'
    """
    return " ".join(
        f"{step.events}@{step.first}" + (f"-{step.last}" if step.last > step.first else "")
        for step in steps
    )


def find_step_faults(
    steps: Sequence[BoundaryStep], n: int, looks: Sequence[int] = ()
) -> Iterator[tuple[str, str]]:
    """Yield the faults of a boundary, as (field, problem); nothing when it can be trusted.

    >>> list(find_step_faults([BoundaryStep(2, 2, 3), BoundaryStep(3, 5, 9)], n=10))
    [('2.of', 'starts at 5, not at 4'), ('2.of', 'ends at 9, not at n = 10')]
    """
    if not steps:
        yield "", "is empty: the rule can never stop"
        return
    for index, step in enumerate(steps):
        place = index + 1
        if step.events < 1:
            yield f"{place}.events", "is not positive"
        if step.last < step.first:
            yield f"{place}.of", f"ends at {step.last}, before it starts at {step.first}"
        if step.events > step.first:
            yield f"{place}.events", f"{step.events} events cannot be among {step.first}"
        if index and step.events <= steps[index - 1].events:
            yield f"{place}.events", f"is not above {steps[index - 1].events}"
        if index and (fault := _describe_gap(steps[index - 1], step, looks)):
            yield f"{place}.of", fault
    end = looks[-1] if looks else n
    if not end <= steps[-1].last <= n:
        last_name = "the last look" if looks else "n"
        yield f"{len(steps)}.of", f"ends at {steps[-1].last}, not at {last_name} = {end}"


def _describe_gap(previous: BoundaryStep, step: BoundaryStep, looks: Sequence[int]) -> str:
    """Return the fault between two steps: an overlap, or a look that none covers; empty: none."""
    missed_looks = [look for look in looks if previous.last < look < step.first]
    if (
        step.first <= previous.last
        or missed_looks
        or (not looks and step.first > previous.last + 1)
    ):
        due = missed_looks[0] if missed_looks else previous.last + 1
        return f"starts at {step.first}, not at {due}"
    return ""
