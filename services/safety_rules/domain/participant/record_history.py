"""Version by version: what the records and standings of a family said after each message."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.episodes.identity import (
    Occasion,
    reconcile_records,
    retract_records,
)
from services.safety_rules.domain.episodes.version_cause import OTHER_RULES, add_reason, find_reason
from services.safety_rules.domain.facts.anchors import Anchors
from services.safety_rules.domain.facts.current_facts import Query
from services.safety_rules.domain.participant.fold import Fold
from services.safety_rules.domain.participant.linked_participants import LinkedParticipants
from services.safety_rules.domain.standings.standing import TimedStanding, may_change_standing
from services.vocabulary.episode import Episode, EpisodeContent
from services.vocabulary.fact import Fact, JournalEntry
from services.vocabulary.recommendation import Advice
from services.vocabulary.standing import Standing


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """The facts of one message about one subject; *seq* is that of the last."""

    received_at: datetime
    subject: str
    seq: int
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class StandingChange:
    """A new standing, from *known_at* on, caused by *seq* of *subject*'s journal."""

    standing: Standing
    known_at: datetime
    seq: int


def group_by_message(journaled: Iterable[JournalEntry]) -> list[ReceivedMessage]:
    """Return what a family hears, message by message, in the order of its journals."""

    def message(known: JournalEntry) -> tuple[datetime, str, str]:
        return known.received_at, known.fact.subject, known.message

    in_order = sorted(journaled, key=lambda k: (k.received_at, k.fact.subject, k.seq))
    found = []
    for (received_at, subject, _), group in groupby(in_order, key=message):
        known = list(group)
        facts = tuple(k.fact for k in known)
        found.append(ReceivedMessage(received_at, subject, known[-1].seq, facts))
    return found


