"""Faults of a rule: a signed table that its method does not give, or wrong worked examples."""

from collections.abc import Iterator, Sequence

from services.safety_rules.domain.stopping.design import Design, make_design
from services.safety_rules.domain.stopping.families import check_family
from services.safety_rules.domain.stopping.pending import find_curve_faults
from services.safety_rules.domain.stopping.person_time_design import PersonTimeDesign
from services.safety_rules.domain.stopping.person_time_rule import (
    design_person_time_rule,
    find_person_time_faults,
)
from services.safety_rules.domain.stopping.steps import expand_steps, find_step_faults, format_steps
from services.vocabulary.protocol import Rule

RuleFault = tuple[str, str]
RuleDesign = Design | PersonTimeDesign


def find_rule_faults(rule: Rule) -> Iterator[RuleFault]:
    """Yield the faults of *rule*, as (field, problem), the first cause first.

    A fault leaves out the later checks that depend on it.
    """
    stop = rule.stop_when
    if stop.person_time is not None:
        yield from find_person_time_faults(rule)
        return
    yield from (("pending.curve", problem) for problem in find_curve_faults(rule.curve))
    faults = [*find_step_faults(stop.boundary, stop.n, rule.looks)]
    if faults:
        yield from ((f"stop_when.boundary.{path}".rstrip("."), fault) for path, fault in faults)
        return
    try:
        computed_design = design_rule(rule)
    except ValueError as error:
        yield "stop_when", str(error)
        return
    if stop.method == "table" and computed_design.exceeds_alpha:
        yield (
            "stop_when",
            (
                f"alpha is {stop.alpha}, and the boundary's own type I error is "
                f"{computed_design.attained_alpha:.5f}"
            ),
        )
        return
    signed_boundary = expand_steps(stop.boundary, stop.n, rule.looks)
    signed_at_looks = tuple(signed_boundary[x] for x in computed_design.looks)
    if computed_design.boundary != signed_at_looks:
        yield "stop_when.boundary", _describe_difference(rule, computed_design)
    else:
        yield from _find_example_faults(rule, signed_boundary)


def recompute_design(rule: Rule) -> RuleDesign:
    """Return the design of *rule* as its method gives it, of participants or of person-time.

    Raises:
        ValueError: The method or one of its numbers is out of range; the message names it.
    """
    return design_person_time_rule(rule) if rule.stop_when.person_time else design_rule(rule)


def design_rule(rule: Rule, rates: Sequence[float] = ()) -> Design:
    """Return `recompute_design` of a rule that counts participants (``table``: the table's own).

    Raises:
        ValueError: The method or one of its numbers is out of range; the message names it.
    """
    stop = rule.stop_when
    parameters = dict(stop.parameters)
    if stop.method == "table":
        signed_boundary = expand_steps(stop.boundary, stop.n, rule.looks)
        sizes = rule.looks or range(1, stop.n + 1)
        parameters = {**parameters, "boundary": tuple(float(signed_boundary[x]) for x in sizes)}
    else:
        check_family(stop.method, stop.n, stop.p0, parameters)
    return make_design(
        stop.method, stop.p0, stop.alpha, stop.n, looks=rule.looks, rates=rates, **parameters
    )


def _describe_difference(rule: Rule, computed_design: Design) -> str:
    stop = rule.stop_when
    return (
        f"the file says {format_steps(stop.boundary)}; {stop.method} with p0 {stop.p0:g}, alpha "
        f"{stop.alpha:g}, n {stop.n} gives {computed_design.boundary_text}"
        f" (type I error {computed_design.attained_alpha:.5f})"
    )


def _find_example_faults(rule: Rule, signed_boundary: Sequence[int]) -> Iterator[RuleFault]:
    answers = set()
    for index, example in enumerate(rule.worked_examples, 1):
        field = f"worked_examples.{index}"
        answers.add(example.answer)
        if example.of > rule.stop_when.n or example.events > example.of:
            yield field, f"{example.events} of {example.of} cannot be, with n = {rule.stop_when.n}"
            continue
        says = "stop" if example.events >= signed_boundary[example.of] else "continue"
        if says != example.answer:
            yield field, f"{example.events} of {example.of} is {says!r}, not {example.answer!r}"
    if answers != {"stop", "continue"}:
        yield "worked_examples", "need one on each side of the boundary"
