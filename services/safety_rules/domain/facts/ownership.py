"""Ownership of facts after participants were merged and visits were moved between them.

Source: docs/decisions/corrections.md, "Visits and identifiers that moved"
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from services.safety_rules.domain.facts.current_report import CORRECTING_STATUSES
from services.vocabulary.clinical_fact import Administration, Death, Movement, Observation
from services.vocabulary.fact import Fact
from services.vocabulary.identity_change import Merge, Move

_FEED_BODIES = (
    Administration,
    Death,
    Movement,
    Observation,
)  # those that feeds send under an identifier

_FactSet = tuple[str, str, datetime | None]  # subject, series, observed_at; None: all of the series


def find_named_pair(fact: Fact) -> tuple[str, str] | None:
    """Return the two participants that a merge or a move names; None for any other fact."""
    match fact.body:
        case Merge(gone=one, survivor=other) | Move(source=one, target=other):
            return one, other
    return None


def find_survivors(members: Iterable[str], merges: Iterable[Fact]) -> dict[str, str]:
    """Return for each member the participant whose records its facts belong to.

    Of several merge facts about one pair the greatest by time of report, then content, decides.
    The survivor of a chain is the one that was never merged away; of a cycle, the least id.

    >>> find_survivors(["P-2", "P-1"], [])
    {'P-1': 'P-1', 'P-2': 'P-2'}
    """
    last_merges: dict[frozenset[str], Merge] = {}
    for fact in sorted(merges, key=lambda f: (f.reported_at, f.digest)):
        if isinstance(fact.body, Merge):
            last_merges[frozenset((fact.body.gone, fact.body.survivor))] = fact.body
    merged_into = {m.gone: m.survivor for m in last_merges.values() if not m.undone}
    return {member: _find_end_of_chain(member, merged_into) for member in sorted(members)}


def _find_end_of_chain(member: str, merged_into: Mapping[str, str]) -> str:
    chain = [member]
    while (successor := merged_into.get(chain[-1])) is not None:
        if successor in chain:
            return min(chain[chain.index(successor) :])
        chain.append(successor)
    return chain[-1]


def select_moves_in_force(facts: Iterable[Fact]) -> tuple[Move, ...]:
    """Return the moves among *facts* that are not undone, in the order in which they apply.

    The order is time of report, then of the event, then content: never arrival. The copies of a
    move in two journals are one. A move that says *undone* takes back each earlier one of the same
    between the same two.
    """
    moves_in_force: list[Move] = []
    moves = {
        (fact.reported_at, fact.observed_at, fact.body)
        for fact in facts
        if isinstance(fact.body, Move)
    }
    for *_, move in sorted(moves, key=lambda one: (*one[:2], *_move_key(one[2]))):
        if move.undone:
            moves_in_force = [
                one for one in moves_in_force if _move_key(one)[:3] != _move_key(move)[:3]
            ]
        else:
            moves_in_force.append(move)
    return tuple(moves_in_force)


def _move_key(move: Move) -> tuple[str, str, str, str, bool]:
    return move.source, move.target, move.visit, move.new_visit, move.undone


class Ownership:
    """Ownership of the facts of linked participants, by the merges and moves received so far.

    A merge or move that names anybody who is no member is ignored: nobody of that name takes part.
    """

    def __init__(self, members: Sequence[str]) -> None:
        """Start with every fact owned by its subject."""
        self.survivor_of: Mapping[str, str] = {member: member for member in members}
        self.moves: tuple[Move, ...] = ()
        self._merges_and_moves: list[Fact] = []
        self._visits_by_set: dict[_FactSet, set[str]] = {}

    def add_facts(self, facts: Sequence[Fact]) -> bool:
        """Add *facts*; return True when an earlier fact may have changed its owner."""
        previous_state = self.survivor_of, self.moves
        has_new_visit = False
        members = self.survivor_of.keys()
        merges_and_moves = [
            fact for fact in facts if (pair := find_named_pair(fact)) and members >= set(pair)
        ]
        for fact in facts:
            if fact.series:
                for key in (_set_key(fact), _series_key(fact)):
                    has_new_visit |= self._learn_visit(key, fact.visit)
        if merges_and_moves:
            self._merges_and_moves += merges_and_moves
            self.survivor_of = find_survivors(self.survivor_of, self._merges_and_moves)
            self.moves = select_moves_in_force(self._merges_and_moves)
        visit_matters = has_new_visit and bool(self.moves)
        return visit_matters or previous_state != (self.survivor_of, self.moves)

    def _learn_visit(self, key: _FactSet, visit: str) -> bool:
        """Add *visit* to those of *key*; return True when that is news about earlier facts."""
        had_facts = key in self._visits_by_set
        visits = self._visits_by_set.setdefault(key, set())
        is_news = bool(visit) and visit not in visits
        if is_news:
            visits.add(visit)
        return is_news and had_facts

    def find_owner(self, fact: Fact) -> str:
        """Return the owner of *fact*: follow the moves, then the merges."""
        owner, visit = fact.subject, self._find_visit(fact)
        is_from_feed = bool(fact.site) and isinstance(fact.body, _FEED_BODIES)
        for move in self.moves:
            if not self._is_one_person(owner, move.source):
                continue
            if (visit == move.visit) if move.visit else is_from_feed:
                owner, visit = move.target, move.new_visit or visit
        return self.survivor_of[owner]

    def _is_one_person(self, first: str, second: str) -> bool:
        return self.survivor_of[first] == self.survivor_of[second]

    def _find_visit(self, fact: Fact) -> str:
        """Return the visit of *fact*; a correction without one has that of the fact it corrects."""
        if fact.visit or not fact.series:
            return fact.visit
        visits = self._visits_by_set.get(_set_key(fact), set())
        if not visits and fact.status in CORRECTING_STATUSES:  # of a time that was corrected
            visits = self._visits_by_set.get(_series_key(fact), set())
        return next(iter(visits)) if len(visits) == 1 else ""


def _set_key(fact: Fact) -> _FactSet:
    return fact.subject, fact.series, fact.observed_at


def _series_key(fact: Fact) -> _FactSet:
    return fact.subject, fact.series, None
