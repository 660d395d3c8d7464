"""From the facts of one person to the records, whatever the order in which the facts came."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from services.safety_rules.domain import (
    circumstances,
    confounders,
    crs,
    data_queries,
    findings,
    icans,
    nearest,
)
from services.safety_rules.domain.advising import Advising
from services.safety_rules.domain.anchors import Anchors, anchors
from services.safety_rules.domain.anchors import concerns as moves_an_anchor
from services.safety_rules.domain.bedside import BedsideContext
from services.safety_rules.domain.compiled import CompiledCriterion
from services.safety_rules.domain.contradictions import contradictions
from services.safety_rules.domain.current_facts import CurrentFacts, Query
from services.safety_rules.domain.episodes import Named, Person, linked, orphaned, records
from services.safety_rules.domain.followed import Followed
from services.safety_rules.domain.rules import Rules
from services.safety_rules.domain.runs import Run
from services.safety_rules.domain.standings import Knowledge, Outlook, outlook, steroid_doses
from services.safety_rules.domain.tracks import Track
from services.vocabulary.advice import Advice
from services.vocabulary.episode import EpisodeContent
from services.vocabulary.fact import (
    Adjudication,
    Assessment,
    Fact,
    Finding,
    Movement,
    Observation,
)
from services.vocabulary.grade import Grade
from services.vocabulary.quantity import Quantity

_SYNDROMES = {"astct-2019.crs": crs, "astct-2019.icans": icans}


class Fold:
    """The records of one person, kept up to date one message at a time."""

    def __init__(self, participant: str, rules: Rules) -> None:
        """Start with no facts; *participant* is the survivor's pseudonym."""
        self.participant = participant
        self._rules = rules
        self._current = CurrentFacts()
        self._standing: dict[str, Fact] = {}  # those that are no reading of a criterion
        self._anchors = Anchors()
        self._beside = {m: nearest.NearestReadings(w) for m, w in nearest.WITHIN.items()}
        self._advising = Advising(participant, rules)
        self._given = circumstances.Given()
        self._seen = findings.Findings()
        self._followed: dict[str, Followed] = {}
        self._syndromes = {
            name: Track(syndrome.initial(rules.protocol, BedsideContext()), syndrome.step)
            for name, syndrome in _SYNDROMES.items()
        }
        self._confounding_stale = self._anchors_stale = False
        self._person = Person(participant, self._anchors)
        self._groups: dict[str, tuple[tuple[Run, ...], Grade, tuple[EpisodeContent, ...]]] = {}
        self._touched: set[str] = set()
        self._contents: tuple[EpisodeContent, ...] = ()

    @property
    def anchors(self) -> Anchors:
        """What windows and days are counted from."""
        return self._anchors

    def apply(self, facts: Iterable[Fact]) -> None:
        """Let *facts*, of one message, be known."""
        for fact in facts:
            change = self._current.add(fact)
            for gone in change.gone:
                self._take(gone, stands=False)
            for new in change.new:
                self._take(new, stands=True)
        if self._anchors_stale:
            self._find_anchors()

    def contents(self) -> tuple[EpisodeContent, ...]:
        """Return the records; the same object as long as nothing has changed."""
        self._refresh_person()
        for criterion in sorted(self._touched):
            self._regroup(criterion)
        if self._touched:
            self._touched.clear()
            found = linked(record for *_, group in self._groups.values() for record in group)
            if found != self._contents:
                self._contents = found
        return self._contents

    def last_evidence(self, record: EpisodeContent) -> datetime | None:
        """Return when *record* ended, or was last seen; None when it is no current record."""
        found, *_ = self._groups.get(record.criterion, ((), Grade.NONE, ()))
        of = [run for run in found if run.onset_at == record.onset_at]
        return next((run.resolved_at or run.last_evidence_at for run in of), None)

    def outlooks(self, known_at: datetime) -> list[Outlook]:
        """Return the standing under each rule, from what is known at *known_at*."""
        rules = self._rules
        known = Knowledge(
            participant=self.participant,
            anchors=self._anchors,
            records=self.contents(),
            steroids=steroid_doses(self._standing.values(), rules.protocol),
            known_at=known_at,
            matches=rules.matches,
            is_laboratory=rules.is_laboratory,
        )
        return [outlook(rule, rules.protocol, known) for rule in rules.protocol.rules]

    def advice(self, at: datetime) -> tuple[tuple[Advice, ...], datetime | None]:
        """Return what is recommended at *at*, and when that changes without a fact.

        The same object as long as nothing has changed.
        """
        records = self.contents()
        return self._advising.advice(self._anchors, records, self.last_evidence, at)

    def queries(self) -> list[Query]:
        """Return what a person has to look into."""
        records = self.contents()
        notify = self._rules.protocol.alerts.participant_grade
        found = [
            *self._current.queries(),
            *orphaned(records, self._person),
            *data_queries.undecided(records, notify),
            *self._impossible(),
            *contradictions(self._standing.values()),
        ]
        return [replace(query, participant=self.participant) for query in dict.fromkeys(found)]

    def _impossible(self) -> Iterator[Query]:
        for criterion, followed in sorted(self._followed.items()):
            compiled = self._rules.compiled.by_id.get(criterion)
            if compiled is None:
                continue
            for fact in followed.track.facts():
                if isinstance(fact.body, Observation):
                    measured = compiled.measured[fact.body.measure]
                    yield from data_queries.impossible(fact, measured)
        for _, track in sorted(self._syndromes.items()):
            for fact in track.facts():
                yield from data_queries.impossible_at_the_bedside(fact)

    def _take(self, fact: Fact, *, stands: bool) -> None:
        """Put *fact* wherever it is read, or take it away."""
        protocol = self._rules.protocol
        body = fact.body
        self._advising.change(fact, stands=stands)
        self._change_seen(fact, stands=stands)
        if isinstance(body, Observation):
            for criterion in self._rules.compiled.by_measure.get(body.measure, ()):
                self._followed_under(criterion.id, criterion).change(fact, stands=stands)
                self._touched.add(criterion.id)
                self._rebase(criterion.id, fact.observed_at)
            if body.measure in self._beside:
                self._change_beside(body.measure, fact, stands=stands)
        elif read_for := circumstances.measures(fact):
            self._change_given(fact, read_for, stands=stands)
        elif isinstance(body, Assessment) and self._rules.knows(body.criterion):
            compiled = self._rules.compiled.by_id.get(body.criterion)
            self._followed_under(body.criterion, compiled).change(fact, stands=stands)
            self._touched.add(body.criterion)
        for name, syndrome in _SYNDROMES.items():
            if syndrome.reads(fact, protocol):
                track = self._syndromes[name]
                (track.insert if stands else track.remove)(fact)
                self._touched.add(name)
        moves = moves_an_anchor(fact, protocol)
        confounds = confounders.concerns(fact, protocol)
        if moves or confounds or not isinstance(body, Observation):
            if stands:
                self._standing[fact.id] = fact
            else:
                self._standing.pop(fact.id, None)
        self._anchors_stale |= moves
        self._confounding_stale |= confounds or isinstance(
            body, Adjudication | Assessment | Movement
        )

    def _followed_under(self, criterion: str, compiled: CompiledCriterion | None) -> Followed:
        found = self._followed.get(criterion)
        if found is None:
            gap = self._rules.protocol.merge_gap
            found = Followed(compiled, gap, self._nearest, self._given.about, self._seen.at)
            found.rebase(self._anchors.first_infusion_at)
            self._followed[criterion] = found
        return found

    def _rebase(self, criterion: str, since: datetime) -> None:
        """Grade everything again when a value before exposure, after *since*, may have changed."""
        anchor = self._anchors.first_infusion_at
        if anchor is not None and since < anchor:
            self._followed[criterion].rebase(anchor)

    def _find_anchors(self) -> None:
        self._anchors_stale = False
        found = anchors(list(self._standing.values()), self._rules.protocol)
        if found == self._anchors:
            return
        before, self._anchors = self._anchors, found
        self._confounding_stale = True
        if found.first_infusion_at != before.first_infusion_at:
            for followed in self._followed.values():
                followed.rebase(found.first_infusion_at)
        context = BedsideContext(found.graft_at, found.donor, found.timezone)
        if context != BedsideContext(before.graft_at, before.donor, before.timezone):
            for name, track in self._syndromes.items():
                syndrome = _SYNDROMES[name]
                track.restart(syndrome.initial(self._rules.protocol, context), syndrome.step)

    def _refresh_person(self) -> None:
        """What is said beside the runs has changed: say every record anew."""
        if not self._confounding_stale:
            return
        self._confounding_stale = False
        facts = sorted(self._standing.values(), key=lambda f: (f.observed_at, f.id))
        protocol = self._rules.protocol
        person = Person(
            self.participant,
            self._anchors,
            adjudications=tuple(f for f in facts if isinstance(f.body, Adjudication)),
            assessments=frozenset(f.id for f in facts if isinstance(f.body, Assessment)),
            movements=tuple(
                f for f in facts if isinstance(f.body, Movement) and not f.body.cancelled
            ),
            confounding=confounders.confounding(
                f for f in facts if confounders.concerns(f, protocol)
            ),
        )
        if person != self._person:
            self._person = person
            self._touched.update(self._followed, self._syndromes)
            self._groups.clear()

    def _regroup(self, criterion: str) -> None:
        if criterion in _SYNDROMES:
            found = _SYNDROMES[criterion].runs(self._syndromes[criterion].state())
            found, baseline_grade = self._before_exposure(found), Grade.NONE
        else:
            followed = self._followed[criterion]
            found, baseline_grade = followed.runs(), followed.baseline_grade
        known = self._groups.get(criterion)
        if known is not None and known[0] == found and known[1] == baseline_grade:
            return
        group = Named(criterion, self._rules.title(criterion), baseline_grade, found)
        made = records(group, self._person, self._rules.protocol)
        self._groups[criterion] = (found, baseline_grade, made)

    def _before_exposure(self, found: tuple[Run, ...]) -> tuple[Run, ...]:
        """Mark the runs of a syndrome that began before the study drug did."""
        anchor = self._anchors.first_infusion_at
        return tuple(
            replace(run, before_exposure=True) if anchor is None or run.onset_at < anchor else run
            for run in found
        )

    def _nearest(self, measure: str, at: datetime) -> Quantity | None:
        return self._beside[measure].nearest(at)

    def _change_beside(self, measure: str, fact: Fact, *, stands: bool) -> None:
        self._beside[measure].change(fact, stands=stands)
        since = fact.observed_at - nearest.WITHIN[measure]
        for criterion in self._rules.compiled.by_beside.get(measure, ()):
            followed = self._followed_under(criterion.id, criterion)
            followed.track.touch(since)
            self._touched.add(criterion.id)
            self._rebase(criterion.id, since)

    def _change_given(self, fact: Fact, read_for: Iterable[str], *, stands: bool) -> None:
        self._given.change(fact, stands=stands)
        since = fact.observed_at - circumstances.WITHIN
        for measure in read_for:
            for criterion in self._rules.compiled.by_measure.get(measure, ()):
                self._followed_under(criterion.id, criterion).track.touch(since)
                self._touched.add(criterion.id)
                self._rebase(criterion.id, since)

    def _change_seen(self, fact: Fact, *, stands: bool) -> None:
        """Let a finding be read beside the criterion that it is about; nothing else is one."""
        if not isinstance(fact.body, Finding):
            return
        criterion = self._rules.compiled.by_id.get(fact.body.criterion)
        if criterion is None:
            return
        self._seen.change(fact, stands=stands)
        since = fact.observed_at - findings.WITHIN
        self._followed_under(criterion.id, criterion).track.touch(since)
        self._touched.add(criterion.id)
        self._rebase(criterion.id, since)
