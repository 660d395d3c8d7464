"""From the facts of one person to the records, whatever the order in which the facts came."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
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
from services.safety_rules.domain.episodes import (
    CRS,
    PARTS_OF_CRS,
    Named,
    Person,
    linked,
    orphaned,
    record_of,
)
from services.safety_rules.domain.followed import Followed
from services.safety_rules.domain.groups import Group, Time
from services.safety_rules.domain.outlooks import Outlooks
from services.safety_rules.domain.rules import Rules
from services.safety_rules.domain.runs import Run
from services.safety_rules.domain.standings import Outlook, steroid_doses
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


@dataclass(frozen=True, slots=True)
class _Read:
    """Who reads a fact: the same for all observations of one measure."""

    criteria: tuple[CompiledCriterion, ...]
    is_beside: bool
    syndromes: tuple[str, ...]
    may_confound: bool


def _read(fact: Fact, measure: str, rules: Rules) -> _Read:
    """Return who reads *fact*, an observation of *measure* (empty: none)."""
    syndromes = (n for n, syndrome in _SYNDROMES.items() if syndrome.reads(fact, rules.protocol))
    return _Read(
        rules.compiled.by_measure.get(measure, ()),
        measure in nearest.WITHIN,
        tuple(syndromes),
        confounders.concerns(fact, rules.protocol),
    )


class Fold:
    """The records of one person, kept up to date one message at a time."""

    def __init__(self, participant: str, rules: Rules) -> None:
        """Start with no facts; *participant* is the survivor's pseudonym."""
        self.participant = participant
        self._rules = rules
        self._current = CurrentFacts()
        self._anchoring: dict[str, Fact] = {}
        self._steroids: tuple[datetime, ...] = ()
        self._outlooks = Outlooks(participant, rules)
        self._others: dict[str, Fact] = {}  # all that is no observation
        self._reads: dict[str, _Read] = {}  # by measure
        self._checked: dict[str, data_queries.Checked] = {}
        self._impossible: dict[str, dict[str, tuple[datetime, tuple[Query, ...]]]] = {}
        self._anchors = Anchors()
        self._anchors_stale = False
        self._person = Person(participant, self._anchors)
        self._beside = {m: nearest.NearestReadings(w) for m, w in nearest.WITHIN.items()}
        self._advising = Advising(participant, rules)
        self._given = circumstances.Given()
        self._seen = findings.Findings()
        self._followed: dict[str, Followed] = {}
        self._syndromes = {
            name: Track(syndrome.initial(rules.protocol, BedsideContext()), syndrome.step)
            for name, syndrome in _SYNDROMES.items()
        }
        self._groups: dict[str, Group] = {}
        self._touched: set[str] = set()
        self._again: dict[str, list[Time]] = {}  # what has to be said anew, though no run changed
        self._said: dict[str, tuple[EpisodeContent, ...]] = {}
        self._news: set[str] = set()
        self._contents: tuple[EpisodeContent, ...] | None = ()

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

    def said(self) -> Mapping[str, tuple[EpisodeContent, ...]]:
        """Return the records by criterion, in the order of onset."""
        if self._touched:
            self._refresh()
        return self._said

    def take_news(self) -> set[str]:
        """Return the criteria of which something else is said than when this was last asked."""
        if self._touched:
            self._refresh()
        if not self._news:
            return self._news
        news, self._news = self._news, set()
        return news

    def contents(self) -> tuple[EpisodeContent, ...]:
        """Return every record, by criterion and onset.

        The same object as long as nothing has changed.
        """
        said = self.said()
        if self._contents is None:
            self._contents = tuple(one for name in sorted(said) for one in said[name])
        return self._contents

    def last_evidence(self, record: EpisodeContent) -> datetime | None:
        """Return when *record* ended, or was last seen; None when it is no current record."""
        self.said()
        group = self._groups.get(record.criterion)
        run = None if group is None else group.run_of(record)
        if run is None:
            return None
        unended = self._unended(record.criterion)
        goes_on = unended is not None and unended.onset_at == run.onset_at
        seen_at = self._last_seen(record.criterion) if goes_on else run.last_evidence_at
        return run.resolved_at or seen_at

    def outlooks(self, known_at: datetime) -> list[Outlook]:
        """Return the standing under each rule, from what is known at *known_at*."""
        said = self.said()
        return self._outlooks.of(self._anchors, said, self._steroids, known_at)

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
            *self._cannot_be(),
            *contradictions(self._others.values()),
        ]
        return [replace(query, participant=self.participant) for query in dict.fromkeys(found)]

    def _cannot_be(self) -> Iterator[Query]:
        """Yield a query for every number that cannot be, by criterion and time; syndromes last."""
        names = sorted(self._impossible, key=lambda name: (name in _SYNDROMES, name))
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
                reads = self._reads[body.measure] = _read(fact, body.measure, self._rules)
            for criterion in reads.criteria:
                self._change_reading(fact, body, criterion, stands=stands)
            if reads.is_beside:
                self._change_beside(body.measure, fact, stands=stands)
        else:
            reads = _read(fact, "", self._rules)
            self._change_other(fact, stands=stands)
        for name in reads.syndromes:
            track = self._syndromes[name]
            (track.insert if stands else track.remove)(fact)
            self._touched.add(name)
            odd = data_queries.impossible_at_the_bedside(fact)
            self._ask(name, fact, tuple(odd), stands=stands)
        if reads.may_confound and confounders.concerns(fact, self._rules.protocol):
            self._person.confounding.change(fact, stands=stands)
            self._say_again(CRS, confounders.reach(fact))

    def _change_reading(
        self, fact: Fact, body: Observation, criterion: CompiledCriterion, *, stands: bool
    ) -> None:
        """Let a reading of *criterion* stand, or stand no longer."""
        name = criterion.id
        self._followed_under(name, criterion).change(fact, stands=stands)
        self._touched.add(name)
        self._rebase(name, fact.observed_at)
        checked = self._checked.get(name)
        if checked is None:
            checked = self._checked[name] = data_queries.Checked()
        odd = checked.impossible(fact, body, criterion.measured[body.measure])
        if odd:
            self._ask(name, fact, odd, stands=stands)

    def _change_other(self, fact: Fact, *, stands: bool) -> None:
        """Let a fact that is no observation stand, or stand no longer."""
        body, at = fact.body, fact.observed_at
        _keep(self._others, fact, stands=stands)
        if moves_an_anchor(fact, self._rules.protocol):
            _keep(self._anchoring, fact, stands=stands)
            self._anchors_stale = True
        if read_for := circumstances.measures(fact):
            self._change_given(fact, read_for, stands=stands)
        elif isinstance(body, Assessment) and self._rules.knows(body.criterion):
            compiled = self._rules.compiled.by_id.get(body.criterion)
            self._followed_under(body.criterion, compiled).change(fact, stands=stands)
            self._touched.add(body.criterion)
        self._person.change(fact, stands=stands)
        if isinstance(body, Adjudication):
            self._say_again(body.criterion, (at, at))
        elif isinstance(body, Movement):
            for name in self._groups:
                self._say_again(name, (at, at))
        if steroid_doses([fact], self._rules.protocol):
            self._steroids = steroid_doses(self._others.values(), self._rules.protocol)

    def _say_again(self, criterion: str, time: Time) -> None:
        """Let what is said of *criterion* in *time* be said anew."""
        if criterion in self._groups:
            self._again.setdefault(criterion, []).append(time)
            self._touched.add(criterion)

    def _ask(self, name: str, fact: Fact, odd: tuple[Query, ...], *, stands: bool) -> None:
        """Keep what has to be asked about *fact*, as long as it stands."""
        if odd and stands:
            self._impossible.setdefault(name, {})[fact.id] = (fact.observed_at, odd)
        elif odd:
            self._impossible[name].pop(fact.id, None)

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
        found = anchors(list(self._anchoring.values()), self._rules.protocol)
        if found == self._anchors:
            return
        before, self._anchors = self._anchors, found
        self._person.anchors = found
        self._touched.update(self._followed, self._syndromes)
        self._groups.clear()  # every record has days and windows
        if found.first_infusion_at != before.first_infusion_at:
            for followed in self._followed.values():
                followed.rebase(found.first_infusion_at)
        context = BedsideContext(found.graft_at, found.donor, found.timezone)
        if context != BedsideContext(before.graft_at, before.donor, before.timezone):
            for name, track in self._syndromes.items():
                syndrome = _SYNDROMES[name]
                track.restart(syndrome.initial(self._rules.protocol, context), syndrome.step)

    def _refresh(self) -> None:
        """Say anew what may have changed."""
        changed = {criterion for criterion in self._touched if self._regroup(criterion)}
        self._touched.clear()
        self._again.clear()
        if CRS in changed:
            changed |= {name for name in self._groups if name.endswith(PARTS_OF_CRS)}
        for criterion in changed:
            records = self._linked(criterion)
            if records != self._said.get(criterion, ()):
                self._said[criterion] = records
                self._news.add(criterion)
                self._outlooks.forget(criterion)
                self._contents = None

    def _regroup(self, criterion: str) -> bool:
        """Make the records of *criterion* whose runs have changed; say whether there are any."""
        unended = self._unended(criterion)
        syndrome, followed = self._syndromes.get(criterion), self._followed.get(criterion)
        ended, as_told = followed.track.ended() if followed else self._syndromes[criterion].ended()
        group = self._groups.get(criterion)
        baseline_grade = followed.baseline_grade if followed else Grade.NONE
        if (
            group is not None
            and criterion not in self._again
            and group.baseline_grade == baseline_grade
            and group.is_of(ended, as_told, unended)
        ):
            return False
        is_new = group is None or group.baseline_grade != baseline_grade
        if group is None or is_new:
            group, as_told = Group(baseline_grade), 0
            self._groups[criterion] = group
        named = Named(criterion, self._rules.title(criterion), baseline_grade)

        def make(run: Run, before: datetime | None) -> EpisodeContent:
            if syndrome is not None:
                run = self._before_exposure(run)
            return record_of(named, run, before, self._person, self._rules.protocol)

        again = self._again.get(criterion, ())
        return group.update(ended, as_told, unended, make, again) or is_new

    def _linked(self, criterion: str) -> tuple[EpisodeContent, ...]:
        records = self._groups[criterion].records
        if not criterion.endswith(PARTS_OF_CRS):
            return records
        syndrome = self._groups.get(CRS)
        found = linked(records, syndrome.records if syndrome else ())
        known = {one.onset_at: one for one in self._said.get(criterion, ())}
        before = (known.get(one.onset_at) for one in found)
        return tuple(
            old if old == new else new for new, old in zip(found, before, strict=True) if new
        )

    def _unended(self, criterion: str) -> Run | None:
        """Return the run of *criterion* that goes on, if there is one."""
        if criterion in self._syndromes:
            found: Run | None = _SYNDROMES[criterion].unended(self._syndromes[criterion].state())
            return found
        return self._followed[criterion].unended()

    def _last_seen(self, criterion: str) -> datetime | None:
        if criterion in self._syndromes:
            at: datetime | None = _SYNDROMES[criterion].last_seen(
                self._syndromes[criterion].state()
            )
            return at
        return self._followed[criterion].last_seen()

    def _before_exposure(self, run: Run) -> Run:
        """Mark a run of a syndrome that began before the study drug did."""
        anchor = self._anchors.first_infusion_at
        is_before = anchor is None or run.onset_at < anchor
        return replace(run, before_exposure=True) if is_before else run

    def _nearest(self, measure: str, at: datetime) -> Quantity | None:
        return self._beside[measure].nearest(at)

    def _change_beside(self, measure: str, fact: Fact, *, stands: bool) -> None:
        time = self._beside[measure].change(fact, stands=stands)
        if time is None:
            return
        for criterion in self._rules.compiled.by_beside.get(measure, ()):
            self._followed_under(criterion.id, criterion).track.touch(*time)
            self._touched.add(criterion.id)
            self._rebase(criterion.id, time[0])

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


def _keep(facts: dict[str, Fact], fact: Fact, *, stands: bool) -> None:
    """Let *fact* be among *facts* as long as it stands."""
    if stands:
        facts[fact.id] = fact
    else:
        facts.pop(fact.id, None)
