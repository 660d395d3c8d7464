"""All that the facts of one participant recommend, kept up to date one fact at a time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from services.safety_rules.domain.ctcae.compiled import CompiledCriterion
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.dosing import deviations, dose_rules, dose_signals, hys_law
from services.safety_rules.domain.dosing.case import DosingCase, TimedAdvice
from services.safety_rules.domain.dosing.infusion_rates import convert_rates
from services.safety_rules.domain.dosing.multiples_of_uln import compare_with_uln
from services.safety_rules.domain.dosing.results import MeasureResults
from services.safety_rules.domain.facts.anchors import Anchors
from services.safety_rules.domain.facts.infusion import trace_infusion
from services.vocabulary.clinical_fact import Administration, Observation
from services.vocabulary.episode import EpisodeContent
from services.vocabulary.fact import Body, Fact
from services.vocabulary.protocol import Protocol
from services.vocabulary.recommendation import Advice

_SEIZURE = "seizure"

LastEvidence = Callable[[EpisodeContent], datetime | None]


class ParticipantAdvice:
    """The facts that recommendations are made from, and what they recommend."""

    def __init__(self, participant: str, rules: Rules) -> None:
        """Start with no facts."""
        self._participant = participant
        self._rules = rules
        self._premedication = _find_premedication(rules.protocol)
        self._criteria = _find_criteria(rules)
        self._unread: list[tuple[Fact, bool]] = []
        self._results = {measure: MeasureResults() for measure in self._criteria}
        self._other_facts: dict[str, Fact] = {}
        self._inputs: tuple[object, ...] | None = None  # of the last answer; None: facts changed
        self._advice: tuple[Advice, ...] = ()
        self._due_at: datetime | None = None

    def change(self, fact: Fact, *, stands: bool) -> None:
        """Add or remove *fact*."""
        body = fact.body
        if isinstance(body, Observation) and body.measure in self._criteria:
            self._unread.append((fact, stands))
        elif self._reads(body):
            self._other_facts.pop(fact.id, None)
            if stands:
                self._other_facts[fact.id] = fact
        else:
            return
        self._inputs = None

    def find_advice(
        self,
        anchors: Anchors,
        records: Sequence[EpisodeContent],
        last_evidence: LastEvidence,
        as_of: datetime,
    ) -> tuple[tuple[Advice, ...], datetime | None]:
        """Return the recommendations at *as_of*, and when they change without a fact.

        The same object as long as nothing has changed.
        """
        evidence = tuple(last_evidence(one) for one in records if one.resolved_at is None)
        inputs = (anchors, records, evidence)
        is_due = self._due_at is not None and as_of >= self._due_at
        if inputs != self._inputs or is_due:
            self._read_results()
            timed_advice = list(
                _apply_rules(self._make_case(anchors, records, last_evidence, as_of))
            )
            advice = tuple(
                sorted((one.advice for one in timed_advice if one.advice), key=_sort_key)
            )
            self._advice = self._advice if advice == self._advice else advice
            self._due_at = _find_due(timed_advice, anchors.died_at)
            self._inputs = inputs
        return self._advice, self._due_at

    def _reads(self, body: Body) -> bool:
        if isinstance(body, Administration):
            return body.drug in (self._rules.protocol.study_drug, self._premedication)
        return isinstance(body, Observation) and body.measure == _SEIZURE

    def _read_results(self) -> None:
        for fact, stands in self._unread:
            result = compare_with_uln(fact, self._criteria) if stands else None
            if result is not None:
                self._results[result.measure].insert(result)
            elif isinstance(fact.body, Observation):
                self._results[fact.body.measure].remove(fact.observed_at, fact.id)
        self._unread.clear()

    def _make_case(
        self,
        anchors: Anchors,
        records: Sequence[EpisodeContent],
        last_evidence: LastEvidence,
        as_of: datetime,
    ) -> DosingCase:
        facts = sorted(self._other_facts.values(), key=lambda fact: (fact.observed_at, fact.id))
        dosing, study_drug = self._rules.protocol.dosing, self._rules.protocol.study_drug
        infusion = trace_infusion(facts, study_drug)
        doses = [(one, one.body) for one in facts if isinstance(one.body, Administration)]
        return DosingCase(
            participant=self._participant,
            protocol=self._rules.protocol,
            anchors=anchors,
            records=records,
            infusion=convert_rates(infusion, dosing.restart.rate.unit) if dosing else infusion,
            as_of=as_of if anchors.died_at is None else min(as_of, anchors.died_at),
            results=self._results,
            seizures=[one for one in facts if isinstance(one.body, Observation)],
            premedication=[one for one, body in doses if body.drug == self._premedication],
            matches=self._rules.matches_pattern,
            last_evidence=last_evidence,
            is_laboratory=self._rules.is_laboratory,
        )


def _apply_rules(case: DosingCase) -> Iterator[TimedAdvice]:
    yield from dose_rules.advise_on_records(case)
    yield from dose_signals.advise_on_signals(case)
    yield from hys_law.advise_on_liver(case)
    yield from deviations.find_deviations(case)


def _find_due(timed_advice: Sequence[TimedAdvice], died_at: datetime | None) -> datetime | None:
    """Return the first instant at which one of *timed_advice* changes; none changes after death."""
    instants = [one.due_at for one in timed_advice if one.due_at]
    return min((one for one in instants if died_at is None or one <= died_at), default=None)


def _find_premedication(protocol: Protocol) -> str:
    return protocol.deviations.premedication.drug if protocol.deviations else ""


def _find_criteria(rules: Rules) -> Mapping[str, CompiledCriterion]:
    """Return a criterion that knows the units of each measure that is compared with a limit."""
    dosing = rules.protocol.dosing
    measures = (
        {name for rule in dosing.rules.values() for name in rule.over_uln} if dosing else set()
    )
    measures |= hys_law.MEASURES if rules.protocol.hys_law else set()
    criteria = {name: rules.compiled_criteria.by_measure.get(name, ()) for name in measures}
    return {name: matching[0] for name, matching in criteria.items() if matching}


def _sort_key(advice: Advice) -> tuple[str, str, datetime, str, str]:
    return advice.kind, advice.rule, advice.since, advice.criterion, advice.says
