"""The movements that cancels leave: each cancel undoes the last movement that it can mean.

Source: HL7 v2.5.1, 3.3.8 (A08), 3.3.11 (A11), 3.3.12 (A12), 3.3.13 (A13);
docs/decisions/corrections.md, "Movements that were cancelled"
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.vocabulary.clinical_fact import Movement
from services.vocabulary.fact import Fact

_UPDATE = "update"  # the event of an A08: whom it is about is elsewhere than in intensive care
_ICU = "icu"
_EVENT_OF_DESTINATION = {_ICU: "ward"}  # of a movement that no feed sent
_CANCELLED_EVENTS: Mapping[str, frozenset[str]] = {  # what A11, A12 and A13 can mean
    "admission": frozenset({"admission", "outpatient"}),
    "ward": frozenset({"ward"}),
    "discharge": frozenset({"discharge"}),
}
_NOUNS = {"ward": "transfer", _ICU: "move to intensive care", "outpatient": "outpatient visit"}
_WRONG_ENTRY = "an update gives another ward than the move to intensive care before it"


@dataclass(slots=True)
class SettledMovements:
    """Movements in force, and the problems with cancels: each the ids of its facts, and words."""

    in_force: dict[str, Fact] = field(default_factory=dict)  # by id
    problems: dict[tuple[str, ...], str] = field(default_factory=dict)


def settle_movements(current: Iterable[Fact], reports: Sequence[Fact]) -> SettledMovements:
    """Return the movements that are left when each cancel has undone one.

    The order is that of the reports, never of arrival. A repetition of a cancel undoes nothing
    else than it did; a movement that is reported again after its cancel is in force again.

    Args:
        current: The movements and cancels that corrections and deletions leave.
        reports: Every fact about a movement, repetitions included.
    """
    current_by_content: dict[str, Fact] = {}
    for fact in sorted(current, key=lambda one: (one.reported_at, one.id)):
        current_by_content.setdefault(fact.digest, fact)
    outcome = SettledMovements()
    targets: dict[str, str] = {}  # content of a cancel: id of the movement that it undid
    updates: list[Fact] = []
    for report in sorted(reports, key=_report_order):
        standing = current_by_content.get(report.digest)
        if standing is None:
            continue
        if not _is_cancel(standing):
            outcome.in_force.setdefault(standing.id, standing)
        elif _find_event(standing) == _UPDATE:
            updates.append(standing)
        elif standing.digest in targets:
            outcome.in_force.pop(targets[standing.digest], None)
        else:
            target = _find_target(standing, outcome.in_force.values())
            if target is not None:
                targets[standing.digest] = target.id
                del outcome.in_force[target.id]
            _note_cancel(outcome, standing, has_target=target is not None)
    for update in sorted(updates, key=lambda one: (one.observed_at, *_report_order(one))):
        _apply_update(outcome, update)
    return outcome


def _report_order(fact: Fact) -> tuple[datetime, int, bool, datetime, str]:
    return fact.reported_at, fact.sequence, _is_cancel(fact), fact.observed_at, fact.digest


def _is_cancel(fact: Fact) -> bool:
    return isinstance(fact.body, Movement) and fact.body.cancelled


def _find_destination(fact: Fact) -> str:
    return fact.body.to if isinstance(fact.body, Movement) else ""


def _find_event(fact: Fact) -> str:
    """Return the event that a feed names in the series; empty when no feed sent *fact*."""
    return fact.series.partition("|movement|")[2].partition("|")[0]


def _find_target(cancel: Fact, movements: Iterable[Fact]) -> Fact | None:
    """Return the last movement that *cancel* can mean: of its kind, its visit and its time."""
    candidates = [one for one in movements if _may_mean(cancel, one)]
    if cancel.visit:
        of_visit = [one for one in candidates if one.visit == cancel.visit]
        candidates = of_visit or [one for one in candidates if not one.visit]
    at_its_time = [one for one in candidates if one.observed_at == cancel.observed_at]
    return max(at_its_time or candidates, key=_time_order, default=None)


def _time_order(fact: Fact) -> tuple[datetime, datetime, str]:
    return fact.observed_at, fact.reported_at, fact.digest


def _may_mean(cancel: Fact, movement: Fact) -> bool:
    if movement.site != cancel.site:
        return False
    destination = _find_destination(movement)
    event = _find_event(movement) or _EVENT_OF_DESTINATION.get(destination, destination)
    cancelled_events = _CANCELLED_EVENTS.get(_find_event(cancel))
    if cancelled_events is None:  # not by a feed: it names the destination
        return destination == _find_destination(cancel)
    return event in cancelled_events


def _note_cancel(outcome: SettledMovements, cancel: Fact, *, has_target: bool) -> None:
    if has_target:
        outcome.problems.pop((cancel.id,), None)
        return
    event = _find_event(cancel) or _find_destination(cancel)
    problem = f"a cancelled {_NOUNS.get(event, event)} matches none that is known"
    outcome.problems[(cancel.id,)] = problem


def _apply_update(outcome: SettledMovements, update: Fact) -> None:
    """Undo the move to intensive care that *update* contradicts, and query it.

    An update is for what has changed without an event, so the move was entered by mistake. An
    admission to intensive care stays, and so does a stay of several movements: there a transfer
    out of it may be missing.
    """
    earlier_movements = sorted(
        (one for one in outcome.in_force.values() if _is_known_before(one, update)),
        key=_time_order,
    )
    if not earlier_movements or _find_destination(earlier_movements[-1]) != _ICU:
        return
    last = earlier_movements[-1]
    is_transfer = _find_event(last) == "ward"
    if is_transfer and all(_find_destination(one) != _ICU for one in earlier_movements[-2:-1]):
        del outcome.in_force[last.id]
        outcome.problems[(last.id, update.id)] = f"{_WRONG_ENTRY}: the move is taken back"
    elif not _has_problem(outcome.problems, last.id):
        outcome.problems[(last.id, update.id)] = f"{_WRONG_ENTRY}: is a transfer missing?"


def _is_known_before(movement: Fact, update: Fact) -> bool:
    return (
        (movement.site, movement.visit) == (update.site, update.visit)
        and movement.observed_at <= update.observed_at
        and movement.reported_at <= update.reported_at
    )


def _has_problem(problems: Collection[tuple[str, ...]], movement_id: str) -> bool:
    return any(ids[0] == movement_id for ids in problems)
