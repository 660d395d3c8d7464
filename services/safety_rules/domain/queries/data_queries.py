"""Data queries to a site: impossible numbers, and the missing inputs of a grade.

Source: docs/decisions/grading.md, "Numbers that cannot be"
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal

from services.safety_rules.domain.ctcae.compiled import MeasureGrading
from services.safety_rules.domain.ctcae.reported_limits import check_limits, is_possible_limit
from services.safety_rules.domain.ctcae.units import convert_to_published_unit, rescale_quantity
from services.safety_rules.domain.facts.anchors import Anchors, find_missing_anchor
from services.safety_rules.domain.syndromes.bedside import LOWER_BOUNDS, UPPER_BOUNDS
from services.safety_rules.domain.syndromes.followed_syndrome import SCALES
from services.safety_rules.domain.syndromes.icans_domains import HIGHEST
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.data_query import Query
from services.vocabulary.decision import describe_missing_anchor
from services.vocabulary.episode import EpisodeContent, EpisodeState
from services.vocabulary.fact import RANGE_NOT_READ, Fact
from services.vocabulary.grade import Input
from services.vocabulary.measure import Measure
from services.vocabulary.protocol import Rule
from services.vocabulary.quantity import Quantity

# Readings of the syndromes; a temperature is queried under the criterion of fever
_SIGNS = frozenset({"sbp", "oxygen-flow", "fio2"})


def query_impossible_numbers(fact: Fact, grading: MeasureGrading) -> Iterator[Query]:
    """Yield a query for every number of *fact* that no living person's laboratory reports."""
    body = fact.body
    if not isinstance(body, Observation):
        return
    if body.value is not None and _needs_other_unit(body.value, grading):
        unit = f"a unit of {body.value.unit}" if body.value.unit else "a number without a unit"
        yield Query(f"{unit} does not fit {body.measure}", (fact.id,))
    if body.value is not None and not _is_plausible(body.value, grading):
        yield Query(f"{body.measure} of {_format_quantity(body.value)} cannot be", (fact.id,))
    yield from (Query(problem, (fact.id,)) for problem in _find_limit_faults(body, grading))


def _find_limit_faults(body: Observation, grading: MeasureGrading) -> Iterator[str]:
    """Yield the problem of every limit of normal that cannot be, and of limits that do not fit."""
    lln, uln = body.lln, body.uln
    if lln is not None and not _is_possible_limit(Input.LLN, lln, grading):
        yield f"a lower limit of {_format_quantity(lln)} cannot be"
    if uln is not None and not _is_possible_limit(Input.ULN, uln, grading):
        yield f"an upper limit of {_format_quantity(uln)} cannot be"
    if lln is not None and uln is not None:
        limits = f"{_format_quantity(lln)} to {_format_quantity(uln)}"
        if _are_reversed(lln, uln):
            yield f"limits of {limits} are the wrong way round"
    else:
        limits = " ".join(_format_quantity(one) for one in (lln, uln) if one is not None)
    if body.value is None:
        return
    value = convert_to_published_unit(body.value, grading.units, grading.ion)
    if (
        value is not None
        and check_limits(grading, value.unit, lln, uln).contradicted_range is not None
    ):
        yield f"limits of {limits} do not fit {body.measure} in {body.value.unit}"


def query_missing_anchors(
    rules: Iterable[Rule], anchors: Anchors, anchor_facts: Iterable[Fact]
) -> Iterator[Query]:
    """Yield a query for each anchor without which a treated participant cannot be counted.

    It names the first infusion, one of *anchor_facts*.
    """
    infusions = (one.id for one in anchor_facts if one.observed_at == anchors.first_infusion_at)
    infusion_ids = tuple(sorted(infusions))
    rules_by_anchor: dict[str, list[str]] = {}
    for rule in rules:
        if missing_anchor := find_missing_anchor(rule, anchors):
            rules_by_anchor.setdefault(missing_anchor, []).append(rule.id)
    for missing_anchor, ids in rules_by_anchor.items():
        reason = describe_missing_anchor(missing_anchor)
        yield Query(f"{reason}: cannot be counted by {', '.join(ids)}", infusion_ids)


class PlausibilityCheck:
    """The values of one criterion in one participant that were found possible.

    Between two possible numbers, with the same unit and limits, every number is possible.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        self._possible: dict[str, tuple[Observation, Decimal, Decimal]] = {}  # of each measure

    def query_impossible_numbers(
        self, fact: Fact, body: Observation, grading: MeasureGrading
    ) -> tuple[Query, ...]:
        """Return the queries of the function `query_impossible_numbers`."""
        value, known_values = body.value, self._possible.get(body.measure)
        if value is None or value.censoring is not None:
            return tuple(query_impossible_numbers(fact, grading))
        if known_values is not None and not _is_alike(body, known_values[0]):
            known_values = None
        if known_values is not None and known_values[1] <= value.value <= known_values[2]:
            return ()
        queries = tuple(query_impossible_numbers(fact, grading))
        if not queries:
            ends = (value.value, *(known_values[1:] if known_values else ()))
            self._possible[body.measure] = (body, min(ends), max(ends))
        return queries


def _is_alike(body: Observation, known_body: Observation) -> bool:
    if body.value is None or known_body.value is None or body.value.unit != known_body.value.unit:
        return False
    return body.lln == known_body.lln and body.uln == known_body.uln


class UnreadRanges:
    """The results of one participant whose reference range was not read, by measure."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._instants: dict[str, dict[str, datetime]] = {}

    def change(self, fact: Fact, measure: str, *, stands: bool) -> None:
        """Add or remove *fact*, a result of *measure*."""
        if RANGE_NOT_READ not in fact.notes:
            return
        if stands:
            self._instants.setdefault(measure, {})[fact.id] = fact.observed_at
        else:
            self._instants[measure].pop(fact.id, None)

    def list_queries(self, graded_measures: Container[str]) -> Iterator[Query]:
        """Yield a query for each of *graded_measures*, which names the last of its results."""
        for measure, instants in sorted(self._instants.items()):
            if instants and measure in graded_measures:
                last = max(instants, key=lambda fact: (instants[fact], fact))
                count = f"{len(instants)} result{'s' if len(instants) > 1 else ''}"
                yield Query(f"the reference range of {count} of {measure} was not read", (last,))


