"""Engraftment of one participant, and the graft failure that a clinician may have to declare.

Source: Kharfan-Dabaja et al. 2021, Transplantation and Cellular Therapy 27:642-649;
docs/decisions/engraftment.md
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile

from services.safety_rules.domain.endpoints.blood_counts import (
    NEUTROPHILS,
    PLATELETS,
    DayCount,
    exclude_transfused_days,
    find_graft_day,
    find_recovery,
    list_day_counts,
    list_transfusion_days,
)
from services.safety_rules.domain.facts.anchors import Anchors
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.data_query import Query
from services.vocabulary.engraftment import Engraftment, GraftState, Recovery, RecoveryState
from services.vocabulary.fact import Fact
from services.vocabulary.graft_fact import GraftStatus
from services.vocabulary.measure import Measure

MEASURES = frozenset({NEUTROPHILS, PLATELETS})
# Transplant day by which neutrophils recover, and that of a cord blood graft.
_RECOVERY_DUE, _CORD_RECOVERY_DUE = 30, 42
# Secondary failure: all counts below the limit, over so many days. Source: our decision, see there
_LOW_DAYS, _LOW_COUNTS = 14, 3
_Proposal = tuple[GraftState, str, Sequence[DayCount]]


def reads_fact(fact: Fact) -> bool:
    """Return True when *fact* may change the engraftment, other than by an anchor."""
    body = fact.body
    return isinstance(body, GraftStatus) or (
        isinstance(body, Observation) and body.measure in MEASURES
    )


def find_engraftment(
    participant: str, facts: Sequence[Fact], anchors: Anchors, measures: Mapping[str, Measure]
) -> Engraftment | None:
    """Return the engraftment of a participant; None: no graft is known.

    Args:
        participant: Pseudonym.
        facts: That stand, in any order; others than counts, transfusions and judgements of the
            graft are passed over.
        anchors: Of the participant.
        measures: Every measure by name.
    """
    if anchors.graft_at is None:
        return None
    due_day = _find_due_day(anchors)
    neutrophil_counts = list_day_counts(facts, NEUTROPHILS, anchors, measures)
    neutrophils = find_recovery(neutrophil_counts, due_day)
    platelet_counts = list_day_counts(facts, PLATELETS, anchors, measures)
    transfusion_days = list_transfusion_days(facts, anchors, with_unnamed_products=True)
    state, because = _judge_graft(facts, anchors, neutrophils, neutrophil_counts)
    return Engraftment(
        participant,
        neutrophils,
        _find_platelet_recovery(facts, platelet_counts, transfusion_days, anchors),
        len(transfusion_days),
        transfusion_days[-1] if transfusion_days else None,
        state,
        because,
    )


def query_graft_failure(
    facts: Sequence[Fact], anchors: Anchors, measures: Mapping[str, Measure]
) -> Iterator[Query]:
    """Yield the query to a clinician when counts propose a failure of the graft.

    Arguments as of `find_engraftment`. Nobody is asked who died or was given another graft.
    """
    if anchors.graft_at is None or anchors.died_at or anchors.second_graft_at:
        return
    counts = list_day_counts(facts, NEUTROPHILS, anchors, measures)
    recovery = find_recovery(counts, _find_due_day(anchors))
    proposal = _propose_failure(facts, anchors, recovery, counts)
    if proposal is not None:
        state, because, low_counts = proposal
        ends = dict.fromkeys((low_counts[0], low_counts[-1]))
        ids = tuple(fact.id for one in ends for fact in one.facts)
        kind = state.removesuffix(" proposed")
        yield Query(f"{kind} of the graft? {because}; chimerism and a clinician decide", ids)


def _find_due_day(anchors: Anchors) -> int:
    return _CORD_RECOVERY_DUE if anchors.donor == "cord" else _RECOVERY_DUE


def _find_platelet_recovery(
    facts: Sequence[Fact],
    counts: Sequence[DayCount],
    transfusion_days: Sequence[int],
    anchors: Anchors,
) -> Recovery:
    """Return the recovery, at the latest as if every product without a name were platelets."""
    due_day = _find_due_day(anchors)
    if not counts:
        return find_recovery((), due_day)
    named_days = list_transfusion_days(facts, anchors, with_unnamed_products=False)
    by_all, by_named = (
        find_recovery(exclude_transfused_days(counts, days), due_day)
        for days in (transfusion_days, named_days)
    )
    has_recovered = by_named.state is RecoveryState.RECOVERED
    recovery = replace(by_named, at_latest=by_all.at_latest) if has_recovered else by_all
    return replace(recovery, first_counted=counts[0].day, last_counted=counts[-1].day)


def _judge_graft(
    facts: Sequence[Fact], anchors: Anchors, recovery: Recovery, counts: Sequence[DayCount]
) -> tuple[GraftState, str]:
    proposal = _propose_failure(facts, anchors, recovery, counts)
    if proposal is not None:
        return proposal[0], proposal[1]
    judgement = _find_judgement(facts, anchors)
    if judgement is None:
        return GraftState.NONE, ""
    day, status = judgement
    words = f"{status.by}, day {day}{f': {status.note}' if status.note else ''}"
    return GraftState(status.status), words


def _propose_failure(
    facts: Sequence[Fact], anchors: Anchors, recovery: Recovery, counts: Sequence[DayCount]
) -> _Proposal | None:
    """Return the failure that the last counts propose, which no judgement has answered since."""
    low_counts = list(takewhile(lambda one: not one.is_reached, reversed(counts)))[::-1]
    if not low_counts:
        return None
    judgement, last = _find_judgement(facts, anchors), low_counts[-1]
    if judgement is not None and (judgement[0] >= last.day or judgement[1].status == "failed"):
        return None
    due_day = _find_due_day(anchors)
    if recovery.state is RecoveryState.NOT_RECOVERED and last.day >= due_day:
        words = f"no neutrophil recovery by day {due_day}, below 0.5 x 10*9/L on day {last.day}"
        return GraftState.PRIMARY_FAILURE_PROPOSED, words, low_counts
    has_recovered = recovery.state in (RecoveryState.RECOVERED, RecoveryState.NOT_BELOW)
    lasts = last.day - low_counts[0].day >= _LOW_DAYS and len(low_counts) >= _LOW_COUNTS
    has_relapsed = anchors.relapsed_at is not None
    if has_recovered and lasts and not has_relapsed:
        words = f"neutrophils below 0.5 x 10*9/L from day {low_counts[0].day} to day {last.day}"
        return GraftState.SECONDARY_FAILURE_PROPOSED, words, low_counts
    return None


def _find_judgement(facts: Iterable[Fact], anchors: Anchors) -> tuple[int, GraftStatus] | None:
    """Return the last judgement of a clinician with its transplant day."""
    judgements = [
        (fact.observed_at, fact.reported_at, fact.id, day, fact.body)
        for fact in facts
        if isinstance(fact.body, GraftStatus) and (day := find_graft_day(fact, anchors)) is not None
    ]
    return max(judgements, key=lambda one: one[:3])[3:] if judgements else None
