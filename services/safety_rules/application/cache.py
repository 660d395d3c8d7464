"""The cache of the rules worker between steps: histories, least recently used first out."""

from collections import OrderedDict
from dataclasses import dataclass

from services.safety_rules.domain.participant.record_history import RecordHistory
from services.store.states import StateRow

Members = tuple[str, ...]

MB = 1_000_000
DEFAULT_BYTES = 256 * MB

_MEMBER_BYTES = 18_000
_EARLY_FACTS, _EARLY_FACT_BYTES = 25, 2_800  # beside those of each: with them the courses begin
_FACT_BYTES = 880
_SHARED_FACT_BYTES = 1_550  # of a family of several: beside the folds, facts are kept in order


@dataclass(frozen=True, slots=True)
class CachedHistory:
    """A history, the states at which it stands, and its number of facts."""

    history: RecordHistory
    states: tuple[StateRow, ...]
    facts: int

    @property
    def size_bytes(self) -> int:
        """The memory that it takes, about, from the number of facts alone.

        To walk a history would cost more than to fold. The figures are what tracemalloc counts
        of the families of a synthetic trial from their first fact to transplant day 103: up to
        2,000 facts, mostly of laboratories and vital signs. It may be off by half as much again
        either way: laboratory results carry limits, scores do not, and records with long histories
        are kept beside the facts.
        """
        fact_bytes = _FACT_BYTES if len(self.states) == 1 else _SHARED_FACT_BYTES
        early_bytes = _EARLY_FACT_BYTES * min(self.facts, _EARLY_FACTS)
        return _MEMBER_BYTES * len(self.states) + early_bytes + fact_bytes * self.facts


@dataclass(frozen=True, slots=True)
class CacheUses:
    """Numbers of families found, not found, and dropped to stay within the limit."""

    hits: int = 0
    misses: int = 0
    evictions: int = 0


class Cache:
    """Histories by family; a dropped one is rebuilt from the journal when it is needed."""

    def __init__(self, most_bytes: int = DEFAULT_BYTES) -> None:
        """Hold at most about *most_bytes*, and always one family."""
        self._most_bytes = most_bytes
        self._histories: OrderedDict[Members, CachedHistory] = OrderedDict()
        self._bytes = 0
        self._hits = self._misses = self._evictions = 0

    def __len__(self) -> int:
        """Return the number of families."""
        return len(self._histories)

    @property
    def size_bytes(self) -> int:
        """The memory that all of them take, about."""
        return self._bytes

    def get(self, states: tuple[StateRow, ...]) -> CachedHistory | None:
        """Return the history of the family; None when it is not there, or not at *states*."""
        cached_history = self.find(states)
        if cached_history is None:
            self._misses += 1
            return None
        self._hits += 1
        self._histories.move_to_end(_list_members(states))
        return cached_history

    def find(self, states: tuple[StateRow, ...]) -> CachedHistory | None:
        """Return what `get` does, which is no use of the cache: others are not dropped for it."""
        cached_history = self._histories.get(_list_members(states))
        if cached_history is None or cached_history.states != states:
            return None
        return cached_history

    def put(self, cached_history: CachedHistory) -> None:
        """Add *cached_history*, and drop the least recently used."""
        key = _list_members(cached_history.states)
        self.drop(key)
        self._histories[key] = cached_history
        self._bytes += cached_history.size_bytes
        while len(self._histories) > 1 and self._bytes > self._most_bytes:
            _, evicted_history = self._histories.popitem(last=False)
            self._bytes -= evicted_history.size_bytes
            self._evictions += 1

    def drop(self, members: Members) -> None:
        """Drop the family: its next step starts from the journal."""
        dropped = self._histories.pop(members, None)
        if dropped is not None:
            self._bytes -= dropped.size_bytes

    def make_empty(self) -> "Cache":
        """Return an empty one with the same limit.

        A step that is under way ends with the one that it began with.
        """
        return Cache(self._most_bytes)

    def take_uses(self) -> CacheUses:
        """Return the uses since the last call."""
        uses = CacheUses(self._hits, self._misses, self._evictions)
        self._hits = self._misses = self._evictions = 0
        return uses


def _list_members(states: tuple[StateRow, ...]) -> Members:
    return tuple(state.subject for state in states)