def query_impossible_bedside(fact: Fact, measures: Mapping[str, Measure]) -> Iterator[Query]:
    """Yield a query for a vital sign or a score that no living person has.

    Source: docs/decisions/bedside.md, "Readings"
    """
    body = fact.body
    if not isinstance(body, Observation) or body.value is None:
        return
    bounds = _find_bounds(body.measure, measures)
    if bounds is None:
        return
    unit, low, high, is_whole = bounds
    fits = body.value if not unit else rescale_quantity(body.value, unit)
    if fits is None:
        yield Query(f"a unit of {body.value.unit} does not fit {body.measure}", (fact.id,))
    elif _is_impossible(fits, low, high) or (is_whole and fits.value % 1):
        yield Query(f"{body.measure} of {_format_quantity(body.value)} cannot be", (fact.id,))


def _is_impossible(quantity: Quantity, low: Decimal, high: Decimal) -> bool:
    """Return True when no number from *low* to *high* is what *quantity* says."""
    is_too_high = quantity.value > high and quantity.censoring not in UPPER_BOUNDS
    is_too_low = quantity.value < low and quantity.censoring not in LOWER_BOUNDS
    return is_too_high or is_too_low


def _find_bounds(
    measure: str, measures: Mapping[str, Measure]
) -> tuple[str, Decimal, Decimal, bool] | None:
    """Return the unit (empty: any), least and greatest number, and True for whole numbers only.

    None: *measure* has no bounds here.
    """
    if measure in HIGHEST:
        return "", Decimal(0), HIGHEST[measure], True
    if measure not in _SIGNS:
        return None
    ((unit, plausible),) = measures[measure].plausible.items()
    return unit, plausible.low, plausible.high, False


def query_undecided_records(records: Iterable[EpisodeContent], notify: int) -> Iterator[Query]:
    """Yield a query for each record that may reach the grade *notify*, and is not known to.

    It is only possible, or that of a syndrome. Signs of a syndrome while no cause of it acts are a
    query from the lowest grade on.
    """
    for record in records:
        if not _is_undecided(record, notify):
            continue
        changes = [one for one in record.history if one.span.at_most > record.worst.at_least]
        missing = sorted({name for change in changes for name in change.missing})
        facts = dict.fromkeys(fact for change in changes for fact in change.facts)
        problem = f"{record.term} may be grade {record.worst.at_most:d}"
        yield Query(f"{problem}; missing: {', '.join(missing)}", tuple(facts))


def _is_undecided(record: EpisodeContent, notify: int) -> bool:
    if record.before_exposure or record.state is EpisodeState.REJECTED:
        return False
    if record.possible:
        return record.outside_inducer_window or record.worst.at_most >= notify
    is_syndrome = record.criterion in SCALES
    return is_syndrome and record.worst.at_least < notify <= record.worst.at_most


def _needs_other_unit(value: Quantity, grading: MeasureGrading) -> bool:
    """Return True when a grade needs another unit; where only multiples count, any will do."""
    return convert_to_published_unit(value, grading.units, grading.ion) is None


def _is_plausible(value: Quantity, grading: MeasureGrading) -> bool:
    """Return True unless *value* is impossible; a bound or a unit that does not fit passes."""
    fits = convert_to_published_unit(value, grading.units, grading.ion)
    if fits is None or fits.censoring is not None:
        return True
    plausible = grading.find_plausible_range(fits.unit)
    zero = fits.value == 0 and plausible.low.number == 0
    return zero or plausible.contains(fits.value)


def _is_possible_limit(name: Input, limit: Quantity, grading: MeasureGrading) -> bool:
    """Return True unless *limit* is impossible; one in a unit that does not fit passes."""
    fits = convert_to_published_unit(limit, grading.units, grading.ion)
    if fits is None:
        return True
    return is_possible_limit(name, fits, grading.find_plausible_range(fits.unit))


def _are_reversed(lln: Quantity, uln: Quantity) -> bool:
    lln_in_unit = lln if lln.unit == uln.unit else rescale_quantity(lln, uln.unit)
    return lln_in_unit is not None and lln_in_unit.value >= uln.value > Decimal(0)


def _format_quantity(quantity: Quantity) -> str:
    sign = quantity.censoring or ""
    return f"{sign}{quantity.value} {quantity.unit}".rstrip()
