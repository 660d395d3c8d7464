"""The facts of one participant folded into records, in whatever order the facts came."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.safety_rules.domain.ctcae.compiled import MeasureGrading
from services.safety_rules.domain.ctcae.concomitant_drugs import list_affected_measures
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.dosing.advice import ParticipantAdvice
from services.safety_rules.domain.endpoints import engraftment
from services.safety_rules.domain.episodes import confounders
from services.safety_rules.domain.episodes.criterion_course import CriterionCourse
from services.safety_rules.domain.episodes.deaths import is_fatal_regrade, query_deaths
from services.safety_rules.domain.episodes.participant_courses import ParticipantCourses
from services.safety_rules.domain.episodes.participant_records import ParticipantRecords
from services.safety_rules.domain.episodes.record import (
    CRS,
    ParticipantBackground,
    find_orphaned_adjudications,
)
from services.safety_rules.domain.facts.anchors import Anchors, find_anchors, may_move_anchor
from services.safety_rules.domain.facts.current_facts import CurrentFacts
from services.safety_rules.domain.facts.nearest_reading import COMPANION_WINDOWS
from services.safety_rules.domain.facts.placed_facts import PlacedFacts
from services.safety_rules.domain.queries import data_queries
from services.safety_rules.domain.queries.contradictions import find_contradictions
from services.safety_rules.domain.queries.signs_of_life import is_sign_of_life
from services.safety_rules.domain.queries.support_queries import (
    find_next_change,
    query_unended_supports,
)
from services.safety_rules.domain.standings.standing import (
    TimedStanding,
    find_standing,
    find_steroid_doses,
)
from services.safety_rules.domain.standings.standing_inputs import StandingInputs
from services.safety_rules.domain.syndromes.followed_syndrome import SCALES, FollowedSyndrome
from services.vocabulary.clinical_fact import Death, Movement, Observation
from services.vocabulary.data_query import Query, QueryPeriod
from services.vocabulary.episode import EpisodeContent
from services.vocabulary.fact import Fact
from services.vocabulary.fact_place import FactPlace
from services.vocabulary.judgement import Adjudication, Assessment, Finding
from services.vocabulary.recommendation import Advice

_MOST_PERIODS = 8


@dataclass(frozen=True, slots=True)
class _FactReaders:
    """The readers of a fact; all observations of one measure have the same."""

    names: frozenset[str]  # of criteria and syndromes
    criteria: tuple[tuple[str, CriterionCourse, MeasureGrading], ...]
    is_companion: bool
    syndromes: tuple[str, ...]
    may_confound: bool


class Fold:
    """The records, standings and advice of one participant, updated message by message."""

    def __init__(self, participant: str, rules: Rules) -> None:
        """Start with no facts; *participant* is the survivor's pseudonym."""
        self.participant = participant
        self._rules = rules
        self._current_facts = CurrentFacts()
        self._placed_facts = PlacedFacts(participant)
        self._anchor_facts: dict[str, Fact] = {}
        self._steroids: tuple[datetime, ...] = ()
        self._steroids_stale = False
        self._stale_baselines: dict[str, CriterionCourse] = {}
        self._other_facts: dict[str, Fact] = {}  # other than observations
        self._signs_of_life: dict[str, Fact] = {}  # observations
        self._graft_facts: dict[str, Fact] = {}  # counts, and judgements of the graft
        self._readers: dict[str, _FactReaders] = {}  # by measure
        self._impossible_values: dict[str, dict[str, tuple[datetime, tuple[Query, ...]]]] = {}
        self._unread_ranges = data_queries.UnreadRanges()
        self._anchors = Anchors()
        self._anchors_stale = False
        self._background = ParticipantBackground(participant, self._anchors)
        self._advice = ParticipantAdvice(participant, rules)
        self._courses = ParticipantCourses(rules)
        self._records = ParticipantRecords(self._background, rules, self._courses.by_name)
        self._changed_criteria: set[str] = set()

    @property
    def anchors(self) -> Anchors:
        """The instants that windows and days are counted from."""
        return self._anchors

    def apply(self, facts: Iterable[Fact]) -> None:
        """Apply *facts* of one message."""
        facts = tuple(facts)
        change = self._current_facts.add(facts)
        self._placed_facts.add(facts, change)
        for removed_fact in change.removed_facts:
            self._route_fact(removed_fact, stands=False)
        for added_fact in change.added_facts:
            self._route_fact(added_fact, stands=True)
        self._update_stale_inputs()

    def _update_stale_inputs(self) -> None:
        """Look again for what was found from all facts of a kind, some of which have changed."""
        if (anchor := self._anchors.first_infusion_at) is not None:
            for course in self._stale_baselines.values():
                course.update_baseline(anchor)
        self._stale_baselines.clear()
        if self._steroids_stale:
            self._steroids_stale = False
            self._steroids = find_steroid_doses(self._other_facts.values(), self._rules.protocol)
        if self._anchors_stale:
            self._update_anchors()

    def take_places(self) -> Sequence[FactPlace]:
        """Return the places of facts that changed since the last call."""
        return self._placed_facts.take_places()

    def group_by_criterion(self) -> Mapping[str, tuple[EpisodeContent, ...]]:
        """Return the records by criterion, in the order of onset."""
        self._refresh()
        return self._records.group_by_criterion()

    def take_changed_criteria(self) -> set[str]:
        """Return the criteria whose records changed since the last call."""
        self._refresh()
        news = self._changed_criteria
        if news:
            self._changed_criteria = set()
        return news

    def find_course(self, criterion: str) -> CriterionCourse | FollowedSyndrome | None:
        """Return the course of *criterion*; None when nothing is known of it."""
        self._refresh()
        return self._courses.by_name.get(criterion)

    def list_records(self) -> tuple[EpisodeContent, ...]:
        """Return every record, by criterion and onset.

        The same object as long as nothing has changed.
        """
        self._refresh()
        return self._records.list_records()

    def find_last_evidence(self, record: EpisodeContent) -> datetime | None:
        """Return the instant of the last evidence of *record*; None: it is no current record."""
        self._refresh()
        return self._records.find_last_evidence(record)

    def find_standings(self, known_at: datetime) -> list[TimedStanding]:
        """Return the standing under each rule at *known_at*."""
        rules = self._rules
        inputs = StandingInputs(
            participant=self.participant,
            anchors=self._anchors,
            records=self.group_by_criterion(),
            steroids=self._steroids,
            known_at=known_at,
            matches=rules.matches_pattern,
            is_laboratory=rules.is_laboratory,
        )
        return [find_standing(rule, rules.protocol, inputs) for rule in rules.protocol.rules]

    def find_advice(self, as_of: datetime) -> tuple[tuple[Advice, ...], datetime | None]:
        """Return the recommendations at *as_of*, and when they change without a fact.

        The same object as long as nothing has changed.
        """
        records = self.list_records()
        return self._advice.find_advice(self._anchors, records, self.find_last_evidence, as_of)

    def list_queries(self, as_of: datetime | None = None) -> list[Query]:
        """Return the data queries, for a person to look into.

        Some fall due by time alone: by *as_of*, or when the last bedside fact was charted.
        """
        records = self.list_records()
        notify = self._rules.protocol.alerts.participant_grade
        queries = [
            *self._current_facts.list_queries(),
            *find_orphaned_adjudications(records, self._background),
            *data_queries.query_undecided_records(records, notify),
            *self._list_impossible_values(),
            *self._unread_ranges.list_queries(self._rules.compiled_criteria.by_measure),
            *find_contradictions(
                self._other_facts.values(),
                self._signs_of_life.values(),
                self._anchors.find_local_date,
            ),
            *self._query_deaths(),
            *engraftment.query_graft_failure(
                tuple(self._graft_facts.values()), self._anchors, self._rules.measures
            ),
            *query_unended_supports(
                self._courses.syndromes[CRS].timeline, self._rules, as_of, self._anchors.died_at
            ),
            *data_queries.query_missing_anchors(
                self._rules.protocol.rules, self._anchors, self._anchor_facts.values()
            ),
        ]
        return [replace(query, participant=self.participant) for query in dict.fromkeys(queries)]

    def list_query_periods(self, since: datetime) -> tuple[QueryPeriod, ...]:
        """Return the data queries from *since* on, as time alone changes them.

        The last period ends where too many follow, as after facts that are dated far ahead.
        """
        periods: list[QueryPeriod] = []
        start: datetime | None = since
        while start is not None and len(periods) < _MOST_PERIODS:
            until = find_next_change(
                self._courses.syndromes[CRS].timeline, self._rules, start, self._anchors.died_at
            )
            periods.append(QueryPeriod(start, until, tuple(self.list_queries(start))))
            start = until
        return tuple(periods)

    def _query_deaths(self) -> Iterator[Query]:
        facts = sorted(self._other_facts.values(), key=lambda fact: (fact.observed_at, fact.id))
        yield from query_deaths(
            [fact for fact in facts if isinstance(fact.body, Death)],
            self.list_records(),
            [fact for fact in facts if isinstance(fact.body, Adjudication)],
            self._rules.find_cause_of_death,
        )

    def _list_impossible_values(self) -> Iterator[Query]:
        """Yield a query for every impossible number, by criterion and time; syndromes last."""
        names = sorted(self._impossible_values, key=lambda name: (name in SCALES, name))
        for name in names:
            queries_by_fact = self._impossible_values[name]
            for _, _, queries in sorted((at, fact, q) for fact, (at, q) in queries_by_fact.items()):
                yield from queries

    def _route_fact(self, fact: Fact, *, stands: bool) -> None:
        """Add *fact* to each of its readers, or remove it from them."""
        body = fact.body
        self._advice.change(fact, stands=stands)
        self._change_selections(fact, stands=stands)
        if isinstance(body, Observation):
            readers = self._readers.get(body.measure)
            if readers is None:
                readers = self._readers[body.measure] = self._find_readers(fact, body.measure)
            anchor = self._anchors.first_infusion_at
            for name, course, measure in readers.criteria:
                course.change(fact, stands=stands)
                if anchor is not None and fact.observed_at < anchor:
                    self._stale_baselines[name] = course
                if queries := course.checked_values.query_impossible_numbers(fact, body, measure):
                    self._change_queries(name, fact, queries, stands=stands)
            self._unread_ranges.change(fact, body.measure, stands=stands)
            if readers.is_companion:
                changed_criteria = self._courses.change_companion(body.measure, fact, stands=stands)
                self._records.mark_changed(changed_criteria)
        else:
            readers = self._find_readers(fact, "")
            self._change_other_fact(fact, stands=stands)
        self._records.mark_changed(readers.names)
        for name in readers.syndromes:
            self._courses.syndromes[name].change(fact, stands=stands)
            bedside_queries = tuple(
                data_queries.query_impossible_bedside(fact, self._rules.measures)
            )
            if bedside_queries:
                self._change_queries(name, fact, bedside_queries, stands=stands)
        if readers.may_confound and confounders.may_confound(fact, self._rules.protocol):
            self._background.confounder_events.change(fact, stands=stands)
            self._records.mark_stale(CRS, confounders.find_explained_span(fact))

    def _find_readers(self, fact: Fact, measure: str) -> _FactReaders:
        """Return the readers of *fact*, an observation of *measure*; empty: of no measure."""
        protocol = self._rules.protocol
        criteria = self._rules.compiled_criteria.by_measure.get(measure, ())
        scales = tuple(name for name, scale in SCALES.items() if scale.reads_fact(fact, protocol))
        return _FactReaders(
            frozenset({*scales, *(one.id for one in criteria)}),
            tuple((c.id, self._courses.find_course(c.id), c.gradings[measure]) for c in criteria),
            measure in COMPANION_WINDOWS,
            scales,
            confounders.may_confound(fact, protocol),
        )

    def _change_selections(self, fact: Fact, *, stands: bool) -> None:
        """Add or remove a fact that the engraftment is read from, or that is a sign of life."""
        if is_sign_of_life(fact):
            _update_facts(self._signs_of_life, fact, stands=stands)
        if engraftment.reads_fact(fact):
            _update_facts(self._graft_facts, fact, stands=stands)

    def _change_other_fact(self, fact: Fact, *, stands: bool) -> None:
        """Add or remove a fact that is no observation."""
        body, instant = fact.body, fact.observed_at
        _update_facts(self._other_facts, fact, stands=stands)
        if may_move_anchor(fact, self._rules.protocol):
            _update_facts(self._anchor_facts, fact, stands=stands)
            self._anchors_stale = True
        if measures := list_affected_measures(fact, self._rules.drugs):
            changed_criteria = self._courses.change_drug(fact, measures, stands=stands)
            self._records.mark_changed(changed_criteria)
        elif isinstance(body, Finding):
            changed_criteria = self._courses.change_finding(fact, body, stands=stands)
            self._records.mark_changed(changed_criteria)
        elif isinstance(body, Assessment) and self._rules.has_term(body.criterion):
            self._courses.find_course(body.criterion).change(fact, stands=stands)
            self._records.mark_changed({body.criterion})
        self._background.change(fact, stands=stands)
        if isinstance(body, Adjudication):
            if is_fatal_regrade(fact):
                self._follow_cause(body.criterion)
            self._records.mark_changed({body.criterion} & self._courses.by_name.keys())
            self._records.mark_stale(body.criterion, (instant, instant))
        elif isinstance(body, Movement):
            self._records.mark_stale_everywhere((instant, instant))
        if find_steroid_doses([fact], self._rules.protocol):
            self._steroids_stale = True

    def _change_queries(
        self, name: str, fact: Fact, queries: tuple[Query, ...], *, stands: bool
    ) -> None:
        """Add or remove the *queries* about *fact*."""
        if stands:
            self._impossible_values.setdefault(name, {})[fact.id] = (fact.observed_at, queries)
        else:
            self._impossible_values[name].pop(fact.id, None)

    def _update_anchors(self) -> None:
        self._anchors_stale = False
        anchors = find_anchors(list(self._anchor_facts.values()), self._rules.protocol)
        if anchors == self._anchors:
            return
        self._anchors = self._background.anchors = anchors
        self._courses.update_anchors(anchors)
        self._follow_cause(self._rules.find_cause_of_death(anchors.death_cause))
        self._records.discard_all()

    def _follow_cause(self, criterion: str) -> None:
        """Have a course for a cause of death, also when there is no reading of *criterion*."""
        if self._rules.has_term(criterion):
            self._courses.find_course(criterion)

    def _refresh(self) -> None:
        self._changed_criteria |= self._records.refresh()


def _update_facts(facts: dict[str, Fact], fact: Fact, *, stands: bool) -> None:
    """Add *fact* to *facts*, or remove it."""
    if stands:
        facts[fact.id] = fact
    else:
        facts.pop(fact.id, None)
