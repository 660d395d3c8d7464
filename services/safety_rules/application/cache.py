"""What the rules worker remembers between steps: chronicles, least recently used first out."""

from collections import OrderedDict
from dataclasses import dataclass

from services.safety_rules.domain.participant.record_history import RecordHistory
from services.store.states import StateRow

Members = tuple[str, ...]

MB = 1_000_000
DEFAULT_BYTES = 256 * MB

_OF_A_FAMILY = 130_000
_OF_A_FACT = 960
_OF_A_FACT_SHARED = 1_650  # of a family of several: beside the folds, facts are kept in order


@dataclass(frozen=True, slots=True)
class Remembered:
    """A chronicle, the states at which it stands, and how many facts it has heard."""

    chronicle: RecordHistory
    states: tuple[StateRow, ...]
    facts: int

    @property
    def size_bytes(self) -> int:
        """Return about how much memory it takes, from the number of facts alone.

        To walk a chronicle would cost more than to fold. The figures are what tracemalloc counts
        of the families of a synthetic trial, each followed to transplant day 103: 600 to 2,000
        facts, mostly of laboratories and vital signs. It may be off by half as much again either
        way: laboratory results carry limits, scores do not, and records with long histories are
        kept beside the facts.
        """
        each = _OF_A_FACT if len(self.states) == 1 else _OF_A_FACT_SHARED
        return _OF_A_FAMILY + each * self.facts


@dataclass(frozen=True, slots=True)
class Uses:
    """How often a family was found or not, and how many were dropped to stay within the limit."""

    hits: int = 0
    misses: int = 0
    evictions: int = 0


class Cache:
    """Chronicles by family; what is dropped is rebuilt from the journal when it is needed."""

    def __init__(self, most_bytes: int = DEFAULT_BYTES) -> None:
        """Hold at most about *most_bytes*, and always one family."""
        self._most_bytes = most_bytes
        self._kept: OrderedDict[Members, Remembered] = OrderedDict()
        self._bytes = 0
        self._hits = self._misses = self._evictions = 0

    def __len__(self) -> int:
        """Return how many families are remembered."""
        return len(self._kept)

    @property
    def size_bytes(self) -> int:
        """About how much memory all of them take."""
        return self._bytes

    def get(self, states: tuple[StateRow, ...]) -> Remembered | None:
        """Return what is remembered of the family, None when somebody else moved it on."""
        found = self._kept.get(_members(states))
        if found is None or found.states != states:
            self._misses += 1
            return None
        self._hits += 1
        self._kept.move_to_end(_members(states))
        return found

    def put(self, remembered: Remembered) -> None:
        """Remember, and drop what was used least recently."""
        key = _members(remembered.states)
        self.drop(key)
        self._kept[key] = remembered
        self._bytes += remembered.size_bytes
        while len(self._kept) > 1 and self._bytes > self._most_bytes:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= dropped.size_bytes
            self._evictions += 1

    def drop(self, members: Members) -> None:
        """Forget the family: its next step starts from the journal."""
        dropped = self._kept.pop(members, None)
        if dropped is not None:
            self._bytes -= dropped.size_bytes

    def emptied(self) -> "Cache":
        """Return another with the same limit that remembers nobody.

        A step that is under way ends with the one that it began with.
        """
        return Cache(self._most_bytes)

    def take_uses(self) -> Uses:
        """Return how it was used since this was last asked."""
        uses = Uses(self._hits, self._misses, self._evictions)
        self._hits = self._misses = self._evictions = 0
        return uses


def _members(states: tuple[StateRow, ...]) -> Members:
    return tuple(state.subject for state in states)
