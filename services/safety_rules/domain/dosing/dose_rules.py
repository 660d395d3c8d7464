"""What the grades of a participant ask of the infusion; the numbers are the protocol's.

Source: blinatumomab US prescribing information, 2.4; docs/decisions/dose.md
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

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

_End = Callable[[Span], Grade]


def advise_on_records(case: DosingCase) -> Iterator[TimedAdvice]:
    """Yield what each record asks for."""
    for name, record in match_rules(case):
        yield from advise_on_record(case, name, record)


def match_rules(case: DosingCase) -> Iterator[tuple[str, EpisodeContent]]:
    """Yield each record with the name of the first rule that it fits: that rule speaks of it."""
    if case.protocol.dosing is None:
        return
    fitting: dict[str, tuple[str, str]] = {}  # of each criterion
    for record in case.records:
        names = fitting.get(record.criterion)
        if names is None:
            names = fitting[record.criterion] = _fitting(case, record.criterion)
        name = names[bool(record.linked_to)]
        if name and _asks(case, record):
            yield name, record


def advise_on_record(case: DosingCase, name: str, record: EpisodeContent) -> Iterator[TimedAdvice]:
    """Yield what the rule *name* asks for because of *record*, which it is `about`."""
    if case.protocol.dosing is not None:
        yield from _of_record(case, name, case.protocol.dosing.rules[name], record)


def _fitting(case: DosingCase, criterion: str) -> tuple[str, str]:
    """Return the first rule for records of *criterion*, and for those that a syndrome explains.

    Empty: there is none. What is a part of a syndrome is spoken of where that is.
    """
    rules = case.protocol.dosing.rules if case.protocol.dosing else {}
    by_scale = [n for n, r in rules.items() if any(criterion == p.scale for p in r.any_of)]
    either = [
        name
        for name, rule in rules.items()
        if name in by_scale or any(not p.scale and case.matches(criterion, p) for p in rule.any_of)
    ]
    return next(iter(either), ""), next(iter(by_scale), "")


def _asks(case: DosingCase, record: EpisodeContent) -> bool:
    """Say whether *record* may ask for anything at all."""
    if record.before_exposure or record.state is EpisodeState.REJECTED:
        return False
    died_at = case.anchors.died_at
    return died_at is None or record.onset_at < died_at


@dataclass(frozen=True, slots=True)
class _Asked:
    """What one grade asks for, from when to when, and why."""

    do: DoseAction
    since: datetime
    until: datetime | None
    because: str
    then: str = ""
    due_at: datetime | None = None
    missing: tuple[str, ...] = ()  # without which it may have to be discontinued


def _of_record(
    case: DosingCase, name: str, rule: DoseRule, record: EpisodeContent
) -> Iterator[TimedAdvice]:
    certain = list(_asked(case, rule, record, lambda span: span.at_least))
    perhaps = list(_asked(case, rule, record, lambda span: span.at_most))
    if not perhaps:
        return
    do, worst = _most(certain), _most(perhaps)
    unknown = {word for one in certain for word in one.missing}
    if unknown:
        worst = DoseAction.DISCONTINUE
    may_be = worst if worst.level > do.level else None
    lasting = certain or perhaps
    open_ends = [one for one in lasting if one.until is None]
    until = None if open_ends else max(one.until for one in lasting if one.until)
    missing = {word for change in record.history for word in change.missing} if may_be else set()
    missing |= unknown if may_be else set()
    due = [one.due_at for one in (*certain, *perhaps) if one.due_at is not None]
    leads = [one for one in lasting if one.do is _most(lasting)]
    others = [] if do is DoseAction.DISCONTINUE else lasting
    yield TimedAdvice(
        make_advice(
            case,
            AdviceKind.DOSE,
            name,
            min(one.since for one in lasting),
            level=do.level,
            says=_says(do, case) if do.level else "nothing is certain yet",
            until=until,
            because=tuple(dict.fromkeys(one.because for one in leads)),
            then=tuple(dict.fromkeys(one.then for one in others if one.then)),
            missing=tuple(sorted(missing)),
            may_be=_says(may_be, case) if may_be else "",
            suspected=record.state is not EpisodeState.CONFIRMED,
            provisional=record.provisional,
            criterion=record.criterion,
            facts=tuple(dict.fromkeys(fact for change in record.history for fact in change.facts)),
        ),
        min(due, default=None),
    )


def _says(do: DoseAction, case: DosingCase) -> str:
    return f"{do} {case.protocol.study_drug}"


def _most(asked: list[_Asked]) -> DoseAction:
    return max((one.do for one in asked), key=lambda do: do.level, default=DoseAction.NONE)


def _asked(case: DosingCase, rule: DoseRule, record: EpisodeContent, end: _End) -> Iterator[_Asked]:
    alone = record.state is not EpisodeState.CONFIRMED and case.is_laboratory(record.criterion)
    if alone and end(record.worst) < rule.laboratory_alone_from:
        return
    for grade, what in rule.at_grade.items():
        for since, back_at in _stretches(record, grade, what, end):
            day, infusion = case.describe_day(since), _infusion(case, since)
            because = f"{record.term}, grade {grade} reached on {day}, {infusion}"
            seen_at = case.last_seen(record) if back_at is None else back_at
            course = _Course(since, back_at, seen_at or record.history[-1].at)
            yield from _of_stretch(case, what, course, because)


def _stretches(
    record: EpisodeContent, grade: int, what: AtGrade, end: _End
) -> Iterator[tuple[datetime, datetime | None]]:
    """Yield from when the record was of *grade* to when it certainly was not any longer.

    What is withheld goes on until the grade that the protocol asks for; all else, as the record.
    """
    since: datetime | None = None
    for change in record.history:
        if since is None and end(change.span) >= grade:
            since = change.at
        elif (
            since is not None
            and what.until_grade is not None
            and change.span.at_most <= what.until_grade
        ):
            yield since, change.at
            since = None
    if since is not None:
        yield since, record.resolved_at


@dataclass(frozen=True, slots=True)
class _Course:
    """Of one grade: since when, when it was over (None: not known to be), and when last seen."""

    since: datetime
    back_at: datetime | None
    seen_at: datetime


def _of_stretch(case: DosingCase, what: AtGrade, course: _Course, because: str) -> Iterator[_Asked]:
    since, back_at = course.since, course.back_at
    if what.do is DoseAction.INTERRUPT:
        then = _restart(case) if back_at else f"until it has resolved; then: {_restart(case)}"
        yield _Asked(what.do, since, back_at, because, then)
    elif what.do is not DoseAction.WITHHOLD:
        yield _Asked(what.do, since, None, because)
    else:
        yield from _withheld(case, what, course, because)


def _withheld(case: DosingCase, what: AtGrade, course: _Course, because: str) -> Iterator[_Asked]:
    since, back_at = course.since, course.back_at
    missing, due_at = [], None
    is_lowest = _is_lowest(case, what, since)
    if is_lowest:
        yield _Asked(DoseAction.DISCONTINUE, since, None, f"{because}: the lowest step")
    elif is_lowest is None:
        missing.append("infusion rate")
    longest = what.discontinue_after
    if longest is not None:
        if course.seen_at - since > longest:
            slow = f"not back to grade {what.until_grade} within {format_duration(longest)}"
            yield _Asked(DoseAction.DISCONTINUE, since, None, f"{because}; {slow}")
        elif back_at is None and case.as_of - since > longest:
            missing.append(f"a reading after {case.describe_day(course.seen_at)}")
        elif back_at is None:
            due_at = find_next_instant(since + longest)
    enough = f"grade {what.until_grade} or less"
    enough += f", and for {format_duration(what.at_least)} at least" if what.at_least else ""
    if back_at is None:
        too_long = (
            f"; discontinue if that takes more than {format_duration(longest)}" if longest else ""
        )
        then = f"withhold until {enough}{too_long}; then: {_restart(case)}"
        until = None
    else:
        until = max(back_at, since + what.at_least)
        then = f"{enough}: on {case.describe_day(until)}; {_restart(case)}"
    yield _Asked(what.do, since, until, because, then, due_at, tuple(missing))


def _is_lowest(case: DosingCase, what: AtGrade, at: datetime) -> bool | None:
    """Say whether no lower step is left to restart at; None: the rate is not known."""
    lowest, running = what.discontinue_at, case.infusion.find_period(at)
    if lowest is None:
        return False
    rate = running.rate if running else None
    if rate is None or rate.unit != lowest.unit:
        return None
    return rate.value <= lowest.value


def _infusion(case: DosingCase, at: datetime) -> str:
    running = case.infusion.find_period(at)
    if running is None:
        return "before any infusion"
    words = "infusion running at" if case.infusion.is_running(at) else "after an infusion of"
    return f"{words} {format_rate(running.rate)}"


def _restart(case: DosingCase) -> str:
    """Return how the infusion may go on, and that nobody has signed it if that is so."""
    dosing = case.protocol.dosing
    if dosing is None:
        return ""
    plan = dosing.restart
    assumed = " (assumed, not signed)" if dosing.restart_is_assumed else ""
    return (
        f"restart at {format_rate(plan.rate)}, up after {format_duration(plan.rise_after)},"
        " in the same course if the pause was no longer than"
        f" {format_duration(plan.same_course_within)}{assumed}"
    )
