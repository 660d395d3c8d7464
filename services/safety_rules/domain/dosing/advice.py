"""All that the facts of one participant recommend, kept up to date one fact at a time."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import is_

from services.safety_rules.domain.ctcae.compiled import CompiledCriterion
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.dosing import deviations, dose_rules, dose_signals, hys_law
from services.safety_rules.domain.dosing.case import DosingCase, TimedAdvice
from services.safety_rules.domain.dosing.multiples_of_uln import compare_with_uln
from services.safety_rules.domain.dosing.results import MeasureResults
from services.safety_rules.domain.facts.anchors import Anchors
from services.safety_rules.domain.facts.infusion import Infusion, trace_infusion
from services.vocabulary.episode import EpisodeContent
from services.vocabulary.fact import Administration, Body, Fact, Observation
from services.vocabulary.protocol import Protocol
from services.vocabulary.recommendation import Advice

_SEIZURE = "seizure"

Rule = Callable[[DosingCase], Iterator[TimedAdvice]]


@dataclass(frozen=True, slots=True)
class _Found:
    """What one rule book found at *at*, and what it read."""

    read: tuple[object, ...]
    at: datetime
    advised: tuple[TimedAdvice, ...]
    holds_until: datetime | None

    def holds(self, read: tuple[object, ...], at: datetime) -> bool:
        """Say whether it would find the same at *at* of what is *read* now."""
        is_same = len(read) == len(self.read) and all(map(is_, read, self.read))
        return is_same and self.at <= at and (self.holds_until is None or at < self.holds_until)


@dataclass(frozen=True, slots=True)
class _Given:
    """What was given and charted beside results, oldest first."""

    seizures: Sequence[Fact]
    premedication: Sequence[Fact]
    infusion: Infusion


def _given(facts: Iterable[Fact], protocol: Protocol) -> _Given:
    in_order = sorted(facts, key=lambda f: (f.observed_at, f.id))
    drug = protocol.deviations.premedication.drug if protocol.deviations else ""
    return _Given(
        [f for f in in_order if isinstance(f.body, Observation)],
        [f for f in in_order if isinstance(f.body, Administration) and f.body.drug == drug],
        trace_infusion(in_order, protocol.study_drug),
    )


class ParticipantAdvice:
    """The facts that recommendations are made from, and what they recommend."""

    def __init__(self, participant: str, rules: Rules) -> None:
        """Start with no facts."""
        self._participant = participant
        self._rules = rules
        self._drugs = _drugs(rules.protocol)
        self._criteria = _criteria(rules)
        self._unread: list[tuple[Fact, bool]] = []
        self._results = {measure: MeasureResults() for measure in self._criteria}
        self._resulted = object()  # another one whenever a result has come or gone
        self._others: dict[str, Fact] = {}
        self._given: _Given | None = None  # has to be read again
        self._found: dict[str, _Found] = {}
        self._records: dict[int, tuple[EpisodeContent, _Found]] = {}
        self._open_of: Sequence[EpisodeContent] | None = None
        self._open: list[EpisodeContent] = []  # of those
        self._made: tuple[object, ...] | None = None  # what the last answer was made from
        self._advice: tuple[Advice, ...] = ()
        self._due_at: datetime | None = None

    def change(self, fact: Fact, *, stands: bool) -> None:
        """Let *fact* stand, or stand no longer."""
        body = fact.body
        if isinstance(body, Observation) and body.measure in self._criteria:
            self._unread.append((fact, stands))
        elif self._reads(body):
            self._others.pop(fact.id, None)
            if stands:
                self._others[fact.id] = fact
            self._given = None
        else:
            return
        self._made = None

    def find_advice(
        self,
        anchors: Anchors,
        records: Sequence[EpisodeContent],
        last_seen: Callable[[EpisodeContent], datetime | None],
        at: datetime,
    ) -> tuple[tuple[Advice, ...], datetime | None]:
        """Return what is recommended at *at*, and when that changes without a fact.

        The same object as long as nothing has changed.
        """
        if records is not self._open_of:
            self._open_of = records
            self._open = [one for one in records if one.resolved_at is None]
        seen = {id(one): last_seen(one) for one in self._open}
        made = (anchors, records, tuple(seen.values()))
        is_due = self._due_at is not None and at >= self._due_at
        if made != self._made or is_due:
            self._read_results()
            if self._given is None:
                self._given = _given(self._others.values(), self._rules.protocol)
            case = self._case(self._given, anchors, records, at)
            found = [*self._of_records(case, seen), *self._of_the_rest(case)]
            advice = tuple(sorted((one.advice for one in found if one.advice), key=_in_order))
            self._advice = self._advice if advice == self._advice else advice
            due = [one.due_at for one in found if one.due_at]
            died_at = anchors.died_at
            self._due_at = min((d for d in due if died_at is None or d <= died_at), default=None)
            self._made = made
        return self._advice, self._due_at

    def _of_records(
        self, case: DosingCase, seen: Mapping[int, datetime | None]
    ) -> Iterator[TimedAdvice]:
        """Yield what each record asks for; what was found of it holds while it is what it was."""
        found: dict[int, tuple[EpisodeContent, _Found]] = {}
        case = replace(case, last_seen=lambda record: seen.get(id(record)))
        for name, record in dose_rules.match_rules(case):
            known = self._records.get(id(record))
            read = (case.anchors, case.infusion, seen.get(id(record)), name)
            if known is None or not known[1].holds(read, case.as_of):
                advised = tuple(dose_rules.advise_on_record(case, name, record))
                known = (record, _found(read, case.as_of, advised))
            found[id(record)] = known
            yield from known[1].advised
        self._records = found

    def _of_the_rest(self, case: DosingCase) -> Iterator[TimedAdvice]:
        """Yield what results, seizures and the treatment itself ask for."""
        read: dict[Rule, tuple[object, ...]] = {
            dose_signals.advise_on_signals: (
                case.anchors,
                self._resulted,
                self._given,
                case.records,
            ),
            hys_law.advise_on_liver: (case.anchors, self._resulted),
            deviations.find_deviations: (case.anchors, self._given),
        }
        for rule, inputs in read.items():
            known = self._found.get(rule.__name__)
            if known is None or not known.holds(inputs, case.as_of):
                known = _found(inputs, case.as_of, tuple(rule(case)), _looks_again(rule, case))
                self._found[rule.__name__] = known
            yield from known.advised

    def _reads(self, body: Body) -> bool:
        if isinstance(body, Administration):
            return body.drug in self._drugs
        return isinstance(body, Observation) and body.measure == _SEIZURE

    def _read_results(self) -> None:
        for fact, stands in self._unread:
            read = compare_with_uln(fact, self._criteria) if stands else None
            if read is not None:
                self._results[read.measure].insert(read)
            elif isinstance(fact.body, Observation):
                self._results[fact.body.measure].remove(fact.observed_at, fact.id)
        if self._unread:
            self._unread.clear()
            self._resulted = object()

    def _case(
        self, given: _Given, anchors: Anchors, records: Sequence[EpisodeContent], at: datetime
    ) -> DosingCase:
        return DosingCase(
            participant=self._participant,
            protocol=self._rules.protocol,
            anchors=anchors,
            records=records,
            infusion=given.infusion,
            as_of=at if anchors.died_at is None else min(at, anchors.died_at),
            results=self._results,
            seizures=given.seizures,
            premedication=given.premedication,
            matches=self._rules.matches_pattern,
            is_laboratory=self._rules.is_laboratory,
        )


def _found(
    read: tuple[object, ...],
    at: datetime,
    advised: tuple[TimedAdvice, ...],
    looks_again_at: datetime | None = None,
) -> _Found:
    instants = (looks_again_at, *(one.due_at for one in advised))
    until = min((instant for instant in instants if instant is not None), default=None)
    return _Found(read, at, advised, until)


def _looks_again(rule: Rule, case: DosingCase) -> datetime | None:
    """Return when *rule* may find something else although nothing that it read has changed."""
    return deviations.find_next_look(case) if rule is deviations.find_deviations else None


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
    found = {name: rules.compiled_criteria.by_measure.get(name, ()) for name in measures}
    return {name: criteria[0] for name, criteria in found.items() if criteria}


def _in_order(advice: Advice) -> tuple[str, str, datetime, str, str]:
    return advice.kind, advice.rule, advice.since, advice.criterion, advice.says
