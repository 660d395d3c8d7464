"""All that the facts of one participant recommend, kept up to date one fact at a time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from services.safety_rules.domain import deviations, dose_rules, dose_signals, hys_law
from services.safety_rules.domain.advised import Case
from services.safety_rules.domain.anchors import Anchors
from services.safety_rules.domain.compiled import CompiledCriterion
from services.safety_rules.domain.infusion import infusion
from services.safety_rules.domain.multiples import Result, result
from services.safety_rules.domain.rules import Rules
from services.vocabulary.advice import Advice
from services.vocabulary.episode import EpisodeContent
from services.vocabulary.fact import Administration, Body, Fact, Observation
from services.vocabulary.protocol import Protocol

_RULES = (
    dose_rules.of_records,
    dose_signals.of_signals,
    hys_law.of_liver,
    deviations.of_treatment,
)
_SEIZURE = "seizure"
T = TypeVar("T")


class Advising:
    """The facts that recommendations are made from, and what they recommend."""

    def __init__(self, participant: str, rules: Rules) -> None:
        """Start with no facts."""
        self._participant = participant
        self._rules = rules
        self._drugs = _drugs(rules.protocol)
        self._criteria = _criteria(rules)
        self._results: dict[str, Result] = {}
        self._others: dict[str, Fact] = {}
        self._made: tuple[object, ...] | None = None  # what the last answer was made from
        self._advice: tuple[Advice, ...] = ()
        self._due_at: datetime | None = None

    def change(self, fact: Fact, *, stands: bool) -> None:
        """Let *fact* stand, or stand no longer."""
        body = fact.body
        read = result(fact, self._criteria)
        if read is not None:
            self._results = _with(self._results, fact.id, read if stands else None)
        elif self._reads(body):
            self._others = _with(self._others, fact.id, fact if stands else None)
        else:
            return
        self._made = None

    def advice(
        self,
        anchors: Anchors,
        records: Sequence[EpisodeContent],
        last_seen: Callable[[EpisodeContent], datetime | None],
        at: datetime,
    ) -> tuple[tuple[Advice, ...], datetime | None]:
        """Return what is recommended at *at*, and when that changes without a fact.

        The same object as long as nothing has changed.
        """
        seen = {id(one): last_seen(one) for one in records if one.resolved_at is None}
        made = (anchors, records, tuple(seen.values()))
        is_due = self._due_at is not None and at >= self._due_at
        if made != self._made or is_due:
            case = self._case(anchors, records, at)
            case = replace(case, last_seen=lambda record: seen.get(id(record)))
            found = [one for rule in _RULES for one in rule(case)]
            advice = tuple(sorted((one.advice for one in found if one.advice), key=_in_order))
            self._advice = self._advice if advice == self._advice else advice
            due = [one.due_at for one in found if one.due_at]
            died_at = anchors.died_at
            self._due_at = min((d for d in due if died_at is None or d <= died_at), default=None)
            self._made = made
        return self._advice, self._due_at

    def _reads(self, body: Body) -> bool:
        if isinstance(body, Administration):
            return body.drug in self._drugs
        return isinstance(body, Observation) and body.measure == _SEIZURE

    def _case(self, anchors: Anchors, records: Sequence[EpisodeContent], at: datetime) -> Case:
        protocol = self._rules.protocol
        results: dict[str, list[Result]] = {}
        for one in sorted(self._results.values(), key=lambda r: (r.at, r.fact)):
            results.setdefault(one.measure, []).append(one)
        others = sorted(self._others.values(), key=lambda f: (f.observed_at, f.id))
        premedication = protocol.deviations.premedication.drug if protocol.deviations else ""
        return Case(
            participant=self._participant,
            protocol=protocol,
            anchors=anchors,
            records=records,
            infusion=infusion(others, protocol.study_drug),
            at=at if anchors.died_at is None else min(at, anchors.died_at),
            results=results,
            seizures=[f for f in others if isinstance(f.body, Observation)],
            premedication=[
                f
                for f in others
                if isinstance(f.body, Administration) and f.body.drug == premedication
            ],
            matches=self._rules.matches,
            is_laboratory=self._rules.is_laboratory,
        )


def _with(kept: Mapping[str, T], key: str, value: T | None) -> dict[str, T]:
    others = {name: one for name, one in kept.items() if name != key}
    return others if value is None else {**others, key: value}


def _drugs(protocol: Protocol) -> frozenset[str]:
    premedication = protocol.deviations.premedication.drug if protocol.deviations else ""
    return frozenset({protocol.study_drug, premedication})


def _criteria(rules: Rules) -> Mapping[str, CompiledCriterion]:
    """Return a criterion that knows the units of each measure that is compared with a limit."""
    dosing = rules.protocol.dosing
    measures = (
        {name for rule in dosing.rules.values() for name in rule.over_uln} if dosing else set()
    )
    measures |= hys_law.MEASURES if rules.protocol.hys_law else set()
    found = {name: rules.compiled.by_measure.get(name, ()) for name in measures}
    return {name: criteria[0] for name, criteria in found.items() if criteria}


def _in_order(advice: Advice) -> tuple[str, str, datetime, str, str]:
    return advice.kind, advice.rule, advice.since, advice.criterion, advice.says
