"""Tables of what a rule could have been: other priors and onsets, other sizes."""

from collections.abc import Iterator, Sequence

from services.cli.shared.columns import SENSITIVITY, SIZED_DESIGNS, list_headings
from services.cli.shared.tables import make_explained_table, make_table
from services.safety_rules.reports.rule_alternatives import SensitivityRow, SizedDesign


def describe_sensitivity(rows: Sequence[SensitivityRow]) -> Iterator[str]:
    """Yield the table of priors and onsets, and how to read it."""
    rates = [share.rate for share in rows[0].shares] if rows else []
    head = (*list_headings(SENSITIVITY[:-1]), *(f"P(stop) at {rate:g}" for rate in rates))
    cells = [
        (
            _describe_prior(row.prior) + (" *" if row.is_own else ""),
            row.onset,
            f"{row.attained_alpha:.5f}",
            *(f"{share.p_stop:.4f}" for share in row.shares),
        )
        for row in rows
    ]
    yield make_table(head, cells)
    largest = max((share.standard_error for row in rows for share in row.shares), default=0.0)
    yield f"*: as the protocol has it. Standard error of the simulation: at most {largest:.4f}."


def describe_designs(designs: Sequence[SizedDesign]) -> Iterator[str]:
    """Yield the table of the smallest plans, and which is the smallest of all."""
    yield make_explained_table(SIZED_DESIGNS, [_describe_design(one) for one in designs])
    errors = [
        share.standard_error
        for one in designs
        for share in (one.at_p0, one.at_p1)
        if share is not None
    ]
    yield f"Standard error of the simulation: at most {max(errors, default=0.0):.4f}."


def _describe_design(plan: SizedDesign) -> tuple[object, ...]:
    design, at_p0, at_p1 = plan.design, plan.at_p0, plan.at_p1
    first_cells = (f"{plan.alpha:g}", _describe_prior(plan.prior))
    if design is None or at_p0 is None or at_p1 is None:
        return (*first_cells, *["-"] * 7)
    return (
        *first_cells,
        design.n,
        f"{design.attained_alpha:.5f}",
        f"{design.characteristics[0].p_stop:.4f}",
        f"{at_p0.p_stop:.4f}",
        f"{at_p1.p_stop:.4f}",
        f"{at_p1.mean_enrolled:.1f}",
        design.boundary_text,
    )


def _describe_prior(prior: tuple[float, float] | None) -> str:
    return "-" if prior is None else f"{prior[0]:g}, {prior[1]:g}"
