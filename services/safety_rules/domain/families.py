"""Participants that merges have made one person, and their records."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from services.safety_rules.domain.fold import Fold
from services.safety_rules.domain.rules import Rules
from services.vocabulary.episode import EpisodeContent
from services.vocabulary.fact import Fact, Merge


def survivors(members: Iterable[str], merges: Iterable[Fact]) -> dict[str, str]:
    """Return whose records each member's facts belong to.

    Of several merge facts about one pair the greatest by time of report, then content, decides.
    The survivor of a chain is the one that was never merged away; of a cycle, the least id.

    >>> survivors(["P-2", "P-1"], [])
    {'P-1': 'P-1', 'P-2': 'P-2'}
    """
    decided: dict[frozenset[str], Merge] = {}
    for fact in sorted(merges, key=lambda f: (f.reported_at, f.digest)):
        if isinstance(fact.body, Merge):
            decided[frozenset((fact.body.gone, fact.body.survivor))] = fact.body
    into = {m.gone: m.survivor for m in decided.values() if not m.undone}
    return {member: _end_of_chain(member, into) for member in sorted(members)}


def _end_of_chain(member: str, into: Mapping[str, str]) -> str:
    passed = [member]
    while (following := into.get(passed[-1])) is not None:
        if following in passed:
            return min(passed[passed.index(following) :])
        passed.append(following)
    return passed[-1]


class Family:
    """Participants that some merge fact names together, folded as one unit.

    A family of one is the rule; its facts are not kept, only what is made of them.
    """

    def __init__(self, members: Sequence[str], rules: Rules) -> None:
        """Start with no facts; *members* in any order."""
        self.members = tuple(sorted(members))
        self._rules = rules
        self._heard: dict[str, list[Fact]] = {member: [] for member in self.members}
        self._merges: dict[str, Fact] = {}
        self.survivor_of = survivors(self.members, ())
        self._folds = {member: Fold(member, rules) for member in self.members}

    def hear(self, subject: str, facts: Sequence[Fact]) -> None:
        """Let *facts* of one message about *subject* be known."""
        if len(self.members) > 1:
            self._heard[subject].extend(facts)
            merges = {fact.id: fact for fact in facts if isinstance(fact.body, Merge)}
            if merges:
                self._merges |= merges
                self._regroup()
                return
        self._folds[self.survivor_of[subject]].apply(facts)

    def fold_of(self, member: str) -> Fold | None:
        """Return the fold of *member*, None when its facts belong to another's records."""
        return self._folds.get(member)

    def contents(self, member: str) -> tuple[EpisodeContent, ...]:
        """Return the records of *member*: none when they are another's."""
        fold = self._folds.get(member)
        return () if fold is None else fold.contents()

    def last_evidence(self, record: EpisodeContent) -> datetime | None:
        """Return when *record* ended, or was last seen; None when it is no current record."""
        fold = self._folds.get(record.participant)
        return None if fold is None else fold.last_evidence(record)

    def _regroup(self) -> None:
        self.survivor_of = survivors(self.members, self._merges.values())
        self._folds = {}
        for survivor in sorted(set(self.survivor_of.values())):
            fold = Fold(survivor, self._rules)
            for member in self.members:
                if self.survivor_of[member] == survivor:
                    fold.apply(self._heard[member])
            self._folds[survivor] = fold


def families(subjects: Iterable[str], merges: Iterable[Fact]) -> list[tuple[str, ...]]:
    """Return the connected groups of *subjects* under every merge fact, undone ones included.

    >>> families(["P-2", "P-1"], [])
    [('P-1',), ('P-2',)]
    """
    group_of = {subject: {subject} for subject in subjects}
    for fact in merges:
        if isinstance(fact.body, Merge):
            ends = (fact.body.gone, fact.body.survivor)
            joined = set().union(*(group_of.get(end, {end}) for end in ends))
            for member in joined:
                group_of[member] = joined
    wanted = set(group_of)
    return sorted({tuple(sorted(group & wanted)) for group in group_of.values()})
