"""``aegis boundary``: a stopping boundary, calibrated exactly, with what it does."""

import json
from argparse import Namespace
from collections.abc import Mapping, Sequence

from services.charts.chart_content import Captions, Marks, PlottedRule
from services.cli.arguments.boundary import PARAMETERS
from services.cli.arguments.person_time import PERSON_TIME_METHODS
from services.cli.command import CommandError
from services.cli.commands.boundary_person_time import print_person_time_boundary
from services.cli.commands.boundary_two_sided import print_two_sided_limits
from services.cli.shared.columns import BOUNDARY, ENROLMENT
from services.cli.shared.design_notes import list_design_notes
from services.cli.shared.installed import find_installed_version
from services.cli.shared.output_files import write_files
from services.cli.shared.rate_grid import make_rate_grid
from services.cli.shared.refused_argument import refuse_argument
from services.cli.shared.tables import make_explained_table
from services.cli.shared.terminal_width import print_text
from services.safety_rules.reports import boundary_tables
from services.safety_rules.reports.boundary_tables import Design
from services.vocabulary.spelled_numbers import spell_numbers


def perform(args: Namespace) -> int:
    """Print one boundary with what it does, and draw it."""
    parameters = {name: value for name in PARAMETERS if (value := getattr(args, name))}
    if args.family in PERSON_TIME_METHODS:
        return print_person_time_boundary(args, parameters)
    _check_arguments(args)
    looks = choose_looks(args)
    if args.beta is not None or args.lower is not None:
        return print_two_sided_limits(args, looks, parameters)
    try:
        design = boundary_tables.design_boundary(
            args.family,
            args.p0,
            args.alpha,
            args.n,
            looks=looks,
            rates=args.rates,
            parameters=parameters,
        )
        enrolment = (
            design.compute_enrolment(args.accrual_days, args.window_days or 0.0)
            if args.accrual_days is not None
            else ()
        )
    except ValueError as error:
        raise refuse_argument(args, error) from error
    if args.json:
        notes = [*list_design_notes(design, parameters)]
        print(json.dumps(_add_enrolment(design.summarize(), enrolment) | {"notes": notes}))
    else:
        print_text(_describe_design(design, parameters, enrolment))
    if args.plot:
        _plot(args, parameters, design)
    return 0


def _check_arguments(args: Namespace) -> None:
    """Do nothing when the arguments are those of a family that counts participants.

    Raises:
        CommandError: One is missing, or belongs to others.
    """
    for name in ("p0", "n"):
        if getattr(args, name) is None:
            raise CommandError(f"--{name} is missing: {args.family} needs it")
    for name in ("hazard", "ratios", "planned", "delayed_start"):
        if getattr(args, name):
            option = name.replace("_", "-")
            raise CommandError(f"--{option} goes with a family of person-time, not {args.family}")
    if args.min_events != 1:
        raise CommandError(f"--min-events goes with a family of person-time, not {args.family}")
    if args.accrual_days is None and args.window_days is not None:
        raise CommandError("--window-days goes with --accrual-days")
    if args.accrual_days is not None and not args.rates:
        raise CommandError("--accrual-days goes with --rates: what it adds is for each rate")
    if any(look != int(look) for look in args.looks):
        raise CommandError(
            f"--looks must be whole numbers like 5,10,15, not {spell_numbers(args.looks)}"
        )


def choose_looks(args: Namespace) -> tuple[int, ...]:
    """Return the looks that were asked for; empty: after each participant.

    Raises:
        CommandError: A first look comes with a list of looks, or is out of range.
    """
    looks = tuple(map(int, args.looks))
    if args.first_look is None:
        return looks
    if looks:
        raise CommandError("--first-look goes without --looks")
    if not 1 <= args.first_look <= args.n:
        raise CommandError(f"--first-look must be from 1 to n = {args.n}, not {args.first_look}")
    return tuple(range(args.first_look, args.n + 1))


def _plot(args: Namespace, parameters: dict[str, tuple[float, ...]], design: Design) -> None:
    from services.cli.shared.plotting import draw_designs  # noqa: PLC0415 (matplotlib takes a second)

    rates = make_rate_grid(args.p0, max(args.rates, default=0.0))
    curve = boundary_tables.design_boundary(
        design.family, args.p0, args.alpha, args.n, looks=design.looks, rates=rates,
        parameters=parameters,
    ).characteristics  # fmt: skip
    rule = PlottedRule(
        design.family, design.looks, design.boundary, rates, tuple(at.p_stop for at in curve)
    )
    note = (
        f"Attained alpha {design.attained_alpha:.5f} of a nominal {design.alpha:g},"
        f" n {design.n}, {_describe_looks(design)}{_describe_parameters(parameters)}; exact."
        f" Aegis {find_installed_version()}."
    )
    note = "\n".join((note, *(f"{one}." for one in list_design_notes(design, parameters))))
    marks = Marks(design.p0, design.alpha, (parameters.get("p1") or (None,))[0])
    write_files(
        [
            draw_designs(
                args.plot,
                Captions(f"{design.family}, p0 {design.p0:g}", note),
                [rule],
                marks,
                design.n,
            )
        ]
    )


def _describe_looks(design: Design) -> str:
    if len(design.looks) == design.n:
        return "after each participant"
    return f"looks after {', '.join(map(str, design.looks))}"


def _describe_parameters(parameters: Mapping[str, Sequence[float]]) -> str:
    words = [
        f"{name} {', '.join(f'{value:g}' for value in values)}"
        for name, values in parameters.items()
        if name != "boundary"
    ]
    return "".join(f", {word}" for word in words)


def _add_enrolment(
    summary: dict[str, object], enrolment: Sequence[tuple[float, float]]
) -> dict[str, object]:
    rows = summary["characteristics"]
    if not enrolment or not isinstance(rows, list):
        return summary
    extended_rows = [
        row | {"e_enrolled": people, "e_days": days}
        for row, (people, days) in zip(rows, enrolment, strict=True)
    ]
    return summary | {"characteristics": extended_rows}


def _describe_design(
    design: Design,
    parameters: Mapping[str, tuple[float, ...]],
    enrolment: Sequence[tuple[float, float]],
) -> str:
    shapes = "".join(
        f"  {name} {','.join(f'{number:g}' for number in numbers)}"
        for name, numbers in parameters.items()
        if name != "boundary"
    )
    constant = "" if design.constant is None else f"constant {design.constant:.8g}  "
    lines = [
        f"{design.family}{shapes}  p0 {design.p0}  alpha {design.alpha}  n {design.n}",
        f"{constant}attained alpha {design.attained_alpha:.5f}",
        f"stop at events@evaluable: {design.boundary_text}",
        *(f"{note}." for note in list_design_notes(design, parameters)),
    ]
    if design.characteristics:
        rows = [
            [
                r.rate,
                f"{r.p_stop:.4f}",
                f"{r.e_evaluated:.2f}",
                f"{r.e_events:.2f}",
                r.median_stop or "-",
            ]
            for r in design.characteristics
        ]
        for row, (people, days) in zip(rows, enrolment, strict=False):
            row += [f"{people:.2f}", f"{days:.0f}"]
        columns = (*BOUNDARY, *ENROLMENT) if enrolment else BOUNDARY
        lines.append(make_explained_table(columns, rows))
    return "\n".join(lines)
