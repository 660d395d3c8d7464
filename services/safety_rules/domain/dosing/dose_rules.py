"""Recommendations for the infusion from the grades of records; the numbers are the protocol's.

Source: blinatumomab US prescribing information, 2.4; docs/decisions/dose.md
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from services.safety_rules.domain.ctcae.units import rescale_quantity
from services.safety_rules.domain.dosing.case import (
    DosingCase,
    TimedAdvice,
    find_next_instant,
    format_duration,
    make_advice,
)
from services.safety_rules.domain.facts.infusion import format_rate
from services.vocabulary.dosing import AtGrade, DoseAction, DoseRule
from services.vocabulary.episode import EpisodeContent, EpisodeState, Span
from services.vocabulary.grade import Grade
from services.vocabulary.recommendation import AdviceKind

_PickGrade = Callable[[Span], Grade]


def advise_on_records(case: DosingCase) -> Iterator[TimedAdvice]:
    """Yield the recommendation for each record by the first rule that covers it."""
    if case.protocol.dosing is None:
        return
    rules, names_by_criterion = case.protocol.dosing.rules, dict[str, tuple[str, str]]()
    for record in case.records:
        if not _is_relevant(case, record):
            continue
        names = names_by_criterion.get(record.criterion)
        if names is None:
            names = names_by_criterion[record.criterion] = _find_rule_names(case, record.criterion)
        if name := names[bool(record.linked_to)]:
            yield from _advise_on_record(case, name, rules[name], record)


def _find_rule_names(case: DosingCase, criterion: str) -> tuple[str, str]:
    """Return the first rule for records of *criterion*, and for those that a syndrome explains.

    Empty: there is none. The part of a syndrome is covered where the syndrome is.
    """
    rules = case.protocol.dosing.rules if case.protocol.dosing else {}
    by_scale = [n for n, r in rules.items() if any(criterion == p.scale for p in r.any_of)]
    names = [
        name
        for name, rule in rules.items()
        if name in by_scale or any(not p.scale and case.matches(criterion, p) for p in rule.any_of)
    ]
    return next(iter(names), ""), next(iter(by_scale), "")


def _is_relevant(case: DosingCase, record: EpisodeContent) -> bool:
    """True if *record* is neither rejected, nor from before exposure, nor from after death."""
    if record.before_exposure or record.state is EpisodeState.REJECTED:
        return False
    died_at = case.anchors.died_at
    return died_at is None or record.onset_at < died_at


@dataclass(frozen=True, slots=True)
class _GradeAction:
    """The action that one grade calls for, its span and its reason."""

    action: DoseAction
    start: datetime
    end: datetime | None
    because: str
    next_step: str = ""
    due_at: datetime | None = None
    missing: tuple[str, ...] = ()  # without which it may have to be discontinued


def _advise_on_record(
    case: DosingCase, name: str, rule: DoseRule, record: EpisodeContent
) -> Iterator[TimedAdvice]:
    certain_actions = list(_list_actions(case, rule, record, lambda span: span.at_least))
    possible_actions = list(_list_actions(case, rule, record, lambda span: span.at_most))
    if not possible_actions:
        return
    action, worst = _find_strongest(certain_actions), _find_strongest(possible_actions)
    unknown = {word for one in certain_actions for word in one.missing}
    if unknown:
        worst = DoseAction.DISCONTINUE
    may_be = worst if worst.level > action.level else None
    actions = certain_actions or possible_actions
    open_ends = [one for one in actions if one.end is None]
    end = None if open_ends else max(one.end for one in actions if one.end)
    missing = {word for change in record.history for word in change.missing} if may_be else set()
    missing |= unknown if may_be else set()
    due = [one.due_at for one in (*certain_actions, *possible_actions) if one.due_at is not None]
    strongest = [one for one in actions if one.action is _find_strongest(actions)]
    resumable = [] if action is DoseAction.DISCONTINUE else actions
    yield TimedAdvice(
        make_advice(
            case,
            AdviceKind.DOSE,
            name,
            min(one.start for one in actions),
            level=action.level,
            says=_describe_action(action, case) if action.level else "nothing is certain yet",
            until=end,
            because=tuple(dict.fromkeys(one.because for one in strongest)),
            then=tuple(dict.fromkeys(one.next_step for one in resumable if one.next_step)),
            missing=tuple(sorted(missing)),
            may_be=_describe_action(may_be, case) if may_be else "",
            suspected=record.state is not EpisodeState.CONFIRMED,
            provisional=record.provisional,
            criterion=record.criterion,
            facts=tuple(dict.fromkeys(fact for change in record.history for fact in change.facts)),
        ),
        min(due, default=None),
    )


def _describe_action(action: DoseAction, case: DosingCase) -> str:
    return f"{action} {case.protocol.study_drug}"


def _find_strongest(actions: list[_GradeAction]) -> DoseAction:
    return max(
        (one.action for one in actions), key=lambda action: action.level, default=DoseAction.NONE
    )


def _list_actions(
    case: DosingCase, rule: DoseRule, record: EpisodeContent, pick_grade: _PickGrade
) -> Iterator[_GradeAction]:
    is_unconfirmed_laboratory = record.state is not EpisodeState.CONFIRMED and case.is_laboratory(
        record.criterion
    )
    if is_unconfirmed_laboratory and pick_grade(record.worst) < rule.laboratory_alone_from:
        return
    for grade, at_grade in rule.at_grade.items():
        for start, back_at in _list_stretches(record, grade, at_grade, pick_grade):
            day, infusion = case.describe_day(start), _describe_infusion(case, start)
            because = f"{record.term}, grade {grade} reached on {day}, {infusion}"
            evidence_at = case.last_evidence(record) if back_at is None else back_at
            stretch = _GradeStretch(start, back_at, evidence_at or record.history[-1].at)
            yield from _list_stretch_actions(case, at_grade, stretch, because)


def _list_stretches(
    record: EpisodeContent, grade: int, at_grade: AtGrade, pick_grade: _PickGrade
) -> Iterator[tuple[datetime, datetime | None]]:
    """Yield the start and the certain end of each time at *grade* or above.

    Withholding ends at the grade that the protocol names; every other action ends with the record.
    """
    start: datetime | None = None
    for change in record.history:
        if start is None and pick_grade(change.span) >= grade:
            start = change.at
        elif (
            start is not None
            and at_grade.until_grade is not None
            and change.span.at_most <= at_grade.until_grade
        ):
            yield start, change.at
            start = None
    if start is not None:
        yield start, record.resolved_at


@dataclass(frozen=True, slots=True)
class _GradeStretch:
    """The time at one grade: its start, its end (None: not known) and its last evidence."""

    start: datetime
    back_at: datetime | None
    evidence_at: datetime


def _list_stretch_actions(
    case: DosingCase, at_grade: AtGrade, stretch: _GradeStretch, because: str
) -> Iterator[_GradeAction]:
    start, back_at = stretch.start, stretch.back_at
    if at_grade.do is DoseAction.INTERRUPT:
        next_step = (
            _describe_restart(case)
            if back_at
            else f"until it has resolved; then: {_describe_restart(case)}"
        )
        yield _GradeAction(at_grade.do, start, back_at, because, next_step)
    elif at_grade.do is not DoseAction.WITHHOLD:
        yield _GradeAction(at_grade.do, start, None, because)
    else:
        yield from _list_withholding_actions(case, at_grade, stretch, because)


def _list_withholding_actions(
    case: DosingCase, at_grade: AtGrade, stretch: _GradeStretch, because: str
) -> Iterator[_GradeAction]:
    start, back_at = stretch.start, stretch.back_at
    missing, due_at = [], None
    is_lowest = _is_lowest(case, at_grade, start)
    if is_lowest:
        yield _GradeAction(DoseAction.DISCONTINUE, start, None, f"{because}: the lowest step")
    elif is_lowest is None:
        missing.append("infusion rate")
    longest = at_grade.discontinue_after
    if longest is not None:
        if stretch.evidence_at - start > longest:
            slow = f"not back to grade {at_grade.until_grade} within {format_duration(longest)}"
            yield _GradeAction(DoseAction.DISCONTINUE, start, None, f"{because}; {slow}")
        elif back_at is None and case.as_of - start > longest:
            missing.append(f"a reading after {case.describe_day(stretch.evidence_at)}")
        elif back_at is None:
            due_at = find_next_instant(start + longest)
    enough = f"grade {at_grade.until_grade} or less"
    enough += (
        f", and for {format_duration(at_grade.at_least)} at least" if at_grade.at_least else ""
    )
    if back_at is None:
        too_long = (
            f"; discontinue if that takes more than {format_duration(longest)}" if longest else ""
        )
        next_step = f"withhold until {enough}{too_long}; then: {_describe_restart(case)}"
        end = None
    else:
        end = max(back_at, start + at_grade.at_least)
        next_step = f"{enough}: on {case.describe_day(end)}; {_describe_restart(case)}"
    yield _GradeAction(at_grade.do, start, end, because, next_step, due_at, tuple(missing))


def _is_lowest(case: DosingCase, at_grade: AtGrade, instant: datetime) -> bool | None:
    """True if no lower step is left to restart at; None: the rate is not known."""
    lowest, period = at_grade.discontinue_at, case.infusion.find_period(instant)
    if lowest is None:
        return False
    rate = period.rate if period else None
    comparable_rate = None if rate is None else rescale_quantity(rate, lowest.unit)
    return None if comparable_rate is None else comparable_rate.value <= lowest.value


def _describe_infusion(case: DosingCase, instant: datetime) -> str:
    period = case.infusion.find_period(instant)
    if period is None:
        return "before any infusion"
    words = "infusion running at" if case.infusion.is_running(instant) else "after an infusion of"
    return f"{words} {format_rate(period.rate)}"


def _describe_restart(case: DosingCase) -> str:
    """Return the restart of the infusion in words, and that nobody has signed it if that is so."""
    dosing = case.protocol.dosing
    if dosing is None:
        return ""
    plan = dosing.restart
    remark = " (assumed, not signed)" if dosing.restart_is_assumed else ""
    return (
        f"restart at {format_rate(plan.rate)}, up after {format_duration(plan.rise_after)},"
        " in the same course if the pause was no longer than"
        f" {format_duration(plan.same_course_within)}{remark}"
    )