class RecordHistory:
    """Follows one family; `take` hands over what is new since it was last asked."""

    def __init__(self, family: LinkedParticipants, rules: Rules) -> None:
        """Start from a family that has heard nothing."""
        self._family = family
        self._rules = rules
        # of each member, the versions by criterion and id, and the records by criterion
        self._latest: dict[str, dict[str, dict[str, Episode]]] = {m: {} for m in family.members}
        self._said: dict[str, dict[str, tuple[EpisodeContent, ...]]] = {
            member: {} for member in family.members
        }
        self._listened = {member: family.find_fold(member) for member in family.members}
        self._stands: set[str] = set()
        self._standings: dict[tuple[str, str], Standing] = {}
        self._anchors: dict[str, Anchors | None] = dict.fromkeys(family.members, Anchors())
        self._due: dict[str, datetime] = {}
        self._episodes: list[Episode] = []
        self._stood: list[StandingChange] = []
        self._last: dict[str, ReceivedMessage] = {}  # of each subject that was heard of
        self._told: dict[str, tuple[Advice, ...]] = {}

    def resume(
        self,
        messages: Iterable[ReceivedMessage],
        latest: Iterable[Episode],
        standings: Iterable[Standing],
    ) -> None:
        """Take up where the stored versions end: *messages* makes no version."""
        for message in messages:
            self._take_in(message)
        for episode in latest:
            self._keep_latest(episode)
        for standing in standings:
            self._standings[standing.participant, standing.rule] = standing
        for member in self._family.members:
            fold, last = self._family.find_fold(member), self._last_of(member)
            self._changed(member, fold)
            self._anchors[member] = fold.anchors if fold else None
            if fold is not None and last is not None:
                self._wait(member, fold.find_standings(last.received_at))

    def receive(self, message: ReceivedMessage) -> None:
        """Let *message* be known, after the timers that were due before it."""
        self.pass_time(message.received_at)
        self._take_in(message)
        occasion = Occasion(message.subject, message.seq, message.received_at, self._rules.version)
        for member in self._family.survivors_first:
            self._recount(member, occasion, message.facts)

    def apply_new_rules(self, changed_at: datetime) -> None:
        """Let the records say what these rules make of facts that other rules were applied to.

        New versions are known since the last fact: a record never depends on when rules changed.
        How somebody stands does: they are counted with others, and were counted as other rules had
        it until *changed_at*.
        """
        for member in self._family.survivors_first:
            last = self._last_of(member)
            if last is not None:
                self._anchors[member] = None
                version = self._rules.version
                occasion = Occasion(member, last.seq, last.received_at, version)
                self._recount(member, occasion, None)
                self._stand(member, max(changed_at, last.received_at), last.seq)

    def pass_time(self, until: datetime) -> None:
        """Apply every timer that is due by *until*, each at its own instant."""
        while self._due and (due := min(self._due.values())) <= until:
            for member in [m for m, at in sorted(self._due.items()) if at == due]:
                last = self._last_of(member)
                self._stand(member, due, last.seq if last else 0)

    @property
    def due_instants(self) -> Mapping[str, datetime]:
        """When each member's standings may change without a fact."""
        return self._due

    def list_latest_versions(self, member: str) -> Sequence[Episode]:
        """Return the latest version of each record of *member*, retracted ones included."""
        latest = self._latest[member]
        return [
            one for name in sorted(latest) for one in sorted(latest[name].values(), key=_by_onset)
        ]

    def list_standings(self, member: str) -> Sequence[Standing]:
        """Return the standing of *member* under each rule."""
        return [self._standings[key] for key in sorted(self._standings) if key[0] == member]

    def find_anchors(self, member: str) -> Anchors:
        """Return the anchors of *member*: none when its facts belong to another's records."""
        fold = self._family.find_fold(member)
        return Anchors() if fold is None else fold.anchors

    def list_queries(self) -> list[Query]:
        """Return what a person has to look into."""
        folds = [self._family.find_fold(member) for member in self._family.members]
        return [query for fold in folds if fold is not None for query in fold.list_queries()]

    def find_advice(self, member: str, at: datetime) -> tuple[tuple[Advice, ...], datetime | None]:
        """Return what is recommended for *member* at *at*, and when that changes without a fact."""
        fold = self._family.find_fold(member)
        return ((), None) if fold is None else fold.find_advice(at)

    def take_changed_advice(self, at: datetime) -> Mapping[str, tuple[Advice, ...]]:
        """Return what is recommended for each member for whom that is not what it last was."""
        now = {member: self.find_advice(member, at)[0] for member in self._family.members}
        news = {m: found for m, found in now.items() if self._told.get(m) is not found}
        self._told |= news
        return news

    def take_changes(self) -> tuple[list[Episode], list[StandingChange]]:
        """Return the versions and standings that are new since the last call."""
        new = self._episodes, self._stood
        self._episodes, self._stood = [], []
        return new

    def _take_in(self, message: ReceivedMessage) -> None:
        self._family.receive(message.subject, message.facts)
        self._last[message.subject] = message

    def _last_of(self, member: str) -> ReceivedMessage | None:
        """Return the last message that the records of *member* were made from."""
        own = [
            self._last[one] for one in self._family.list_source_members(member) if one in self._last
        ]
        return max(own, key=lambda message: (message.received_at, message.subject), default=None)

    def _recount(self, member: str, occasion: Occasion, facts: Sequence[Fact] | None) -> None:
        """Make versions of what changed because of *facts*; None: because of other rules."""
        fold = self._family.find_fold(member)
        changed = self._changed(member, fold)
        if facts is None:
            changed = sorted({*self._latest[member], *self._said[member]})
        anchors = fold.anchors if fold else None
        before, self._anchors[member] = self._anchors[member], anchors
        if changed:
            reason = OTHER_RULES if facts is None else find_reason(facts, before, anchors)
            versions = self._record(member, fold, changed, occasion)
            self._keep([add_reason(version, reason, facts) for version in versions])
        moved = anchors is not before and anchors != before
        if facts is not None and (changed or moved or self._has_to_stand(member, facts)):
            self._stand(member, occasion.recorded_at, occasion.seq)

    def _changed(self, member: str, fold: Fold | None) -> list[str]:
        """Return the criteria of which something else is said of *member* than was last said."""
        said, now = self._said[member], fold.group_by_criterion() if fold else {}
        news = fold.take_changed_criteria() if fold else set()
        if self._listened.get(member) is not fold:
            self._listened[member] = fold
            news = {*said, *now}
        changed = [name for name in sorted(news) if said.get(name, ()) != now.get(name, ())]
        for name in changed:
            said[name] = now.get(name, ())
        return changed

    def _has_to_stand(self, member: str, facts: Sequence[Fact]) -> bool:
        """Say whether *member* may stand otherwise although no record has changed.

        There is no standing yet of somebody of whom something is known; or *facts* say so.
        """
        protocol = self._rules.protocol
        if any(may_change_standing(fact, protocol) for fact in facts):
            return True
        if member in self._stands or member not in self._last:
            return False
        self._stands.add(member)
        return any((member, rule.id) not in self._standings for rule in protocol.rules)

    def _record(
        self, member: str, fold: Fold | None, changed: Sequence[str], occasion: Occasion
    ) -> list[Episode]:
        until = self._family.find_last_evidence
        if fold is None:
            survivor = self._family.survivor_of[member]
            live = [
                episode for episode in self.list_latest_versions(member) if not episode.retracted
            ]
            return retract_records(live, self.list_latest_versions(survivor), occasion, until)
        said = fold.group_by_criterion()
        versions = [
            version
            for name in changed
            for version in reconcile_records(
                sorted(self._latest[member].get(name, {}).values(), key=_by_onset),
                said.get(name, ()),
                occasion,
                until,
            )
        ]
        return sorted(versions, key=lambda version: version.retracted)  # which come last

    def _keep(self, versions: Sequence[Episode]) -> None:
        for version in versions:
            self._keep_latest(version)
        self._episodes += versions

    def _keep_latest(self, version: Episode) -> None:
        of_member = self._latest[version.content.participant]
        of_member.setdefault(version.content.criterion, {})[version.id] = version

    def _stand(self, member: str, known_at: datetime, seq: int) -> None:
        fold = self._family.find_fold(member)
        if fold is None:
            rules = self._rules.protocol.rules
            outlooks = [TimedStanding(Standing(member, rule.id), None) for rule in rules]
        else:
            outlooks = fold.find_standings(known_at)
        self._wait(member, outlooks)
        for standing in (outlook.standing for outlook in outlooks):
            key = (member, standing.rule)
            if self._standings.get(key) != standing:
                self._standings[key] = standing
                self._stood.append(StandingChange(standing, known_at, seq))

    def _wait(self, member: str, outlooks: Iterable[TimedStanding]) -> None:
        due = [outlook.due_at for outlook in outlooks if outlook.due_at is not None]
        self._due.pop(member, None)
        if due:
            self._due[member] = min(due)


def _by_onset(episode: Episode) -> tuple[datetime, str]:
    return episode.content.onset_at, episode.id
