"""A rule of person-time as its protocol signs it: its plan, its limits, and its faults."""

import math
from collections.abc import Iterator, Sequence

from services.safety_rules.domain.stopping.person_time import (
    compute_expected_risk,
    find_hazard_faults,
)
from services.safety_rules.domain.stopping.person_time_design import (
    TABLE,
    PersonTimeDesign,
    find_stopping_count,
    format_time_steps,
    make_person_time_design,
)
from services.safety_rules.domain.stopping.person_time_plan import (
    PersonTimePlan,
    compute_hazard,
    compute_ratio,
)
from services.vocabulary.protocol import PersonTimeBoundary, Rule, TimeStep
from services.vocabulary.spelled_numbers import spell_number

_TOLERANCE = 5e-4  # of a risk that a curve gives, beside p0 as it is written


def read_boundary(rule: Rule) -> PersonTimeBoundary:
    """Return the boundary of a rule of person-time.

    Raises:
        ValueError: It counts participants.
    """
    if rule.stop_when.person_time is None:
        raise ValueError(f"{rule.id} counts participants, not person-time")
    return rule.stop_when.person_time


def read_plan(rule: Rule) -> PersonTimePlan:
    """Return the plan of a rule of person-time, in its unit.

    Raises:
        ValueError: Its acceptable rate or its window is out of range.
    """
    boundary = read_boundary(rule)
    hazard = compute_hazard(rule.stop_when.p0, boundary.window_days)
    return PersonTimePlan(
        planned=boundary.planned,
        hazard=hazard if boundary.unit == "person_days" else 1.0,
        looks=boundary.looks,
        min_events=boundary.min_events,
        delayed_start=boundary.delayed_start,
    )


def list_limits(steps: Sequence[TimeStep]) -> tuple[float, ...]:
    """Return the person-time up to which 1, 2, ... events stop; 0: so few never do.

    >>> list_limits([TimeStep(2, 0.4), TimeStep(4, 1.0)])
    (0.0, 0.4, 0.4, 1.0)
    """
    limits: list[float] = []
    for step in steps:
        limits += [limits[-1] if limits else 0.0] * (step.events - 1 - len(limits))
        limits.append(step.end)
    return tuple(limits)


def design_person_time_rule(rule: Rule, ratios: Sequence[float] = ()) -> PersonTimeDesign:
    """Return the design of *rule* as its method gives it (of a table: the table's own).

    Raises:
        ValueError: The method or one of its numbers is out of range; the message names it.
    """
    stop, plan = rule.stop_when, read_plan(rule)
    parameters = dict(stop.parameters)
    if stop.method == TABLE:
        parameters["limits"] = list_limits(read_boundary(rule).steps)
    if "p1" in parameters:
        (p1,) = parameters.pop("p1")
        if not stop.p0 < p1 < 1:
            raise ValueError(
                f"p1 must be above p0 = {stop.p0:g} and below 1, not {spell_number(p1)}"
            )
        parameters["ratio"] = (compute_ratio(stop.p0, p1),)
    return make_person_time_design(stop.method, stop.alpha, plan, ratios=ratios, **parameters)


def find_person_time_faults(rule: Rule) -> Iterator[tuple[str, str]]:
    """Yield the faults of *rule*, as (field, problem), the first cause first.

    A fault leaves out the later checks that depend on it.
    """
    stop, boundary = rule.stop_when, read_boundary(rule)
    curve_faults = find_hazard_faults(rule.curve)
    yield from (("pending.curve", problem) for problem in curve_faults)
    step_faults = list(_find_step_faults(boundary.steps))
    yield from step_faults
    if curve_faults or step_faults:
        return
    try:
        computed_design = design_person_time_rule(rule)
    except ValueError as error:
        yield "stop_when", str(error)
        return
    if boundary.unit == "expected_events":
        risk = compute_expected_risk(rule.curve, boundary.window_days)
        if abs(risk - stop.p0) > _TOLERANCE:
            yield (
                "stop_when.p0",
                f"is {stop.p0:g}, but the curve gives {risk:.4f} by day {boundary.window_days:g}",
            )
    if stop.method == TABLE and computed_design.attained_alpha > stop.alpha:
        yield (
            "stop_when.boundary",
            f"has type I error {computed_design.attained_alpha:.5f}, above alpha {stop.alpha:g}",
        )
    elif computed_design.steps != boundary.steps:
        yield "stop_when.boundary", _describe_difference(rule, computed_design)
    else:
        yield from _find_example_faults(rule, computed_design)


def _find_step_faults(steps: Sequence[TimeStep]) -> Iterator[tuple[str, str]]:
    if not steps:
        yield "stop_when.boundary", "is empty: the rule can never stop"
    previous = TimeStep(0, 0.0)
    for index, step in enumerate(steps):
        path = f"stop_when.boundary.{index}"
        if step.events <= previous.events:
            yield f"{path}.events", f"is not above {previous.events}"
        if not previous.end < step.end < math.inf:
            yield path, f"ends at {step.end:g}, not above {previous.end:g}"
        previous = step


def _describe_difference(rule: Rule, computed_design: PersonTimeDesign) -> str:
    stop, boundary = rule.stop_when, read_boundary(rule)
    return (
        f"the file says {format_time_steps(boundary.steps)}; {stop.method} with p0 {stop.p0:g} "
        f"within {boundary.window_days:g} days, alpha {stop.alpha:g}, planned {boundary.planned:g} "
        f"gives {computed_design.boundary_text} (type I error {computed_design.attained_alpha:.5f})"
    )


def _find_example_faults(rule: Rule, design: PersonTimeDesign) -> Iterator[tuple[str, str]]:
    answers = set()
    for index, example in enumerate(rule.worked_examples):
        field = f"worked_examples.{index}"
        answers.add(example.answer)
        time, events = example.person_time, example.events
        if not 0 <= time <= design.plan.planned or events > rule.stop_when.n:
            limits = f"n = {rule.stop_when.n} and planned {design.plan.planned:g}"
            yield field, f"{events} events by {time:g} cannot be, with {limits}"
            continue
        says = "stop" if compares_as_stop(design.limits, design.plan, events, time) else "continue"
        if says != example.answer:
            yield field, f"{events} events by {time:g} is {says!r}, not {example.answer!r}"
    if answers != {"stop", "continue"}:
        yield "worked_examples", "need one on each side of the boundary"


def compares_as_stop(
    limits: Sequence[float], plan: PersonTimePlan, events: int, time: float
) -> bool:
    """Return True when *events* stop at a comparison at person-time *time*."""
    count = find_stopping_count(limits, time)
    is_compared = time in plan.looks if plan.looks else time >= plan.delayed_start
    return is_compared and 0 < count <= events
