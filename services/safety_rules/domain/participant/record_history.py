"""The history of the records and standings of linked participants, message by message."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.episodes.identity import (
    Occasion,
    reconcile_records,
    retract_records,
)
from services.safety_rules.domain.episodes.version_cause import OTHER_RULES, add_reason, find_reason
from services.safety_rules.domain.facts.anchors import Anchors
from services.safety_rules.domain.participant.fold import Fold
from services.safety_rules.domain.participant.linked_participants import LinkedParticipants
from services.safety_rules.domain.participant.received_message import ReceivedMessage
from services.safety_rules.domain.standings.standing import TimedStanding, may_change_standing
from services.vocabulary.data_query import Query, QueryPeriod
from services.vocabulary.episode import Episode, EpisodeContent
from services.vocabulary.fact import Fact
from services.vocabulary.fact_place import ChangedPlaces
from services.vocabulary.recommendation import Advice, AdvicePeriod
from services.vocabulary.standing import Standing


@dataclass(frozen=True, slots=True)
class StandingChange:
    """A new standing, from *known_at* on, caused by *seq* of *subject*'s journal."""

    standing: Standing
    known_at: datetime
    seq: int


class RecordHistory:
    """The records and standings of linked participants; `take_changes` returns the new ones."""

    def __init__(self, participants: LinkedParticipants, rules: Rules) -> None:
        """Start from participants without a message."""
        self._participants = participants
        self._rules = rules
        # Of each member, the versions by criterion and id, and the records by criterion.
        self._latest: dict[str, dict[str, dict[str, Episode]]] = {
            m: {} for m in participants.members
        }
        self._records: dict[str, dict[str, tuple[EpisodeContent, ...]]] = {
            member: {} for member in participants.members
        }
        self._folds = {member: participants.find_fold(member) for member in participants.members}
        self._counted_members: set[str] = set()
        self._standings: dict[tuple[str, str], Standing] = {}
        self._anchors: dict[str, Anchors | None] = dict.fromkeys(participants.members, Anchors())
        self._due_instants: dict[str, datetime] = {}
        self._episodes: list[Episode] = []
        self._standing_changes: list[StandingChange] = []
        self._last_messages: dict[str, ReceivedMessage] = {}  # by subject
        self._last_advice: dict[str, tuple[Advice, ...]] = {}
        self._last_milestones: dict[str, tuple[str, Anchors]] = {}  # with the survivor

    def resume(
        self,
        messages: Iterable[ReceivedMessage],
        latest: Iterable[Episode],
        standings: Iterable[Standing],
    ) -> None:
        """Continue after the stored versions: *messages* make no version."""
        for message in messages:
            self._apply_message(message)
        for episode in latest:
            self._set_latest(episode)
        for standing in standings:
            self._standings[standing.participant, standing.rule] = standing
        for member in self._participants.members:
            fold, last = self._participants.find_fold(member), self._find_last_message(member)
            self._find_changed_criteria(member, fold)
            self._anchors[member] = fold.anchors if fold else None
            if fold is not None and last is not None:
                self._set_timer(member, fold.find_standings(last.received_at))

    def receive(self, message: ReceivedMessage) -> None:
        """Apply *message*, after the timers that were due before it."""
        self.pass_time(message.received_at)
        self._apply_message(message)
        occasion = Occasion(message.subject, message.seq, message.received_at, self._rules.version)
        for member in self._participants.survivors_first:
            self._update_member(member, occasion, message.facts)

    def apply_new_rules(self, changed_at: datetime) -> None:
        """Make the versions of records to which other rules were applied before.

        The new versions are dated by the last fact, as a record never depends on when the rules
        changed. A standing does: participants are counted together, and until *changed_at* they
        were counted by the other rules.
        """
        for member in self._participants.survivors_first:
            last = self._find_last_message(member)
            if last is not None:
                self._anchors[member] = None
                version = self._rules.version
                occasion = Occasion(member, last.seq, last.received_at, version)
                self._update_member(member, occasion, None)
                self._update_standings(member, max(changed_at, last.received_at), last.seq)

    def pass_time(self, end: datetime) -> None:
        """Apply every timer that is due by *end*, each at its own instant."""
        while self._due_instants and (due_at := min(self._due_instants.values())) <= end:
            for member in [m for m, at in sorted(self._due_instants.items()) if at == due_at]:
                last = self._find_last_message(member)
                self._update_standings(member, due_at, last.seq if last else 0)

    @property
    def due_instants(self) -> Mapping[str, datetime]:
        """The next instant at which the standings of a member may change without a fact."""
        return self._due_instants

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
        """Return the anchors of *member*; empty when its facts belong to another's records."""
        fold = self._participants.find_fold(member)
        return Anchors() if fold is None else fold.anchors

    def take_changed_places(self) -> ChangedPlaces:
        """Return the places of facts that changed since the last call; of all, at the first one."""
        return self._participants.take_changed_places()

    def take_changed_milestones(self) -> Mapping[str, tuple[str, Anchors]]:
        """Return the survivor and the anchors of members where they changed since the last call."""
        survivor_of = self._participants.survivor_of
        milestones = {m: (survivor_of[m], self.find_anchors(m)) for m in survivor_of}
        changed_milestones = {
            member: mine
            for member, mine in milestones.items()
            if self._last_milestones.get(member) != mine
        }
        self._last_milestones |= changed_milestones
        return changed_milestones

    def list_queries(self, as_of: datetime | None = None) -> list[Query]:
        """Return the data queries at *as_of*; None: when the last bedside fact was charted."""
        folds = [self._participants.find_fold(member) for member in self._participants.members]
        return [query for fold in folds if fold is not None for query in fold.list_queries(as_of)]

    def list_query_periods(self, member: str) -> tuple[QueryPeriod, ...]:
        """Return the data queries on *member* since the last message, as time alone changes them.

        None when its facts belong to another's records, or there are no facts.
        """
        fold = self._participants.find_fold(member)
        if fold is None or self._last_received_at is None:
            return ()
        return fold.list_query_periods(self._last_received_at)

    def find_advice(
        self, member: str, as_of: datetime
    ) -> tuple[tuple[Advice, ...], datetime | None]:
        """Return the recommendations for *member*, and when they change without a fact."""
        fold = self._participants.find_fold(member)
        return ((), None) if fold is None else fold.find_advice(as_of)

    def take_changed_advice(self, as_of: datetime) -> Mapping[str, AdvicePeriod]:
        """Return the recommendations by member, where they changed since the last call.

        They hold since the last message, or since the last instant at which time changed them.
        """
        periods = {m: self._find_advice_period(m, as_of) for m in self._participants.members}
        changed_periods = {
            member: period
            for member, period in periods.items()
            if self._last_advice.get(member) is not period.advice
        }
        self._last_advice |= {member: one.advice for member, one in changed_periods.items()}
        return changed_periods

    def _find_advice_period(self, member: str, as_of: datetime) -> AdvicePeriod:
        """Return the recommendations at *as_of*, through each instant at which time changes them.

        To look at *as_of* alone would date them from a late look, not from when they fell due.
        """
        start = min(as_of, self._last_received_at or as_of)
        advice, due_at = self.find_advice(member, start)
        while due_at is not None and start < due_at <= as_of:
            start = due_at
            advice, due_at = self.find_advice(member, start)
        return AdvicePeriod(start, advice)

    def take_changes(self) -> tuple[list[Episode], list[StandingChange]]:
        """Return the versions and standings that are new since the last call."""
        changes = self._episodes, self._standing_changes
        self._episodes, self._standing_changes = [], []
        return changes

    @property
    def _last_received_at(self) -> datetime | None:
        """The instant of the last message; None before the first."""
        return max((one.received_at for one in self._last_messages.values()), default=None)

    def _apply_message(self, message: ReceivedMessage) -> None:
        self._participants.receive(message.subject, message.facts)
        self._last_messages[message.subject] = message

    def _find_last_message(self, member: str) -> ReceivedMessage | None:
        """Return the last of the messages that the records of *member* were made from."""
        messages = [
            self._last_messages[one]
            for one in self._participants.list_source_members(member)
            if one in self._last_messages
        ]
        return max(
            messages, key=lambda message: (message.received_at, message.subject), default=None
        )

    def _update_member(self, member: str, occasion: Occasion, facts: Sequence[Fact] | None) -> None:
        """Make the versions and standings that *facts* change; None: that other rules change."""
        fold = self._participants.find_fold(member)
        changed_criteria = self._find_changed_criteria(member, fold)
        if facts is None:
            changed_criteria = sorted({*self._latest[member], *self._records[member]})
        anchors = fold.anchors if fold else None
        previous_anchors, self._anchors[member] = self._anchors[member], anchors
        if changed_criteria:
            reason = OTHER_RULES if facts is None else find_reason(facts, previous_anchors, anchors)
            versions = self._make_versions(member, fold, changed_criteria, occasion)
            self._add_versions([add_reason(version, reason, facts) for version in versions])
        has_moved = anchors is not previous_anchors and anchors != previous_anchors
        if facts is not None and (
            changed_criteria or has_moved or self._needs_standing(member, facts)
        ):
            self._update_standings(member, occasion.recorded_at, occasion.seq)

    def _find_changed_criteria(self, member: str, fold: Fold | None) -> list[str]:
        """Return the criteria of *member* whose records changed since the last call."""
        records, current = self._records[member], fold.group_by_criterion() if fold else {}
        candidates = fold.take_changed_criteria() if fold else set()
        if self._folds.get(member) is not fold:
            self._folds[member] = fold
            candidates = {*records, *current}
        changed_criteria = [
            name for name in sorted(candidates) if records.get(name, ()) != current.get(name, ())
        ]
        for name in changed_criteria:
            records[name] = current.get(name, ())
        return changed_criteria

    def _needs_standing(self, member: str, facts: Sequence[Fact]) -> bool:
        """Return True when a standing of *member* may have changed although no record has.

        True for the first facts about a member without a standing, and for facts that standings
        alone are computed from.
        """
        protocol = self._rules.protocol
        if any(may_change_standing(fact, protocol) for fact in facts):
            return True
        if member in self._counted_members or member not in self._last_messages:
            return False
        self._counted_members.add(member)
        return any((member, rule.id) not in self._standings for rule in protocol.rules)

    def _make_versions(
        self, member: str, fold: Fold | None, changed_criteria: Sequence[str], occasion: Occasion
    ) -> list[Episode]:
        find_evidence_end = self._participants.find_last_evidence
        if fold is None:
            survivor = self._participants.survivor_of[member]
            live = [
                episode for episode in self.list_latest_versions(member) if not episode.retracted
            ]
            return retract_records(
                live, self.list_latest_versions(survivor), occasion, find_evidence_end
            )
        records = fold.group_by_criterion()
        versions = [
            version
            for name in changed_criteria
            for version in reconcile_records(
                sorted(self._latest[member].get(name, {}).values(), key=_by_onset),
                records.get(name, ()),
                occasion,
                find_evidence_end,
            )
        ]
        return sorted(versions, key=lambda version: version.retracted)  # retractions last

    def _add_versions(self, versions: Sequence[Episode]) -> None:
        for version in versions:
            self._set_latest(version)
        self._episodes += versions

    def _set_latest(self, version: Episode) -> None:
        member_records = self._latest[version.content.participant]
        member_records.setdefault(version.content.criterion, {})[version.id] = version

    def _update_standings(self, member: str, known_at: datetime, seq: int) -> None:
        fold = self._participants.find_fold(member)
        if fold is None:
            survivor = self._participants.survivor_of[member]
            timed_standings = [
                TimedStanding(Standing(member, rule.id, merged_into=survivor), None)
                for rule in self._rules.protocol.rules
            ]
        else:
            timed_standings = fold.find_standings(known_at)
        self._set_timer(member, timed_standings)
        for standing in (outlook.standing for outlook in timed_standings):
            key = (member, standing.rule)
            if self._standings.get(key) != standing:
                self._standings[key] = standing
                self._standing_changes.append(StandingChange(standing, known_at, seq))

    def _set_timer(self, member: str, timed_standings: Iterable[TimedStanding]) -> None:
        due_instants = [outlook.due_at for outlook in timed_standings if outlook.due_at is not None]
        self._due_instants.pop(member, None)
        if due_instants:
            self._due_instants[member] = min(due_instants)


def _by_onset(episode: Episode) -> tuple[datetime, str]:
    return episode.content.onset_at, episode.id
