"""Facts that cannot all be true: kept as they are, used as documented, and queried.

Source: docs/decisions/corrections.md, "Facts that contradict each other"
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import groupby

from services.safety_rules.domain.queries.signs_of_life import query_signs_of_life
from services.vocabulary.clinical_fact import (
    Action,
    Administration,
    Death,
    Enrolment,
    Movement,
    Transplant,
)
from services.vocabulary.data_query import Query
from services.vocabulary.fact import Fact
from services.vocabulary.judgement import Assessment

_TRIALS_OWN = 1
_ENDS = ("discharge",)


def find_contradictions(
    facts: Iterable[Fact], signs: Iterable[Fact], find_date: Callable[[datetime], date]
) -> Iterator[Query]:
    """Yield a query for each contradiction among standing facts.

    Args:
        facts: Other than observations, in any order.
        signs: Observations that are signs of life, in any order.
        find_date: Returns the date of an instant at the site.
    """
    facts_in_order = sorted(facts, key=lambda fact: (fact.observed_at, fact.id))
    yield from _check_transplant_dates(
        [f for f in facts_in_order if isinstance(f.body, Transplant)]
    )
    deaths = [f for f in facts_in_order if isinstance(f.body, Death)]
    yield from _check_death_dates(deaths, find_date)
    if deaths:
        yield from _check_after_death(deaths[0], facts_in_order, find_date)
        yield from query_signs_of_life(deaths[0], [*facts_in_order, *signs], find_date)
    yield from _check_stops(facts_in_order)
    yield from _check_resolutions([f for f in facts_in_order if isinstance(f.body, Assessment)])


def _check_transplant_dates(transplants: Sequence[Fact]) -> Iterator[Query]:
    """Yield a query for a transplant with several dates, and for a second before the first."""
    by_number: dict[int, list[Fact]] = {}
    for fact in transplants:
        number = fact.body.number if isinstance(fact.body, Transplant) else _TRIALS_OWN
        by_number.setdefault(number, []).append(fact)
    for number, dated_facts in sorted(by_number.items()):
        if len({fact.observed_at for fact in dated_facts}) > 1:
            yield Query(f"transplant {number} has {len(dated_facts)} dates", _list_ids(dated_facts))
    first = by_number.get(_TRIALS_OWN, [])
    for fact in transplants:
        number = fact.body.number if isinstance(fact.body, Transplant) else _TRIALS_OWN
        if number > _TRIALS_OWN and first and fact.observed_at <= first[0].observed_at:
            problem = f"transplant {number} is dated before transplant 1"
            yield Query(problem, _list_ids([first[0], fact]))


def _check_death_dates(
    deaths: Sequence[Fact], find_date: Callable[[datetime], date]
) -> Iterator[Query]:
    days = {find_date(fact.observed_at) for fact in deaths}
    if len(days) > 1:
        yield Query(f"death has {len(days)} dates", _list_ids(deaths))


def _check_after_death(
    death: Fact, current_facts: Sequence[Fact], find_date: Callable[[datetime], date]
) -> Iterator[Query]:
    """Yield a query for each kind of care on a day after that of death, which may have no time."""
    day = find_date(death.observed_at)
    later = [f for f in current_facts if _needs_life(f) and find_date(f.observed_at) > day]
    for kind, facts_of_kind in groupby(sorted(later, key=_describe_kind), key=_describe_kind):
        yield Query(f"death is dated before {kind}", _list_ids([death, *facts_of_kind]))


def _needs_life(fact: Fact) -> bool:
    match fact.body:
        case Movement(to=to, cancelled=cancelled):
            return not cancelled and to not in _ENDS
        case Administration(action=action):
            return action is not Action.STOP
    return isinstance(fact.body, Enrolment | Transplant)


def _describe_kind(fact: Fact) -> str:
    match fact.body:
        case Movement(to=to):
            return f"movement to {to}"
        case Administration(drug=drug):
            return f"{drug} given"
    return fact.body.kind


def _check_stops(current_facts: Sequence[Fact]) -> Iterator[Query]:
    """Yield a query for each order whose stop comes before its start."""
    by_order: dict[tuple[str, str], list[Fact]] = {}
    for fact in current_facts:
        if isinstance(fact.body, Administration):
            order, _, _ = fact.series.rpartition("|")  # the rest is the action
            by_order.setdefault((fact.body.drug, order), []).append(fact)
    for (drug, _), facts in sorted(by_order.items()):
        first = facts[0]
        starts = [f for f in facts if _find_action(f) is Action.START]
        stands_alone = all(f.observed_at > first.observed_at for f in starts)
        if _find_action(first) is Action.STOP and starts and stands_alone:
            problem = f"{drug} was stopped before it was started"
            yield Query(problem, _list_ids([first, starts[0]]))


def _find_action(fact: Fact) -> Action | None:
    return fact.body.action if isinstance(fact.body, Administration) else None


def _check_resolutions(assessments: Sequence[Fact]) -> Iterator[Query]:
    """Yield a query for each event whose reported end comes before its onset."""
    by_term: dict[str, list[Fact]] = {}
    for fact in assessments:
        if isinstance(fact.body, Assessment):
            by_term.setdefault(fact.body.criterion, []).append(fact)
    for term, facts in sorted(by_term.items()):
        onset = next((f for f in facts if _find_grade(f)), None)
        early = [f for f in facts if onset and not _find_grade(f) and _is_reported_later(f, onset)]
        if onset and early:
            name = term.partition(".")[2].rpartition(".")[2] or term
            yield Query(
                f"resolution of {name} is dated before its onset", _list_ids([*early, onset])
            )


def _find_grade(fact: Fact) -> int:
    return fact.body.grade if isinstance(fact.body, Assessment) else 0


def _is_reported_later(resolution: Fact, onset: Fact) -> bool:
    """Return True when *resolution* was reported after *onset*, and dated before it."""
    dated_before: datetime = onset.observed_at
    return resolution.observed_at < dated_before and resolution.reported_at > onset.reported_at


def _list_ids(facts: Iterable[Fact]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(fact.id for fact in facts))
