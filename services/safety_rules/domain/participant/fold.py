"""From the facts of one person to the records, whatever the order in which the facts came."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from services.safety_rules.domain.ctcae import clinician_findings, concomitant_drugs
from services.safety_rules.domain.ctcae.compiled import CompiledCriterion, Measured
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.dosing.advice import ParticipantAdvice
from services.safety_rules.domain.episodes import confounders
from services.safety_rules.domain.episodes.criterion_course import CriterionCourse
from services.safety_rules.domain.episodes.participant_records import ParticipantRecords
from services.safety_rules.domain.episodes.record import (
    CRS,
    ParticipantBackground,
    find_orphaned_adjudications,
)
from services.safety_rules.domain.facts import nearest_reading
from services.safety_rules.domain.facts.anchors import Anchors, find_anchors
from services.safety_rules.domain.facts.anchors import may_move_anchor as moves_an_anchor
from services.safety_rules.domain.facts.current_facts import CurrentFacts, Query
from services.safety_rules.domain.queries import data_queries
from services.safety_rules.domain.queries.contradictions import find_contradictions
from services.safety_rules.domain.standings.standing import (
    StandingInputs,
    TimedStanding,
    find_standing,
    find_steroid_doses,
)
from services.safety_rules.domain.syndromes.bedside import BedsideContext
from services.safety_rules.domain.syndromes.followed_syndrome import SCALES, FollowedSyndrome
from services.vocabulary.episode import EpisodeContent
from services.vocabulary.fact import Adjudication, Assessment, Fact, Finding, Movement, Observation
from services.vocabulary.recommendation import Advice


@dataclass(frozen=True, slots=True)
class _Read:
    """Who reads a fact: the same for all observations of one measure."""

    names: frozenset[str]  # of criteria and syndromes
    criteria: tuple[tuple[str, CriterionCourse, Measured], ...]
    is_beside: bool
    syndromes: tuple[str, ...]
    may_confound: bool


class Fold:
    """The records of one person, kept up to date one message at a time."""

    def __init__(self, participant: str, rules: Rules) -> None:
        """Start with no facts; *participant* is the survivor's pseudonym."""
        self.participant = participant
        self._rules = rules
        self._current = CurrentFacts()
        self._anchoring: dict[str, Fact] = {}
        self._steroids: tuple[datetime, ...] = ()
        self._others: dict[str, Fact] = {}  # all that is no observation
        self._reads: dict[str, _Read] = {}  # by measure
        self._impossible: dict[str, dict[str, tuple[datetime, tuple[Query, ...]]]] = {}
        self._anchors = Anchors()
        self._anchors_stale = False
        self._person = ParticipantBackground(participant, self._anchors)
        self._beside = {
            m: nearest_reading.NearestReadings(w)
            for m, w in nearest_reading.COMPANION_WINDOWS.items()
        }
        # no method of this object: nothing may refer back to it, so that it is freed at once
        self._nearest = partial(nearest_reading.find_nearest_value, self._beside)
        self._advising = ParticipantAdvice(participant, rules)
        self._given = concomitant_drugs.Given()
        self._seen = clinician_findings.Findings()
        self._followed: dict[str, CriterionCourse] = {}
        self._syndromes = {
            name: FollowedSyndrome(scale, rules.protocol) for name, scale in SCALES.items()
        }
        self._courses: dict[str, CriterionCourse | FollowedSyndrome] = {**self._syndromes}
        self._saying = ParticipantRecords(self._person, rules, self._courses)
        self._news: set[str] = set()

    @property
    def anchors(self) -> Anchors:
        """What windows and days are counted from."""
        return self._anchors

    def apply(self, facts: Iterable[Fact]) -> None:
        """Let *facts*, of one message, be known."""
        for fact in facts:
            change = self._current.add(fact)
            for gone in change.removed:
                self._take(gone, stands=False)
            for new in change.added:
                self._take(new, stands=True)
        if self._anchors_stale:
            self._find_anchors()

    def group_by_criterion(self) -> Mapping[str, tuple[EpisodeContent, ...]]:
        """Return the records by criterion, in the order of onset."""
        self._refresh()
        return self._saying.group_by_criterion()

    def take_changed_criteria(self) -> set[str]:
        """Return the criteria of which something else is said than when this was last asked."""
        self._refresh()
        news = self._news
        if news:
            self._news = set()
        return news

    def list_records(self) -> tuple[EpisodeContent, ...]:
        """Return every record, by criterion and onset.

        The same object as long as nothing has changed.
        """
        self._refresh()
        return self._saying.list_records()

    def find_last_evidence(self, record: EpisodeContent) -> datetime | None:
        """Return when *record* ended, or was last seen; None when it is no current record."""
        self._refresh()
        return self._saying.find_last_evidence(record)

    def find_standings(self, known_at: datetime) -> list[TimedStanding]:
        """Return the standing under each rule, from what is known at *known_at*."""
        rules = self._rules
        inputs = StandingInputs(
            participant=self.participant,
            anchors=self._anchors,
            records=self.group_by_criterion(),
            steroids=self._steroids,
            known_at=known_at,
            matches=rules.matches,
            is_laboratory=rules.is_laboratory,
        )
        return [find_standing(rule, rules.protocol, inputs) for rule in rules.protocol.rules]

    def find_advice(self, at: datetime) -> tuple[tuple[Advice, ...], datetime | None]:
        """Return what is recommended at *at*, and when that changes without a fact.

        The same object as long as nothing has changed.
        """
        records = self.list_records()
        return self._advising.find_advice(self._anchors, records, self.find_last_evidence, at)

    def list_queries(self) -> list[Query]:
        """Return what a person has to look into."""
        records = self.list_records()
        notify = self._rules.protocol.alerts.participant_grade
        found = [
            *self._current.list_queries(),
            *find_orphaned_adjudications(records, self._person),
            *data_queries.query_undecided_records(records, notify),
            *self._cannot_be(),
            *find_contradictions(self._others.values()),
        ]
        return [replace(query, participant=self.participant) for query in dict.fromkeys(found)]

    def _cannot_be(self) -> Iterator[Query]:
        """Yield a query for every number that cannot be, by criterion and time; syndromes last."""
        names = sorted(self._impossible, key=lambda name: (name in SCALES, name))
        for name in names:
            found = self._impossible[name]
            for _, _, queries in sorted((at, fact, q) for fact, (at, q) in found.items()):
                yield from queries

    def _take(self, fact: Fact, *, stands: bool) -> None:
        """Put *fact* wherever it is read, or take it away."""
        body = fact.body
        self._advising.change(fact, stands=stands)
        self._change_seen(fact, stands=stands)
        if isinstance(body, Observation):
            reads = self._reads.get(body.measure)
            if reads is None:
                reads = self._reads[body.measure] = self._read(fact, body.measure)
            anchor = self._anchors.first_infusion_at
            for name, followed, measured in reads.criteria:
                followed.change(fact, stands=stands)
                if anchor is not None and fact.observed_at < anchor:
                    followed.update_baseline(anchor)
                if odd := followed.checked_values.query_impossible_numbers(fact, body, measured):
                    self._ask(name, fact, odd, stands=stands)
            if reads.is_beside:
                self._change_beside(body.measure, fact, stands=stands)
        else:
            reads = self._read(fact, "")
            self._change_other(fact, stands=stands)
        self._saying.mark_changed(reads.names)
        for name in reads.syndromes:
            self._syndromes[name].change(fact, stands=stands)
            if at_the_bedside := tuple(data_queries.query_impossible_bedside(fact)):
                self._ask(name, fact, at_the_bedside, stands=stands)
        if reads.may_confound and confounders.may_confound(fact, self._rules.protocol):
            self._person.confounder_events.change(fact, stands=stands)
            self._saying.mark_stale(CRS, confounders.find_explained_span(fact))

    def _read(self, fact: Fact, measure: str) -> _Read:
        """Return who reads *fact*, an observation of *measure* (empty: none)."""
        protocol = self._rules.protocol
        criteria = self._rules.compiled.by_measure.get(measure, ())
        scales = tuple(name for name, scale in SCALES.items() if scale.reads_fact(fact, protocol))
        return _Read(
            frozenset({*scales, *(one.id for one in criteria)}),
            tuple((c.id, self._followed_under(c.id, c), c.measured[measure]) for c in criteria),
            measure in nearest_reading.COMPANION_WINDOWS,
            scales,
            confounders.may_confound(fact, protocol),
        )

    def _change_other(self, fact: Fact, *, stands: bool) -> None:
        """Let a fact that is no observation stand, or stand no longer."""
        body, at = fact.body, fact.observed_at
        _keep(self._others, fact, stands=stands)
        if moves_an_anchor(fact, self._rules.protocol):
            _keep(self._anchoring, fact, stands=stands)
            self._anchors_stale = True
        if read_for := concomitant_drugs.measures(fact):
            self._change_given(fact, read_for, stands=stands)
        elif isinstance(body, Assessment) and self._rules.knows(body.criterion):
            compiled = self._rules.compiled.by_id.get(body.criterion)
            self._followed_under(body.criterion, compiled).change(fact, stands=stands)
            self._saying.mark_changed({body.criterion})
        self._person.change(fact, stands=stands)
        if isinstance(body, Adjudication):
            self._saying.mark_stale(body.criterion, (at, at))
        elif isinstance(body, Movement):
            self._saying.mark_stale_everywhere((at, at))
        if find_steroid_doses([fact], self._rules.protocol):
            self._steroids = find_steroid_doses(self._others.values(), self._rules.protocol)

    def _ask(self, name: str, fact: Fact, odd: tuple[Query, ...], *, stands: bool) -> None:
        """Keep what has to be asked about *fact*, as long as it stands."""
        if stands:
            self._impossible.setdefault(name, {})[fact.id] = (fact.observed_at, odd)
        else:
            self._impossible[name].pop(fact.id, None)

    def _followed_under(
        self, criterion: str, compiled: CompiledCriterion | None
    ) -> CriterionCourse:
        found = self._followed.get(criterion)
        if found is None:
            gap = self._rules.protocol.merge_gap
            found = CriterionCourse(compiled, gap, self._nearest, self._given.about, self._seen.at)
            found.update_baseline(self._anchors.first_infusion_at)
            self._followed[criterion] = self._courses[criterion] = found
        return found

    def _rebase(self, criterion: str, since: datetime) -> None:
        """Grade everything again when a value before exposure, after *since*, may have changed."""
        anchor = self._anchors.first_infusion_at
        if anchor is not None and since < anchor:
            self._followed[criterion].update_baseline(anchor)

    def _find_anchors(self) -> None:
        self._anchors_stale = False
        found = find_anchors(list(self._anchoring.values()), self._rules.protocol)
        if found == self._anchors:
            return
        before, self._anchors = self._anchors, found
        self._person.anchors = found
        self._saying.discard_all()
        if found.first_infusion_at != before.first_infusion_at:
            for followed in self._followed.values():
                followed.update_baseline(found.first_infusion_at)
        context = BedsideContext(found.graft_at, found.donor, found.timezone)
        if context != BedsideContext(before.graft_at, before.donor, before.timezone):
            for syndrome in self._syndromes.values():
                syndrome.restart(context)

    def _refresh(self) -> None:
        self._news |= self._saying.refresh()

    def _change_beside(self, measure: str, fact: Fact, *, stands: bool) -> None:
        time = self._beside[measure].change(fact, stands=stands)
        if time is None:
            return
        for criterion in self._rules.compiled.by_beside.get(measure, ()):
            self._followed_under(criterion.id, criterion).track.step_again(*time)
            self._saying.mark_changed({criterion.id})
            self._rebase(criterion.id, time[0])

    def _change_given(self, fact: Fact, read_for: Iterable[str], *, stands: bool) -> None:
        self._given.change(fact, stands=stands)
        since = fact.observed_at - concomitant_drugs.WITHIN
        for measure in read_for:
            for criterion in self._rules.compiled.by_measure.get(measure, ()):
                self._followed_under(criterion.id, criterion).track.step_again(since)
                self._saying.mark_changed({criterion.id})
                self._rebase(criterion.id, since)

    def _change_seen(self, fact: Fact, *, stands: bool) -> None:
        """Let a finding be read beside the criterion that it is about; nothing else is one."""
        if not isinstance(fact.body, Finding):
            return
        criterion = self._rules.compiled.by_id.get(fact.body.criterion)
        if criterion is None:
            return
        self._seen.change(fact, stands=stands)
        since = fact.observed_at - clinician_findings.WITHIN
        self._followed_under(criterion.id, criterion).track.step_again(since)
        self._saying.mark_changed({criterion.id})
        self._rebase(criterion.id, since)


def _keep(facts: dict[str, Fact], fact: Fact, *, stands: bool) -> None:
    """Let *fact* be among *facts* as long as it stands."""
    if stands:
        facts[fact.id] = fact
    else:
        facts.pop(fact.id, None)
