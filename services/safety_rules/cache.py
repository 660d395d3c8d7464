"""What the rules worker remembers between steps: chronicles, least recently used first out."""

from collections import OrderedDict
from dataclasses import dataclass

from services.safety_rules.domain.chronicle import Chronicle
from services.store.states import StateRow

Members = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Remembered:
    """A chronicle, the states at which it stands, and how many facts it has heard."""

    chronicle: Chronicle
    states: tuple[StateRow, ...]
    facts: int


class Cache:
    """Chronicles by family; what is dropped is rebuilt from the journal when it is needed."""

    def __init__(self, most_facts: int = 500_000) -> None:
        """Hold at most *most_facts* facts (about 2 KB each), and always one family."""
        self._most_facts = most_facts
        self._kept: OrderedDict[Members, Remembered] = OrderedDict()

    def get(self, states: tuple[StateRow, ...]) -> Remembered | None:
        """Return what is remembered of the family, None when somebody else moved it on."""
        found = self._kept.get(_members(states))
        if found is None or found.states != states:
            return None
        self._kept.move_to_end(_members(states))
        return found

    def put(self, remembered: Remembered) -> None:
        """Remember, and drop what was used least recently."""
        key = _members(remembered.states)
        self._kept[key] = remembered
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and self._facts() > self._most_facts:
            self._kept.popitem(last=False)

    def drop(self, members: Members) -> None:
        """Forget the family: its next step starts from the journal."""
        self._kept.pop(members, None)

    def _facts(self) -> int:
        return sum(kept.facts for kept in self._kept.values())


def _members(states: tuple[StateRow, ...]) -> Members:
    return tuple(state.subject for state in states)
