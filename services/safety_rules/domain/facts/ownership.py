"""Whose each fact is, once participants were merged and visits were moved between them.

Source: docs/decisions/corrections.md, "Visits and identifiers that moved"
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from services.safety_rules.domain.facts.current_facts import CORRECTING_STATUSES
from services.vocabulary.fact import (
    Administration,
    Death,
    Fact,
    Merge,
    Move,
    Movement,
    Observation,
)

_FEED_BODIES = (Administration, Death, Movement, Observation)  # what feeds send under an identifier

_FactSet = tuple[str, str, datetime | None]  # subject, series, observed_at; None: all of the series


def find_named_pair(fact: Fact) -> tuple[str, str] | None:
    """Return the two participants that a merge or a move names; None for any other fact."""
    match fact.body:
        case Merge(gone=one, survivor=other) | Move(source=one, target=other):
            return one, other
    return None


def find_survivors(members: Iterable[str], merges: Iterable[Fact]) -> dict[str, str]:
    """Return whose records each member's facts belong to.

    Of several merge facts about one pair the greatest by time of report, then content, decides.
    The survivor of a chain is the one that was never merged away; of a cycle, the least id.

    >>> find_survivors(["P-2", "P-1"], [])
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


def select_moves_in_force(facts: Iterable[Fact]) -> tuple[Move, ...]:
    """Return the moves among *facts* that nothing takes back, in the order in which they apply.

    That is by time of report, then of the event, then content: never by arrival. The copies of a
    move in two journals are one. A move that says *undone* takes back each earlier one of the same
    between the same two.
    """
    found: list[Move] = []
    moves = {
        (fact.reported_at, fact.observed_at, fact.body)
        for fact in facts
        if isinstance(fact.body, Move)
    }
    for *_, move in sorted(moves, key=lambda one: (*one[:2], *_move_key(one[2]))):
        if move.undone:
            found = [one for one in found if _move_key(one)[:3] != _move_key(move)[:3]]
        else:
            found.append(move)
    return tuple(found)


def _move_key(move: Move) -> tuple[str, str, str, str, bool]:
    return move.source, move.target, move.visit, move.new_visit, move.undone


class Ownership:
    """Whose the facts of a family are, as far as its merges and moves are known.

    What names anybody who is no member says nothing: nobody of that name takes part.
    """

    def __init__(self, members: Sequence[str]) -> None:
        """Start with every fact with whom it was sent about."""
        self.survivor_of: Mapping[str, str] = {member: member for member in members}
        self.moves: tuple[Move, ...] = ()
        self._merges_and_moves: list[Fact] = []
        self._visits_by_set: dict[_FactSet, set[str]] = {}

    def add_facts(self, facts: Sequence[Fact]) -> bool:
        """Take in *facts*; say whether any that was heard before may now be another's."""
        before = self.survivor_of, self.moves
        says_of_which_visit = False
        members = self.survivor_of.keys()
        joining = [
            fact for fact in facts if (pair := find_named_pair(fact)) and members >= set(pair)
        ]
        for fact in facts:
            if fact.series:
                for known in (_set_key(fact), _series_key(fact)):
                    says_of_which_visit |= self._learn_visit(known, fact.visit)
        if joining:
            self._merges_and_moves += joining
            self.survivor_of = find_survivors(self.survivor_of, self._merges_and_moves)
            self.moves = select_moves_in_force(self._merges_and_moves)
        moved = says_of_which_visit and bool(self.moves)
        return moved or before != (self.survivor_of, self.moves)

    def _learn_visit(self, of: _FactSet, visit: str) -> bool:
        """Take in that facts of *of* are of *visit*; say whether that is news about others."""
        known = self._visits_by_set.get(of)
        visits = self._visits_by_set.setdefault(of, set())
        is_news = bool(visit) and visit not in visits
        if is_news:
            visits.add(visit)
        return is_news and known is not None

    def find_owner(self, fact: Fact) -> str:
        """Return whose records *fact* belongs to: follow the moves, then the merges."""
        who, visit = fact.subject, self._find_visit(fact)
        fed = bool(fact.site) and isinstance(fact.body, _FEED_BODIES)
        for move in self.moves:
            if not self._is_one_person(who, move.source):
                continue
            if (visit == move.visit) if move.visit else fed:
                who, visit = move.target, move.new_visit or visit
        return self.survivor_of[who]

    def _is_one_person(self, one: str, other: str) -> bool:
        return self.survivor_of[one] == self.survivor_of[other]

    def _find_visit(self, fact: Fact) -> str:
        """Return the visit of *fact*; what says of none is of the visit of what it corrects."""
        if fact.visit or not fact.series:
            return fact.visit
        known = self._visits_by_set.get(_set_key(fact), set())
        if not known and fact.status in CORRECTING_STATUSES:  # of a time that was corrected
            known = self._visits_by_set.get(_series_key(fact), set())
        return next(iter(known)) if len(known) == 1 else ""


def _set_key(fact: Fact) -> _FactSet:
    return fact.subject, fact.series, fact.observed_at


def _series_key(fact: Fact) -> _FactSet:
    return fact.subject, fact.series, None
