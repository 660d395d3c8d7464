"""Participants that merges and moves link, and their records."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.facts.ownership import Ownership
from services.safety_rules.domain.participant.fold import Fold
from services.vocabulary.episode import EpisodeContent
from services.vocabulary.fact import Fact
from services.vocabulary.fact_place import ChangedPlaces


class LinkedParticipants:
    """Participants that some merge or move links, folded as one unit.

    Mostly a single participant, whose facts are not kept.
    """

    def __init__(self, members: Sequence[str], rules: Rules) -> None:
        """Start with no facts; *members* in any order."""
        self.members = tuple(sorted(members))
        self._rules = rules
        self._received_facts: list[Fact] = []
        self._ownership = Ownership(self.members)
        self._folds = {member: Fold(member, rules) for member in self.members}
        self.survivors_first = self.members
        self._are_all_placed = False  # in what was taken last

    def receive(self, subject: str, facts: Sequence[Fact]) -> None:
        """Apply *facts* of one message about *subject*."""
        if len(self.members) == 1:
            self._folds[subject].apply(facts)
            return
        self._received_facts.extend(facts)
        if self._ownership.add_facts(facts):
            self._folds = {
                survivor: Fold(survivor, self._rules) for survivor in self._list_survivors()
            }
            in_order = sorted(self.members, key=lambda member: (member not in self._folds, member))
            self.survivors_first = tuple(in_order)
            self._are_all_placed = False
            facts = self._received_facts
        self._apply_by_owner(facts)

    def take_changed_places(self) -> ChangedPlaces:
        """Return the places of facts that changed since the last call; of all, at the first one."""
        places = tuple(place for fold in self._folds.values() for place in fold.take_places())
        subjects = () if self._are_all_placed else self.members
        self._are_all_placed = True
        return ChangedPlaces(subjects, places)

    def _apply_by_owner(self, facts: Sequence[Fact]) -> None:
        by_owner: dict[str, list[Fact]] = {}
        for fact in facts:
            by_owner.setdefault(self._ownership.find_owner(fact), []).append(fact)
        for owner, owned_facts in sorted(by_owner.items()):
            self._folds[owner].apply(owned_facts)

    def _list_survivors(self) -> list[str]:
        return sorted(set(self._ownership.survivor_of.values()))

    @property
    def survivor_of(self) -> Mapping[str, str]:
        """The member to whose records each member's facts belong, if no visit was moved."""
        return self._ownership.survivor_of

    def list_source_members(self, member: str) -> Sequence[str]:
        """Return the members from whose journals the records of *member* may be made."""
        if self._ownership.moves:
            return self.members
        survivor_of = self.survivor_of
        return [one for one in self.members if one == member or survivor_of[one] == member]

    def find_fold(self, member: str) -> Fold | None:
        """Return the fold of *member*, None when its facts belong to another's records."""
        return self._folds.get(member)

    def list_records(self, member: str) -> tuple[EpisodeContent, ...]:
        """Return the records of *member*; empty when they are another's."""
        fold = self._folds.get(member)
        return () if fold is None else fold.list_records()

    def find_last_evidence(self, record: EpisodeContent) -> datetime | None:
        """Return the instant of the last evidence of *record*; None: it is no current record."""
        fold = self._folds.get(record.participant)
        return None if fold is None else fold.find_last_evidence(record)
