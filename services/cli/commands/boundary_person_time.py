"""``aegis boundary`` of a family of person-time, with what it does at each hazard."""

from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence

from services.charts.chart_content import Captions, Marks, PlottedRule
from services.cli.command import CommandError
from services.cli.shared.columns import PERSON_TIME
from services.cli.shared.output_files import write_files
from services.cli.shared.person_time_words import format_time_row
from services.cli.shared.rate_grid import make_rate_grid, make_ratio_grid
from services.cli.shared.refused_argument import refuse_argument
from services.cli.shared.tables import make_explained_table
from services.cli.shared.terminal_width import print_text
from services.runtime.canonical_json import write_canonical
from services.safety_rules.reports.person_time_tables import (
    PersonTimeDesign,
    PersonTimePlan,
    choose_hazard,
    choose_planned,
    compute_ratio,
    make_person_time_design,
)
from services.vocabulary.protocol import PersonTimeBoundary, TimeUnit, spell_time
from services.vocabulary.spelled_numbers import spell_number

Parameters = Mapping[str, Sequence[float]]


def print_person_time_boundary(args: Namespace, parameters: Parameters) -> int:
    """Print one boundary of person-time with what it does, and draw it.

    Raises:
        CommandError: An argument is missing or out of range.
    """
    for name in ("first_look", "beta", "lower", "accrual_days"):
        if getattr(args, name) is not None:
            option = name.replace("_", "-")
            raise CommandError(f"--{option} goes with families of participants, not {args.family}")
    try:
        plan = read_plan(args, args.hazard)
        design = _make_design(args, plan, parameters)
    except ValueError as error:
        raise refuse_argument(args, error) from error
    if args.json:
        print(write_canonical({"unit": find_unit(plan), "design": design}))
    else:
        print_text("\n".join(_describe_design(args, design, parameters)))
    if args.plot:
        _plot(args, design, parameters)
    return 0


def read_plan(args: Namespace, hazard: float | None = None) -> PersonTimePlan:
    """Return the plan that *args* give; *hazard*: events per person-day, instead of p0's.

    Raises:
        ValueError: Too little or too much is given, or a number is out of range.
    """
    per_unit = choose_hazard(args.p0, args.window_days, hazard)
    return PersonTimePlan(
        planned=choose_planned(args.planned, args.n, args.p0, per_unit),
        hazard=per_unit,
        looks=tuple(args.looks),
        min_events=args.min_events,
        delayed_start=args.delayed_start,
    )


def find_unit(plan: PersonTimePlan) -> TimeUnit:
    """Return the unit of a plan's person-time."""
    return "expected_events" if plan.hazard == 1 else "person_days"


def _make_design(args: Namespace, plan: PersonTimePlan, parameters: Parameters) -> PersonTimeDesign:
    if args.rates and args.p0 is None:
        raise ValueError("rates go with p0, to which they are compared; ratios without it")
    ratios = (*args.ratios, *(compute_ratio(args.p0, rate) for rate in args.rates))
    family_parameters = dict(parameters)
    if "p1" in family_parameters:
        (p1,) = family_parameters.pop("p1")
        if args.p0 is None or not args.p0 < p1 < 1:
            raise ValueError(
                f"p1 must be above p0 and below 1, not {spell_number(p1)}, and goes with p0"
            )
        family_parameters["ratio"] = (compute_ratio(args.p0, p1),)
    return make_person_time_design(
        args.family, args.alpha, plan, ratios=ratios, **family_parameters
    )


def _describe_design(
    args: Namespace, design: PersonTimeDesign, parameters: Parameters
) -> Iterator[str]:
    plan, unit = design.plan, find_unit(design.plan)
    expected = "" if unit == "expected_events" else f" ({plan.expected_events:.6g} expected events)"
    planned = spell_time(unit, plan.planned)
    yield "  ".join([design.family, *_list_design_words(args, design, parameters)])
    yield f"planned {planned}{expected}"
    constant = "" if design.constant is None else f"constant {design.constant:.8g}  "
    note = " (above alpha)" if design.attained_alpha > design.alpha else ""
    yield f"{constant}attained alpha {design.attained_alpha:.7f}{note}"
    name = "person-days" if unit == "person_days" else "expected events"
    yield f"stop at events@{name}: {design.boundary_text}"
    if design.characteristics:
        rates = ["-"] * len(args.ratios) + [f"{rate:g}" for rate in args.rates]
        rows = [
            format_time_row(rate, at)
            for rate, at in zip(rates, design.characteristics, strict=True)
        ]
        yield make_explained_table(PERSON_TIME, rows)


def _list_design_words(
    args: Namespace, design: PersonTimeDesign, parameters: Parameters
) -> Iterator[str]:
    """Yield what the design was asked for, each with its name: parameters, risk, plan, error."""
    for name, values in parameters.items():
        if name != "limits":
            yield f"{name} {','.join(f'{value:g}' for value in values)}"
    if args.p0 is not None:
        window = "" if args.window_days is None else f" within {args.window_days:g} days"
        yield f"p0 {args.p0:g}{window}"
    if args.hazard is not None:
        yield f"hazard {args.hazard:g}"
    yield f"alpha {design.alpha:g}"
    if args.n is not None:
        yield f"n {args.n}"
    plan, unit = design.plan, find_unit(design.plan)
    if plan.looks:
        yield f"looks {', '.join(f'{look:.6g}' for look in plan.looks)}"
    if plan.min_events > 1:
        yield f"min_events {plan.min_events}"
    if plan.delayed_start:
        yield f"from {spell_time(unit, plan.delayed_start)} on"


def _plot(args: Namespace, design: PersonTimeDesign, parameters: Parameters) -> None:
    from services.cli.shared.plotting import draw_designs  # noqa: PLC0415 (matplotlib takes a second)

    marks = _make_marks(args, design, parameters)
    if marks.of_ratios:
        rates = make_ratio_grid(max(args.ratios, default=0.0))
        ratios = rates
    else:
        rates = tuple(
            rate for rate in make_rate_grid(args.p0, max(args.rates, default=0.0)) if rate < 1
        )
        ratios = tuple(compute_ratio(args.p0, rate) for rate in rates)
    curve = design.evaluate_at(ratios)
    rule = PlottedRule(
        design.family, (), (), rates, tuple(at.p_stop for at in curve.characteristics),
        person_time=make_boundary(design),
    )  # fmt: skip
    words = ", ".join(_list_design_words(args, design, parameters))
    plan = spell_time(find_unit(design.plan), design.plan.planned)
    note = f"Attained alpha {design.attained_alpha:.5f}; {words}, planned {plan}, exact."
    title = design.family if args.p0 is None else f"{design.family}, p0 {args.p0:g}"
    write_files([draw_designs(args.plot, Captions(title, note), [rule], marks, 0)])


def _make_marks(args: Namespace, design: PersonTimeDesign, parameters: Parameters) -> Marks:
    """Return the marks on the curve: event rates where p0 is given, else hazard ratios."""
    if args.p0 is not None:
        return Marks(args.p0, design.alpha, (args.p1 or (None,))[0])
    return Marks(1.0, design.alpha, next(iter(parameters.get("ratio", ())), None), of_ratios=True)


def make_boundary(design: PersonTimeDesign) -> PersonTimeBoundary:
    """Return the boundary of *design*, to be drawn."""
    plan = design.plan
    return PersonTimeBoundary(
        find_unit(plan), 0.0, plan.planned, design.steps, plan.looks, plan.min_events,
        plan.delayed_start,
    )  # fmt: skip
