"""A death that was adjudicated to a criterion: grade 5 of one of its runs, or a run of its own.

Source: docs/decisions/episodes.md, "Deaths"
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.safety_rules.domain.ctcae.rule_book import CAUSES_WITHOUT_TERM
from services.safety_rules.domain.episodes.record import order_of_signing
from services.safety_rules.domain.facts.current_report import rank_report
from services.safety_rules.domain.grade_runs.grade_run import GradeRun
from services.vocabulary.clinical_fact import Death
from services.vocabulary.data_query import Query
from services.vocabulary.episode import Change, EpisodeContent, EpisodeState, Span
from services.vocabulary.fact import Fact
from services.vocabulary.grade import Grade
from services.vocabulary.judgement import Adjudication, Verdict

_UNCLEAR_GVHD = re.compile("gvhd|graft", re.IGNORECASE)
_GRADE_VERDICTS = (Verdict.REGRADE, Verdict.REJECT)


@dataclass(frozen=True, slots=True)
class KnownDeath:
    """A death as one criterion of the participant sees it.

    Args:
        instant: Of the death.
        is_cause: The cause of death names the criterion.
        before_exposure: It came before the study drug.
        longest_gap: A run that resolved longer than this before the death has no part in it.
    """

    instant: datetime
    is_cause: bool
    before_exposure: bool
    longest_gap: timedelta


def query_deaths(
    deaths: Sequence[Fact],
    records: Iterable[EpisodeContent],
    decisions: Iterable[Fact],
    find_criterion: Callable[[str], str],
) -> Iterator[Query]:
    """Yield a query for each death or adjudication of one that cannot be used as it stands.

    Args:
        deaths: Every standing death of the participant.
        records: Of the participant.
        decisions: Every standing adjudication.
        find_criterion: Returns the criterion that a cause names; empty: none.
    """
    causes = [(f, f.body.cause) for f in deaths if isinstance(f.body, Death) and f.body.cause]
    yield from _query_several_causes(causes, find_criterion)
    for fact, cause in causes:
        criterion = find_criterion(cause)
        if not criterion and cause not in CAUSES_WITHOUT_TERM:
            problem = f"the cause of death, {cause}, is no term or scale here"
            if _UNCLEAR_GVHD.search(cause):
                problem = f"{problem}; name acute-gvhd or chronic-gvhd"
            yield Query(problem, (fact.id,))
        if criterion and any(_is_rejected_at(one, criterion, fact.observed_at) for one in records):
            yield Query("death is adjudicated to a record that is rejected", (fact.id,))
    if not deaths:
        for fact in filter(is_fatal_regrade, decisions):
            yield Query("a record is regraded to 5, and no death is reported", (fact.id,))


def _query_several_causes(
    causes: Iterable[tuple[Fact, str]], find_criterion: Callable[[str], str]
) -> Iterator[Query]:
    """Yield a query when *causes* differ, which names them in the order of their reports."""
    reports = sorted(causes, key=lambda one: (rank_report(one[0]), one[0].id))
    words_by_cause: dict[str, str] = {}
    for _, cause in reports:
        key = find_criterion(cause) or cause
        words_by_cause.pop(key, None)  # the last report of it gives its place
        words_by_cause[key] = cause
    if len(words_by_cause) > 1:
        problem = (
            f"death has {len(words_by_cause)} causes: {', then '.join(words_by_cause.values())}"
        )
        yield Query(problem, tuple(dict.fromkeys(fact.id for fact, _ in reports)))


def _is_rejected_at(record: EpisodeContent, criterion: str, instant: datetime) -> bool:
    return (
        record.criterion == criterion
        and record.state is EpisodeState.REJECTED
        and record.onset_at <= instant
        and (record.resolved_at is None or instant < record.resolved_at)
    )


def is_fatal_regrade(fact: Fact) -> bool:
    """Return True when *fact* adjudicates a death: it regrades to grade 5."""
    body = fact.body
    return (
        isinstance(body, Adjudication)
        and body.verdict is Verdict.REGRADE
        and body.grade == Grade.DEATH
    )


def add_death(
    runs: Sequence[GradeRun], death: KnownDeath, decisions: Iterable[Fact]
) -> list[GradeRun]:
    """Return *runs* with the death in the one that it belongs to, or as the last one.

    The same runs when nobody adjudicated the death to their criterion.

    Args:
        runs: Of one criterion, in the order of onset.
        death: Of the participant.
        decisions: Every adjudication of the criterion, in any order.
    """
    decisions = sorted(decisions, key=order_of_signing)
    fatal = [fact for fact in decisions if is_fatal_regrade(fact)]
    if not death.is_cause and not fatal:
        return list(runs)
    position = _find_position(runs, death, decisions, fatal)
    stray_ids = frozenset(f.id for f in fatal if _find_containing(runs, f.observed_at) is None)
    if not death.is_cause and not _stands(runs, death, decisions, position, stray_ids):
        return list(runs)
    died_by = tuple(sorted(stray_ids))
    if position is None:
        run = _make_own_run(death, died_by)
    else:
        run = _end_in_death(runs[position], death, died_by)
    return sorted([*_remove_run(runs, position), run], key=lambda one: one.onset_at)


def _remove_run(runs: Sequence[GradeRun], position: int | None) -> list[GradeRun]:
    return [run for number, run in enumerate(runs) if number != position]


def _find_position(
    runs: Sequence[GradeRun], death: KnownDeath, decisions: Sequence[Fact], fatal: Sequence[Fact]
) -> int | None:
    """Return the position of the run that the death belongs to; None: it is a run of its own."""
    if fatal:
        named_position = _find_containing(runs, fatal[-1].observed_at)
        if named_position is not None and _may_end(runs[named_position], death):
            return named_position
    last = max((n for n, run in enumerate(runs) if run.onset_at <= death.instant), default=None)
    if last is None or not _may_end(runs[last], death):
        return None
    resolved_at = runs[last].resolved_at
    if resolved_at is not None and death.instant - resolved_at > death.longest_gap:
        return None
    verdicts = [
        fact.body.verdict
        for fact in decisions
        if isinstance(fact.body, Adjudication)
        and fact.body.verdict is not Verdict.ATTRIBUTE
        and fact.observed_at < death.instant
        and _find_containing(runs, fact.observed_at) == last
    ]
    return None if verdicts[-1:] == [Verdict.REJECT] else last


def _may_end(run: GradeRun, death: KnownDeath) -> bool:
    return run.onset_at <= death.instant and run.before_exposure == death.before_exposure


def _find_containing(runs: Sequence[GradeRun], instant: datetime) -> int | None:
    """Return the position of the run with *instant*; an unresolved one lasts to the next."""
    last = max((n for n, run in enumerate(runs) if run.onset_at <= instant), default=None)
    resolved_at = None if last is None else runs[last].resolved_at
    return last if resolved_at is None or instant < resolved_at else None


def _stands(
    runs: Sequence[GradeRun],
    death: KnownDeath,
    decisions: Sequence[Fact],
    position: int | None,
    stray_ids: frozenset[str],
) -> bool:
    """Return True when the last decision about the run of the death is that it was fatal."""
    about_it = [
        fact
        for fact in decisions
        if isinstance(fact.body, Adjudication) and fact.body.verdict in _GRADE_VERDICTS
        if fact.id in stray_ids
        or fact.observed_at >= death.instant
        or (position is not None and _find_containing(runs, fact.observed_at) == position)
    ]
    return bool(about_it) and is_fatal_regrade(about_it[-1])


def _make_own_run(death: KnownDeath, died_by: tuple[str, ...]) -> GradeRun:
    return GradeRun(
        onset_at=death.instant,
        history=(),
        last_evidence_at=death.instant,
        before_exposure=death.before_exposure,
        died_at=death.instant,
        died_by=died_by,
    )


def _end_in_death(run: GradeRun, death: KnownDeath, died_by: tuple[str, ...]) -> GradeRun:
    """Return *run* up to the death; what was only possible has happened by then at the latest."""
    if run.possible and not run.outside_inducer_window:
        return replace(_make_own_run(death, died_by), onset_not_before=run.onset_at)
    history = tuple(change for change in run.history if change.at <= death.instant)
    if run.resolved_at is not None and run.resolved_at <= death.instant:
        resolution = Change(run.resolved_at, Span(Grade.NONE, Grade.NONE), "resolved")
        history = (*history, resolution)
    return replace(
        run,
        history=history,
        last_evidence_at=death.instant,
        resolved_at=None,
        resolved_not_before=None,
        possible=False,
        died_at=death.instant,
        died_by=died_by,
    )
