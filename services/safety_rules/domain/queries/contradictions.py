"""Facts that cannot all be true: kept as they are, used as documented, and asked about.

Source: docs/decisions/corrections.md, "Facts that contradict each other"
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby

from services.safety_rules.domain.facts.current_facts import Query
from services.vocabulary.fact import (
    Action,
    Administration,
    Assessment,
    Death,
    Enrolment,
    Fact,
    Movement,
    Transplant,
)

_TRIALS_OWN = 1
_ENDS = ("discharge",)


def find_contradictions(facts: Iterable[Fact]) -> Iterator[Query]:
    """Yield what contradicts itself among *facts*: those that stand, but no laboratory results."""
    known = sorted(facts, key=lambda fact: (fact.observed_at, fact.id))
    yield from _check_transplant_dates([f for f in known if isinstance(f.body, Transplant)])
    yield from _check_death_dates([f for f in known if isinstance(f.body, Death)])
    yield from _check_after_death(known)
    yield from _check_stops(known)
    yield from _check_resolutions([f for f in known if isinstance(f.body, Assessment)])


def _check_transplant_dates(found: Sequence[Fact]) -> Iterator[Query]:
    """A transplant of one number has one date; the second comes after the first."""
    by_number: dict[int, list[Fact]] = {}
    for fact in found:
        number = fact.body.number if isinstance(fact.body, Transplant) else _TRIALS_OWN
        by_number.setdefault(number, []).append(fact)
    for number, same in sorted(by_number.items()):
        if len({fact.observed_at for fact in same}) > 1:
            yield Query(f"transplant {number} has {len(same)} dates", _list_ids(same))
    first, later = by_number.get(_TRIALS_OWN, []), found
    for fact in later:
        number = fact.body.number if isinstance(fact.body, Transplant) else _TRIALS_OWN
        if number > _TRIALS_OWN and first and fact.observed_at <= first[0].observed_at:
            problem = f"transplant {number} is dated before transplant 1"
            yield Query(problem, _list_ids([first[0], fact]))


def _check_death_dates(found: Sequence[Fact]) -> Iterator[Query]:
    days = {fact.observed_at.date() for fact in found}
    if len(days) > 1:
        yield Query(f"death has {len(days)} dates", _list_ids(found))


def _check_after_death(known: Sequence[Fact]) -> Iterator[Query]:
    """Nothing is done to a participant on a day after that of death, which may have no time."""
    died = next((fact for fact in known if isinstance(fact.body, Death)), None)
    if died is None:
        return
    day = died.observed_at.date()
    later = [f for f in known if f.observed_at.date() > day and _needs_life(f)]
    for what, same in groupby(sorted(later, key=_describe_kind), key=_describe_kind):
        yield Query(f"death is dated before {what}", _list_ids([died, *same]))


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


def _check_stops(known: Sequence[Fact]) -> Iterator[Query]:
    """What was stopped under an order was started before, if it was started at all."""
    by_order: dict[tuple[str, str], list[Fact]] = {}
    for fact in known:
        if isinstance(fact.body, Administration):
            order, _, _ = fact.series.rpartition("|")  # the rest is what was done
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


def _check_resolutions(found: Sequence[Fact]) -> Iterator[Query]:
    """An event that was reported to be over began before it ended."""
    by_term: dict[str, list[Fact]] = {}
    for fact in found:
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
    """Say whether an end was reported after the onset, and dated before it."""
    dated_before: datetime = onset.observed_at
    return resolution.observed_at < dated_before and resolution.reported_at > onset.reported_at


def _list_ids(facts: Iterable[Fact]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(fact.id for fact in facts))
