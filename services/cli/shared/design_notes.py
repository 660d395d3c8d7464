"""Notes on a design: what its type I error means, and which of two bounds binds."""

from collections.abc import Iterator, Mapping, Sequence

from services.safety_rules.reports.boundary_tables import (
    UNCALIBRATED_FAMILY,
    Design,
    find_sizes_bound_by_nu,
)

Parameters = Mapping[str, Sequence[float]]


def list_design_notes(design: Design, parameters: Parameters) -> Iterator[str]:
    """Yield the notes on *design*, each a sentence without a full stop; often none.

    *parameters* are those of its family that it was made with.
    """
    if design.family == UNCALIBRATED_FAMILY:
        yield "posterior: nothing is calibrated, alpha has no part in the boundary"
    if design.family == "table" and design.exceeds_alpha:
        yield (
            f"table: its type I error is above alpha {design.alpha:g}; a protocol with this table"
            " is refused"
        )
    if design.family == "chen-chaloner":
        yield f"Chen-Chaloner: {_describe_binding_bound(design, parameters)}"


def _describe_binding_bound(design: Design, parameters: Parameters) -> str:
    p0, p1, nu = f"{design.p0:g}", f"{parameters['p1'][0]:g}", f"{parameters['nu'][0]:g}"
    calibrated_words = f"the calibrated bound on P(p > {p0}) binds"
    sizes = find_sizes_bound_by_nu(design, parameters)
    if not sizes:
        return (
            f"{calibrated_words} everywhere, nu {nu} nowhere: the boundary is that of beta-binomial"
        )
    bound_by_nu = f"nu binds (P(p > {p1}) above {nu})"
    if len(sizes) == len(design.looks):
        return f"{bound_by_nu} everywhere: alpha has no part in the boundary"
    return f"{bound_by_nu} at {_format_ranges(sizes, design.looks)}; elsewhere {calibrated_words}"


def _format_ranges(sizes: Sequence[int], looks: Sequence[int]) -> str:
    """Return *sizes* in one line, neighbouring *looks* as a range.

    >>> _format_ranges((2, 3, 7), range(1, 9)), _format_ranges((5, 10), (5, 10, 20))
    ('2-3, 7', '5-10')
    """
    ranges: list[list[int]] = []
    previous = -1
    for index, look in enumerate(looks):
        if look not in sizes:
            continue
        if ranges and index == previous + 1:
            ranges[-1][1:] = [look]
        else:
            ranges.append([look])
        previous = index
    return ", ".join("-".join(map(str, one)) for one in ranges)
