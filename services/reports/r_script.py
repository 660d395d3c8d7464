"""A script in base R that recomputes stopping rules and compares every number."""

from collections.abc import Iterator, Sequence
from importlib.resources import files

from services.reports.statistical_plan import PlannedRule
from services.safety_rules.reports.boundary_tables import PersonTimeDesign, compute_ratio

_TEMPLATE = "check_rules.R"


def write_r_script(rules: Sequence[PlannedRule]) -> bytes:
    """Return the script; `Rscript` ends with an error when a number differs."""
    template = files("services.reports").joinpath(_TEMPLATE).read_text()
    entries = ",\n".join(f"  list({', '.join(_list_fields(rule))})" for rule in rules)
    return template.replace("@RULES@", entries).encode()


def _list_fields(rule: PlannedRule) -> Iterator[str]:
    yield f"id = {_quote(rule.id)}"
    yield f"family = {_quote(rule.design.family)}"
    if isinstance(rule.design, PersonTimeDesign):
        yield from _list_time_fields(rule, rule.design)
        return
    design = rule.design.evaluate_at(rule.rates)
    yield f"n = {design.n}"
    yield f"p0 = {design.p0!r}"
    yield f"alpha = {design.alpha!r}"
    parameters = ", ".join(
        f"{name} = {_vector(values)}" for name, values in sorted(rule.parameters.items())
    )
    yield f"par = list({parameters})"
    yield f"looks = {_vector(design.looks)}"
    yield f"boundary = {_vector(design.boundary)}"
    yield f"attained = {design.attained_alpha!r}"
    yield f"rates = {_vector(rule.rates)}"
    for name in ("p_stop", "e_evaluated", "e_events"):
        yield f"{name} = {_vector([getattr(at, name) for at in design.characteristics])}"


def _list_time_fields(rule: PlannedRule, design: PersonTimeDesign) -> Iterator[str]:
    ratios = [compute_ratio(rule.p0, rate) for rate in rule.rates]
    intervals = design.intervals
    yield f"ends = {_vector([one.end for one in intervals])}"
    yield f"stops_within = {_vector([one.stops_within for one in intervals])}"
    yield f"stops_at_end = {_vector([one.stops_at_end for one in intervals])}"
    yield f"attained = {design.attained_alpha!r}"
    yield f"ratios = {_vector(ratios)}"
    yield f"p_stop = {_vector([at.p_stop for at in design.evaluate_at(ratios).characteristics])}"


def _vector(numbers: Sequence[float]) -> str:
    words = (repr(one if isinstance(one, int) else float(one)) for one in numbers)
    return f"c({', '.join(words)})"


def _quote(text: str) -> str:
    r"""Return *text* as R reads it between quotation marks.

    >>> print(_quote('a "b"'))
    "a \"b\""
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
